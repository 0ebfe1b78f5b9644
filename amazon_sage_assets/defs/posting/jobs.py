"""Approval as a job, for those who work in the UI."""

from datetime import UTC, datetime

import dagster as dg

from amazon_sage_assets.defs.resources import CompanyResource
from amazon_sage_assets.defs.sql_assets import WAREHOUSE_POOL
from amazon_sage_assets.posting.approval import CannotApprove, approve
from amazon_sage_assets.settlements.flow import conclude


class Approving(dg.Config):
    """`settlements`: ids or keys. `by`: your name, kept with the approval."""

    settlements: list[str]
    by: str


@dg.op(pool=WAREHOUSE_POOL)
def approve_settlements(context: dg.OpExecutionContext, config: Approving, company: CompanyResource) -> None:
    """Let the documents of settlements go to Sage, as they stand now. Posting is another step."""
    loaded = company.load_current()
    now = datetime.now(UTC)
    try:
        with loaded.warehouse.transaction() as connection:
            approvals = approve(connection, config.settlements, config.by, now)
    except CannotApprove as error:
        raise dg.Failure(str(error)) from None
    conclude(loaded, now)
    for approval in approvals:
        context.log.info(
            f"{approval.settlement_key}: {approval.documents} documents, {approval.amount} {approval.currency}, "
            f"content {approval.content_hash[:16]}, approved by {config.by}"
        )
    tags = {f"settlement/{approval.settlement_key}": "approved" for approval in approvals}
    context.instance.add_run_tags(context.run_id, {**tags, "approved_by": config.by})


@dg.job(description="Approve settlements for posting: their ids, and your name. Everything, or nothing.")
def approve_settlement() -> None:
    approve_settlements()
