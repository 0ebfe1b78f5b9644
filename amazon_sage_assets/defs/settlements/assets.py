"""The settlements flow as assets. Each one calls a step of `settlements/`; what the step does is said there."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from amazon_sage_assets.company import Company
from amazon_sage_assets.defs.orders.assets import VIEWS as ORDERS
from amazon_sage_assets.defs.partitions import SETTLEMENT
from amazon_sage_assets.defs.reconciliation.assets import VIEWS as RECONCILIATION
from amazon_sage_assets.defs.resources import CompanyResource
from amazon_sage_assets.defs.settlements.preview import (
    journal_markdown,
    picture_markdown,
    waterfall_steps,
    waterfall_svg,
)
from amazon_sage_assets.defs.sql_assets import OWNERS, WAREHOUSE_POOL, settlement_asset, view_assets
from amazon_sage_assets.landing import SETTLEMENT_REPORT
from amazon_sage_assets.settlements import derivation
from amazon_sage_assets.settlements.discovery import fetch_all
from amazon_sage_assets.settlements.flow import refresh
from amazon_sage_assets.sqlfiles import SqlFile, relations
from amazon_sage_assets.warehouse import first_row

GROUP = "settlements"
REPORTS = dg.AssetKey(["landed", "settlement_reports"])
AMAZON_PAYS_WITHIN = timedelta(days=16)  # a settlement closes every 14 days; nothing for longer is worth a look
LINES = "staging.stg_amazon__settlement_lines"
SETTLEMENT_STATUS = "core.core__settlement_status"  # what exceptions make of a settlement: shown with finance
CONTROLS = "staging.stg_amazon__document_controls"


def _records(connection: Any, query: str, key: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query, [key])
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _count(connection: Any, relation: str, key: str) -> int:
    row = first_row(connection, f"select count(*) from {relation} where settlement_key = $1", [key])
    return int(row[0]) if row else 0


@dg.asset(
    key=REPORTS,
    group_name=GROUP,
    kinds={"python"},
    owners=OWNERS,
    tags={"layer": "landed"},
    retry_policy=dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL),
)
def settlement_reports(context: dg.AssetExecutionContext, company: CompanyResource) -> dg.MaterializeResult:
    """Settlement reports fetched from Seller Central, byte for byte, of every account that is connected."""
    loaded = company.load()
    counts = fetch_all(loaded, datetime.now(UTC), progress=context.log.info)
    total = len(loaded.landing.documents(SETTLEMENT_REPORT))
    new = {f"new from {name}": count for name, count in counts.items()}
    return dg.MaterializeResult(metadata={"landed in all": total, **new})


@dg.asset(
    key=["raw", "settlement_documents"],
    deps=[REPORTS],
    group_name=GROUP,
    kinds={"duckdb", "python"},
    owners=OWNERS,
    tags={"layer": "raw"},
    pool=WAREHOUSE_POOL,
    code_version="1",
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=AMAZON_PAYS_WITHIN),
)
def settlement_documents(company: CompanyResource) -> dg.MaterializeResult:
    """Every landed settlement report: whose, which settlement, from when to when, and whether it can be read."""
    loaded = company.load_current()
    stale = refresh(loaded)
    with loaded.warehouse.read() as connection:
        row = first_row(connection, "select count(*), count(unreadable_reason) from raw.settlement_documents")
    documents, unreadable = row or (0, 0)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": documents,
            "unreadable": unreadable,
            "settlements to work out": len(stale),
            "rules": loaded.rules_fingerprint[:12],
        }
    )


def _stage(company: Company, _: SqlFile, key: str) -> None:
    derivation.attempt(company, key, lambda connection: derivation.stage(connection, company, key))


def _describe_lines(connection: Any, _: Company, key: str) -> dict[str, Any]:
    header = _records(connection, "select * from core.core__settlements where settlement_key = $1", key)
    if not header:
        return {}
    one = header[0]
    return {
        "dagster/row_count": one["line_count"],
        "lines total": f"{one['lines_total']} {one['currency']}",
        "header total": f"{one['total_amount']} {one['currency']}",
        "document": one["document_sha256"],
        "file": one["file_name"],
    }


def _nothing_more(_: Company, __: SqlFile, ___: str) -> None:
    """Document controls are written by the step that stages the lines they count."""


def _replace(company: Company, sql_file: SqlFile, key: str) -> None:
    derivation.attempt(company, key, lambda connection: derivation.replace_relation(connection, sql_file.relation, key))


def _describe_rows(relation: str) -> Callable[[Any, Company, str], dict[str, Any]]:
    def describe(connection: Any, _: Company, key: str) -> dict[str, Any]:
        return {"dagster/row_count": _count(connection, relation, key)}

    return describe


def _describe_journal(connection: Any, _: Company, key: str) -> dict[str, Any]:
    lines = _records(
        connection,
        "select * from core.core__journal_lines where settlement_key = $1 order by period, document, journal_line_id",
        key,
    )
    movements = {
        row["document"]: row["moved"]
        for row in _records(
            connection,
            "select document, sum(debit - credit) as moved from core.core__journal_lines"
            " where settlement_key = $1 and account_key = 'wallet' and document <> 'debt_carry' group by document",
            key,
        )
    }
    metadata: dict[str, Any] = {
        "dagster/row_count": len(lines),
        "journal": dg.MetadataValue.md(journal_markdown(lines)),
    }
    if lines:
        currency = lines[0]["currency"]
        total = sum(movements.values())
        svg = waterfall_svg(waterfall_steps(movements), currency)
        metadata |= {
            "wallet movement": f"{total} {currency}",
            "debits": f"{sum(row['debit'] for row in lines)} {currency}",
            "credits": f"{sum(row['credit'] for row in lines)} {currency}",
            "from sales to payout": dg.MetadataValue.md(picture_markdown(svg, f"From sales to payout, {currency}")),
        }
    return metadata


def _partitioned(
    name: str, description: str, deps: list[str], step: Callable[[Company, str], dict[str, Any]]
) -> dg.AssetsDefinition:
    """An asset that Python works out per settlement."""
    schema, table = name.split(".")

    @dg.asset(
        key=[schema, table],
        deps=[dg.AssetKey(dep.split(".")) for dep in deps],
        description=description,
        partitions_def=SETTLEMENT,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=GROUP,
        kinds={"duckdb", "python"},
        owners=OWNERS,
        tags={"layer": schema},
        pool=WAREHOUSE_POOL,
        code_version="1",
    )
    def step_asset(context: dg.AssetExecutionContext, company: CompanyResource) -> None:
        loaded = company.load()
        for key in context.partition_keys:
            context.add_asset_metadata(step(loaded, key), dg.AssetKey([schema, table]), key)

    return step_asset


def _match_rows(company: Company, key: str) -> dict[str, Any]:
    derivation.attempt(company, key, lambda connection: derivation.match_rows(connection, company, key))
    with company.warehouse.read() as connection:
        matches = _records(connection, "select * from core.row_matches where settlement_key = $1", key)
    known = sum(1 for match in matches if match["status"] == "known")
    return {"dagster/row_count": len(matches), "known": known, "not known or to review": len(matches) - known}


def _validate(company: Company, key: str) -> dict[str, Any]:
    failures = derivation.attempt(company, key, lambda connection: derivation.validate(connection, key))
    return {"dagster/row_count": failures or 0}


def _plan(company: Company, key: str) -> dict[str, Any]:
    documents = derivation.attempt(company, key, lambda connection: derivation.plan_documents(connection, key)) or []
    derivation.attempt(company, key, lambda connection: derivation.mark_derived(connection, company, key))
    rows = "".join(
        f"| {d.remote_reference} | {d.kind} | {d.document} | {d.document_date} | {d.amount:,.2f} | {d.currency} |\n"
        for d in documents
    )
    head = "| reference | Sage document | what | date | amount | |\n|---|---|---|---|---:|---|\n"
    return {"dagster/row_count": len(documents), "documents": dg.MetadataValue.md(head + rows)}


@dg.definitions
def assets() -> dg.Definitions:
    files = relations()
    core_views = [
        f
        for f in files.values()
        if f.schema == "core" and not f.replaced_by and f.relation not in (SETTLEMENT_STATUS, *RECONCILIATION, *ORDERS)
    ]
    per_settlement = [
        settlement_asset(files[LINES], GROUP, _stage, _describe_lines),
        settlement_asset(files[CONTROLS], GROUP, _nothing_more, lambda *_: {}),
        *(
            settlement_asset(
                files[name],
                GROUP,
                _replace,
                _describe_journal if name == "core.core__journal_lines" else _describe_rows(name),
            )
            for name in derivation.CORE_RELATIONS
        ),
        _partitioned(
            "core.row_matches",
            "The rule that each distinct triple of row labels meets in a settlement.",
            [LINES, "core.core__settlements"],
            _match_rows,
        ),
        _partitioned(
            "raw.line_failures",
            "Lines that cannot be read or that lack what their kind needs, each with its reason. Checked with pandera.",
            [LINES, "core.row_matches", "core.core__settlements"],
            _validate,
        ),
        _partitioned(
            "core.planned_documents",
            "The Sage documents that a settlement would become. Nothing is sent here.",
            ["core.core__journal_lines", "core.core__journal_parts", "core.core__ledger_accounts", "core.core__proofs"],
            _plan,
        ),
    ]
    # Any step of a settlement may write here, so no step of its own makes it.
    derivation_failures = dg.AssetSpec(
        ["core", "derivation_failures"],
        description="Settlements that a step could not work out, each with the reason.",
        group_name=GROUP,
        kinds={"duckdb", "python"},
        owners=OWNERS,
        tags={"layer": "core"},
    )
    views = [view_assets(f.name, [f], GROUP) for f in core_views]
    return dg.Definitions(
        assets=[settlement_reports, settlement_documents, *per_settlement, *views, derivation_failures]
    )
