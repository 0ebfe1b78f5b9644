"""Rows into the warehouse's tables, and how far each source outside has been read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import polars as pl


def insert_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert a handful of rows by position."""
    rows = [list(row) for row in rows]
    if rows:
        places = ", ".join(f"${i}" for i in range(1, len(rows[0]) + 1))
        connection.executemany(f"insert into {table} values ({places})", rows)


def insert_frame(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[Any]], columns: Sequence[str] = ()
) -> None:
    """Insert many rows at once, by the names of the columns, else by their place."""
    if not rows:
        return
    described = connection.execute(f"describe {table}").fetchall()
    types = {name: kind for name, kind, *_ in described}
    names = list(columns) or list(types)
    frame = pl.DataFrame(rows, schema=[(name, _POLARS[types[name]]) for name in names], orient="row")
    connection.register("rows_to_insert", frame)
    connection.execute(f"insert into {table} by name select * from rows_to_insert")
    connection.unregister("rows_to_insert")


_POLARS: dict[str, pl.DataType | type[pl.DataType]] = {
    "VARCHAR": pl.String,
    "INTEGER": pl.Int32,
    "BIGINT": pl.Int64,
    "BOOLEAN": pl.Boolean,
    "DATE": pl.Date,
    "TIMESTAMP": pl.Datetime("us"),
    "DECIMAL(18,2)": pl.Decimal(18, 2),
}


@dataclass(frozen=True)
class Mark:
    """How far a source was read, in words that its reader understands, and when that was."""

    reached: str
    read_at: datetime


def marks(connection: duckdb.DuckDBPyConnection) -> dict[str, Mark]:
    """Every source that was read, by its name."""
    rows = connection.execute("select source, reached, read_at from control.watermarks").fetchall()
    return {source: Mark(reached, read_at.replace(tzinfo=UTC)) for source, reached, read_at in rows}


def set_mark(connection: duckdb.DuckDBPyConnection, source: str, reached: str, now: datetime) -> None:
    forget_mark(connection, source)
    insert_rows(connection, "control.watermarks", [(source, reached, plain(now))])


def forget_mark(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    connection.execute("delete from control.watermarks where source = $1", [source])


def plain(moment: datetime) -> datetime:
    """A moment as the tables keep it: UTC, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)
