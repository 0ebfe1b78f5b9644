"""Keeps the outbox in step with the posting plan. Nothing is sent here.

A settlement that is proven has its documents in the outbox as `planned`. When it is worked out anew, documents that
were never sent follow; for what Sage has already, the difference becomes documents of its own. A settlement that is no
longer proven keeps nothing waiting.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import duckdb

from amazon_sage_assets.accounting.corrections import Delivered, outstanding
from amazon_sage_assets.accounting.journal_file import KIND, JournalLine, journal_documents
from amazon_sage_assets.accounting.posting_plan import PAYOUT, PlanError, PlannedDocument
from amazon_sage_assets.outbox.messages import SAGE, SAGE_IMPORT, Message, Status
from amazon_sage_assets.outbox.store import put, read_messages, references_taken, supersede
from amazon_sage_assets.settings import Profile
from amazon_sage_assets.settlements.derivation import read_settlement
from amazon_sage_assets.tables import insert_rows

_ORDER = {"payout": 9}  # money reaches the wallet before it leaves

# Whether each settlement is proven, read once into a table: asking for one costs as much as asking for all.
_STANDING = (
    "create or replace temp table standing as select settlement_key, is_proven from core.core__settlement_status"
)

# Settlements whose outbox may not say what their plan says, and whether each is proven.
_TO_LOOK_AT = """
select settlement_key, true from standing as s
where s.is_proven and exists (
    select 1 from core.planned_documents as p
    left join outbox.messages as m
        on p.message_key = m.message_key and p.payload_hash = m.payload_hash and m.status <> 'superseded'
    where p.settlement_key = s.settlement_key and m.message_key is null
)
union
select s.settlement_key, true from standing as s
inner join control.payout_rules as r on r.posting_route = 'journal_file'
where s.is_proven and exists (select 1 from core.planned_documents as p where p.settlement_key = s.settlement_key)
and not exists (
    select 1 from outbox.messages as m
    where m.settlement_key = s.settlement_key and m.kind = 'journal_file' and m.status <> 'superseded'
)
union
select m.settlement_key, coalesce(s.is_proven, false) from outbox.messages as m
left join standing as s on m.settlement_key = s.settlement_key
left join core.planned_documents as p on m.message_key = p.message_key
where m.status <> 'superseded' and (coalesce(not s.is_proven, true) or p.message_key is null)
"""


@dataclass(frozen=True)
class Queued:
    """What a settlement still has to send: `documents`, and the keys of waiting ones that are no longer wanted."""

    settlement_key: str
    documents: list[PlannedDocument]
    unwanted: list[str]


def refresh_queue(connection: duckdb.DuckDBPyConnection, profile: Profile, now: datetime) -> None:
    """Bring every settlement's waiting messages up to date. One transaction of the caller."""
    connection.execute(_STANDING)
    found = []
    for key, is_proven in connection.execute(_TO_LOOK_AT).fetchall():
        try:
            queued = wanted_of(connection, profile, key, is_proven=is_proven)
        except PlanError as error:  # this settlement stops, the others go on
            connection.execute("delete from core.derivation_failures where settlement_key = $1", [key])
            insert_rows(connection, "core.derivation_failures", [(key, str(error))])
            continue
        if queued:
            found.append(queued)
            supersede(connection, queued.unwanted, now, "no longer in the posting plan")
    for queued in found:  # after all that is unwanted has let its references go
        messages = [_message(queued.settlement_key, document, profile.zone) for document in queued.documents]
        taken = references_taken(connection, messages)
        put(connection, [m for m in messages if m.message_key not in taken], now, "planning")


def wanted_of(connection: duckdb.DuckDBPyConnection, profile: Profile, key: str, *, is_proven: bool) -> Queued | None:
    """What a settlement still has to send; None while a document of it is on its way and nothing can be said."""
    messages = read_messages(connection, "where settlement_key = $1", [key])
    if any(message.status == Status.SENDING and message.system == SAGE for message in messages):
        return None
    delivered = [m for m in messages if m.status in (Status.DELIVERED, Status.SENDING) or _by_hand(connection, m)]
    documents: list[PlannedDocument] = []
    if is_proven:
        documents = _documents(connection, profile, key, delivered)
    wanted = {document.message_key for document in documents} | {m.message_key for m in delivered}
    waiting = [m.message_key for m in messages if m.status != Status.SUPERSEDED and m.message_key not in wanted]
    return Queued(key, documents, waiting)


def _by_hand(connection: duckdb.DuckDBPyConnection, message: Message) -> bool:
    """Whether somebody had entered the same in Sage: then it is there, and nothing of ours must follow."""
    return message.status == Status.SUPERSEDED and bool(
        connection.execute(
            "select 1 from outbox.messages where message_key = $1 and remote_id is not null", [message.message_key]
        ).fetchall()
    )


def _documents(
    connection: duckdb.DuckDBPyConnection, profile: Profile, key: str, delivered: Sequence[Message]
) -> list[PlannedDocument]:
    settlement = read_settlement(connection, key)
    planned = read_plan(connection, key)
    if _route(profile, delivered) == "journal_file":
        return journal_documents(
            settlement,
            _journal_lines(connection, key),
            [(m.message_key, m.payload) for m in delivered],
            planned,
            _wallet_code(connection, settlement.currency),
        )
    in_sage = [
        Delivered(m.message_key, m.document, m.period, m.document_date, m.payload, m.payload_hash) for m in delivered
    ]
    return outstanding(settlement, planned, in_sage)


def _route(profile: Profile, delivered: Sequence[Message]) -> str:
    """A settlement goes on the way it began: on the other one all that Sage has already would be sent again."""
    begun = {message.kind == KIND for message in delivered if message.document != PAYOUT}
    if not begun:
        return profile.posting_route
    return "journal_file" if True in begun else "cashbook"


def read_plan(connection: duckdb.DuckDBPyConnection, key: str) -> list[PlannedDocument]:
    rows = connection.execute(
        "select message_key, kind, document, period, document_date, remote_reference, amount, currency, 0.00, payload"
        " from core.planned_documents where settlement_key = $1 order by message_key",
        [key],
    ).fetchall()
    return [PlannedDocument(*row) for row in rows]


def _journal_lines(connection: duckdb.DuckDBPyConnection, key: str) -> list[JournalLine]:
    rows = connection.execute(
        "select period, document_date, nominal_code, cost_centre, department, vat_code, debit, credit, narrative"
        " from core.core__journal_lines where settlement_key = $1 order by all",
        [key],
    ).fetchall()
    return [
        JournalLine(period, day, (n, c, d, v), debit, credit, text)
        for period, day, n, c, d, v, debit, credit, text in rows
    ]


def _wallet_code(connection: duckdb.DuckDBPyConnection, currency: str) -> str:
    rows = connection.execute(
        "select nominal_code from core.core__ledger_accounts where account_key = 'wallet' and currency = $1", [currency]
    ).fetchall()
    return str(rows[0][0])


def _message(key: str, document: PlannedDocument, zone: ZoneInfo) -> Message:
    return Message(
        message_key=document.message_key,
        system=SAGE_IMPORT if document.kind == KIND else SAGE,
        kind=document.kind,
        settlement_key=key,
        document=document.document,
        period=document.period,
        document_date=document.document_date,
        remote_reference=document.remote_reference,
        amount=document.amount,
        currency=document.currency,
        payload=document.payload,
        payload_hash=document.payload_hash,
        due_at=_day_begins(document.document_date, zone),
        priority=_ORDER.get(document.document, 5),
    )


def _day_begins(day: date, zone: ZoneInfo) -> datetime:
    """Nothing is posted before its day: a payout is not in the bank before its deposit date."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
