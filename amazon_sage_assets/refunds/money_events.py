"""Reads Amazon's money events of orders: refunds within two days of being made, and what Amazon still holds back.

An event may show up to 48 hours late, so each reading goes back three days. Cash is RELEASED alone.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from amazon_sage_assets.amazon.client import SellingPartner
from amazon_sage_assets.amazon.finances_api import Breakdown, Transaction, TransactionItem, transactions
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import connected
from amazon_sage_assets.settings import Account, Secrets
from amazon_sage_assets.tables import insert_frame, marks, plain, set_mark

LATE = timedelta(days=3)
BEHIND_NOW = timedelta(minutes=3)
FARTHEST = timedelta(days=729)
TOGETHER = 2_000  # events kept in one transaction
FEES = "AmazonFees"
TAX = "Tax"


def take_money_events(
    company: Company, now: datetime, secrets: Secrets | None = None, progress: Callable[[str], None] = lambda _: None
) -> dict[str, int]:
    """Read new money events of every connected account. Returns how many of each."""
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
) -> int:
    """Read one account's events since the last time. No warehouse is open while Amazon answers."""
    source = f"amazon_transactions/{account.name}"
    until = now - BEHIND_NOW
    count = 0
    batch: list[Transaction] = []
    for event in transactions(partner, _since(company, source, now), until):
        batch.append(event)
        if len(batch) == TOGETHER:
            count += _keep(company, account.name, batch, now)
            progress(f"{account.name}: {count} money events")
            batch = []
    count += _keep(company, account.name, batch, now)
    with company.warehouse.transaction() as connection:
        set_mark(connection, source, until.isoformat(), now)
    return count


def _since(company: Company, source: str, now: datetime) -> datetime:
    with company.warehouse.read() as connection:
        seen = marks(connection).get(source)
    if seen:
        return datetime.fromisoformat(seen.reached) - LATE
    first = company.profile.orders_since
    assert first is not None  # noqa: S101 - the caller asks only where a route makes Sage orders
    start = datetime.combine(first, time(), company.profile.zone).astimezone(UTC)
    return max(min(start, now - LATE), now - FARTHEST)


def _keep(company: Company, account: str, events: list[Transaction], now: datetime) -> int:
    """Keep events of orders, the newest word on each."""
    found = {_id(e): e for e in events if e.identifier("ORDER_ID")}
    rows = [_row(account, key, event, now) for key, event in found.items()]
    items = [
        (account, key, number, *_item(item))
        for key, event in found.items()
        if event.kind == "Refund"
        for number, item in enumerate(event.items)
    ]
    with company.warehouse.transaction() as connection:
        _forget(connection, account, list(found))
        insert_frame(connection, "raw.amazon_transactions", rows)
        insert_frame(connection, "raw.amazon_refund_items", items)
    return len(rows)


def _forget(connection: duckdb.DuckDBPyConnection, account: str, keys: list[str]) -> None:
    for table in ("raw.amazon_transactions", "raw.amazon_refund_items"):
        connection.execute(
            f"delete from {table} where account = $1 and list_contains($2::varchar[], transaction_id)", [account, keys]
        )


def _id(event: Transaction) -> str:
    """Amazon's id; where it gives none, what tells the event from others."""
    said = (event.kind, event.identifier("ORDER_ID"), event.identifier("REFUND_ID"), event.status, event.posted_at)
    return event.id or "/".join(str(part) for part in said)


def _row(account: str, key: str, event: Transaction, now: datetime) -> tuple[Any, ...]:
    return (
        account, key, event.kind, event.status or "", event.identifier("ORDER_ID"), event.identifier("REFUND_ID") or "",
        event.identifier("SETTLEMENT_ID") or "", plain(event.posted_at), event.matures_at and plain(event.matures_at),
        event.amount, event.currency, plain(now),
    )  # fmt: skip


def _item(item: TransactionItem) -> tuple[str, str, Decimal, Decimal]:
    """What the buyer gets back for an item: everything but Amazon's fees."""
    adjustment = next((value for name, value in item.identifiers if name == "ORDER_ADJUSTMENT_ITEM_ID"), "")
    gross = sum((part.amount for part in item.breakdowns if part.kind != FEES), Decimal("0.00"))
    return adjustment, item.sku or "", gross, sum(map(_tax_in, item.breakdowns), Decimal("0.00"))


def _tax_in(part: Breakdown) -> Decimal:
    return part.amount if part.kind == TAX else Decimal("0.00")
