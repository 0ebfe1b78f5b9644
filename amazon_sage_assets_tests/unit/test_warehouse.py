"""The warehouse: one writer at a time, all or nothing, and a published copy that readers never see half."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from stamina.instrumentation import RetryDetails, get_on_retry_hooks, set_on_retry_hooks

from amazon_sage_assets import sqlfiles
from amazon_sage_assets.settlements import flow
from amazon_sage_assets.sqlfiles import StaleRelation
from amazon_sage_assets.warehouse import STORAGE_VERSION, SchemaMismatch, Warehouse, WarehouseBusy, first_row
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.reports import commission, principal

# Opens a DuckDB file, says so, and then answers one query per line until its input ends.
OTHER_PROCESS = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("open", flush=True)
for query in sys.stdin:
    print(connection.execute(query).fetchall(), flush=True)
connection.close()
"""


class OtherProcess:
    """Another program that has a DuckDB file open."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def asks(self, query: str) -> str:
        """Run a query over there and hand back what it prints."""
        assert self._process.stdin is not None
        self._process.stdin.write(query + "\n")
        self._process.stdin.flush()
        return self.hears()

    def hears(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def lets_go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def another_process(path: Path, mode: str = "write") -> Iterator[OtherProcess]:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(path), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        other = OtherProcess(process)
        assert other.hears() == "open"
        yield other
        if process.poll() is None:
            other.lets_go()


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """An empty file that only has a table of names; nothing of the product's schema."""
    made = Warehouse(database=str(tmp_path / "warehouse.duckdb"), wait_seconds=0.2)
    with made.connect() as connection:
        connection.execute("create table names (name varchar)")
    return made


def names_in(warehouse: Warehouse) -> list[str]:
    with warehouse.connect(read_only=True) as connection:
        return [name for (name,) in connection.execute("select name from names order by name").fetchall()]


class Mishap(Exception):  # noqa: N818
    """Something goes wrong in the middle of the work."""


# --- connections and transactions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("read_only", [True, False])
def test_a_connection_is_closed_also_when_its_body_fails(warehouse: Warehouse, read_only: bool) -> None:
    with pytest.raises(Mishap), warehouse.connect(read_only=read_only) as connection:
        raise Mishap
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("select 1")
    with another_process(warehouse.path) as other:
        assert other.asks("select 1") == "[(1,)]"


def fill_and_fail(warehouse: Warehouse, mishap: type[BaseException] | None) -> None:
    """Write in a transaction that then fails: by this exception, or by a query that cannot be answered."""
    with warehouse.transaction() as connection:
        connection.execute("insert into names values ('lost')")
        connection.execute("create table half_done (number integer)")
        if mishap:
            raise mishap
        connection.execute("select cast('x' as integer)")


def test_a_transaction_keeps_everything_or_nothing(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        connection.execute("insert into names values ('kept'), ('kept too')")
    for mishap in (Mishap, KeyboardInterrupt):
        with pytest.raises(mishap):
            fill_and_fail(warehouse, mishap)
    with pytest.raises(duckdb.ConversionException):
        fill_and_fail(warehouse, None)
    assert names_in(warehouse) == ["kept", "kept too"]
    with warehouse.connect(read_only=True) as connection:
        assert first_row(connection, "select count(*) from duckdb_tables()") == (1,)


def test_what_is_open_for_reading_cannot_be_written(warehouse: Warehouse) -> None:
    with warehouse.read() as connection, pytest.raises(duckdb.InvalidInputException):
        connection.execute("insert into names values ('sneaked in')")
    assert names_in(warehouse) == []


def test_what_one_connection_keeps_for_itself_is_gone_for_the_next(warehouse: Warehouse) -> None:
    """Connections share an engine one after the other."""
    with warehouse.connect() as connection:
        connection.execute("create temp table mine as select 1")
        connection.execute("set TimeZone = 'Europe/London'")
    with warehouse.connect() as connection:
        assert first_row(connection, "select current_setting('TimeZone')") == ("UTC",)
        with pytest.raises(duckdb.CatalogException):
            connection.execute("from mine")


@pytest.mark.parametrize("read_only", [True, False])
def test_a_second_writer_of_the_same_process_waits_and_then_says_so(warehouse: Warehouse, read_only: bool) -> None:
    with (
        warehouse.connect(read_only=read_only),
        pytest.raises(WarehouseBusy, match="another part of this process"),
        warehouse.connect(),
    ):
        pass
    with warehouse.transaction() as connection:
        connection.execute("insert into names values ('afterwards')")
    assert names_in(warehouse) == ["afterwards"]


def test_several_readers_of_the_same_process_read_at_once(warehouse: Warehouse) -> None:
    with warehouse.connect(read_only=True), warehouse.connect(read_only=True):
        assert names_in(warehouse) == []


def test_times_are_utc_whatever_the_machine_says(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        assert first_row(connection, "select current_setting('TimeZone')") == ("UTC",)


# --- another process has the file -----------------------------------------------------------------------------------


def test_a_writer_waits_until_another_process_lets_go(warehouse: Warehouse) -> None:
    patient = Warehouse(database=warehouse.database, wait_seconds=60)
    waited: list[str] = []
    hooks = get_on_retry_hooks()
    with another_process(warehouse.path) as other:

        def let_go_once_it_waits(details: RetryDetails) -> None:
            waited.append(str(details.caused_by))
            if len(waited) == 1:
                other.lets_go()

        set_on_retry_hooks([let_go_once_it_waits])
        try:
            with patient.transaction() as connection:
                connection.execute("insert into names values ('after the wait')")
        finally:
            set_on_retry_hooks(hooks)
    assert len(waited) == 1
    assert str(other.pid) in waited[0]
    assert names_in(warehouse) == ["after the wait"]


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_file_that_is_not_let_go_of_names_its_holder_and_what_to_do(warehouse: Warehouse, mode: str) -> None:
    with another_process(warehouse.path, mode) as other:
        with pytest.raises(WarehouseBusy) as busy, warehouse.connect():
            pytest.fail("the file is in use")
        sentence = str(busy.value)
        assert str(warehouse.path) in sentence
        assert f"process {other.pid} (" in sentence
        assert Path(sys.executable).name in sentence
        assert "0.2 s" in sentence
        assert "Wait for that run to end, or close the program" in sentence
        assert "published file" in sentence
        assert busy.value.__cause__ is None
        if mode == "read":
            assert names_in(warehouse) == []
    with warehouse.transaction() as connection:
        connection.execute("insert into names values ('afterwards')")


def test_a_file_that_is_no_database_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "notes.duckdb"
    path.write_bytes(b"not a database, but long enough to have a header" * 100)
    with pytest.raises(duckdb.IOException), Warehouse(database=str(path), wait_seconds=60).connect():
        pytest.fail("there is no database")


# --- publishing -----------------------------------------------------------------------------------------------------


@pytest.fixture
def finance(tmp_path: Path) -> Warehouse:
    """A warehouse with one finance relation, a view."""
    made = Warehouse(database=str(tmp_path / "working.duckdb"), wait_seconds=0.2)
    with made.connect() as connection:
        connection.execute("create table raw_names as select 'first' as name, 1.10::decimal(18, 2) as amount")
        connection.execute("create schema finance")
        connection.execute("create view finance.names as select * from raw_names")
    return made


def test_publishing_swaps_the_file_while_a_reader_keeps_what_it_opened(finance: Warehouse, tmp_path: Path) -> None:
    target = tmp_path / "published" / "names.duckdb"
    everything = "select name, amount::varchar from finance.names order by all"
    assert finance.publish(target) == {"names": 1}
    with another_process(target, "read") as reader:
        assert reader.asks(everything) == "[('first', '1.10')]"
        with finance.transaction() as connection:
            connection.execute("insert into raw_names values ('second', 2.20)")
        assert finance.publish(target) == {"names": 2}
        assert reader.asks(everything) == "[('first', '1.10')]"
        with another_process(target, "read") as newcomer:
            assert newcomer.asks(everything) == "[('first', '1.10'), ('second', '2.20')]"
    assert [path.name for path in target.parent.iterdir()] == ["names.duckdb"]


def test_a_publication_that_fails_leaves_the_old_file_and_nothing_else(finance: Warehouse, tmp_path: Path) -> None:
    target = tmp_path / "published" / "names.duckdb"
    finance.publish(target)
    before = target.read_bytes()
    with finance.transaction() as connection:
        connection.execute("create view finance.wrong as select cast(name as integer) as number from raw_names")
    with pytest.raises(duckdb.ConversionException):
        finance.publish(target)
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == ["names.duckdb"]


def test_the_published_file_holds_tables_that_older_clients_can_open(finance: Warehouse, tmp_path: Path) -> None:
    target = tmp_path / "it's published" / "names.duckdb"
    finance.publish(target)
    with duckdb.connect(str(target), read_only=True) as connection:
        tags = first_row(connection, "select tags['storage_version'] from duckdb_databases() where not internal")
        assert tags == (f"{STORAGE_VERSION}+",)
        assert connection.execute("select * from pragma_database_size()").fetchall()
        tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        assert tables == [("finance", "names")]
        assert connection.execute("select view_name from duckdb_views() where not internal").fetchall() == []


# --- schema ---------------------------------------------------------------------------------------------------------


def schema_of(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    with warehouse.connect(read_only=True) as connection:
        return connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns()"
            " where not internal order by all"
        ).fetchall()


def test_migrating_again_changes_nothing_and_an_edited_migration_is_refused(tmp_path: Path) -> None:
    warehouse = Warehouse(database=str(tmp_path / "deep" / "down" / "working.duckdb"))
    warehouse.migrate()
    before = schema_of(warehouse)
    warehouse.migrate()
    assert schema_of(warehouse) == before
    applied = [name for name, _ in sqlfiles.migrations()]
    with warehouse.transaction() as connection:
        stored = connection.execute("select name from main.migrations order by name").fetchall()
        assert [name for (name,) in stored] == applied
        # As if the file had been edited since: the text that was applied is another one.
        connection.execute(
            "update main.migrations set sql_text = sql_text || '-- as it was' where name = $1", [applied[1]]
        )
    with pytest.raises(SchemaMismatch, match=rf"{applied[1]} was edited after it was applied to .*; add a new file"):
        warehouse.migrate()
    assert schema_of(warehouse) == before


def test_a_relation_of_an_older_version_asks_for_a_rebuild_which_mends_it(seller: Seller) -> None:
    seller.settle(seller.file("one.txt", [principal("20.00"), commission("-4.40")]))
    company = seller.company
    before = {
        name: seller.query(f"select * from finance.{name} order by all")
        for name in ("settlements", "settlement_lines", "journal_lines", "postings")
    }
    with company.warehouse.transaction() as connection:
        connection.execute("alter table core.core__journal_lines drop column narrative")
        connection.execute("update main.relations_made set fingerprint = 'of an older version'")
    with pytest.raises(StaleRelation, match=r"core\.core__journal_lines .* Run `amazon-sage rebuild`"):
        seller.settle()
    flow.rebuild(company)
    assert {name: seller.query(f"select * from finance.{name} order by all") for name in before} == before
    assert seller.failed_checks() == []
    seller.settle()
    assert seller.statuses() == {"24000000001": "ready"}
