"""The file that the simulated Sage lives in: one SQLite database that survives a killed process as it was."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

TABLES = Path(__file__).with_name("tables.sql")
BUSY_SECONDS = 30

# Record ids look like those of a company that has traded for years, and no two kinds share a number.
FIRST_IDS = {
    "tax_codes": 1721,
    "currencies": 2103,
    "years": 2049,
    "periods": 2251,
    "banks": 2143,
    "cost_centres": 2301,
    "departments": 2401,
    "nominal_codes": 3401,
    "customers": 27825,
    "warehouses": 2206,
    "products": 34751,
    "warehouse_holdings": 134760,
    "couriers": 11,
    "additional_charges": 31,
    "sop_documents": 1388180,
    "sop_lines": 2388180,
    "sop_despatches": 3090210,
    "sop_despatch_lines": 4090210,
    "sop_bills": 5071001,
    "sop_bill_lines": 6071001,
    "sales_entries": 51801,
    "allocations": 61001,
    "bank_entries": 70401,
    "nominal_entries": 88101,
}


class Store:
    """One connection behind one lock: any thread may come, one at a time is served."""

    def __init__(self, path: Path, today: Callable[[], str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.create_function("today", 0, today)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.execute("pragma foreign_keys = on")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Several statements that see one state."""
        with self._lock, self._begun("begin"):
            yield self._db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, on the disk when the block ends. Inside another `writing` it is a part of that one."""
        with self._lock, self._begun("begin immediate"):
            yield self._db

    @contextmanager
    def _begun(self, begin: str) -> Iterator[None]:
        point = f"level_{self._depth}"
        self._db.execute(f"savepoint {point}" if self._depth else begin)
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth:
                self._db.execute(f"rollback to {point}")
                self._db.execute(f"release {point}")
            else:
                self._db.execute("rollback")
            raise
        self._depth -= 1
        self._db.execute(f"release {point}" if self._depth else "commit")

    def prepare(self, settings: Mapping[str, str], enumerations: Mapping[str, Mapping[str, str]]) -> None:
        """Tables and defaults of a new file; nothing on one that has them."""
        with self.writing() as db:
            if db.execute("select 1 from sqlite_master where name = 'settings'").fetchone():
                return
            for statement in _statements(TABLES.read_text(encoding="utf-8")):
                db.execute(statement)
            db.executemany("insert into settings values (?, ?)", settings.items())
            for name, values in enumerations.items():
                rows = [(name, number, *pair) for number, pair in enumerate(values.items())]
                db.executemany("insert into enumerations values (?, ?, ?, ?)", rows)
            firsts = [(table, first - 1) for table, first in FIRST_IDS.items()]
            db.executemany("insert into sqlite_sequence (name, seq) values (?, ?)", firsts)


def _statements(script: str) -> Iterator[str]:
    """The statements one by one: `executescript` would commit the transaction that they belong to."""
    gathered = ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            yield gathered
            gathered = ""


def setting(db: sqlite3.Connection, key: str) -> str:
    return str(db.execute("select value from settings where key = ?", (key,)).fetchone()[0])


def change_setting(db: sqlite3.Connection, key: str, value: str) -> None:
    """Raises KeyError for a setting that does not exist."""
    if not db.execute("update settings set value = ? where key = ?", (value, key)).rowcount:
        raise KeyError(key)
