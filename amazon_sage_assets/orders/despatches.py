"""Amazon sends FBA goods from its own warehouse: the Sage order's despatch is confirmed, so that Sage's stock follows.

Orders that we send ourselves wait for our warehouse.
"""

import hashlib
import json
from datetime import UTC, datetime

import duckdb

from amazon_sage_assets.outbox.messages import Message
from amazon_sage_assets.outbox.store import put
from amazon_sage_assets.posting.approval import approve_documents
from amazon_sage_assets.posting.queue import SYSTEM

DESPATCH_DOCUMENT = "despatch"
KIND = "sop_despatch"
BY_ORDER = "the approval of the order"

# FBA orders that Sage has and whose despatch is not in the outbox.
_UNCONFIRMED = """
select m.message_key, m.remote_reference, m.document_date, m.amount, m.currency, m.order_id
from outbox.messages as m
where
    m.document in ('order', 'daily_order')
    and m.status = 'delivered'
    and json_extract_string(m.payload, '$.fulfilment') = 'AFN'
    and m.message_key || '/despatch' not in (select d.message_key from outbox.messages as d)
order by m.message_key
"""


def plan_despatches(connection: duckdb.DuckDBPyConnection, now: datetime) -> int:
    """Queue the despatch of each FBA order that Sage has. Returns how many. One transaction of the caller."""
    messages = []
    for key, number, day, amount, currency, order_id in connection.execute(_UNCONFIRMED).fetchall():
        content = {"kind": KIND, "customer_document_no": number, "despatched_on": day.isoformat()}
        payload = json.dumps(content, sort_keys=True, separators=(",", ":"))
        messages.append(
            Message(
                message_key=f"{key}/despatch",
                system=SYSTEM,
                kind=KIND,
                settlement_key=None,
                document=DESPATCH_DOCUMENT,
                period=f"{day:%Y-%m}",
                document_date=day,
                remote_reference=f"{number}/despatch",
                amount=amount,
                currency=currency,
                payload=payload,
                payload_hash=hashlib.sha256(payload.encode()).hexdigest(),
                due_at=datetime.combine(day, datetime.min.time(), UTC),
                priority=2,
                order_id=order_id,
            )
        )
    put(connection, messages, now, "planning")
    approve_documents(connection, (DESPATCH_DOCUMENT,), BY_ORDER, now)
    return len(messages)
