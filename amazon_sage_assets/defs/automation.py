"""Everything that can start by itself, on one page.

- `settlement_inbox` looks every 30 seconds for settlement reports: files in the inbox folder, and reports that were
  landed in another way. It adds their partitions and starts one run for all of them. When the profile or a rule file
  changes, it starts one run for every settlement. It is on by default: it reads and works out, it sends nothing.

Nothing here sends anything to Sage 200 or to Amazon.
"""

import hashlib
from datetime import UTC, datetime

import dagster as dg

from amazon_sage_assets.defs.partitions import SETTLEMENT
from amazon_sage_assets.defs.resources import CompanyResource
from amazon_sage_assets.defs.settlements.sensors import look

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

# The whole flow for some settlements: their own relations, then once the tables of all settlements.
settle_settlements = dg.define_asset_job(
    "settle_settlements",
    selection=dg.AssetSelection.all(),
    description="From landed settlement reports to journals, exceptions, the posting plan and the published file.",
)

# What does not belong to one settlement: documents, exceptions, finance tables, the published file.
publish_finance = dg.define_asset_job(
    "publish_finance",
    selection=dg.AssetSelection.assets("raw/settlement_documents") | dg.AssetSelection.groups("exceptions", "finance"),
    description="The exceptions and finance tables of all settlements, and the published file.",
)


@dg.sensor(
    name="settlement_inbox",
    jobs=[settle_settlements, publish_finance],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes settlement reports from the inbox folder and works out what is new or what rules have changed.",
)
def settlement_inbox(context: dg.SensorEvaluationContext, company: CompanyResource) -> dg.SensorResult | dg.SkipReason:
    known = context.instance.get_dynamic_partitions(str(SETTLEMENT.name))
    found = look(company.load(), known, context.cursor, datetime.now(UTC))
    if not found.anything:
        context.update_cursor(found.cursor)
        return dg.SkipReason("Nothing new in the inbox, and the rules are as they were.")
    run_key = hashlib.sha256(found.cursor.encode()).hexdigest()[:16]
    requests = [
        _range_request(f"{run_key}/{kind}", keys)
        for kind, keys in (("new", found.new), ("again", _span(known, found.again)))
        if keys
    ]
    if not requests:
        requests = [dg.RunRequest(run_key=run_key, job_name=publish_finance.name)]
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[SETTLEMENT.build_add_request(list(found.new))] if found.new else [],
        cursor=found.cursor,
    )


def _span(known: list[str] | tuple[str, ...], keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys from the first to the last of these, in partition order: one run takes a range."""
    places = [place for place, key in enumerate(known) if key in keys]
    return tuple(known[min(places) : max(places) + 1]) if places else ()


def _range_request(run_key: str, keys: tuple[str, ...]) -> dg.RunRequest:
    tags = {RANGE_START: keys[0], RANGE_END: keys[-1], "settlements": str(len(keys))}
    return dg.RunRequest(run_key=run_key, job_name=settle_settlements.name, tags=tags)


@dg.definitions
def automation() -> dg.Definitions:
    return dg.Definitions(jobs=[settle_settlements, publish_finance], sensors=[settlement_inbox])
