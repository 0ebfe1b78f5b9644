"""Amazon sends FBA goods from its own warehouse: the Sage order's despatch is confirmed, so that Sage's stock follows.

Orders that we send ourselves wait for our warehouse.
"""

from datetime import datetime

import duckdb

from amazon_sage_assets.accounting.sales_documents import SalesDocument, as_payload
from amazon_sage_assets.outbox.sales import bring_in
from amazon_sage_assets.outbox.store import approve_documents

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
    planned = []
    for key, number, day, amount, currency, order_id in connection.execute(_UNCONFIRMED).fetchall():
        payload = as_payload({"kind": KIND, "customer_document_no": number, "despatched_on": day.isoformat()})
        name, reference = f"{key}/despatch", f"{number}/despatch"
        planned.append(
            SalesDocument(name, KIND, DESPATCH_DOCUMENT, day, reference, amount, currency, payload, order_id)
        )
    bring_in(connection, planned, now)
    approve_documents(connection, (DESPATCH_DOCUMENT,), BY_ORDER, now)
    return len(planned)
