"""Everything that can start by itself, on one page.

- `settlement_inbox` looks every 30 seconds for settlement reports: files in the inbox folder, and reports that were
  landed in another way. It adds their partitions and starts one run for all of them. When the profile or a rule file
  changes, it starts one run for every settlement. On by default: it reads and works out, it sends nothing.
- `new_settlements` asks Seller Central every half hour for settlement reports and starts a run that lands new ones.
  On by default, and quiet while no account is connected: it only reads.
- `bank_reading` reads Sage's banks and Amazon's payouts each morning. On by default, and quiet while Sage is not
  connected. It posts nothing: its run has the step that reads, not the one that sends.
- `orders_as_they_come` reads Amazon's orders every quarter of an hour and sends what is due to Sage as sales orders.
  On by default, and quiet while no account is connected, while no route makes Sage orders, and while its last run still
  goes on. A sales order moves no money; with `orders.send = "approve"` in the profile even that waits for a person.
- `personal_data_purge` erases each night what names people and is not needed any more. On by default.
- `posting_when_due` posts each morning what is approved and due. It does so only where the profile says
  `posting = "auto"`; otherwise a person starts `post_approved` or `amazon-sage post`.
"""

import hashlib
import json
from datetime import UTC, datetime

import dagster as dg

from amazon_sage_assets.connections import has_amazon, has_sage
from amazon_sage_assets.defs.orders.assets import VIEWS as ORDER_RELATIONS
from amazon_sage_assets.defs.partitions import SETTLEMENT
from amazon_sage_assets.defs.posting.jobs import approve_settlement
from amazon_sage_assets.defs.resources import CompanyResource
from amazon_sage_assets.defs.settlements.sensors import look
from amazon_sage_assets.settings import Secrets
from amazon_sage_assets.settlements.discovery import waiting_reports
from amazon_sage_assets.sqlfiles import relations

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
LONDON = "Europe/London"
UNFINISHED = (
    dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)  # fmt: skip

FETCHING = dg.AssetSelection.assets("landed/settlement_reports")
PAYOUTS = dg.AssetSelection.assets("raw/amazon_payouts")
SENDING = dg.AssetSelection.assets("sage/posted_documents", "raw/sage_bank_transactions", "raw/sage_nominal_lines")
READING_BANKS = dg.AssetSelection.assets("sage/bank_reading")
OUTBOX = dg.AssetSelection.assets("outbox/messages", "outbox/events")
# One view per exception code: `exceptions/open_exceptions` asks them all, so only a settling run counts each by itself.
EXCEPTION_VIEWS = dg.AssetSelection.assets(
    *(f"exceptions/{f.name}" for f in relations().values() if f.schema == "exceptions")
)
FIGURES = dg.AssetSelection.groups("reconciliation", "exceptions", "finance") - EXCEPTION_VIEWS
ORDER_READING = dg.AssetSelection.assets(
    "raw/amazon_orders", "raw/amazon_order_items", "raw/recipients", "raw/unreadable_orders", "raw/amazon_transactions",
    "raw/amazon_refund_items", "raw/reported_orders", "raw/amazon_returns", "raw/sage_products", "raw/sage_orders",
    "raw/sage_order_invoices", "raw/sage_sales_entries",
)  # fmt: skip
ORDER_SENDING = dg.AssetSelection.assets("sage/sales_orders", "outbox/covered_orders", "core/document_problems")
ORDER_VIEWS = dg.AssetSelection.assets(*(name.replace(".", "/") for name in ORDER_RELATIONS))
PURGING = dg.AssetSelection.assets("control/erased_documents")
ORDERS = ORDER_READING | ORDER_VIEWS | ORDER_SENDING
REMOTE = FETCHING | PAYOUTS | SENDING | READING_BANKS | ORDER_READING | ORDER_SENDING | PURGING

# The whole flow for some settlements: their own relations, then once the tables of all settlements. Nothing is sent.
settle_settlements = dg.define_asset_job(
    "settle_settlements",
    selection=dg.AssetSelection.all() - REMOTE,
    description="From landed settlement reports to journals, exceptions, the posting plan and the published file.",
)

# What does not belong to one settlement: documents, outbox, exceptions, finance tables, the published file.
publish_finance = dg.define_asset_job(
    "publish_finance",
    selection=dg.AssetSelection.assets("raw/settlement_documents") | OUTBOX | FIGURES,
    description="The exceptions and finance tables of all settlements, and the published file.",
)

fetch_settlement_reports = dg.define_asset_job(
    "fetch_settlement_reports", selection=FETCHING, description="Land new settlement reports from Seller Central."
)

post_approved = dg.define_asset_job(
    "post_approved",
    selection=OUTBOX | PAYOUTS | SENDING | FIGURES,
    description="Send what is approved and due to Sage 200, prove it, read the banks, publish.",
)

close_settlement = dg.define_asset_job(
    "close_settlement",
    selection=dg.AssetSelection.all() - FETCHING - READING_BANKS - ORDER_READING - ORDER_SENDING - PURGING,
    description="From landed reports to Sage and the bank: worked out, what is approved posted, published.",
)

read_banks = dg.define_asset_job(
    "read_banks",
    selection=PAYOUTS | READING_BANKS | FIGURES,
    description="Read Sage's banks and Amazon's payouts, match payouts, publish. Nothing is sent.",
)


orders = dg.define_asset_job(
    "orders",
    selection=ORDERS | FIGURES,
    description="Read Amazon's orders, send what is due to Sage as sales orders, allocate, publish.",
)

purge_personal_data = dg.define_asset_job(
    "purge_personal_data", selection=PURGING, description="Erase personal data that no order needs any more."
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


@dg.sensor(
    name="new_settlements",
    job=fetch_settlement_reports,
    minimum_interval_seconds=1800,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks Seller Central for settlement reports that are not landed yet.",
)
def new_settlements(context: dg.SensorEvaluationContext, company: CompanyResource) -> dg.RunRequest | dg.SkipReason:
    loaded, secrets = company.load(), Secrets()
    if not any(has_amazon(secrets, account.name) for account in loaded.profile.accounts):
        return dg.SkipReason("No seller account is connected: the environment has no LWA_APP_ID and refresh token.")
    waiting = waiting_reports(loaded, datetime.now(UTC), secrets)
    count = sum(map(len, waiting.values()))
    if not count:
        return dg.SkipReason("Seller Central has no settlement report that is not landed.")
    # The same reports ask for the same run once; a failed one is asked for again by the next day.
    asked = f"{datetime.now(UTC).date()} {json.dumps(waiting, sort_keys=True)}"
    run_key = hashlib.sha256(asked.encode()).hexdigest()[:16]
    return dg.RunRequest(run_key=run_key, tags={"reports": str(count)})


@dg.schedule(
    name="bank_reading",
    job=read_banks,
    cron_schedule="30 6 * * *",
    execution_timezone=LONDON,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Reads Sage's banks and Amazon's payouts each morning.",
)
def bank_reading(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    if not has_sage(Secrets()):
        return dg.SkipReason("Sage 200 is not connected: the environment has no SAGE_CLIENT_ID.")
    return dg.RunRequest(run_key=str(context.scheduled_execution_time.date()))


@dg.schedule(
    name="orders_as_they_come",
    job=orders,
    cron_schedule="*/15 * * * *",
    execution_timezone=LONDON,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Reads Amazon's orders every quarter of an hour and sends what is due to Sage.",
)
def orders_as_they_come(
    context: dg.ScheduleEvaluationContext, company: CompanyResource
) -> dg.RunRequest | dg.SkipReason:
    loaded, secrets = company.load(), Secrets()
    if not loaded.profile.orders_since:
        return dg.SkipReason("No route of the profile makes Sage orders.")
    if not any(has_amazon(secrets, account.name) for account in loaded.profile.accounts):
        return dg.SkipReason("No seller account is connected: the environment has no LWA_APP_ID and refresh token.")
    going_on = dg.RunsFilter(job_name=orders.name, statuses=list(UNFINISHED))
    if context.instance.get_runs_count(going_on):
        return dg.SkipReason("The last run still goes on; the next quarter of an hour takes up what it leaves.")
    return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())


@dg.schedule(
    name="personal_data_purge",
    job=purge_personal_data,
    cron_schedule="15 3 * * *",
    execution_timezone=LONDON,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Erases names, addresses and telephone numbers that no order needs any more.",
)
def purge_each_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    return dg.RunRequest(run_key=str(context.scheduled_execution_time.date()))


@dg.schedule(
    name="posting_when_due",
    job=post_approved,
    cron_schedule="0 7 * * *",
    execution_timezone=LONDON,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description='Posts what is approved and due, where the profile says posting = "auto".',
)
def posting_when_due(context: dg.ScheduleEvaluationContext, company: CompanyResource) -> dg.RunRequest | dg.SkipReason:
    if company.load().profile.posting != "auto":
        return dg.SkipReason('The profile says posting = "approve": a person starts posting.')
    if not has_sage(Secrets()):
        return dg.SkipReason("Sage 200 is not connected: the environment has no SAGE_CLIENT_ID.")
    return dg.RunRequest(run_key=str(context.scheduled_execution_time.date()))


@dg.definitions
def automation() -> dg.Definitions:
    return dg.Definitions(
        jobs=[
            settle_settlements,
            publish_finance,
            fetch_settlement_reports,
            approve_settlement,
            post_approved,
            close_settlement,
            read_banks,
            orders,
            purge_personal_data,
        ],
        sensors=[settlement_inbox, new_settlements],
        schedules=[bank_reading, orders_as_they_come, purge_each_night, posting_when_due],
    )
