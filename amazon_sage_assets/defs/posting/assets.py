"""The outbox and what Sage has of it. Posting sends only what was approved, and proves its own preconditions first."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb

from amazon_sage_assets import verification
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import sage_client
from amazon_sage_assets.defs.resources import CompanyResource
from amazon_sage_assets.defs.sql_assets import OWNERS, WAREHOUSE_POOL, asset_key
from amazon_sage_assets.outbox.store import duplicate_references
from amazon_sage_assets.payouts.amazon_payouts import read_amazon_payouts
from amazon_sage_assets.posting.deliver import Posted, post, read_banks
from amazon_sage_assets.settlements.flow import load_company
from amazon_sage_assets.settlements.queue import refresh_queue
from amazon_sage_assets.sqlfiles import gates

GROUP = "posting"
SAGE_POOL = "sage"
MESSAGES, EVENTS = asset_key("outbox", "messages"), asset_key("outbox", "events")
BANK_ENTRIES, NOMINAL_LINES = asset_key("raw", "sage_bank_transactions"), asset_key("raw", "sage_nominal_lines")
AMAZON_PAYOUTS = asset_key("raw", "amazon_payouts")
BANK_READING = asset_key("sage", "bank_reading")
SHOWN = 200  # documents in a table
TAGGED = 40  # settlements named on a run


@dg.multi_asset(
    name="outbox",
    specs=[
        dg.AssetSpec(
            MESSAGES,
            deps=[asset_key("core", "planned_documents"), asset_key("core", "core__journal_lines")],
            description="Every document for Sage: planned, approved, sending, delivered, rejected, held or superseded.",
            group_name=GROUP,
            kinds={"duckdb", "python"},
            owners=OWNERS,
            tags={"layer": "outbox"},
            code_version="1",
        ),
        dg.AssetSpec(
            EVENTS,
            deps=[MESSAGES],
            description="What happened to each document, when, by whom and in whose words. Append-only.",
            group_name=GROUP,
            kinds={"duckdb"},
            owners=OWNERS,
            tags={"layer": "outbox"},
        ),
    ],
    pool=WAREHOUSE_POOL,
)
def outbox(company: CompanyResource) -> tuple[dg.MaterializeResult, dg.MaterializeResult]:
    """Bring the outbox in step with the posting plan. Nothing is sent."""
    loaded = company.load_current()
    with loaded.warehouse.transaction() as connection:
        load_company(connection, loaded)
        refresh_queue(connection, loaded.profile, datetime.now(UTC))
        statuses = connection.execute(
            "select status, count(*) from outbox.messages group by status order by status"
        ).fetchall()
        events = connection.execute("select count(*) from outbox.events").fetchall()[0][0]
    counts = dict(statuses)
    return (
        dg.MaterializeResult(asset_key=MESSAGES, metadata={"dagster/row_count": sum(counts.values()), **counts}),
        dg.MaterializeResult(asset_key=EVENTS, metadata={"dagster/row_count": events}),
    )


@dg.asset(
    key=AMAZON_PAYOUTS,
    group_name=GROUP,
    kinds={"duckdb", "python"},
    owners=OWNERS,
    tags={"layer": "raw"},
    pool=WAREHOUSE_POOL,
    retry_policy=dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL),
)
def amazon_payouts(company: CompanyResource) -> dg.MaterializeResult:
    """What Amazon says of its payouts. Some sellers are not told; then the bank alone tells."""
    counts = read_amazon_payouts(company.load_current(), datetime.now(UTC))
    said = {name: count if count is not None else "not told" for name, count in counts.items()}
    return dg.MaterializeResult(metadata={**said, "dagster/row_count": sum(filter(None, counts.values()))})


@dg.multi_asset(
    name="post_to_sage",
    specs=[
        dg.AssetSpec(
            asset_key("sage", "posted_documents"),
            deps=[MESSAGES, AMAZON_PAYOUTS],
            description="Documents in Sage 200, each sent once and proven by reading it back. Only approved ones go.",
            group_name=GROUP,
            kinds={"python"},
            owners=OWNERS,
            tags={"layer": "sage"},
        ),
        dg.AssetSpec(
            BANK_ENTRIES,
            deps=[asset_key("sage", "posted_documents")],
            description="Entries of the Sage banks that Amazon's money passes through, as Sage shows them.",
            group_name=GROUP,
            kinds={"duckdb", "python"},
            owners=OWNERS,
            tags={"layer": "raw"},
        ),
        dg.AssetSpec(
            NOMINAL_LINES,
            deps=[asset_key("sage", "posted_documents")],
            description="Nominal postings in Sage of the journals that a person imported.",
            group_name=GROUP,
            kinds={"duckdb", "python"},
            owners=OWNERS,
            tags={"layer": "raw"},
        ),
    ],
    # Not in the warehouse's pool: other runs go on reading and writing while Sage answers slowly.
    pool=SAGE_POOL,
)
def post_to_sage(
    context: dg.AssetExecutionContext, company: CompanyResource
) -> tuple[dg.MaterializeResult, dg.MaterializeResult, dg.MaterializeResult]:
    """Send what is approved and due, prove it, and read Sage's banks."""
    loaded = company.load_current()
    _prove_preconditions(loaded)
    with sage_client(loaded) as client:
        posted = post(loaded, client, progress=context.log.debug)
    _tag(context, loaded, posted)
    report = posted.report
    if report.stopped:
        context.log.warning(f"Stopped early: {report.stopped}")
    with loaded.warehouse.read() as connection:
        entries = connection.execute("select count(*) from raw.sage_bank_transactions").fetchall()[0][0]
        lines = connection.execute("select count(*) from raw.sage_nominal_lines").fetchall()[0][0]
        documents = _documents(connection, posted)
    counts: dict[str, Any] = {
        "delivered": len(report.delivered),
        "proven by reading back": len(report.proven),
        "rejected": len(report.rejected),
        "held": len(report.held),
        "already entered by hand": len(report.superseded),
        "not yet proven": len(report.unproven),
        "journal files written": len(posted.journal_files),
        "requests to Sage": posted.requests,
        "documents": documents,
        **({"stopped": report.stopped} if report.stopped else {}),
    }
    return (
        dg.MaterializeResult(asset_key=asset_key("sage", "posted_documents"), metadata=counts),
        dg.MaterializeResult(asset_key=BANK_ENTRIES, metadata={"dagster/row_count": entries}),
        dg.MaterializeResult(asset_key=NOMINAL_LINES, metadata={"dagster/row_count": lines}),
    )


@dg.asset(
    key=BANK_READING,
    group_name=GROUP,
    kinds={"duckdb", "python"},
    owners=OWNERS,
    tags={"layer": "sage"},
    pool=SAGE_POOL,
    retry_policy=dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL),
)
def bank_reading(company: CompanyResource) -> dg.MaterializeResult:
    """Sage's banks read without posting anything: hand-made receipts, bank feeds, statement marks."""
    loaded = company.load_current()
    with sage_client(loaded) as client:
        count = read_banks(loaded, client, datetime.now(UTC))
    return dg.MaterializeResult(metadata={"new or changed entries": count})


def _prove_preconditions(company: Company) -> None:
    """A blocking check stops only its own run, so posting looks for itself. Raises dg.Failure."""
    with company.warehouse.read() as connection:
        failures = [failure for result in verification.run_checks(connection, gates()) for failure in result.failures]
        failures += duplicate_references(connection)
    if failures:
        shown = "\n".join(f"- {failure}" for failure in failures[:20])
        raise dg.Failure(
            "Nothing was sent: a journal fails its proof.", metadata={"failures": dg.MetadataValue.md(shown)}
        )


def _documents(connection: duckdb.DuckDBPyConnection, posted: Posted) -> dg.MarkdownMetadataValue:
    """What this run brought to an end, as a table."""
    report = posted.report
    keys = [*report.delivered, *report.proven, *report.rejected, *report.held, *report.superseded]
    rows = connection.execute(
        "select remote_reference, kind, document_date, amount, currency, status, coalesce(remote_id, ''),"
        " coalesce(last_error, '') from outbox.messages where list_contains($1, message_key) order by all",
        [keys],
    ).fetchall()
    head = "| reference | Sage document | date | amount | | status | Sage id | |\n|---|---|---|---:|---|---|---|---|\n"
    shown = "".join(
        f"| {reference} | {kind} | {day} | {amount:,.2f} | {currency} | {status} | {remote_id} | {error} |\n"
        for reference, kind, day, amount, currency, status, remote_id, error in rows[:SHOWN]
    )
    more = f"\n{len(rows) - SHOWN} more.\n" if len(rows) > SHOWN else ""
    return dg.MetadataValue.md(head + shown + more)


def _tag(context: dg.AssetExecutionContext, company: Company, posted: Posted) -> None:
    """Name the settlements on the run, so that it is found by them."""
    with company.warehouse.read() as connection:
        rows = connection.execute(
            "select distinct settlement_key from outbox.messages where list_contains($1, message_key) order by all",
            [[*posted.report.delivered, *posted.report.proven]],
        ).fetchall()
    tags = Counter({f"settlement/{key}": 1 for (key,) in rows[:TAGGED] if key})
    context.instance.add_run_tags(context.run.run_id, dict.fromkeys(tags, "posted"))


@dg.definitions
def assets() -> dg.Definitions:
    return dg.Definitions(assets=[outbox, amazon_payouts, post_to_sage, bank_reading])
