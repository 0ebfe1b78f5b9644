"""Keeps the outbox in step with Amazon's orders: what is due, whole and matched waits there as a Sage order.

An order that cannot become one yet waits for its reason to go, and nothing else waits with it. What Sage has is left
alone: what happens to such an order later is an exception for a person, never a second document.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from amazon_sage_assets.accounting.order_plan import (
    DAILY_ORDER,
    ORDER,
    DoesNotFit,
    OrderHead,
    RoundingRule,
    SoldItem,
    StockPart,
    merged,
    plan_order,
)
from amazon_sage_assets.accounting.posting_plan import Ledger
from amazon_sage_assets.accounting.sales_documents import SalesDocument
from amazon_sage_assets.amazon.orders_api import Recipient
from amazon_sage_assets.company import Company
from amazon_sage_assets.outbox.sales import plan_anew
from amazon_sage_assets.outbox.store import approve_documents
from amazon_sage_assets.sage.delivery_address import AddressDoesNotFit, fit
from amazon_sage_assets.tables import insert_frame

DAY_IS_OVER = timedelta(hours=3)  # after midnight the last orders of a day have been told
BY_PROFILE = 'profile (orders.send = "auto")'

# Orders that want a document and have none in Sage or on its way there.
# A daily order covers what an order holds of one VAT treatment, so an order can be open in part.
_COVERED = """
create or replace temp table covered as
select
    c.order_id,
    case when m.document = 'daily_order' then regexp_extract(m.message_key, '/([^/]+)/[0-9]+$', 1) end as treatment
from outbox.covered_orders as c
inner join outbox.messages as m on c.message_key = m.message_key
where
    m.document in ('order', 'daily_order')
    and (m.status in ('delivered', 'sending') or (m.status = 'superseded' and m.remote_id is not null))
"""
_OPEN = """
create or replace temp table open_orders as
select o.* from core.core__orders as o
where o.is_due
and exists (
    select 1 from core.core__order_items as i
    where i.order_id = o.order_id and not exists (
        select 1 from covered as c
        where c.order_id = i.order_id and coalesce(c.treatment, i.vat_treatment) = i.vat_treatment
    )
)
and o.order_id not in (select p.order_id from core.core__order_problems as p)
"""
_ITEMS = """
select
    i.order_id, i.vat_treatment, i.seller_sku, i.order_item_id, i.quantity, i.due_gross, i.vat, i.rate_bp,
    i.sage_tax_code, i.account_key, i.postage, i.wrap, a.nominal_code, a.cost_centre, a.department, a.name,
    list((s.stock_code, s.units) order by s.stock_code) as parts
from core.core__order_items as i
inner join open_orders as o on i.order_id = o.order_id
inner join core.core__sku_matches as s
    on i.account = s.account and i.marketplace = s.marketplace and i.seller_sku = s.seller_sku
left join control.ledger_accounts as a on i.account_key = a.account_key
group by all
order by all
"""


@dataclass(frozen=True)
class _Item:
    """An item of an order that wants a document, and how it is sold."""

    order_id: str
    order_item_id: str
    seller_sku: str
    treatment: str
    account_key: str
    sold: SoldItem


@dataclass(frozen=True)
class Planned:
    """How many orders wait in the outbox after this, by kind of document, and how many could not be built."""

    orders: int
    daily_orders: int
    unfit: int


def plan_orders(
    connection: duckdb.DuckDBPyConnection, company: Company, recipients: Mapping[str, Recipient], now: datetime
) -> Planned:
    """Bring every order that is not in Sage yet up to date in the outbox. One transaction of the caller.

    `recipients` are those of the orders that we still send ourselves.
    """
    connection.execute("delete from core.document_problems where entity_type in ('order', 'daily_order')")
    connection.execute(_COVERED)
    connection.execute(_OPEN)
    cursor = connection.execute("select * from open_orders order by order_id")
    names = [column[0] for column in cursor.description or ()]
    orders = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    items: dict[str, list[_Item]] = defaultdict(list)
    for row in connection.execute(_ITEMS).fetchall():
        items[row[0]].append(_item(*row))
    rules = company.profile.orders
    rule = RoundingRule(company.rounding_account, company.no_vat_code, rules.tolerance, rules.negative_rounding)
    windows_1252 = company.profile.sage.characters == "windows-1252"
    built: list[tuple[SalesDocument, list[_Item]]] = []
    problems: list[tuple[str, str, str, str, str]] = []
    for order in orders:
        key, sold = order["order_id"], items[order["order_id"]]
        if order["owner"] != "sop" or not sold:
            continue
        try:
            recipient = _recipient(order, recipients, windows_1252)
            if recipient is None:
                continue
            built.append((plan_order(_head(order, recipient), [item.sold for item in sold], rule), sold))
        except AddressDoesNotFit as error:
            problems.append(("order", key, error.code, key, str(error)))
        except DoesNotFit as error:
            problems.append(("order", key, "ORDER_VAT_DIFFERENCE", key, str(error)))
    day_known = (now - DAY_IS_OVER).astimezone(company.profile.zone).date()
    for head, sold in _days(connection, orders, items, day_known):
        try:
            built.append((plan_order(head, merged(item.sold for item in sold), rule), sold))
        except DoesNotFit as error:
            problems.append(("daily_order", head.key, "ORDER_VAT_DIFFERENCE", sold[0].order_id, str(error)))
    insert_frame(connection, "core.document_problems", problems)
    _bring_in(connection, built, now)
    if company.profile.orders.send == "auto":
        approve_documents(connection, (ORDER, DAILY_ORDER), BY_PROFILE, now)
    daily = sum(1 for planned, _ in built if planned.document == DAILY_ORDER)
    return Planned(len(built) - daily, daily, len(problems))


def waiting_recipients(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Orders whose recipient a plan needs."""
    rows = connection.execute(
        "select order_id from core.core__orders where is_due and is_waiting and fulfilment = 'MFN' and owner = 'sop'"
        " and recipient_hash is not null"
    ).fetchall()
    return [order_id for (order_id,) in rows]


def _item(
    order_id: str, treatment: str, sku: str, item_id: str, quantity: int, gross: Any, vat: Any, rate_bp: int,
    tax_code: str, account_key: str, postage: Any, wrap: Any, nominal: str | None, cost_centre: str, department: str,
    name: str, parts: Sequence[tuple[str, int]],
) -> _Item:  # fmt: skip
    stock = tuple(StockPart(code, units) for code, units in parts)
    ledger = Ledger(nominal or "", cost_centre or "", department or "", name or "")
    sold = SoldItem(stock, quantity, gross, vat, rate_bp, tax_code, ledger, postage, wrap)
    return _Item(order_id, item_id, sku, treatment, account_key, sold)


def _recipient(order: Mapping[str, Any], recipients: Mapping[str, Recipient], windows_1252: bool) -> str | None:
    """The hash of whom it goes to; empty where it is sent already, None where we do not know it yet."""
    if order["fulfilment"] != "MFN" or not order["is_waiting"]:
        return ""
    known = recipients.get(order["order_id"])
    if known is None:
        return None
    fit(known, windows_1252=windows_1252)
    return str(order["recipient_hash"])


def _head(order: Mapping[str, Any], recipient: str) -> OrderHead:
    is_ours = order["fulfilment"] == "MFN"
    return OrderHead(
        key=f"{order['account']}/order/{order['order_id']}",
        document=ORDER,
        customer_document_no=order["order_id"],
        marketplace=order["marketplace"],
        currency=order["currency"],
        fulfilment=order["fulfilment"],
        day=order["purchased_day"] if is_ours else order["shipped_day"],
        deliver_by=order["ship_by_at"].date() if is_ours and order["ship_by_at"] else None,
        recipient=recipient,
    )


def _days(
    connection: duckdb.DuckDBPyConnection,
    orders: Iterable[Mapping[str, Any]],
    items: Mapping[str, Sequence[_Item]],
    until: date,
) -> Iterator[tuple[OrderHead, list[_Item]]]:
    """The daily orders of days that are over: per site, fulfilment and VAT treatment, with the items of its orders.

    Orders that become known after their day's order is in Sage make another order of that day.
    """
    groups: dict[tuple[str, str, str, str, date, str], list[_Item]] = defaultdict(list)
    for order in orders:
        if order["owner"] == "sop_daily" and order["shipped_day"] < until:
            where = (order["account"], order["marketplace"], order["fulfilment"], order["currency"])
            for item in items[order["order_id"]]:
                groups[(*where, order["shipped_day"], item.treatment)].append(item)
    sent = _sent_days(connection)
    covered = set(connection.execute("select order_id, treatment from covered").fetchall())
    for (account, site, fulfilment, currency, day, treatment), brought in sorted(groups.items()):
        open_items = [item for item in brought if (item.order_id, treatment) not in covered]
        if not open_items:
            continue
        event = f"{account}/daily/{site}/{fulfilment}/{day}/{treatment}"
        number = sent.get(event, 0) + 1
        letters = "".join(part[0] for part in treatment.split("_"))
        yield (
            OrderHead(
                key=f"{event}/{number}",
                document=DAILY_ORDER,
                customer_document_no=f"{account}-{fulfilment}-{day:%y%m%d}-{letters}{number}".upper(),
                marketplace=site,
                currency=currency,
                fulfilment=fulfilment,
                day=day,
            ),
            open_items,
        )


def _sent_days(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many daily orders of each event Sage has."""
    rows = connection.execute(
        "select regexp_replace(message_key, '/[0-9]+$', ''), count(*) from outbox.messages"
        " where document = $1 and (status in ('delivered', 'sending') or remote_id is not null) group by 1",
        [DAILY_ORDER],
    ).fetchall()
    return dict(rows)


def _bring_in(
    connection: duckdb.DuckDBPyConnection, built: Sequence[tuple[SalesDocument, list[_Item]]], now: datetime
) -> None:
    """The outbox as planned, and of what each document is made. What was sent stays."""
    planned = [document for document, _ in built]
    gone = plan_anew(connection, (ORDER, DAILY_ORDER), planned, now, "the order no longer wants it")
    changed = [*(document.message_key for document in planned), *gone]
    for table in ("covered_orders", "covered_items"):
        connection.execute(f"delete from outbox.{table} where list_contains($1::varchar[], message_key)", [changed])
    covered: dict[tuple[str, str], Any] = defaultdict(int)
    rows = []
    for document, items in built:
        for item in items:
            covered[document.message_key, item.order_id] += item.sold.gross
            sold = (item.account_key, item.sold.tax_code, item.sold.rate_bp, item.sold.gross)
            rows.append((document.message_key, item.order_id, item.order_item_id, item.seller_sku, *sold))
    insert_frame(connection, "outbox.covered_orders", [(*keys, gross) for keys, gross in covered.items()])
    insert_frame(connection, "outbox.covered_items", rows)
