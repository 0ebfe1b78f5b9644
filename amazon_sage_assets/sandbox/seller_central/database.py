"""The SQLite file behind the simulated Seller Central, shared by every thread that answers."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).with_name("schema.sql")
Json = dict[str, Any]


def utc_now() -> datetime:
    return datetime.now(UTC)


def stamp(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def from_timestamp(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class Database:
    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._sqlite = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._sqlite.row_factory = sqlite3.Row
        self._sqlite.execute("pragma journal_mode = wal")
        self._sqlite.execute("pragma synchronous = normal")
        self._sqlite.executescript(SCHEMA.read_text(encoding="utf-8"))

    def close(self) -> None:
        with self._lock:
            self._sqlite.close()

    def _query(self, sql: str, *values: Any) -> Iterator[sqlite3.Row]:
        with self._lock:
            return iter(self._sqlite.execute(sql, values).fetchall())

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._sqlite.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._sqlite.execute("rollback")
                raise
            self._sqlite.execute("commit")

    def _state(self, name: str, default: str) -> str:
        row = next(self._query("select value from state where name = ?", name), None)
        return default if row is None else str(row["value"])

    def switch(self, name: str, on: bool) -> None:
        """One of the ways in which Amazon can be different; see where each is read."""
        self._query("insert or replace into state values (?, ?)", name, "yes" if on else "")

    def is_on(self, name: str) -> bool:
        return self._state(name, "") == "yes"
