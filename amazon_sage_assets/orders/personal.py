"""Personal data: whom orders go to, in a file of its own that nothing else reads, and only as long as it is needed.

Everything else knows a recipient by a hash. Erasing writes the file anew without them, because a database keeps the
bytes of deleted rows for a while.
"""

import hashlib
import json
import os
from collections.abc import Collection, Iterable
from dataclasses import asdict, fields
from pathlib import Path

import duckdb

from amazon_sage_assets.amazon.orders_api import Recipient
from amazon_sage_assets.warehouse import Warehouse

_COLUMNS = [field.name for field in fields(Recipient)]
_TABLE = "create table main.recipients (order_id varchar primary key, content varchar not null)"


def recipient_hash(recipient: Recipient) -> str:
    """Stands for a recipient everywhere else. The order is part of it, so the same address twice is not seen."""
    return hashlib.sha256(_content(recipient).encode()).hexdigest()


class PersonalData(Warehouse):
    """The file of recipients."""

    def migrate(self) -> None:
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.parent.chmod(0o700)  # what the engine writes beside the file is for nobody else either
            with self.connect() as connection:
                connection.execute(_TABLE)
            self.path.chmod(0o600)

    def keep(self, recipients: Iterable[Recipient]) -> None:
        """Keep the newest word on each."""
        rows = {r.order_id: _content(r) for r in recipients}
        if rows:
            with self.transaction() as connection:
                connection.execute(
                    "insert or replace into main.recipients select unnest($1::varchar[]), unnest($2::varchar[])",
                    [list(rows), list(rows.values())],
                )

    def of(self, order_ids: Collection[str]) -> dict[str, Recipient]:
        """The recipients of these orders, as far as they are known and not erased."""
        if not order_ids or not self.path.exists():
            return {}
        with self.read() as connection:
            rows = connection.execute(
                "select content from main.recipients where list_contains($1, order_id)", [list(order_ids)]
            ).fetchall()
        found = (_recipient(content) for (content,) in rows)
        return {recipient.order_id: recipient for recipient in found}

    def erase(self, order_ids: Collection[str]) -> int:
        """Leave no byte of these recipients behind. Returns how many there were."""
        if not self.path.exists():
            return 0
        fresh = self.path.with_name(f".{self.path.name}")
        with self.connect() as connection:
            connection.execute("checkpoint")  # else what a killed run had begun could come back
            _remove(fresh)  # of a run that was killed here
            try:
                connection.execute(f"attach '{_quoted(fresh)}' as kept ({self.attach_options()})")
                connection.execute(_TABLE.replace("main.recipients", "kept.main.recipients"))
                before = _count(connection, "main.recipients")
                connection.execute(
                    "insert into kept.main.recipients select * from main.recipients"
                    " where not list_contains($1, order_id)",
                    [list(order_ids)],
                )
                after = _count(connection, "kept.main.recipients")
                connection.execute("checkpoint kept")
                connection.execute("detach kept")
                with fresh.open("rb") as handle:
                    os.fsync(handle.fileno())
                fresh.chmod(0o600)
                fresh.replace(self.path)
            finally:
                _remove(fresh)
        return before - after


def _remove(database: Path) -> None:
    database.unlink(missing_ok=True)
    Path(f"{database}.wal").unlink(missing_ok=True)


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])


def _content(recipient: Recipient) -> str:
    return json.dumps(asdict(recipient), sort_keys=True, ensure_ascii=False)


def _recipient(content: str) -> Recipient:
    values = json.loads(content)
    return Recipient(**{name: tuple(values[name]) if name == "lines" else values[name] for name in _COLUMNS})


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
