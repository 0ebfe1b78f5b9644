"""Double entry: a document gets its URN, and its postings balance or nothing is written."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from amazon_sage_assets.sandbox.sage200 import moments, periods
from amazon_sage_assets.sandbox.sage200.bodies import Body
from amazon_sage_assets.sandbox.sage200.lookups import control_account
from amazon_sage_assets.sandbox.sage200.options import Options
from amazon_sage_assets.sandbox.sage200.refusals import Refused
from amazon_sage_assets.sandbox.sage200.store import change_setting, setting

_COLUMNS = "nominal_id, transaction_date, reference, narrative, debit, credit, user_name, source, urn"


@dataclass(frozen=True)
class Desk:
    """Where a document is entered: the open transaction, the rules, the moment, and the person or program."""

    db: sqlite3.Connection
    options: Options
    now: datetime
    user_name: str = "api"
    source: str = ""

    @property
    def stamp(self) -> str:
        return moments.stored(self.now)


@dataclass(frozen=True)
class Posting:
    """One line of the nominal ledger in base currency, debit positive."""

    nominal_id: int
    pence: int
    narrative: str
    reference: str = ""
    transaction_date: str = ""


@dataclass(frozen=True)
class Document:
    """The head of a document that is in the books."""

    urn: int
    kind: str
    reference: str
    second_reference: str
    transaction_date: str
    source: str


def transaction_date(desk: Desk, body: Body, field: str = "transaction_date") -> str:
    """The day of a document, today when it names none. Raises Refused when the rules do not take it."""
    day = moments.day_of(body.get(field) or desk.stamp)
    periods.require_acceptable(desk.db, day, moments.day_of(desk.stamp), field)
    return moments.stored_day(day)


def begin(
    desk: Desk, kind: str, body: Body, value: int, source: str, *, bank_id: int | None, customer_id: int | None = None
) -> Document:
    """Give a document its URN. Raises Refused for a duplicate where the company refuses those."""
    db, source = desk.db, desk.source or source
    reference, second_reference = body.get("reference", ""), body.get("second_reference", "")
    if desk.options.refuse_duplicate_reference and reference and _stands(desk, kind, reference, bank_id, customer_id):
        raise Refused(f"A transaction with the reference '{reference}' already exists.", "reference")
    urn = int(setting(db, "next_urn"))
    change_setting(db, "next_urn", str(urn + 1))
    day = transaction_date(desk, body)
    db.execute(
        "insert into documents values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (urn, kind, reference, second_reference, day, value, bank_id, customer_id, source, desk.user_name, desk.stamp),
    )
    return Document(urn, kind, reference, second_reference, day, source)


def _stands(desk: Desk, kind: str, reference: str, bank_id: int | None, customer_id: int | None) -> bool:
    row = desk.db.execute(
        "select 1 from documents where reference = ? collate nocase and kind = ? and bank_id is ? and customer_id is ?",
        (reference, kind, bank_id, customer_id),
    ).fetchone()
    return row is not None


def post(desk: Desk, document: Document, postings: Iterable[Posting]) -> None:
    """Write the postings of a document: into the ledger, or into the waiting room."""
    lines = [line for line in postings if line.pence]
    if sum(line.pence for line in lines):
        raise AssertionError(f"the postings of {document} do not balance: {lines}")
    known = periods.all_periods(desk.db)
    for line in lines:
        day = line.transaction_date or document.transaction_date
        period, waits = periods.posting_period(known, moments.day_of(day))
        values = (
            line.nominal_id,
            day,
            line.reference or document.reference,
            line.narrative,
            max(line.pence, 0),
            max(-line.pence, 0),
            desk.user_name,
            document.source,
            document.urn,
        )
        if waits or not desk.options.nominal_online:
            desk.db.execute(f"insert into nominal_waiting ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        else:
            desk.db.execute(
                f"insert into nominal_entries ({_COLUMNS}, period_id) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, period.id),
            )


def update_nominal(db: sqlite3.Connection) -> int:
    """Take what waits into the ledger, as far as its period is open. The number of postings taken."""
    known, taken = periods.all_periods(db), 0
    for row in db.execute("select * from nominal_waiting order by id").fetchall():
        period, waits = periods.posting_period(known, moments.day_of(row["transaction_date"]))
        if not waits:
            db.execute(
                f"insert into nominal_entries ({_COLUMNS}, period_id) "
                f"select {_COLUMNS}, ? from nominal_waiting where id = ?",
                (period.id, row["id"]),
            )
            db.execute("delete from nominal_waiting where id = ?", (row["id"],))
            taken += 1
    return taken


def record_tax(desk: Desk, document: Document, tax_code_id: int, kind: str, goods: int, tax: int) -> None:
    desk.db.execute(
        "insert into tax_entries (urn, tax_code_id, type, goods, tax) values (?, ?, ?, ?, ?)",
        (document.urn, tax_code_id, kind, goods, tax),
    )


def exchange_difference(desk: Desk, pence: int, nominal_id: int | None = None) -> list[Posting]:
    """What closes a document whose two sides are worth different amounts of base currency."""
    if not pence:
        return []
    return [Posting(nominal_id or control_account(desk.db, "exchange_differences"), pence, "Exchange difference")]
