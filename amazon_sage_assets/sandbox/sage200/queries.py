"""A GET: its `$` parameters turned into one statement per resource and child, and rows turned into answers."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from amazon_sage_assets.sandbox.sage200 import filters, moments
from amazon_sage_assets.sandbox.sage200.columns import Child, Column, Resource, chosen
from amazon_sage_assets.sandbox.sage200.options import Options
from amazon_sage_assets.sandbox.sage200.refusals import Refused

DEFAULT_TOP = 500
HIGHEST_TOP = 5000
PARAMETERS = ("$select", "$filter", "$orderby", "$top", "$skip", "$expand", "$count", "$metadata")
_SIGNS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_LITERALS = {
    "whole": ("number",),
    "number": ("number",),
    "text": ("string",),
    "moment": ("moment", "day"),
    "flag": ("flag",),
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Condition:
    """A piece of a `where`, with its values."""

    sql: str
    values: tuple[Any, ...] = ()


def read(
    db: sqlite3.Connection,
    resource: Resource,
    parameters: Mapping[str, str],
    options: Options,
    only: Condition | None = None,
) -> Any:
    """What GET on a collection answers. Raises Refused."""
    for name in parameters:
        if name.startswith("$") and name not in PARAMETERS:
            raise Refused(f"'{name}' is not a query option.", name)
    expanded = _expanded(resource, parameters.get("$expand", ""))
    if (described := _flag(parameters, "$metadata")) is not None:
        return _metadata(resource, expanded=described)
    conditions = [Condition(f"({resource.where})")] if resource.where else []
    if only:
        conditions.append(only)
    if parameters.get("$filter", "").strip():
        conditions.append(_condition(filters.parse(parameters["$filter"]), resource, options))
    where = " and ".join(one.sql for one in conditions) or "1"
    values = [value for one in conditions for value in one.values]
    if _flag(parameters, "$count"):
        return db.execute(f"select count(*) from {resource.source} where {where}", values).fetchone()[0]

    top = _whole(parameters, "$top", DEFAULT_TOP)
    if top > HIGHEST_TOP:
        raise Refused(f"$top is {top}; the highest is {HIGHEST_TOP}.", "$top")
    skip = _whole(parameters, "$skip", 0)
    if "$skip" in parameters and not parameters.get("$orderby", "").strip():
        raise Refused("$skip needs $orderby.", "$skip")
    columns, within = _selected(resource, parameters.get("$select", ""), expanded)
    order = _order(resource, parameters.get("$orderby", ""), options)
    rows = db.execute(
        f"select {_select(resource, columns, expanded)} from {resource.source} where {where} {order} limit ? offset ?",
        [*values, top, skip],
    ).fetchall()
    found = [_row(row, resource, columns) for row in rows]
    for name, child in expanded.items():
        _attach(db, rows, found, name, child, within.get(name))
    return found


def by_key(resource: Resource, value: int) -> Condition:
    return Condition(f"{resource.columns[resource.key].sql} = ?", (value,))


# From names to SQL


def _column(resource: Resource, name: str, where: str) -> Column:
    if name not in resource.columns:
        raise Refused(f"{where}: '{name}' is not a field of this resource.", where)
    return resource.columns[name]


def _condition(node: filters.Condition, resource: Resource, options: Options) -> Condition:
    if isinstance(node, filters.Not):
        inner = _condition(node.inner, resource, options)
        return Condition(f"not {inner.sql}", inner.values)
    if isinstance(node, filters.Several):
        parts = [_condition(part, resource, options) for part in node.parts]
        joined = f" {node.joined} ".join(part.sql for part in parts)
        return Condition(f"({joined})", tuple(value for part in parts for value in part.values))
    if "." in node.field:
        return _child_condition(node, resource, options)
    column = _column(resource, node.field, "$filter")
    if isinstance(node, filters.Call):
        return _call(node, column, options)
    return _comparison(node, column, options)


def _child_condition(node: filters.Comparison | filters.Call, resource: Resource, options: Options) -> Condition:
    """`customer.reference eq 'WEB001'`: the keys of the children that fit."""
    name, field = node.field.split(".")
    child = _child(resource, name, "$filter")
    column = _column(child.resource, field, "$filter")
    inner = _call(node, column, options) if isinstance(node, filters.Call) else _comparison(node, column, options)
    sql = f"({child.key} in (select {child.link} from {child.resource.source} where {inner.sql}))"
    return Condition(sql, inner.values)


def _comparison(node: filters.Comparison, column: Column, options: Options) -> Condition:
    sign, literal = _SIGNS[node.operator], node.value
    if literal.kind == "null":
        if sign not in ("=", "<>"):
            raise Refused(f"$filter: null cannot be compared by '{node.operator}'.", "$filter")
        return Condition(f"({column.sql} is {'not ' if sign == '<>' else ''}null)")
    if literal.kind not in _LITERALS[column.kind]:
        raise Refused(f"$filter: '{literal.text}' is not a value for the field '{node.field}'.", "$filter")
    if column.kind in ("whole", "number"):
        return _number(column, sign, Decimal(literal.text))
    if column.kind == "text":
        return _text(column, sign, literal.text, options)
    return Condition(f"({column.sql} {sign} ?)", (_plain(literal),))


def _number(column: Column, sign: str, value: Decimal) -> Condition:
    """A comparison of whole numbers, also with a value of more decimals than the field has."""
    scaled = value.scaleb(column.scale)
    finer = max(-int(scaled.normalize().as_tuple().exponent), 0)
    left = f"({column.sql}) * {10**finer}" if finer else column.sql
    bound = int(scaled.scaleb(finer))
    if abs(bound) >= 2**63:
        raise Refused(f"$filter: {value} is out of range.", "$filter")
    return Condition(f"({left} {sign} ?)", (bound,))


def _text(column: Column, sign: str, value: str, options: Options) -> Condition:
    if column.names and value.isdigit():  # an enumeration can be named by its number
        named = f"(select value from enumerations where list = '{column.names}' and id = ?)"
        return Condition(f"({column.sql} {sign} {named})", (int(value),))
    return Condition(f"({column.sql} collate {_collation(options)} {sign} ?)", (value,))


def _collation(options: Options) -> str:
    return "binary" if options.reference_case_sensitive else "nocase"


def _call(node: filters.Call, column: Column, options: Options) -> Condition:
    if column.kind != "text" or node.value.kind != "string":
        raise Refused(f"$filter: {node.function} compares texts.", "$filter")
    if not node.value.text:
        return Condition("(1)")
    pattern = "?" if options.reference_case_sensitive else "lower(?)"
    subject = column.sql if options.reference_case_sensitive else f"lower({column.sql})"
    if node.function == "contains":
        return Condition(f"(instr({subject}, {pattern}) > 0)", (node.value.text,))
    length = len(node.value.text)
    part = f"substr({subject}, 1, {length})" if node.function == "startswith" else f"substr({subject}, -{length})"
    return Condition(f"({part} = {pattern})", (node.value.text,))


def _plain(literal: filters.Literal_) -> Any:
    try:
        if literal.kind == "flag":
            return int(literal.text == "true")
        return moments.read_day(literal.text) if literal.kind == "day" else moments.read_moment(literal.text)
    except ValueError as fault:
        raise Refused(f"$filter: {fault}.", "$filter") from None


def _order(resource: Resource, text: str, options: Options) -> str:
    """`order by`, with the key behind what was asked for, so that pages never overlap."""
    parts = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        words = item.split()
        if len(words) > 2 or (len(words) == 2 and words[1] not in ("asc", "desc")):
            raise Refused(f"$orderby is malformed: '{item}'.", "$orderby")
        column = _column(resource, words[0], "$orderby")
        collated = f" collate {_collation(options)}" if column.kind == "text" else ""
        if not column.sql.isdigit():  # a constant orders nothing, and SQL would read it as a column number
            parts.append(f"{column.sql}{collated} {words[1] if len(words) == 2 else 'asc'}")
    if resource.key and not resource.columns[resource.key].sql.isdigit():
        parts.append(resource.columns[resource.key].sql)
    return f"order by {', '.join(parts)}" if parts else ""


def _child(resource: Resource, name: str, where: str) -> Child:
    if name not in resource.children:
        raise Refused(f"{where}: '{name}' cannot be expanded here.", where)
    return resource.children[name]


def _expanded(resource: Resource, text: str) -> dict[str, Child]:
    names = filter(None, (part.strip() for part in text.split(",")))
    return {name: _child(resource, name, "$expand") for name in names}


def _selected(
    resource: Resource, text: str, expanded: Mapping[str, Child]
) -> tuple[dict[str, Column], dict[str, list[str]]]:
    """The columns asked for, and those asked for of each expanded child."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    columns: dict[str, Column] = {}
    within: dict[str, list[str]] = {}
    for name in names:
        parent, _, field = name.partition(".")
        if field:
            if parent not in expanded:
                raise Refused(f"$select: '{parent}' is not expanded.", "$select")
            _column(expanded[parent].resource, field, "$select")
            within.setdefault(parent, []).append(field)
        elif name not in expanded:
            columns[name] = _column(resource, name, "$select")
    return (columns or dict(resource.columns), within) if not names or columns else ({}, within)


def _whole(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused(f"{name} must be a whole number, not '{text}'.", name)
    return int(text)


def _flag(parameters: Mapping[str, str], name: str) -> bool | None:
    text = parameters.get(name)
    if text not in (None, "true", "false"):
        raise Refused(f"{name} must be true or false, not '{text}'.", name)
    return None if text is None else text == "true"


# From rows to answers


def _select(resource: Resource, columns: Mapping[str, Column], expanded: Mapping[str, Child]) -> str:
    found = [f'{column.sql} as "{name}"' for name, column in columns.items()]
    found += [f'{child.key} as "key of {name}"' for name, child in expanded.items()]
    return ", ".join(found) or "1"


def _row(row: sqlite3.Row, resource: Resource, columns: Mapping[str, Column]) -> Row:
    """A record as Sage writes it: a null text is empty, a null number 0, a null date is left out."""
    found: Row = {}
    for name, column in columns.items():
        value = row[name]
        if column.kind == "moment":
            if value is not None:
                found[name] = moments.shown(value)
        elif column.kind == "text":
            found[name] = value or ""
        elif column.kind == "flag":
            found[name] = bool(value)
        elif column.kind == "number":
            found[name] = Decimal(value or 0).scaleb(-column.scale)
        else:
            found[name] = value or 0
    return found


def _attach(
    db: sqlite3.Connection, rows: Sequence[sqlite3.Row], found: Sequence[Row], name: str, child: Child,
    names: list[str] | None,
) -> None:  # fmt: skip
    """Put the children of all rows in place, with one query for many parents."""
    resource = chosen(child.resource, names) if names else child.resource
    keys = sorted({row[f"key of {name}"] for row in rows if row[f"key of {name}"] is not None})
    by_parent: dict[Any, list[Row]] = {}
    for start in range(0, len(keys), DEFAULT_TOP):
        some = keys[start : start + DEFAULT_TOP]
        places = ", ".join("?" * len(some))
        for row in db.execute(
            f'select {_select(resource, resource.columns, {})}, {child.link} as "link" from {resource.source} '
            f"where {child.link} in ({places})",
            some,
        ):
            by_parent.setdefault(row["link"], []).append(_row(row, resource, resource.columns))
    for row, one in zip(rows, found, strict=True):
        children = by_parent.get(row[f"key of {name}"], [])
        if child.many:
            one[name] = children
        elif children:
            one[name] = children[0]


def _metadata(resource: Resource, *, expanded: bool) -> list[Row]:
    names = [(name, str(column.kind)) for name, column in resource.columns.items()]
    names += [(name, "array" if child.many else "object") for name, child in resource.children.items() if expanded]
    return [{"name": name, "type": kind, "sort_order": number} for number, (name, kind) in enumerate(names, start=1)]
