"""What Sage and Amazon would have told, put into the warehouse as the readers put it there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from amazon_sage_assets.company import Company
from amazon_sage_assets.outbox.messages import SAGE, SAGE_IMPORT, Outcome, Status
from amazon_sage_assets.outbox.store import Outbox
from amazon_sage_assets.posting.approval import approve
from amazon_sage_assets.tables import insert_rows, plain

MAIN_BANK, MAIN_BANK_EUR, CARD, WALLET = "1200", "1201", "1210", "1250"


@dataclass(frozen=True)
class Line:
    """An entry of a Sage bank: by default a receipt of the main bank that somebody entered against the wallet."""

    id: int
    amount: str
    day: date
    nominal: str = MAIN_BANK
    currency: str = "GBP"
    kind: str = "Receipt"
    reference: str = "BACS"
    second_reference: str = ""
    description: str = "Faster payment"
    contra: tuple[str, ...] = (WALLET,)
    statement_date: date | None = None

    @property
    def row(self) -> tuple[Any, ...]:
        return (
            self.id, int(self.nominal), f"BANK{self.nominal}", self.nominal, self.currency, self.kind,
            self.description, self.reference, self.second_reference, self.day, Decimal(self.amount), "Cash Book",
            "Maria", f"URN{self.id}", list(self.contra), self.statement_date, 0, None,
        )  # fmt: skip


@dataclass(frozen=True)
class Outside:
    """The open transaction of a company's warehouse, and what the world outside says in it."""

    connection: duckdb.DuckDBPyConnection

    def bank_shows(self, *lines: Line) -> None:
        insert_rows(self.connection, "raw.sage_bank_transactions", [line.row for line in lines])

    def bank_shows_no_more(self, *ids: int) -> None:
        self.connection.execute("delete from raw.sage_bank_transactions where list_contains($1, id)", [list(ids)])

    def banks_were_read(self, moment: datetime) -> None:
        self.connection.execute("delete from control.watermarks")
        insert_rows(self.connection, "control.watermarks", [("sage_banks", "all", plain(moment))])

    def it_is(self, moment: datetime) -> None:
        self.connection.execute("delete from control.as_of")
        insert_rows(self.connection, "control.as_of", [(plain(moment),)])

    def amazon_says(
        self, account: str, settlement_id: str, status: str, *, trace_id: str = "", payout_id: str = "P1", hour: int = 8
    ) -> None:
        moment = datetime(2026, 3, 16, hour)
        row = (account, payout_id, settlement_id, status, Decimal("1.00"), "GBP", "", trace_id, moment, moment)
        insert_rows(self.connection, "raw.amazon_payouts", [row])

    def somebody_chose(self, settlement_key: str, line: int) -> None:
        row = (settlement_key, str(line), "Ada", datetime(2026, 3, 17, 9))
        insert_rows(self.connection, "control.payout_choices", [row])

    def message(self, message_key: str, **columns: Any) -> None:
        """A message of the outbox with other columns than now."""
        changes = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, start=2))
        done = self.connection.execute(
            f"update outbox.messages set {changes} where message_key = $1 returning 1", [message_key, *columns.values()]
        ).fetchall()
        assert done, f"there is no message {message_key}"

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        cursor = self.connection.execute(sql, list(parameters))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@contextmanager
def nothing_kept(company: Company) -> Iterator[Outside]:
    """The world as one test wants it; afterwards the warehouse is what it was."""
    with company.warehouse.connect() as connection:
        connection.begin()
        try:
            yield Outside(connection)
        finally:
            connection.rollback()


@contextmanager
def kept(company: Company) -> Iterator[Outside]:
    """The world as it is from now on."""
    with company.warehouse.transaction() as connection:
        yield Outside(connection)


def deliver_all(company: Company, settlement: str, now: datetime, *but: str) -> list[str]:
    """Approve a settlement and mark its documents as delivered, except those of the documents named in `but`.

    Returns the keys of what was delivered.
    """
    with company.warehouse.transaction() as connection:
        approve(connection, [settlement], "Ada", now)
    delivered = []
    for system in (SAGE, SAGE_IMPORT):
        outbox = Outbox(company.warehouse, system)
        for message in outbox.approved(datetime.max.replace(tzinfo=now.tzinfo)):
            if message.document not in but:
                outbox.step(now, claims=[message.message_key])
                outbox.step(now, [Outcome(message.message_key, Status.DELIVERED, "delivered", "", "URN7")])
                delivered.append(message.message_key)
    return delivered
