"""The orders flow as assets: read from Amazon and Sage as they change, matched in SQL, sent to Sage as sales orders."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import has_sage, sage_client
from amazon_sage_assets.defs.resources import CompanyResource
from amazon_sage_assets.defs.sql_assets import OWNERS, WAREHOUSE_POOL, asset_key, view_assets
from amazon_sage_assets.orders.flow import Ordered, send
from amazon_sage_assets.orders.intake import take_orders
from amazon_sage_assets.orders.purge import purge
from amazon_sage_assets.orders.reports import take_reports
from amazon_sage_assets.orders.sending import read_sage
from amazon_sage_assets.refunds.money_events import take_money_events
from amazon_sage_assets.sage.reference_data import ReferenceData
from amazon_sage_assets.settings import Secrets
from amazon_sage_assets.settlements.flow import load_profile
from amazon_sage_assets.sqlfiles import relations
from amazon_sage_assets.warehouse import first_row

GROUP = "orders"
SAGE_POOL = "sage"
ORDERS_POOL = "amazon_orders"  # one reading at a time: two would ask Amazon for the same
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=2), warn_window=timedelta(minutes=45))
READ_AGAIN = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL)
VIEWS = (
    "core.core__orders",
    "core.core__sku_matches",
    "core.core__order_items",
    "core.core__order_problems",
    "core.core__settled_orders",
    "core.core__refunds",
)
SALES_ORDERS = asset_key("sage", "sales_orders")
PURGE = asset_key("control", "erased_documents")


def _spec(schema: str, name: str, description: str, **more: Any) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_key(schema, name),
        description=description,
        group_name=GROUP,
        kinds={"duckdb", "python"},
        owners=OWNERS,
        tags={"layer": schema},
        **more,
    )


def _counted(
    company: Company, schema: str, names: tuple[str, ...], more: Mapping[str, Any]
) -> Iterator[dg.MaterializeResult]:
    """A result per table with its rows; what happened is said on the first."""
    with company.warehouse.read() as connection:
        rows = [first_row(connection, f"select count(*) from {schema}.{name}") for name in names]
    for place, (name, row) in enumerate(zip(names, rows, strict=True)):
        metadata = {"dagster/row_count": row[0] if row else 0, **({} if place else more)}
        yield dg.MaterializeResult(asset_key=asset_key(schema, name), metadata=metadata)


@dg.multi_asset(
    name="amazon_orders",
    specs=[
        _spec(
            "raw", "amazon_orders", "Amazon's orders, the newest word on each, read as they change.",
            freshness_policy=FRESH,
        ),
        _spec("raw", "amazon_order_items", "Items of those orders, with what the buyer pays for each."),
        _spec("raw", "recipients", "Whom orders go to, as hashes; the words are in a file of their own."),
        _spec("raw", "unreadable_orders", "Orders that Amazon told in a way that cannot be read, and why."),
    ],
    pool=ORDERS_POOL,
    retry_policy=READ_AGAIN,
)  # fmt: skip
def amazon_orders(context: dg.AssetExecutionContext, company: CompanyResource) -> Iterator[dg.MaterializeResult]:
    """Read what changed since the last time, of every connected account."""
    loaded = company.load_current()
    load_profile(loaded)
    taken = take_orders(loaded, datetime.now(UTC), progress=context.log.info)
    said = {f"changed in {name}": one.orders for name, one in taken.items()}
    said |= {f"unreadable in {name}": one.unreadable for name, one in taken.items() if one.unreadable}
    names = ("amazon_orders", "amazon_order_items", "recipients", "unreadable_orders")
    yield from _counted(loaded, "raw", names, said)


@dg.multi_asset(
    name="amazon_money_events",
    specs=[
        _spec("raw", "amazon_transactions", "Money events of orders: held back, let go, refunded."),
        _spec("raw", "amazon_refund_items", "What each refund gives back to the buyer, per item."),
    ],
    pool=ORDERS_POOL,
    retry_policy=READ_AGAIN,
)
def amazon_money_events(context: dg.AssetExecutionContext, company: CompanyResource) -> Iterator[dg.MaterializeResult]:
    """Read new money events of every connected account. They show within two days of the event."""
    loaded = company.load_current()
    counts = take_money_events(loaded, datetime.now(UTC), progress=context.log.info)
    said = {f"read from {name}": count for name, count in counts.items()}
    yield from _counted(loaded, "raw", ("amazon_transactions", "amazon_refund_items"), said)


@dg.multi_asset(
    name="amazon_order_reports",
    specs=[
        _spec(
            "raw", "reported_orders", "Orders as the daily report tells them: whether the feed missed any.",
            deps=[asset_key("raw", "amazon_orders")],
        ),
        _spec("raw", "amazon_returns", "Goods that came back, from the daily reports."),
    ],
    pool=ORDERS_POOL,
    retry_policy=READ_AGAIN,
)  # fmt: skip
def amazon_order_reports(context: dg.AssetExecutionContext, company: CompanyResource) -> Iterator[dg.MaterializeResult]:
    """Ask for the daily reports when they are due, fetch them when Amazon has made them."""
    loaded = company.load_current()
    counts = take_reports(loaded, datetime.now(UTC), progress=context.log.info)
    said = {f"fetched from {name}": count for name, count in counts.items()}
    yield from _counted(loaded, "raw", ("reported_orders", "amazon_returns"), said)


SAGE_TABLES = ("sage_products", "sage_orders", "sage_order_invoices", "sage_sales_entries")


@dg.multi_asset(
    name="sage_sales",
    specs=[
        _spec("raw", "sage_products", "Stock items in Sage with their VAT category, as they change."),
        _spec("raw", "sage_orders", "Sales orders in Sage of the customers that stand for Amazon's sites."),
        _spec("raw", "sage_order_invoices", "Which invoice each of those orders became."),
        _spec("raw", "sage_sales_entries", "The sales ledger of those customers: what is open on each entry."),
    ],
    pool=SAGE_POOL,
    retry_policy=READ_AGAIN,
)
def sage_sales(company: CompanyResource) -> Iterator[dg.MaterializeResult]:
    """Read what changed in Sage. Nothing is sent."""
    loaded = company.load_current()
    said: dict[str, Any] = {"Sage": "not connected"}
    if has_sage(Secrets()) and loaded.profile.orders_since:
        with sage_client(loaded) as client:
            records = ReferenceData.read(client, loaded.profile.sage.customers)
            read_sage(loaded, client, records, datetime.now(UTC))
            said = {"requests to Sage": client.requests}
    yield from _counted(loaded, "raw", SAGE_TABLES, said)


@dg.multi_asset(
    name="sales_orders",
    specs=[
        dg.AssetSpec(
            SALES_ORDERS,
            deps=[
                *(asset_key("core", f"core__{name}") for name in ("orders", "order_items", "sku_matches", "refunds")),
                *(asset_key("raw", name) for name in SAGE_TABLES),
                asset_key("raw", "recipients"),
                asset_key("outbox", "messages"),
            ],
            description="Sales orders in Sage, each sent once and proven; FBA despatches confirmed, money allocated.",
            group_name=GROUP,
            kinds={"python"},
            owners=OWNERS,
            tags={"layer": "sage"},
            freshness_policy=FRESH,
        ),
        _spec("outbox", "covered_orders", "Which Amazon orders each Sage order is for.", deps=[SALES_ORDERS]),
        _spec("core", "document_problems", "Why an order or refund could not be built.", deps=[SALES_ORDERS]),
    ],
    # Not in the warehouse's pool: other runs go on reading and writing while Sage answers slowly.
    pool=SAGE_POOL,
)
def sales_orders(context: dg.AssetExecutionContext, company: CompanyResource) -> Iterator[dg.MaterializeResult]:
    """Plan what is due, send what is approved, confirm FBA despatches, allocate, and look what became of it."""
    loaded = company.load_current()
    done = Ordered()
    if has_sage(Secrets()) and loaded.profile.orders_since:
        with sage_client(loaded) as client:
            send(loaded, client, done, progress=context.log.debug)
    report, planned = done.report, done.planned
    if report.stopped:
        context.log.warning(f"Stopped early: {report.stopped}")
    metadata: dict[str, Any] = {
        "orders to send": planned.orders + planned.daily_orders if planned else 0,
        "could not be built": planned.unfit if planned else 0,
        "delivered": len(report.delivered),
        "found in Sage": len(report.proven),
        "rejected": len(report.rejected),
        "held": len(report.held),
        "not yet proven": len(report.unproven),
        "requests to Sage": done.requests,
        **({"stopped": report.stopped} if report.stopped else {}),
    }
    yield dg.MaterializeResult(asset_key=SALES_ORDERS, metadata=metadata)
    yield from _counted(loaded, "outbox", ("covered_orders",), {})
    yield from _counted(loaded, "core", ("document_problems",), {})


@dg.asset(
    key=PURGE,
    group_name=GROUP,
    kinds={"duckdb", "python"},
    owners=OWNERS,
    tags={"layer": "control"},
    pool=WAREHOUSE_POOL,
)
def personal_data_purge(company: CompanyResource) -> dg.MaterializeResult:
    """Erase names, addresses and telephone numbers that no order needs any more. Figures and proofs stay."""
    loaded = company.load_current()
    purged = purge(loaded, datetime.now(UTC))
    return dg.MaterializeResult(
        metadata={
            "recipients erased": purged.recipients,
            "report documents erased": purged.documents,
            "kept after despatch": f"{loaded.profile.privacy.erase_after_days} days",
        }
    )


@dg.definitions
def assets() -> dg.Definitions:
    files = relations()
    views = [view_assets(files[name].name, [files[name]], GROUP) for name in VIEWS]
    return dg.Definitions(
        assets=[
            amazon_orders,
            amazon_money_events,
            amazon_order_reports,
            sage_sales,
            sales_orders,
            personal_data_purge,
            *views,
        ]
    )
