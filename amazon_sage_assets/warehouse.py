"""The warehouse: a DuckDB file that one process writes at a time. Nothing else in the project knows the engine's rules.

Connections are short: open, one transaction, close. A process that finds the file in use waits, and then names the
process that holds it. Finance never opens this file: `publish` writes a copy for reading.
"""

import atexit
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import psutil
import stamina
from dagster_duckdb import DuckDBResource

from amazon_sage_assets.settings import Secrets
from amazon_sage_assets.sqlfiles import create_relations, migrations, relations_fingerprint

# A file that 1.5 can read as well, so that there is a way back and older clients can open the published copy.
STORAGE_VERSION = "v1.5.0"


class WarehouseBusy(Exception):  # noqa: N818
    """Another process holds the warehouse and did not let go in time."""


class SchemaMismatch(Exception):  # noqa: N818
    """The warehouse was made with other migrations than the ones of this version."""


class NotEncrypted(Exception):  # noqa: N818
    """The profile wants the file encrypted and it cannot be. The message says what is missing."""


class Warehouse(DuckDBResource):
    """The working DuckDB file. `wait_seconds` is how long a connection waits for another process to finish.

    `encrypted`: by DuckDB's own encryption, with the key in AMAZON_SAGE_WAREHOUSE_KEY; a file that was made without is
    encrypted when it is next opened. `trial_cipher` writes with a cipher that DuckDB calls unsafe: for tests alone.
    """

    wait_seconds: float = 60.0
    memory_limit: str = "1200MB"
    encrypted: bool = False
    trial_cipher: bool = False

    @property
    def path(self) -> Path:
        return Path(self.database)

    @contextmanager
    def connect(self, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the file, which is always closed and let go of, also when the body raises."""
        engine = _engine(self.memory_limit, is_new=self.encrypted)
        connection = engine.cursor()
        try:
            self._attach(engine, read_only)
            # The file is the default catalogue, so that nothing has to name it.
            connection.execute(f"use {_CATALOGUE}")
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("set enable_progress_bar = false")
            # Rows carry their line numbers; writing them in any order takes a third less time.
            connection.execute("set preserve_insertion_order = false")
            yield connection
        except BaseException:
            connection.close()
            engine.close()
            raise
        connection.close()
        _let_go(engine, is_reusable=not self.encrypted)

    # The stock name, kept for what expects a DuckDBResource; the stock method leaks the connection on an error.
    get_connection = connect

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Read-only: several readers can be open at once, but no writer beside them."""
        self.migrate_if_missing()
        with self.connect(read_only=True) as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction: everything in the body is kept, or nothing."""
        self.migrate_if_missing()
        with self.connect() as connection:
            connection.begin()
            try:
                yield connection
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def migrate_if_missing(self) -> None:
        if not self.path.exists():
            self.migrate()

    def migrate(self) -> None:
        """Bring the schema up to date: new migrations once each, then every relation of sql/."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.connect() as connection:
            connection.execute(
                "create table if not exists main.migrations (name varchar primary key, sql_text varchar)"
            )
            applied = dict(connection.execute("select name, sql_text from main.migrations").fetchall())
            for name, sql in migrations():
                if name not in applied:
                    connection.begin()
                    connection.execute(sql)
                    connection.execute("insert into main.migrations values ($1, $2)", [name, sql])
                    connection.commit()
                elif applied[name] != sql:
                    raise SchemaMismatch(
                        f"The migration {name} was edited after it was applied to {self.path}; add a new file instead."
                    )
            connection.execute("create table if not exists main.relations_made (fingerprint varchar)")
            wanted = relations_fingerprint()
            if connection.execute("select fingerprint from main.relations_made").fetchall() != [(wanted,)]:
                create_relations(connection)
                connection.execute("delete from main.relations_made")
                connection.execute("insert into main.relations_made values ($1)", [wanted])

    def publish(self, target: Path, schema: str = "finance") -> dict[str, int]:
        """Write the relations of a schema as tables of a new file and swap it in. Returns the rows per table.

        Readers that have the old file open keep what they see; the next open shows the new one.
        """
        self.migrate_if_missing()
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{uuid4().hex}.duckdb")
        counts = {}
        try:
            with self.connect() as connection:
                connection.execute(f"attach '{_quoted(fresh)}' as published (storage_version '{STORAGE_VERSION}')")
                connection.execute(f"create schema published.{schema}")
                names = connection.execute(
                    "select table_name from information_schema.tables where table_catalog <> 'published'"
                    " and table_schema = $1 order by table_name",
                    [schema],
                ).fetchall()
                for (name,) in names:
                    connection.execute(f"create table published.{schema}.{name} as from {schema}.{name}")
                    row = first_row(connection, f"select count(*) from published.{schema}.{name}")
                    counts[name] = row[0] if row else 0
                connection.execute("checkpoint published")
                connection.execute("detach published")
            with fresh.open("rb") as handle:
                os.fsync(handle.fileno())
            fresh.replace(target)
            Path(f"{target}.wal").unlink(missing_ok=True)
        finally:
            fresh.unlink(missing_ok=True)
            Path(f"{fresh}.wal").unlink(missing_ok=True)
        return counts

    def _attach(self, engine: duckdb.DuckDBPyConnection, read_only: bool) -> None:
        if not read_only and not self.path.parent.exists():
            raise FileNotFoundError(f"The folder of the warehouse does not exist: {self.path.parent}")
        try:
            for attempt in stamina.retry_context(
                on=_is_lock_conflict, attempts=None, timeout=self.wait_seconds, wait_initial=0.05, wait_max=1.0,
                wait_jitter=0.2,
            ):  # fmt: skip
                with attempt:
                    if self.encrypted and not read_only:
                        self._load_cipher(engine)
                        if self.path.exists() and _is_plain(self.path):
                            self._encrypt(engine)
                    options = self.attach_options() + (", read_only" if read_only else "")
                    engine.execute(f"attach '{_quoted(self.path)}' as {_CATALOGUE} ({options})")
        except duckdb.Error as error:
            if not _is_lock_conflict(error):
                raise
            holder = re.search(r"PID (\d+)", str(error))
            who = f"process {holder[1]} ({_command_of(holder[1])})" if holder else "another part of this process"
            raise WarehouseBusy(
                f"The warehouse {self.path} is in use by {who} and was not free within {self.wait_seconds:g} s. "
                "Wait for that run to end, or close the program that has the file open. "
                "To read figures, open the published file instead."
            ) from None

    def attach_options(self) -> str:
        """How another file of the same kind is attached: storage version, and the key where there is one."""
        version = f"storage_version '{STORAGE_VERSION}'"
        return f"{version}, encryption_key '{_escaped(_key())}'" if self.encrypted else version

    def _load_cipher(self, connection: duckdb.DuckDBPyConnection) -> None:
        if self.trial_cipher:
            connection.execute("set force_mbedtls_unsafe = 'true'")
            return
        try:
            connection.execute("load httpfs")
        except duckdb.Error:
            try:
                connection.execute("install httpfs")
                connection.execute("load httpfs")
            except duckdb.Error:
                raise NotEncrypted(
                    "Writing an encrypted file needs DuckDB's extension httpfs, which is not installed and could not "
                    "be fetched. Install it once while the machine is online, or set privacy.encrypt = false."
                ) from None

    def _encrypt(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Write the file anew under the key and swap it in."""
        fresh = self.path.with_name(f".{uuid4().hex}.duckdb")
        try:
            connection.execute(f"attach '{_quoted(self.path)}' as open_file")
            connection.execute(f"attach '{_quoted(fresh)}' as closed_file ({self.attach_options()})")
            connection.execute("copy from database open_file to closed_file")
            connection.execute("checkpoint closed_file")
            connection.execute("detach closed_file")
            connection.execute("detach open_file")
            fresh.replace(self.path)
            Path(f"{self.path}.wal").unlink(missing_ok=True)
        finally:
            fresh.unlink(missing_ok=True)
            Path(f"{fresh}.wal").unlink(missing_ok=True)


_CATALOGUE = "warehouse_file"
_idle: dict[int, list[duckdb.DuckDBPyConnection]] = {}


def _engine(memory_limit: str, *, is_new: bool) -> duckdb.DuckDBPyConnection:
    """An engine for one connection at a time. To start one takes ten times as long as to open a file with it.

    So they are kept for the next connection, with no file open. One that met an error is not.
    """
    idle = _idle_engines()
    try:
        engine = duckdb.connect() if is_new else idle.pop()
    except IndexError:
        engine = duckdb.connect()
    engine.execute(f"set memory_limit = '{memory_limit}'")
    return engine


def _let_go(engine: duckdb.DuckDBPyConnection, *, is_reusable: bool) -> None:
    """Take the file out of the engine. Should that fail, what was committed is in the log beside the file."""
    with suppress(duckdb.Error):
        engine.execute(f"detach {_CATALOGUE}")
        if is_reusable:
            _idle_engines().append(engine)
            return
    engine.close()


def _idle_engines() -> list[duckdb.DuckDBPyConnection]:
    """Of this process: what was open at a fork belongs to the parent."""
    return _idle.setdefault(os.getpid(), [])


@atexit.register
def _stop_idle_engines() -> None:
    for engine in _idle.pop(os.getpid(), []):
        engine.close()


def _key() -> str:
    key = Secrets().amazon_sage_warehouse_key.get_secret_value()
    if not key:
        raise NotEncrypted(
            "The profile says privacy.encrypt = true, and the environment has no AMAZON_SAGE_WAREHOUSE_KEY."
        )
    return key


def _is_plain(path: Path) -> bool:
    """Whether a file was made without a key: then it can be attached without one."""
    with duckdb.connect() as connection:
        try:
            connection.execute(f"attach '{_quoted(path)}' as tried (read_only)")
        except duckdb.CatalogException:
            return False
    return True


def first_row(connection: duckdb.DuckDBPyConnection, query: str, parameters: object = None) -> tuple[Any, ...] | None:
    """The first row of a query. The result is read to its end: an open one would own the connection."""
    rows = connection.execute(query, parameters).fetchall()
    return rows[0] if rows else None


def _is_lock_conflict(error: Exception) -> bool:
    """Another process has the file open, or another part of this one."""
    text = str(error).lower()
    in_use = isinstance(error, duckdb.IOException) and "lock" in text
    return in_use or (isinstance(error, duckdb.Error) and "unique file handle conflict" in text)


def _command_of(pid: str) -> str:
    try:
        return " ".join(psutil.Process(int(pid)).cmdline())[:80] or "name unknown"
    except psutil.Error:
        return "name unknown"


def _quoted(path: Path) -> str:
    return _escaped(str(path))


def _escaped(text: str) -> str:
    return text.replace("'", "''")
