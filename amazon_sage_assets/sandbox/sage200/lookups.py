"""Records that a document names. A name that stands for nothing is refused with the field and the value."""

import sqlite3
from typing import Any

from amazon_sage_assets.sandbox.sage200.refusals import Refused
from amazon_sage_assets.sandbox.sage200.store import setting


def by_id(db: sqlite3.Connection, table: str, record_id: int, field: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(f"select * from {table} where id = ?", (record_id,)).fetchone()
    if row is None:
        thing = table.removesuffix("s").replace("_", " ").replace("currencie", "currency")
        raise Refused(f"The {thing} with the id {record_id} given in '{field}' does not exist.", field)
    return row


def nominal(db: sqlite3.Connection, line: dict[str, Any], field: str, prefix: str = "") -> int:
    """The id of the account that `code`, `cost_centre` and `department` of a line name together."""
    code = line[f"{prefix}code"]
    cost_centre = line.get(f"{prefix}cost_centre") or ""
    department = line.get(f"{prefix}department") or ""
    return nominal_id(db, code, cost_centre, department, field)


def nominal_id(db: sqlite3.Connection, code: str, cost_centre: str, department: str, field: str) -> int:
    row = db.execute(
        "select id from nominal_codes where reference = ? and cost_centre = ? and department = ?",
        (code, cost_centre, department),
    ).fetchone()
    if row is None:
        name = "/".join((code, cost_centre, department)).rstrip("/")
        raise Refused(f"The nominal account '{name}' given in '{field}' does not exist.", field)
    return int(row[0])


def control_account(db: sqlite3.Connection, name: str) -> int:
    """The id of an account that Sage posts to by itself."""
    return nominal_id(db, setting(db, name), "", "", f"{name} (control account)")


def tax_code(db: sqlite3.Connection, record_id: int | None, field: str) -> sqlite3.Row:
    """The tax code of a line; without an id the company's default code."""
    if record_id:
        return by_id(db, "tax_codes", record_id, field)
    default = setting(db, "default_tax_code")
    row: sqlite3.Row | None = db.execute("select * from tax_codes where code = ?", (default,)).fetchone()
    if row is None:
        raise Refused(f"'{field}' is missing and the company has no default tax code.", field)
    return row


def by_name(db: sqlite3.Connection, table: str, column: str, name: str, field: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(f"select * from {table} where {column} = ? collate nocase", (name,)).fetchone()
    if row is None:
        thing = table.removesuffix("s").replace("_", " ")
        raise Refused(f"The {thing} '{name}' given in '{field}' does not exist.", field)
    return row


def ledger_type(db: sqlite3.Connection, value: str) -> None:
    """Raises Refused when no ledger has that name."""
    if not db.execute("select 1 from enumerations where list = 'ledger_types' and value = ?", (value,)).fetchone():
        raise Refused(f"The ledger type '{value}' does not exist.", "ledger_type")
