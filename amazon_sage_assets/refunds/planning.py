"""Credit notes for refunds: one per refund, at the VAT of the original sale, when Sage has the order.

A credit note lowers output VAT, so it waits for approval like everything that reaches the ledger.
"""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import duckdb

from amazon_sage_assets.accounting.credit_plan import CREDIT_NOTE, MARKS, PlannedBill, RefundedItem, credit_note
from amazon_sage_assets.accounting.posting_plan import Ledger
from amazon_sage_assets.company import Company
from amazon_sage_assets.control import insert_frame
from amazon_sage_assets.outbox.messages import Message
from amazon_sage_assets.outbox.store import put, supersede
from amazon_sage_assets.posting.approval import BY_PROFILE, approve_documents
from amazon_sage_assets.posting.queue import SYSTEM

# Refunds of orders that Sage has, with how the item was sold. A refund that names no SKU of the order goes with the
# order's largest item.
_REFUNDS = """
with in_sage as (
    select distinct c.order_id
    from outbox.covered_orders as c
    inner join outbox.messages as m on c.message_key = m.message_key
    where
        m.document in ('order', 'daily_order')
        and (m.status = 'delivered' or (m.status = 'superseded' and m.remote_id is not null))
),
sold as (
    select
        i.*,
        row_number() over (partition by i.order_id order by i.due_gross desc, i.order_item_id) as rank
    from core.core__order_items as i
)
select
    r.account, r.order_id, r.refund_id, r.refunded_day, o.marketplace, r.currency, r.seller_sku, r.gross, r.vat,
    coalesce(s.rate_bp, l.rate_bp), coalesce(s.sage_tax_code, l.sage_tax_code),
    a.nominal_code, a.cost_centre, a.department, a.name
from core.core__refunds as r
inner join in_sage as n on r.order_id = n.order_id
inner join core.core__orders as o on r.order_id = o.order_id
left join (
    select distinct on (order_id, seller_sku) * from sold order by order_id, seller_sku, rank
) as s on r.order_id = s.order_id and r.seller_sku = s.seller_sku
left join sold as l on r.order_id = l.order_id and l.rank = 1
left join control.ledger_accounts as a on coalesce(s.account_key, l.account_key) = a.account_key
order by r.order_id, r.refunded_day, r.refund_id, r.seller_sku, r.adjustment_item_id
"""


def plan_refunds(connection: duckdb.DuckDBPyConnection, company: Company, now: datetime) -> int:
    """Bring the credit notes that are not in Sage yet up to date. Returns how many wait. One transaction."""
    connection.execute("delete from core.document_problems where entity_type = 'refund'")
    refunds: dict[tuple[Any, ...], list[RefundedItem]] = defaultdict(list)
    for (
        account,
        order_id,
        refund_id,
        day,
        site,
        currency,
        sku,
        gross,
        vat,
        rate_bp,
        tax_code,
        *ledger,
    ) in connection.execute(_REFUNDS).fetchall():
        text = " ".join(filter(None, ("Amazon refund", order_id, sku)))
        item = RefundedItem(gross, vat, rate_bp or 0, tax_code or "", Ledger(*(part or "" for part in ledger)), text)
        refunds[(account, order_id, refund_id, day, site, currency)].append(item)
    sent = _sent(connection)
    numbers = _numbers(connection)
    planned: list[PlannedBill] = []
    problems = []
    for (account, order_id, refund_id, day, site, currency), items in refunds.items():
        key = f"{account}/refund/{order_id}/{refund_id}"
        if key in sent:
            continue
        gross = sum(item.gross for item in items)
        if gross <= 0 or any(item.gross < 0 for item in items):
            why = f"its items come to {', '.join(str(item.gross) for item in items)}, which no credit note can say"
            problems.append(("refund", key, "REFUND_ODD", order_id, why))
            continue
        known = numbers.setdefault(order_id, {})
        number = known.setdefault(key, max(known.values(), default=0) + 1)
        if number > len(MARKS):
            problems.append(("refund", key, "REFUND_ODD", order_id, f"the order has more than {len(MARKS)} refunds"))
            continue
        planned.append(credit_note(key, order_id, site, currency, day, number, items))
    insert_frame(connection, "core.document_problems", problems)
    _bring_in(connection, planned, now)
    if company.profile.posting == "auto":
        approve_documents(connection, (CREDIT_NOTE,), BY_PROFILE, now)
    return len(planned)


def _sent(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select message_key from outbox.messages where document = $1"
        " and (status in ('delivered', 'sending') or remote_id is not null)",
        [CREDIT_NOTE],
    ).fetchall()
    return {key for (key,) in rows}


def _numbers(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """Which number each credit note of an order has: a number once given stays."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for key, order_id, mark in connection.execute(
        "select message_key, order_id, right(remote_reference, 1) from outbox.messages where document = $1",
        [CREDIT_NOTE],
    ).fetchall():
        found[order_id][key] = MARKS.index(mark) + 1
    return found


def _bring_in(connection: duckdb.DuckDBPyConnection, planned: list[PlannedBill], now: datetime) -> None:
    wanted = [bill.message_key for bill in planned]
    rows = connection.execute(
        "select message_key from outbox.messages where document = $1"
        " and status not in ('delivered', 'sending', 'superseded') and not list_contains($2::varchar[], message_key)",
        [CREDIT_NOTE, wanted],
    ).fetchall()
    supersede(connection, [key for (key,) in rows], now, "the refund is no longer told")
    put(connection, [bill_message(bill) for bill in planned], now, "planning")


def bill_message(bill: PlannedBill) -> Message:
    return Message(
        message_key=bill.message_key,
        system=SYSTEM,
        kind=bill.kind,
        settlement_key=None,
        document=bill.document,
        period=f"{bill.document_date:%Y-%m}",
        document_date=bill.document_date,
        remote_reference=bill.remote_reference,
        amount=bill.amount,
        currency=bill.currency,
        payload=bill.payload,
        payload_hash=bill.payload_hash,
        due_at=datetime.combine(bill.document_date, datetime.min.time(), UTC),
        priority=3,
        order_id=bill.order_id,
    )
