"""Sage's OpenAPI files as a judge of requests and answers. What a file does not name is a fault too."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "sage200-openapi"
FILES = (
    "cash-book.json", "financials.json", "general.json", "nominal.json", "sales.json", "sop.json", "stock.json",
)  # fmt: skip
# Names of Sage's lists are longer than the lengths that Sage's own files give for them.
LISTED = re.compile(r"(BankAccountEntryType|TradingAccountEntryType|EnumDocument)\w+")
TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, Decimal),
    "string": (str,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
PLACES = re.compile(r"decimal (\d)dp")
QUERY = {"$filter", "$select", "$orderby", "$top", "$skip", "$expand"}
WORDS = {"and", "or", "not", "eq", "ne", "gt", "ge", "lt", "le", "true", "false", "null", "contains", "startswith"}
LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d{4}-\d\d-\d\d(T[\d:.]+Z)?|\b\d+(\.\d+)?\b")


class Contract:
    """All of Sage's schemas and paths."""

    def __init__(self) -> None:
        self.paths: dict[str, Any] = {}
        self.schemas: dict[str, Any] = {}
        for name in FILES:
            content = json.loads((FOLDER / name).read_text(encoding="utf-8"))
            self.paths |= content["paths"]
            self.schemas |= content["components"]["schemas"]

    def answer(self, path: str, method: str = "get") -> Any:
        content = self.paths[f"/{path}"][method]["responses"]["200"]["content"]
        return next(iter(content.values()))["schema"]

    def body(self, path: str) -> Any:
        return self.resolved(self.paths[f"/{path}"]["post"]["requestBody"]["content"]["application/json"]["schema"])

    def resolved(self, schema: Any) -> Any:
        return self.schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema

    def faults(self, value: Any, schema: Any, place: str = "", *, sent: bool = False) -> list[str]:
        """Where a value is not what the schema says. What is sent must have what is required, and no more decimals."""
        schema = self.resolved(schema)
        kind = schema.get("type", "object")
        if schema.get("format", "").startswith("decimal"):  # some are called integer there
            kind = "number"
        if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
            return [f"{place}: {value!r} is no {kind}"]
        if kind == "array":
            return [
                fault
                for number, item in enumerate(value)
                for fault in self.faults(item, schema["items"], f"{place}[{number}]", sent=sent)
            ]
        if kind == "object":
            known = schema.get("properties") or {}
            found = [f"{place}.{name} is unknown" for name in value if known and name not in known]
            if sent:
                found += [f"{place} lacks {name}" for name in schema.get("required", ()) if name not in value]
                found += [f"{place}.{name} is only read" for name in value if known.get(name, {}).get("readOnly")]
            for name in set(value) & set(known):
                found += self.faults(value[name], known[name], f"{place}.{name}", sent=sent)
            return found
        return list(_plain_faults(value, schema, place, sent))

    def request_faults(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Iterator[str]:
        """What is wrong with a request: where it goes, what it asks for, what it brings."""
        if method.lower() not in self.paths.get(path, {}):
            yield f"Sage has no {method} {path}"
            return
        if method == "GET":
            yield from self._query_faults(path, query)
        else:
            yield from (f"{method} {path} has a query" for _ in query)
            yield from self.faults(body, self.body(path[1:]), path, sent=True)

    def _query_faults(self, path: str, query: Mapping[str, str]) -> Iterator[str]:
        schema = self.resolved(self.answer(path[1:]))
        properties = self.resolved(schema.get("items", schema)).get("properties", {})
        children = {n for n, p in properties.items() if "$ref" in p or p.get("type") in ("array", "object")}
        plain = properties.keys() - children
        yield from (f"{path} has no parameter {name}" for name in query.keys() - QUERY)
        for name, allowed in (("$filter", plain), ("$orderby", plain), ("$select", plain), ("$expand", children)):
            words = re.findall(r"\w+", LITERAL.sub(" ", query.get(name, "")))
            if name == "$orderby":
                words = [word for word in words if word not in ("asc", "desc")]
            named = set(words) - (WORDS if name == "$filter" else set())
            yield from (f"{path} {name}: {word} is none of its properties" for word in named - allowed)


def _plain_faults(value: Any, schema: Mapping[str, Any], place: str, sent: bool) -> Iterator[str]:
    """What is wrong with a text or a number of the right type."""
    form = schema.get("format", "")
    places = PLACES.fullmatch(form)
    if sent and places and -int(Decimal(value).as_tuple().exponent) > int(places[1]):
        yield f"{place}: {value} has more than {places[1]} decimals"
    if isinstance(value, str) and len(value) > schema.get("maxLength", 10**9) and not LISTED.fullmatch(value):
        yield f"{place}: {value!r} is longer than {schema['maxLength']}"
    if form == "date-time" and not MOMENT.fullmatch(value):
        yield f"{place}: {value!r} is no date-time"
