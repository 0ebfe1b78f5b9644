"""The daily reports: asked for once a day, fetched when Amazon has made them, at a later reading.

The report of all orders shows whether the order feed missed any, and asks for those one by one; it also says where
orders go that Amazon sends. The returns reports say which goods came back.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import duckdb

from amazon_sage_assets.amazon.client import SellingPartner
from amazon_sage_assets.amazon.errors import AmazonError, AmazonRefused, AmazonUnreadable
from amazon_sage_assets.amazon.order_reports import ALL_ORDERS, FBA_RETURNS, MFN_RETURNS, read_orders, read_returns
from amazon_sage_assets.amazon.reports_api import ask_for_report, asked_report, download
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import connected, marketplace_ids
from amazon_sage_assets.landing import Origin
from amazon_sage_assets.orders.intake import take_one
from amazon_sage_assets.settings import Account, Secrets
from amazon_sage_assets.tables import forget_mark, insert_frame, marks, plain, set_mark

ORDER_REPORT = "order_report"
DAILY = timedelta(hours=20)
OVERLAP = timedelta(days=2)
LONGEST = timedelta(days=29)  # Amazon makes these reports over thirty days at most
ONE_BY_ONE = 25  # missing orders asked for at a time
KINDS = {ALL_ORDERS: "amazon_orders_report", FBA_RETURNS: "amazon_returns_fba", MFN_RETURNS: "amazon_returns"}


def take_reports(
    company: Company, now: datetime, secrets: Secrets | None = None, progress: Callable[[str], None] = lambda _: None
) -> dict[str, int]:
    """Ask for what is due and fetch what is ready, for every connected account. Returns how many reports of each."""
    counts: dict[str, int] = {}
    if not company.profile.orders_since:
        return counts
    for account, partner in connected(company, secrets or Secrets()):
        progress(f"{account.name}: daily reports")
        counts[account.name] = 0
        try:
            for report_type in KINDS:
                counts[account.name] += take_report(company, account, partner, report_type, now)
            take_missing(company, account, partner, now)
        except AmazonError as error:  # orders go on without the daily reports; the next reading tries again
            progress(f"{account.name}: daily reports: {error}")
    return counts


def take_report(company: Company, account: Account, partner: SellingPartner, report_type: str, now: datetime) -> bool:
    """One step with one report: ask for it when it is due, fetch it when it is made. True when one was fetched."""
    source = f"{KINDS[report_type]}/{account.name}"
    with company.warehouse.read() as connection:
        known = marks(connection)
    asked, done = known.get(f"asked {source}"), known.get(source)
    if asked is None:
        reached = datetime.fromisoformat(done.reached) if done else now - LONGEST
        if done and now - done.read_at < DAILY:
            return False
        start = max(reached - OVERLAP, now - LONGEST)
        report_id = ask_for_report(partner, report_type, start, now, marketplace_ids(account))
        said = json.dumps({"report": report_id, "until": now.isoformat()})
        with company.warehouse.transaction() as connection:
            set_mark(connection, f"asked {source}", said, now)
        return False
    wanted = json.loads(asked.reached)
    try:
        report = asked_report(partner, wanted["report"])
    except AmazonRefused:  # Amazon forgets reports after a while
        return _forget(company, source)
    if report.is_under_way:
        return False
    if report.status == "FATAL":
        return _forget(company, source)
    if report.document_id:
        _take(company, account, partner, report_type, wanted["report"], report.document_id, now)
    with company.warehouse.transaction() as connection:
        forget_mark(connection, f"asked {source}")
        set_mark(connection, source, wanted["until"], now)
    return report.document_id is not None


def _forget(company: Company, source: str) -> bool:
    with company.warehouse.transaction() as connection:
        forget_mark(connection, f"asked {source}")
    return False


def _take(
    company: Company, account: Account, partner: SellingPartner, report_type: str, report_id: str, document_id: str,
    now: datetime,
) -> None:  # fmt: skip
    """Land the bytes, and keep what they tell."""
    scratch = company.environment.scratch
    scratch.mkdir(parents=True, exist_ok=True)
    with download(partner, document_id, scratch=scratch) as document:
        origin = Origin("report", report_id, now.isoformat(timespec="microseconds"), account.name, document.charset)
        landed = company.landing.land(document.stream, ORDER_REPORT, origin)
        document.stream.seek(0)
        content = document.stream.read()
    with company.warehouse.transaction() as connection:
        if report_type == ALL_ORDERS:
            orders, _ = read_orders(content)
            _replace(connection, "raw.reported_orders", "order_id", [
                (
                    o.order_id, account.name, o.status, o.ship_country, plain(o.purchased_at), plain(o.updated_at),
                    landed.sha256,
                )
                for o in orders
            ])  # fmt: skip
        else:
            goods, _ = read_returns(content, report_type)
            rows = [
                (
                    account.name, g.key, g.order_id, g.seller_sku, g.units, g.returned_on, g.disposition, g.reason,
                    landed.sha256,
                )
                for g in goods
            ]  # fmt: skip
            keys = [row[1] for row in rows]
            connection.execute(
                "delete from raw.amazon_returns where account = $1 and list_contains($2::varchar[], return_key)",
                [account.name, keys],
            )
            insert_frame(connection, "raw.amazon_returns", rows)


def _replace(connection: duckdb.DuckDBPyConnection, table: str, key: str, rows: list[tuple[Any, ...]]) -> None:
    ids = [row[0] for row in rows]
    connection.execute(f"delete from {table} where list_contains($1::varchar[], {key})", [ids])
    insert_frame(connection, table, rows)


def take_missing(company: Company, account: Account, partner: SellingPartner, now: datetime) -> int:
    """Ask one by one for orders that the report shows and the feed did not. Returns how many."""
    with company.warehouse.read() as connection:
        rows = connection.execute(
            "select d.order_id from raw.reported_orders as d where d.account = $1"
            " and d.order_id not in (select o.order_id from raw.amazon_orders as o) order by d.purchased_at limit $2",
            [account.name, ONE_BY_ONE],
        ).fetchall()
    found = 0
    for (order_id,) in rows:
        try:
            take_one(company, account, partner, order_id, now)
            found += 1
        except (AmazonRefused, AmazonUnreadable):
            continue  # ORDER_MISSING says so
    return found
