"""Sales documents in the outbox: what is planned takes the place of what was planned before and never sent."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import duckdb

from amazon_sage_assets.accounting.sales_documents import SalesDocument
from amazon_sage_assets.outbox.messages import SAGE, Message
from amazon_sage_assets.outbox.store import put, supersede

# Goods before money, and what is set against each other last.
_PRIORITY = {
    "order": 1, "daily_order": 1, "despatch": 2, "credit_note": 3, "sales_return": 3, "rounding": 3, "allocation": 7,
}  # fmt: skip


def plan_anew(
    connection: duckdb.DuckDBPyConnection,
    documents: Sequence[str],
    planned: Iterable[SalesDocument],
    now: datetime,
    why: str,
) -> list[str]:
    """The unsent messages of these kinds of document are `planned` and no others. Returns the keys of those that go.

    What was sent stays as it is. One transaction of the caller.
    """
    planned = list(planned)
    rows = connection.execute(
        "select message_key from outbox.messages where list_contains($1::varchar[], document)"
        " and status not in ('delivered', 'sending', 'superseded') and not list_contains($2::varchar[], message_key)",
        [list(documents), [document.message_key for document in planned]],
    ).fetchall()
    gone = [key for (key,) in rows]
    supersede(connection, gone, now, why)
    bring_in(connection, planned, now)
    return gone


def bring_in(connection: duckdb.DuckDBPyConnection, planned: Iterable[SalesDocument], now: datetime) -> None:
    """Bring documents in; those that wait already stay."""
    put(connection, [_message(document) for document in planned], now, "planning")


def _message(document: SalesDocument) -> Message:
    return Message(
        message_key=document.message_key,
        system=SAGE,
        kind=document.kind,
        settlement_key=None,
        document=document.document,
        period=f"{document.document_date:%Y-%m}",
        document_date=document.document_date,
        remote_reference=document.remote_reference,
        amount=document.amount,
        currency=document.currency,
        payload=document.payload,
        payload_hash=document.payload_hash,
        due_at=datetime.combine(document.document_date, datetime.min.time(), UTC),
        priority=_PRIORITY[document.document],
        order_id=document.order_id,
    )
