"""How a readable resource is written down: its fields, and where they stand in the file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal["whole", "text", "number", "moment", "flag"]


@dataclass(frozen=True)
class Column:
    """A field: its type, its SQL, the decimals of a number, and the list that its values come from."""

    kind: Kind
    sql: str
    scale: int = 0
    names: str = ""


@dataclass(frozen=True)
class Child:
    """What `$expand` adds: the rows of another resource whose `link` is the parent's `key`."""

    resource: "Resource"
    key: str
    link: str
    many: bool = True


@dataclass(frozen=True)
class Resource:
    source: str
    columns: Mapping[str, Column]
    key: str = "id"
    where: str = ""
    single: bool = False  # an object, where all others are arrays
    listed: bool = True  # False: only one at a time or below its parent
    children: Mapping[str, Child] = field(default_factory=dict)


Columns = dict[str, Column]


def _columns(kind: Kind, scale: int, names: dict[str, str]) -> Columns:
    return {name: Column(kind, sql, scale) for name, sql in names.items()}


def whole(**names: str) -> Columns:
    return _columns("whole", 0, names)


def text(**names: str) -> Columns:
    return _columns("text", 0, names)


def money(**names: str) -> Columns:
    return _columns("number", 2, names)


def quantity(**names: str) -> Columns:
    return _columns("number", 5, names)


def rate(**names: str) -> Columns:
    return _columns("number", 6, names)


def moment(**names: str) -> Columns:
    return _columns("moment", 0, names)


def flag(**names: str) -> Columns:
    return _columns("flag", 0, names)


def named(name: str, sql: str, names: str) -> Columns:
    return {name: Column("text", sql, names=names)}


def stamps(table: str) -> Columns:
    return moment(date_time_created=f"{table}.created", date_time_updated=f"{table}.updated")


def setting_sql(key: str, kind: str = "text") -> str:
    return f"(select cast(value as {kind}) from settings where key = '{key}')"


def chosen(resource: Resource, names: list[str]) -> Resource:
    """The resource with these columns only."""
    return replace(resource, columns={name: resource.columns[name] for name in names})
