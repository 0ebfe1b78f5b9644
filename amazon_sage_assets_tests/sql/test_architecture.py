"""The rules of the house, held by reading the code: layers, money without floats, and the published contract."""

import ast
import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from amazon_sage_assets.sqlfiles import described

REPOSITORY = Path(__file__).resolve().parents[2]
SQL = REPOSITORY / "sql"
PACKAGE = REPOSITORY / "amazon_sage_assets"
FILES = sorted(SQL.glob("*/*.sql"), key=lambda path: path.relative_to(SQL).as_posix())
LAYERS = ("staging", "core", "exceptions", "finance")
BASE = {"raw", "control", "outbox"}

# What a layer may read besides the layers below it and its own.
OTHER_READERS = {
    # The status of a settlement is what its open exceptions say.
    "core/core__settlement_status.sql": {"exceptions"},
}
# Relations without a schema: the document being staged.
UNQUALIFIED = {"staging/stg_amazon__settlement_lines.sql": {"settlement_report"}}

EXCEPTION_COLUMNS = [
    "code", "severity", "blocking", "owner", "entity_type", "entity_id", "settlement_key", "order_id",
    "amount_at_risk", "currency", "due_days", "message", "action",
]  # fmt: skip

# The public contract. More columns are welcome; these names stay.
PUBLISHED = {
    "settlements": (
        "account settlement_id marketplace currency start_at end_at deposit_date line_count lines_total header_total"
        " difference status hold_reason document_sha256"
    ),
    "settlement_lines": (
        "account settlement_id line_number transaction_type amount_type amount_description amount currency posted_at"
        " order_id sku quantity fulfilment marketplace row_group account_key nominal_code vat_treatment journal_line_id"
    ),
    "journal_lines": (
        "journal_line_id account settlement_id period document account_key nominal_code cost_centre department vat_code"
        " debit credit currency narrative source_line_count"
    ),
    "vat_preview": "account settlement_id period box amount currency",
    "exceptions": (
        "code severity blocking owner entity_type entity_id settlement_id order_id amount_at_risk currency"
        " first_seen_at due_at message action"
    ),
    "postings": (
        "message_key system kind status remote_reference remote_id amount currency document_date settlement_id order_id"
        " attempts last_error delivered_at"
    ),
    "payout_reconciliation": (
        "account settlement_id currency header_total wallet_movement posted_total payout_amount bank_transaction_id"
        " bank_date bank_amount difference status"
    ),
}
MONEY_COLUMNS = {
    "settlements": "lines_total header_total difference",
    "settlement_lines": "amount",
    "journal_lines": "debit credit",
    "vat_preview": "amount",
    "exceptions": "amount_at_risk",
    "postings": "amount",
    "bank_lines": "amount",
    "payout_reconciliation": "header_total wallet_movement posted_total payout_amount bank_amount difference",
}


def name_of(path: Path) -> str:
    return path.relative_to(SQL).as_posix()


def relations_of(*layers: str) -> list[Path]:
    return [path for path in FILES if path.parent.name in layers]


def statements(path: Path) -> list[exp.Expression]:
    return [tree for tree in sqlglot.parse(path.read_text(encoding="utf-8"), dialect="duckdb") if tree is not None]


every_file = pytest.mark.parametrize("path", FILES, ids=name_of)
every_relation = pytest.mark.parametrize("path", relations_of(*LAYERS), ids=name_of)


def test_there_is_sql_in_every_layer() -> None:
    assert {path.parent.name for path in FILES} == {"schema", "checks", *LAYERS}
    assert len(FILES) == len(list(SQL.rglob("*.sql")))


@every_file
def test_every_file_parses(path: Path) -> None:
    trees = statements(path)
    assert trees
    if path.parent.name != "schema":
        assert len(trees) == 1
        assert isinstance(trees[0], exp.Query)
    assert not any(isinstance(tree, exp.Command) for tree in trees), "a statement that sqlglot does not understand"


@every_file
def test_every_file_starts_by_saying_what_it_is(path: Path) -> None:
    first, *_ = path.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(r"-- \S.{15,}", first), first
    if path.parent.name == "exceptions":
        assert first.startswith(f"-- {path.stem.upper()}: ")


@every_relation
def test_every_relation_reads_its_own_layer_or_lower_ones(path: Path) -> None:
    (tree,) = statements(path)
    layer = LAYERS.index(path.parent.name)
    allowed = BASE | set(LAYERS[: layer + 1]) | OTHER_READERS.get(name_of(path), set())
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = list(tree.find_all(exp.Table))
    assert {table.db for table in tables if table.db} <= allowed
    bare = {table.name for table in tables if not table.db and table.name and table.name not in ctes}
    assert bare <= UNQUALIFIED.get(name_of(path), set())


def test_the_named_departures_from_the_layers_are_still_needed() -> None:
    for name, schemas in OTHER_READERS.items():
        (tree,) = statements(SQL / name)
        assert schemas <= {table.db for table in tree.find_all(exp.Table)}


@pytest.mark.parametrize("path", relations_of("checks"), ids=name_of)
def test_checks_read_what_is_published_and_gates_what_is_about_to_be(path: Path) -> None:
    """A gate looks at one settlement before finance sees it; every other check reads the published tables alone."""
    (tree,) = statements(path)
    read = {table.db for table in tree.find_all(exp.Table) if table.db}
    if path.stem.startswith("gate__"):
        assert read
        assert read <= {"staging", "core"}
    else:
        assert read == {"finance"}


@every_relation
def test_core_and_staging_are_named_after_their_layer(path: Path) -> None:
    prefix = {"staging": "stg_", "core": "core__"}.get(path.parent.name, "")
    assert path.stem.startswith(prefix)


# --- money ----------------------------------------------------------------------------------------------------------

FLOATING = {"DOUBLE", "FLOAT", "REAL"}


@every_relation
def test_money_is_never_divided_or_averaged(path: Path) -> None:
    (tree,) = statements(path)
    assert not list(tree.find_all(exp.Div)), "`/` returns a double"
    assert not list(tree.find_all(exp.Avg, exp.Stddev, exp.Median)), "avg() and its like return a double"
    named = {str(call.this).lower() for call in tree.find_all(exp.Anonymous)}
    assert not named & {"divide", "fdiv", "mean", "favg", "fsum", "sumkahan", "kahan_sum"}


@every_file
def test_nothing_is_cast_to_a_floating_type(path: Path) -> None:
    for tree in statements(path):
        types = {kind.sql(dialect="duckdb").upper() for kind in tree.find_all(exp.DataType)}
        assert not types & FLOATING


def test_no_column_of_the_warehouse_is_floating() -> None:
    floating = [
        f"{schema}.{table}.{column}"
        for schema, tables in described().items()
        for table, columns in tables.items()
        for column, kind in columns.items()
        if kind in FLOATING
    ]
    assert floating == []


@pytest.mark.parametrize("table", MONEY_COLUMNS)
def test_published_money_is_decimal_with_two_places(table: str) -> None:
    columns = described()["finance"][table]
    assert {columns[name] for name in MONEY_COLUMNS[table].split()} == {"DECIMAL(18,2)"}


# --- contracts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", relations_of("exceptions"), ids=name_of)
def test_every_exception_says_the_same_things_in_the_same_order(path: Path) -> None:
    (tree,) = statements(path)
    assert [column.alias_or_name for column in tree.selects] == EXCEPTION_COLUMNS
    code = tree.selects[0]
    assert isinstance(code, exp.Alias)
    assert code.this.name == path.stem.upper()


@pytest.mark.parametrize("table", PUBLISHED)
def test_finance_finds_the_promised_columns(table: str) -> None:
    present = described()["finance"][table]
    assert [name for name in PUBLISHED[table].split() if name not in present] == []


@pytest.mark.parametrize("table", PUBLISHED)
def test_the_promised_columns_stand_in_the_promised_order(table: str) -> None:
    promised = PUBLISHED[table].split()
    assert [name for name in described()["finance"][table] if name in promised] == promised


@pytest.mark.parametrize("path", relations_of("finance"), ids=name_of)
def test_what_finance_reads_names_its_columns(path: Path) -> None:
    (tree,) = statements(path)
    assert not [column for column in tree.selects if column.is_star]


# --- pure code ------------------------------------------------------------------------------------------------------

PURE = sorted(
    [*PACKAGE.glob("amazon/**/*.py"), *PACKAGE.glob("accounting/**/*.py"), PACKAGE / "money.py"]
    + [*PACKAGE.glob("sage/**/*.py"), *PACKAGE.glob("outbox/**/*.py")]
)


def imported(path: Path) -> set[str]:
    """Top-level names of every module a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            found.add(str(node.module).split(".")[0])
    return found


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_pure_code_imports_no_orchestration(path: Path) -> None:
    assert not {name for name in imported(path) if name.startswith("dagster")}


def test_money_depends_on_the_standard_library_alone() -> None:
    assert imported(PACKAGE / "money.py") <= {"re", "collections", "decimal"}


def test_accounting_knows_nothing_of_databases_and_servers() -> None:
    for path in PACKAGE.glob("accounting/**/*.py"):
        assert not imported(path) & {"duckdb", "polars", "httpx", "sp_api"}, path.name
