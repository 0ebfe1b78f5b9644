"""The files of `sql/`: one file is one relation, named by its folder and its file name.

A file with `$settlement_key` or `$document_sha256` grows with settlements: its table is replaced for one
settlement, or one document of it, at a time. Every other file is a view. Dependencies and columns are read from the
SQL itself, the description from its head comment.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage
from sqlglot.schema import Schema, ensure_schema

from amazon_sage_assets.amazon.inspection import CANONICAL_COLUMNS

PACKAGE = Path(__file__).parent
LAYERS = ("staging", "core", "exceptions", "finance")
GATE = "gate__"
REPLACED_BY = ("document_sha256", "settlement_key")

# Relations without a schema of their own that a file reads: the canonical text of the document being staged.
DOCUMENT_TEXT = "settlement_report"
# A value for parameters while a relation is only described; one of them must be a date format.
_ANY_TEXT = "%Y"
_STANDS_FOR = {DOCUMENT_TEXT: ("raw", "settlement_documents")}


@dataclass(frozen=True)
class SqlFile:
    """One relation: `dependencies` are (schema, table) pairs, `parameters` the `$names` the file wants."""

    schema: str
    name: str
    sql: str
    description: str
    parameters: frozenset[str]
    dependencies: tuple[tuple[str, str], ...]

    @property
    def relation(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def replaced_by(self) -> str | None:
        """The column whose value is replaced at a time: document or settlement; None for a view."""
        return next((column for column in REPLACED_BY if column in self.parameters), None)


def sql_folder() -> Path:
    """Inside the installed package, else at the root of the repository."""
    packaged = PACKAGE / "sql"
    return packaged if packaged.exists() else PACKAGE.parent / "sql"


def read_sql_file(path: Path, schema: str) -> SqlFile:
    sql = path.read_text(encoding="utf-8")
    head = re.match(r"(?:--[^\n]*\n)+", sql)
    description = " ".join(line.removeprefix("--").strip() for line in head[0].splitlines()) if head else ""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    found = set()
    for table in tree.find_all(exp.Table):
        if table.db:
            found.add((table.db, table.name))
        elif table.name in _STANDS_FOR:
            found.add(_STANDS_FOR[table.name])
        elif table.name and table.name not in ctes:
            raise ValueError(f"{path.name} reads {table.name!r} without naming its schema")
    parameters = frozenset(re.findall(r"\$([a-z_][a-z_0-9]*)", sql))
    return SqlFile(schema, path.stem, sql, description, parameters, tuple(sorted(found)))


@cache
def relations() -> dict[str, SqlFile]:
    """Every relation of sql/ by `schema.name`, in an order in which each comes after what it reads."""
    files = {
        sql_file.relation: sql_file
        for layer in LAYERS
        for path in sorted((sql_folder() / layer).glob("*.sql"))
        for sql_file in (read_sql_file(path, layer),)
    }
    exceptions = [f for f in files.values() if f.schema == "exceptions"]
    blocking = [f for f in exceptions if "false as blocking" not in f.sql]
    union = _union("blocking_exceptions", blocking, "The exceptions that can stop a settlement.")
    files[union.relation] = union
    graph = {
        name: [f"{schema}.{table}" for schema, table in sql_file.dependencies if f"{schema}.{table}" in files]
        for name, sql_file in files.items()
    }
    return {name: files[name] for name in TopologicalSorter(graph).static_order()}


@cache
def exception_files() -> tuple[SqlFile, ...]:
    """One file per exception code."""
    return tuple(f for f in relations().values() if f.schema == "exceptions" and f.name != "blocking_exceptions")


def _union(name: str, files: list[SqlFile], description: str) -> SqlFile:
    """Exceptions as one relation, so that a new code is one new file and nothing else."""
    return SqlFile(
        schema="exceptions",
        name=name,
        sql="\nunion all by name\n".join(f"select * from {f.relation}" for f in files),
        description=description,
        parameters=frozenset(),
        dependencies=tuple((f.schema, f.name) for f in files),
    )


@cache
def checks() -> tuple[SqlFile, ...]:
    """The invariants of the published tables: any row returned is a failure."""
    return tuple(check for check in _check_files() if not check.name.startswith(GATE))


@cache
def gates() -> tuple[SqlFile, ...]:
    """The invariants that a journal must pass before anything is planned from it: any row returned is a failure."""
    return tuple(check for check in _check_files() if check.name.startswith(GATE))


def _check_files() -> list[SqlFile]:
    return [read_sql_file(path, "checks") for path in sorted((sql_folder() / "checks").glob("*.sql"))]


def migrations() -> Iterator[tuple[str, str]]:
    """(name, SQL) of the ordered schema files."""
    for path in sorted((sql_folder() / "schema").glob("*.sql")):
        yield path.stem, path.read_text(encoding="utf-8")


def create_relations(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every relation exist: views as their files say now, tables empty where they were missing.

    Raises StaleRelation when a table has other columns than its file, which only `rebuild` can mend.
    """
    connection.execute(f"create temp table if not exists {DOCUMENT_TEXT} as select {_empty_document()} where false")
    for sql_file in relations().values():
        if sql_file.replaced_by:
            nothing = dict.fromkeys(sql_file.parameters, _ANY_TEXT)
            selection = f"select * from ({sql_file.sql}) where false"
            connection.execute(f"create table if not exists {sql_file.relation} as {selection}", nothing)
            wanted = [row[0] for row in connection.execute(f"describe {selection}", nothing).fetchall()]
            present = [row[0] for row in connection.execute(f"describe {sql_file.relation}").fetchall()]
            if wanted != present:
                raise StaleRelation(sql_file.relation)
        else:
            connection.execute(f"create or replace view {sql_file.relation} as {sql_file.sql}")
    connection.execute(f"drop table {DOCUMENT_TEXT}")


def relations_fingerprint() -> str:
    """Changes when any relation's file changes. Nothing is parsed for it."""
    said = hashlib.sha256()
    for layer in LAYERS:
        for path in sorted((sql_folder() / layer).glob("*.sql")):
            said.update(f"{layer}.{path.stem}\n".encode() + path.read_bytes() + b"\n")
    return said.hexdigest()


class StaleRelation(Exception):  # noqa: N818
    """A table was made by an older version of its file."""

    def __init__(self, relation: str) -> None:
        super().__init__(f"{relation} was made by an older version. Run `amazon-sage rebuild` to make it again.")
        self.relation = relation


def replace_rows(connection: duckdb.DuckDBPyConnection, sql_file: SqlFile, parameters: Mapping[str, Any]) -> None:
    """Replace one settlement's (or one document's) rows of a relation. Call it inside a transaction."""
    column = str(sql_file.replaced_by)
    wanted = {name: parameters[name] for name in sql_file.parameters}
    connection.execute(f"delete from {sql_file.relation} where {column} = $1", [parameters[column]])
    connection.execute(f"insert into {sql_file.relation} by name {sql_file.sql}", wanted)


@cache
def described() -> dict[str, dict[str, dict[str, str]]]:
    """Schema, table and column with its type, of the whole warehouse, from an empty one in memory."""
    with duckdb.connect() as connection:
        for _, sql in migrations():
            connection.execute(sql)
        create_relations(connection)
        rows = connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns()"
            " where not internal order by schema_name, table_name, column_index"
        ).fetchall()
    found: dict[str, dict[str, dict[str, str]]] = {}
    for schema, table, column, data_type in rows:
        found.setdefault(schema, {}).setdefault(table, {})[column] = data_type
    return found


@cache
def column_lineage(sql_file: SqlFile) -> dict[str, list[tuple[str, str, str]]]:
    """For each column of a relation, the (schema, table, column) it comes from, as far as the SQL itself tells."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    # Untrimmed: the SQL of each step would be copied once per column, and nobody looks at it.
    for column, root in lineage(None, sql_file.sql, _schema(), dialect="duckdb", trim_selects=False).items():
        sources = set()
        for node in root.walk():
            table = node.expression
            if isinstance(table, exp.Table) and table.db:
                sources.add((table.db, table.name, node.name.rsplit(".", 1)[-1].strip('"')))
        if sources:
            found[column] = sorted(sources)
    return found


@cache
def _schema() -> Schema:
    document = {DOCUMENT_TEXT: dict.fromkeys(CANONICAL_COLUMNS, "VARCHAR")}
    return ensure_schema({**described(), "": document}, dialect="duckdb")


def _empty_document() -> str:
    return ", ".join(f"cast(null as varchar) as {name}" for name in CANONICAL_COLUMNS)
