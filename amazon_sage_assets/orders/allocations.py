"""Sets Amazon's money against the invoices and credit notes it pays, order by order.

A settlement's sale rows are one receipt in Sage; here its parts are allocated to the invoices of the orders in it. The
payment of its refunds is allocated to their credit notes. A penny between invoice and money, within the profile's
tolerance, becomes a rounding document; more than that stays open and is an exception.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from amazon_sage_assets.accounting.credit_plan import CREDIT_NOTE, ROUNDING, SALES_RETURN, rounding
from amazon_sage_assets.accounting.sales_documents import SalesDocument, as_payload
from amazon_sage_assets.company import Company
from amazon_sage_assets.outbox.sales import bring_in
from amazon_sage_assets.outbox.store import approve_documents, supersede
from amazon_sage_assets.sage.allocations import KIND

ALLOCATION = "allocation"
MOST_LINES = 200  # of one allocation, so that a lost answer leaves little in doubt
NOTHING = Decimal("0.00")
BY_RECEIPT = "the approval of the receipt"
BY_TOLERANCE = "profile (orders.tolerance)"

# The receipts and payments of settlements that Sage has, with what of them is open, and the orders they are for.
_MONEY = """
select
    m.message_key, e.id, e.sign, e.outstanding, m.document_date, m.currency,
    json_extract_string(m.payload, '$.customer.marketplace') as marketplace, s.order_id, s.refund_id, abs(s.amount)
from outbox.messages as m
inner join raw.sage_sales_entries as e on m.remote_id = e.urn
inner join core.core__settled_orders as s
    on m.settlement_key = s.settlement_key and m.period = s.period and m.document = s.document
where
    m.kind in ('sales_receipt', 'sales_payment')
    and m.status = 'delivered'
    and e.outstanding > 0
    and m.document in ('customer_receipts', 'customer_refunds')
    and (s.amount > 0) = (e.sign < 0)
order by m.document_date, m.message_key, s.order_id, s.refund_id
"""
# Invoices of orders: by the invoice number of the Sage order; a daily order's invoice is for all of its orders.
_INVOICES = """
select distinct b.order_id, e.id, e.outstanding, b.gross
from core.core__booked_orders as b
inner join raw.sage_order_invoices as i on b.sage_order_id = i.order_id
inner join raw.sage_sales_entries as e on i.invoice_no = e.reference and b.customer_id = e.customer_id and e.sign = 1
order by all
"""
# Credit notes and penny documents of ours, and the credit notes that Sage's people printed from sales returns.
_BILLS = """
select m.order_id, m.message_key, m.document, e.id, e.sign, e.outstanding
from outbox.messages as m
inner join raw.sage_sales_entries as e on m.remote_id = e.urn
where m.document in ('credit_note', 'rounding') and m.status = 'delivered' and e.outstanding > 0
union all
select m.order_id, m.message_key, m.document, e.id, e.sign, e.outstanding
from outbox.messages as m
inner join raw.sage_order_invoices as i on m.remote_id = cast(i.order_id as varchar)
inner join raw.sage_sales_entries as e on i.invoice_no = e.reference and e.sign = -1
where m.document = 'sales_return' and m.status = 'delivered' and e.outstanding > 0
order by all
"""
# Individual orders whose money is all here and misses the invoice by no more than the tolerance.
_PENNIES = """
with paid as (
    select s.order_id, sum(s.amount) as amount, max(s.posted_day) as paid_on
    from core.core__settled_orders as s
    inner join outbox.messages as m
        on s.settlement_key = m.settlement_key and s.period = m.period and s.document = m.document
    where s.document = 'customer_receipts' and m.status = 'delivered' and m.kind = 'sales_receipt'
    group by s.order_id
)
select o.account, o.order_id, o.marketplace, o.currency, p.paid_on, m.amount - p.amount as owed
from paid as p
inner join core.core__orders as o on p.order_id = o.order_id
inner join outbox.messages as m on p.order_id = m.order_id and m.document = 'order' and m.status = 'delivered'
cross join control.order_rules as r
where
    m.amount <> p.amount
    and abs(m.amount - p.amount) <= r.tolerance
    and o.account || '/rounding/' || o.order_id not in (
        select x.message_key from outbox.messages as x where x.status in ('delivered', 'sending')
    )
order by o.order_id
"""


# What was allocated already of those receipts and payments, order by order.
_DONE = """
select regexp_replace(a.message_key, '/allocation-[0-9]+$', '') as money, a.payload
from outbox.messages as a
where a.document = 'allocation' and a.status = 'delivered' and list_contains($1::varchar[], money)
"""


@dataclass
class _Entry:
    """An entry of the sales ledger. `sign` 1: the customer owes it."""

    entry: int
    sign: int
    outstanding: Decimal
    left: Decimal


_Target = tuple[_Entry, Decimal]  # an entry, and how much of it an order may take
_Pairs = dict[int, dict[str, Decimal]]  # by entry, and by order and refund


def plan_allocations(connection: duckdb.DuckDBPyConnection, company: Company, now: datetime) -> int:
    """Queue what can be allocated as the ledger was last read. Returns how many new documents. One transaction.

    Nothing while an allocation is in doubt: what it did would be counted twice.
    """
    statuses = connection.execute(
        "select message_key, status, attempts from outbox.messages where document = 'allocation'"
    ).fetchall()
    if any(status == "sending" or (status == "approved" and attempts) for _, status, attempts in statuses):
        return 0
    bring_in(connection, _roundings(connection, company), now)
    done: dict[str, int] = defaultdict(int)
    for key, status, _ in statuses:
        name, number = key.rsplit("-", 1)
        if status == "delivered":  # one that was refused may stand between two that were not
            done[name] = max(done[name], int(number))
    local = now.astimezone(company.profile.zone).date()
    planned = list(_allocations(connection, done, local))
    refused = {document.message_key for document in planned} & {
        key for key, status, _ in statuses if status == "rejected"
    }
    stale = [key for key, status, _ in statuses if status not in ("delivered", "superseded") and key not in refused]
    supersede(connection, stale, now, "worked out anew from the ledger")
    bring_in(connection, planned, now)  # what Sage refused as it stands is not asked again
    return approve_documents(connection, (ROUNDING,), BY_TOLERANCE, now) + approve_documents(
        connection, (ALLOCATION,), BY_RECEIPT, now
    )


def _roundings(connection: duckdb.DuckDBPyConnection, company: Company) -> Iterator[SalesDocument]:
    account = company.rounding_account
    for name, order_id, site, currency, day, owed in connection.execute(_PENNIES).fetchall():
        yield rounding(f"{name}/rounding/{order_id}", order_id, site, currency, day, owed, account, company.no_vat_code)


def _allocations(connection: duckdb.DuckDBPyConnection, done: dict[str, int], today: date) -> Iterator[SalesDocument]:
    """For each receipt and payment, what of it can be set against invoices and credit notes now."""
    entries: dict[int, _Entry] = {}

    def entry(number: int, sign: int, outstanding: Decimal) -> _Entry:
        return entries.setdefault(number, _Entry(number, sign, outstanding, outstanding))

    invoices: dict[str, list[_Target]] = defaultdict(list)
    for order_id, number, outstanding, share in connection.execute(_INVOICES).fetchall():
        if outstanding > 0:
            invoices[order_id].append((entry(number, 1, outstanding), share))
    credits: dict[str, dict[str, list[_Target]]] = defaultdict(lambda: defaultdict(list))
    pennies: dict[str, list[_Target]] = defaultdict(list)
    for order_id, key, document, number, sign, outstanding in connection.execute(_BILLS).fetchall():
        if document in (CREDIT_NOTE, SALES_RETURN):
            credits[order_id][key.split("/", 3)[3]].append((entry(number, sign, outstanding), outstanding))
        else:
            pennies[order_id].append((entry(number, sign, outstanding), outstanding))
    money: dict[str, list[Any]] = defaultdict(list)
    for key, *rest in connection.execute(_MONEY).fetchall():
        money[key].append(rest)
    spent, placed = _allocated(connection, list(money))
    for key, rows in money.items():
        number, sign, outstanding, _, currency, site, *_ = rows[0]
        receipt = entry(number, sign, outstanding)
        pairs: _Pairs = defaultdict(dict)
        for *_, order_id, refund_id, amount in rows:
            whose = f"{order_id}/{refund_id}"
            targets = [(i, share - placed[whose, i.entry]) for i, share in invoices[order_id]] + pennies[order_id]
            if sign > 0:
                targets = credits[order_id].get(refund_id) or [c for found in credits[order_id].values() for c in found]
            # The money of one order pays for no other one, also where it comes in several steps.
            _match(receipt, [t for t in targets if t[0].sign != sign], amount - spent[key, whose], whose, pairs)
        yield from _in_steps(key, receipt, pairs, entries, site, currency, done, today)
    for order_id, bills in pennies.items():  # a penny taken off what is owed
        for bill, _ in bills:
            pairs = defaultdict(dict)
            if bill.sign < 0:
                _match(bill, invoices[order_id], bill.left, f"{order_id}/", pairs)
            key, site, currency = _rounding_key(connection, order_id)
            yield from _in_steps(key, bill, pairs, entries, site, currency, done, today)


def _rounding_key(connection: duckdb.DuckDBPyConnection, order_id: str) -> tuple[str, str, str]:
    rows = connection.execute(
        "select message_key, json_extract_string(payload, '$.customer.marketplace'), currency from outbox.messages"
        " where document = 'rounding' and order_id = $1",
        [order_id],
    ).fetchall()
    return rows[0]


def _match(source: _Entry, targets: list[_Target], amount: Decimal, whose: str, pairs: _Pairs) -> None:
    for target, most in targets:
        value = min(amount, most, source.left, target.left)
        if value > 0:
            pairs[target.entry][whose] = pairs[target.entry].get(whose, NOTHING) + value
            source.left -= value
            target.left -= value
            amount -= value


def _allocated(
    connection: duckdb.DuckDBPyConnection, keys: list[str]
) -> tuple[dict[tuple[str, str], Decimal], dict[tuple[str, int], Decimal]]:
    """What of these receipts and payments went to each order, and how much of it to which entry."""
    spent: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    placed: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for key, payload in connection.execute(_DONE, [keys]).fetchall():
        for line in json.loads(payload)["lines"]:
            for whose, value in line.get("orders", {}).items():
                spent[key, whose] += Decimal(value)
                placed[whose, int(line["entry"])] += Decimal(value)
    return spent, placed


def _in_steps(
    key: str, source: _Entry, pairs: _Pairs, entries: dict[int, _Entry], site: str, currency: str,
    done: dict[str, int], today: date,
) -> Iterator[SalesDocument]:  # fmt: skip
    """The allocation of one receipt as documents of a bearable length; what is outstanding falls each time."""
    outstanding = source.outstanding
    numbers = sorted(pairs)
    values = {number: sum(of.values(), NOTHING) for number, of in pairs.items()}
    for start in range(0, len(numbers), MOST_LINES):
        some = numbers[start : start + MOST_LINES]
        value = sum((values[n] for n in some), NOTHING)
        lines = [_line(source.entry, source.sign, value, outstanding)]
        for number in some:
            target = entries[number]
            orders = {whose: str(part) for whose, part in pairs[number].items()}
            lines.append(_line(number, target.sign, values[number], target.outstanding) | {"orders": orders})
            target.outstanding -= values[number]
        outstanding -= value
        source.outstanding = outstanding
        done[f"{key}/allocation"] += 1
        content = {
            "kind": KIND,
            "customer": {"marketplace": site, "currency": currency},
            "allocated_on": today.isoformat(),
            "lines": lines,
        }
        name = f"{key}/allocation-{done[f'{key}/allocation']}"
        yield SalesDocument(name, KIND, ALLOCATION, today, name, value, currency, as_payload(content))


def _line(entry: int, sign: int, value: Decimal, outstanding: Decimal) -> dict[str, Any]:
    return {"entry": str(entry), "sign": sign, "value": str(value), "outstanding": str(outstanding)}
