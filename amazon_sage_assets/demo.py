"""The demo: what a data team and a controller do in a month, in one go, through Dagster and the sandbox servers."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterHomeNotSetError

from amazon_sage_assets import verification
from amazon_sage_assets.cli.output import (
    amount,
    out,
    print_exceptions,
    print_journal,
    print_settlements,
    published,
)
from amazon_sage_assets.cli.posting import print_payouts
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import sage_client
from amazon_sage_assets.definitions import defs
from amazon_sage_assets.defs.automation import RANGE_END, RANGE_START
from amazon_sage_assets.defs.partitions import SETTLEMENT
from amazon_sage_assets.defs.settlements.sensors import look
from amazon_sage_assets.landing import SETTLEMENT_REPORT
from amazon_sage_assets.sandbox.world import World
from amazon_sage_assets.settings import ProfileError


def run_demo(world: World) -> bool:
    """Fetch, settle, approve, post, publish by the project's own jobs. True when all is as it is meant to be."""
    company = Company.load()
    _refuse_other_company(company, world)
    definitions = defs()
    with _instance() as instance:
        out.print("Calm Kettle Ltd: two months on Amazon.co.uk and Amazon.de, Seller Central and Sage 200 simulated\n")
        _run(definitions, instance, "orders")
        desk_work(world)
        _run(definitions, instance, "fetch_settlement_reports")
        keys = _partitions(company, instance)
        _run(definitions, instance, "settle_settlements", tags={RANGE_START: keys[0], RANGE_END: keys[-1]})
        ready = [
            f"{row['account']}-{row['settlement_id']}"
            for row in published(company, "select * from finance.settlements where status = 'ready'")
        ]
        if published(company, "select 1 from finance.postings where document = 'credit_note' and status = 'planned'"):
            ready.append("refunds")
        if ready:
            approve = {"settlements": ready, "by": "Alex Finance (demo)"}
            config = {"ops": {"approve_settlements": {"config": approve}}}
            _run(definitions, instance, "approve_settlement", config=config)
        _run(definitions, instance, "post_approved")
    return _tell(company, world)


def desk_work(world: World) -> None:
    """What people do in Sage: the warehouse sends what Amazon says is sent, the office prints and posts invoices."""
    sent = {
        o.order_id: o.shipped_at.date() for a in world.seller.accounts for o in world.seller.orders(a) if o.shipped_at
    }
    for order in world.books.sop_orders():
        number = order["customer_document_no"]
        if order["despatched"] == "None" and number in sent:
            world.books.despatch(number, day=sent[number])
    world.books.invoice_orders()


def _instance() -> dg.DagsterInstance:
    """The instance of DAGSTER_HOME where there is one, so that the runs can be looked at afterwards."""
    try:
        return dg.DagsterInstance.get()
    except DagsterHomeNotSetError:
        return dg.DagsterInstance.ephemeral()


def _run(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    name: str,
    config: dict[str, Any] | None = None,
    tags: dict[str, str] | None = None,
) -> None:
    started = datetime.now(UTC)
    quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    result = definitions.resolve_job_def(name).execute_in_process(
        run_config={**(config or {}), **quiet}, tags=tags, instance=instance, raise_on_error=False
    )
    took = (datetime.now(UTC) - started).total_seconds()
    mark = "[green]done[/]" if result.success else "[red]failed[/]"
    out.print(f"{mark}  Dagster run {name:<26} {took:5.1f} s")
    if not result.success:
        raise ProfileError(f"The run {name} failed; its log in the Dagster UI says why.")


def _partitions(company: Company, instance: dg.DagsterInstance) -> list[str]:
    """What the inbox sensor would add."""
    known = instance.get_dynamic_partitions(str(SETTLEMENT.name))
    found = look(company, known, None, datetime.now(UTC))
    instance.add_dynamic_partitions(str(SETTLEMENT.name), list(found.new))
    return instance.get_dynamic_partitions(str(SETTLEMENT.name))


def _refuse_other_company(company: Company, world: World) -> None:
    """The demo never mixes its invented settlements with anybody's real ones."""
    ours = {report_id for report in world.seller.reports() for report_id in report.report_ids}
    for document in company.landing.documents(SETTLEMENT_REPORT):
        if not any(origin.name in ours for origin in document.origins):
            raise ProfileError(
                f"{company.environment.home} holds settlements that are not the demo's. "
                "Set AMAZON_SAGE_HOME to an empty folder for the demo."
            )


def _tell(company: Company, world: World) -> bool:
    out.print()
    print_settlements(published(company, "select * from finance.settlements"))
    first = "select min(settlement_id) from finance.settlements where status = 'posted'"
    print_journal(published(company, f"select * from finance.journal_lines where settlement_id = ({first})"))
    payouts = published(company, "select * from finance.payout_reconciliation")
    print_payouts(payouts)
    exceptions = published(company, "select * from finance.exceptions")
    print_exceptions(exceptions)
    with sage_client(company) as client:
        results = verification.verify(company.environment.published_path, company.landing, sage=client)
    failed = [result for result in results if result.failures]
    for result in failed:
        out.print(f"[red]FAILED[/]  {result.description} {result.failures[:3]}")
    posted = published(
        company,
        "select r.* from finance.payout_reconciliation as r inner join finance.settlements as s"
        " using (account, settlement_id) where s.status = 'posted'",
    )
    documents = published(company, "select count(*) as count from finance.postings where status = 'delivered'")
    even = all(row["difference"] == 0 and row["header_total"] == row["posted_total"] for row in posted)
    raised = sorted((row["code"], row["settlement_id"] or row["order_id"] or "") for row in exceptions)
    meant = sorted([*world.seller.expected_exceptions, *world.seller.expected_order_exceptions])
    total = amount(sum((row["difference"] for row in posted), Decimal(0)))
    orders = published(
        company,
        "select count(*) filter (where is_in_sage) as sent, count(*) filter (where waits_for is not null) as held,"
        " coalesce(sum(sage_gross) filter (where is_in_sage), 0) as gross from finance.orders"
        " where owner in ('sop', 'sop_daily')",
    )[0]
    owed = published(company, "select coalesce(sum(outstanding), 0) as owed from finance.debtors")[0]["owed"]
    out.print(f"{orders['sent']} Amazon orders over {amount(orders['gross'])} GBP are in Sage as sales orders, "
              f"{orders['held']} wait for somebody; {amount(owed)} GBP of them are not settled yet.")  # fmt: skip
    out.print(f"{len(posted)} settlements are in Sage with {documents[0]['count']} documents.")
    if even:
        paid = sum(1 for row in posted if row["bank_transaction_id"])
        due = sum(1 for row in posted if row["payout_amount"]) - paid
        out.print(f"Header total = journal = Sage for each of them, difference {total}.")
        out.print(f"{paid} payouts stand in the bank with their amount; {due} Amazon has not paid yet.")
    else:
        out.print("[red]Header total, journal, Sage and payout do not agree; the table above says where.[/]")
    out.print(f"{len(results) - len(failed)} of {len(results)} invariants proven (`amazon-sage verify` says which).")
    if raised == meant:
        out.print(f"The {len(meant)} exceptions that the sample seller is meant to raise, and no others.")
    else:
        out.print(f"[red]The exceptions are not the ones that were meant:[/] {raised} instead of {meant}")
    out.print(f"Open the figures: {company.environment.published_path} (DuckDB, schema finance). Runs: `make dev`.")
    return not failed and even and raised == meant
