"""Reads what changed in Amazon's orders, and whom those go to that we still have to send.

Each page is kept in a transaction of its own, the newest word on each order winning, so asking again from an earlier
moment changes nothing. The moment reached is kept with the last page.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import duckdb
import polars as pl

from amazon_sage_assets.amazon.client import SellingPartner
from amazon_sage_assets.amazon.errors import AmazonRefused, AmazonUnreadable
from amazon_sage_assets.amazon.orders_api import WAITING, Order, Recipient, Told, changed_orders, one_order, recipients
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import connected, marketplace_ids
from amazon_sage_assets.orders.personal import PersonalData, recipient_hash
from amazon_sage_assets.schemas import orders as schema
from amazon_sage_assets.settings import Account, Secrets
from amazon_sage_assets.tables import insert_rows, marks, plain, set_mark
from amazon_sage_assets.warehouse import Warehouse, first_row

OVERLAP = timedelta(minutes=5)
BEHIND_NOW = timedelta(minutes=2, seconds=10)  # Amazon tells nothing that is younger than two minutes
AMAZON_KEEPS = timedelta(days=729)
INCOMPLETE_AT_A_TIME = 20
_TOLD = {"order_id": pl.String, "recipient_hash": pl.String, "country": pl.String}

# What we still have to send and do not know whom to. Only orders that become Sage orders need it.
_WITHOUT_RECIPIENT = """
select min(o.updated_at) from raw.amazon_orders as o
inner join core.core__orders as c on o.order_id = c.order_id
where o.account = $1 and o.fulfilment = 'MFN' and list_contains($2, o.status) and c.owner = 'sop'
and not exists (
    select 1 from raw.recipients as r where r.order_id = o.order_id and r.obtained_at > o.updated_at
)
"""


@dataclass(frozen=True)
class Taken:
    """How many orders one account's reading brought, and how many of them could not be read."""

    orders: int
    unreadable: int
    recipients: int


def personal_data(company: Company) -> PersonalData:
    return PersonalData(database=str(company.environment.personal_path), encrypted=company.profile.privacy.encrypt)


def take_orders(
    company: Company, now: datetime, secrets: Secrets | None = None, progress: Callable[[str], None] = lambda _: None
) -> dict[str, Taken]:
    """Read what changed, for every connected account. Nothing where no route makes Sage orders."""
    if not company.profile.orders_since:
        return {}
    return {
        account.name: take_account(company, account, partner, now, progress)
        for account, partner in connected(company, secrets or Secrets())
    }


def take_account(
    company: Company,
    account: Account,
    partner: SellingPartner,
    now: datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> Taken:
    """Read what changed in one account since the last time. No warehouse is open while Amazon answers."""
    warehouse, source = company.warehouse, f"amazon_orders/{account.name}"
    sites = marketplace_ids(account)
    until = now - BEHIND_NOW
    count = unreadable = 0
    reached = until
    for told in changed_orders(partner, _since(company, source, now), sites, until=until):
        progress(f"{account.name}: {count + len(told.orders)} changed orders")
        with warehouse.transaction() as connection:
            bad = keep(connection, account.name, told, now)
        count, unreadable, reached = count + len(told.orders), unreadable + bad, told.until
    for order_id in _incomplete(warehouse, account.name):
        with suppress(AmazonRefused, AmazonUnreadable):  # it stays incomplete, and ORDER_INCOMPLETE says so
            take_one(company, account, partner, order_id, now)
    with warehouse.transaction() as connection:
        set_mark(connection, source, reached.isoformat(), now)
    return Taken(count, unreadable, _take_recipients(company, account, partner, sites, until, now))


def _incomplete(warehouse: Warehouse, account: str) -> list[str]:
    """Orders of which Amazon left something out, the oldest first: Amazon may not change them again by itself."""
    with warehouse.read() as connection:
        rows = connection.execute(
            "select order_id from raw.amazon_orders where account = $1 and is_incomplete"
            " and status not in ('PENDING', 'PENDING_AVAILABILITY', 'CANCELLED') order by purchased_at limit $2",
            [account, INCOMPLETE_AT_A_TIME],
        ).fetchall()
    return [order_id for (order_id,) in rows]


def _since(company: Company, source: str, now: datetime) -> datetime:
    with company.warehouse.read() as connection:
        seen = marks(connection).get(source)
    if seen:
        return datetime.fromisoformat(seen.reached) - OVERLAP
    first = company.profile.orders_since
    assert first is not None  # noqa: S101 - the caller asks only where a route makes Sage orders
    start = datetime.combine(first, time(), company.profile.zone).astimezone(UTC)
    return max(min(start, now - BEHIND_NOW - OVERLAP), now - AMAZON_KEEPS)


def take_one(company: Company, account: Account, partner: SellingPartner, order_id: str, now: datetime) -> None:
    """Read one order that the search did not show."""
    told = Told((one_order(partner, order_id),), (), now)
    with company.warehouse.transaction() as connection:
        keep(connection, account.name, told, now)


def keep(connection: duckdb.DuckDBPyConnection, account: str, told: Told, now: datetime) -> int:
    """Keep a page of orders, the newest word on each. Returns how many could not be used."""
    read_at = plain(now)
    newest = {order.order_id: order for order in sorted(told.orders, key=lambda o: o.updated_at)}
    orders = pl.DataFrame(
        [_order_row(o, account, read_at) for o in newest.values()], schema=schema.ORDERS, orient="row"
    )
    items = pl.DataFrame([_item_row(o, i) for o in newest.values() for i in o.items], schema=schema.ITEMS, orient="row")
    bad = schema.faults(orders, schema.ORDER_SCHEMA) | schema.faults(items, schema.ITEM_SCHEMA) | dict(told.unreadable)
    good = orders.filter(~pl.col("order_id").is_in(list(bad)))
    connection.register("orders_read", good)
    connection.register("items_read", items.filter(~pl.col("order_id").is_in(list(bad))))
    connection.execute(_TAKE_OVER)
    for statement in _KEEP:
        connection.execute(statement)
    connection.unregister("orders_read")
    connection.unregister("items_read")
    ids = [*newest, *bad]
    connection.execute("delete from raw.unreadable_orders where list_contains($1, order_id)", [ids])
    insert_rows(connection, "raw.unreadable_orders", [(key, account, why, read_at) for key, why in bad.items()])
    return len(bad)


# An older word than the one we have is left out, and one with a part left out that is no newer. What only some answers
# tell is kept from earlier ones.
_TAKE_OVER = """
create or replace temp table newer as
select n.* replace (
    coalesce(o.shipped_at, n.shipped_at) as shipped_at,
    coalesce(n.ship_country, o.ship_country) as ship_country,
    coalesce(n.ship_by_at, o.ship_by_at) as ship_by_at,
    coalesce(nullif(n.fulfilment, ''), o.fulfilment, '') as fulfilment,
    case when n.status = 'UNKNOWN' and o.status not like 'PENDING%' then o.status else n.status end as status
)
from orders_read as n left join raw.amazon_orders as o on n.order_id = o.order_id
where
    o.order_id is null
    or n.updated_at > o.updated_at
    or (n.updated_at = o.updated_at and (o.is_incomplete or not n.is_incomplete))
"""
_KEEP = (
    "delete from raw.amazon_order_items where order_id in (select order_id from newer)",
    "insert or replace into raw.amazon_orders by name select * from newer",
    "insert into raw.amazon_order_items by name"
    " select i.* from items_read as i inner join newer as n on i.order_id = n.order_id",
)


def _order_row(order: Order, account: str, read_at: datetime) -> tuple[Any, ...]:
    return (
        order.order_id, account, order.marketplace, order.fulfilment, order.status, plain(order.purchased_at),
        plain(order.updated_at), order.ship_by_at and plain(order.ship_by_at),
        order.shipped_at and plain(order.shipped_at), None, order.currency, order.total, order.is_business,
        order.is_incomplete, read_at,
    )  # fmt: skip


def _item_row(order: Order, item: Any) -> tuple[Any, ...]:
    return (
        order.order_id, item.order_item_id, item.seller_sku, item.title, item.quantity, item.currency, item.gross,
        item.vat, item.postage, item.postage_vat, item.wrap, item.wrap_vat, item.is_withheld,
    )  # fmt: skip


def _take_recipients(
    company: Company, account: Account, partner: SellingPartner, sites: Sequence[str], until: datetime, now: datetime
) -> int:
    """Ask whom orders go to, only when one that we have to send lacks it, and from that order on."""
    with company.warehouse.read() as connection:
        row = first_row(connection, _WITHOUT_RECIPIENT, [account.name, list(WAITING)])
    if row is None or row[0] is None:
        return 0
    since = row[0].replace(tzinfo=UTC) - timedelta(seconds=1)
    count = 0
    for page in recipients(partner, since, sites, until=until):
        count += keep_recipients(company.warehouse, personal_data(company), page, now)
    with company.warehouse.transaction() as connection:  # asked for and not told: it is not asked for every time
        connection.execute(
            "insert into raw.recipients select o.order_id, null, $3, null from raw.amazon_orders as o"
            " inner join core.core__orders as c on o.order_id = c.order_id"
            " where o.account = $1 and o.fulfilment = 'MFN' and list_contains($2, o.status)"
            " and c.owner = 'sop' and o.updated_at <= $4"
            " and not exists (select 1 from raw.recipients as r"
            " where r.order_id = o.order_id and r.obtained_at > o.updated_at)"
            " on conflict (order_id) do update set obtained_at = excluded.obtained_at",
            [account.name, list(WAITING), plain(now), plain(until)],
        )
    return count


def keep_recipients(warehouse: Warehouse, personal: PersonalData, told: Iterable[Recipient], now: datetime) -> int:
    """The words go to the file of personal data, their hash and the country to the warehouse.

    Only for orders that we send ourselves and that become Sage orders.
    """
    told = list(told)
    with warehouse.read() as connection:
        rows = connection.execute(
            "select order_id from core.core__orders where list_contains($1, order_id) and fulfilment = 'MFN'"
            " and owner = 'sop'",
            [[recipient.order_id for recipient in told]],
        ).fetchall()
    ours = {order_id for (order_id,) in rows}
    wanted = [recipient for recipient in told if recipient.order_id in ours]
    personal.keep(wanted)
    if wanted:
        with warehouse.transaction() as connection:
            connection.register(
                "told",
                pl.DataFrame([(r.order_id, recipient_hash(r), r.country) for r in wanted], schema=_TOLD, orient="row"),
            )
            connection.execute(
                "insert or replace into raw.recipients select order_id, recipient_hash, $1, null from told",
                [plain(now)],
            )
            connection.execute(
                "update raw.amazon_orders as o set ship_country = t.country from told as t"
                " where o.order_id = t.order_id and t.country <> ''"
            )
            connection.unregister("told")
    return len(wanted)
