"""Commands about orders: reading and sending them, one order's passport, and erasing personal data."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from amazon_sage_assets.cli.output import (
    SOME_NOT_READY,
    JsonFlag,
    amount,
    app,
    err,
    out,
    print_exceptions,
    print_json,
    progress_line,
    published,
    show,
    speaking_plainly,
    table_of,
)
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import NotConnected, has_amazon
from amazon_sage_assets.orders.flow import Ordered, run_orders
from amazon_sage_assets.orders.purge import purge as erase
from amazon_sage_assets.settings import Secrets
from amazon_sage_assets.settlements import flow

ORDER_CODES = (
    "SKU_UNMATCHED", "VAT_CATEGORY_MISSING", "FIELD_TOO_LONG", "ADDRESS_INCOMPLETE", "ORDER_INCOMPLETE",
    "CURRENCY_UNEXPECTED", "ORDER_ROUTE_UNKNOWN", "ORDER_VAT_UNRESOLVED", "ORDER_VAT_DIFFERENCE", "ORDER_UNREADABLE",
    "ORDER_CANCELLED", "ADDRESS_CHANGED", "ORDER_TOTAL_DIFFERS", "TAX_MISMATCH", "ORDER_MISSING",
)  # fmt: skip


@app.command()
def orders(as_json: JsonFlag = False) -> None:
    """Read what changed in Amazon's orders, and send what is due to Sage as sales orders.

    Exit code 2: an order was refused, is held, or is not proven yet.
    """
    with speaking_plainly():
        company, secrets = Company.load(), Secrets()
        if not any(has_amazon(secrets, account.name) for account in company.profile.accounts):
            raise NotConnected("No seller account is connected: the environment has no LWA_APP_ID and refresh token.")
        company.warehouse.migrate()
        with progress_line() as progress:
            flow.load_profile(company)
            done = run_orders(company, secrets, progress=progress)
            flow.conclude(company, datetime.now(UTC), progress)
    result = _summary(done)
    if as_json:
        print_json(result)
    else:
        out.print(", ".join(f"{count} {what}" for what, count in result.items() if isinstance(count, int)) + ".")
        if done.report.stopped:
            err.print(f"[bold yellow]Stopped early.[/] {done.report.stopped} The next run goes on from here.")
        rows = published(company, "select * from finance.exceptions")
        print_exceptions([row for row in rows if row["code"] in ORDER_CODES])
    if done.report.rejected or done.report.held or done.report.unproven or done.report.stopped:
        raise typer.Exit(SOME_NOT_READY)


def _summary(done: Ordered) -> dict[str, Any]:
    report, planned = done.report, done.planned
    return {
        "changed orders": sum(taken.orders for taken in done.taken.values()),
        "unreadable": sum(taken.unreadable for taken in done.taken.values()),
        "money events": sum(done.money_events.values()),
        "daily reports": sum(done.reports.values()),
        "orders to send": (planned.orders + planned.daily_orders) if planned else 0,
        "delivered": len(report.delivered),
        "found in Sage": len(report.proven),
        "rejected": len(report.rejected),
        "held": len(report.held),
        "not yet proven": len(report.unproven),
        "requests to Sage": done.requests,
        "stopped": report.stopped,
    }


@app.command()
def passport(
    order_id: Annotated[str, typer.Argument(help="Amazon's order number, such as 202-1234567-1234567.")],
    as_json: JsonFlag = False,
) -> None:
    """Every leg of one order: ordered, sent, in Sage, invoiced, settled, refunded, credited, back."""
    with speaking_plainly():
        company = Company.load()
        rows = published(company, "select * from finance.order_passport order by step, happened_at")
        legs = [row for row in rows if row["order_id"] == order_id]
        problems = [r for r in published(company, "select * from finance.exceptions") if r["order_id"] == order_id]
    if as_json:
        print_json({"legs": legs, "exceptions": problems})
    elif not legs:
        out.print(f"No order {order_id} is known. `amazon-sage orders` reads new ones.")
    else:
        table = table_of(
            f"Order {order_id}", ("leg", "left"), ("what", "left"), ("reference", "left"), ("when (UTC)", "left"),
            ("amount", "right"), ("", "left"), ("status", "left"),
        )  # fmt: skip
        for row in legs:
            table.add_row(
                row["leg"], row["document"], row["reference"],
                f"{row['happened_at']:%d %b %Y %H:%M}" if row["happened_at"] else "",
                amount(row["amount"]) if row["amount"] is not None else "", row["currency"] or "", row["status"] or "",
            )  # fmt: skip
        show(table)
        print_exceptions(problems)
    if not legs:
        raise typer.Exit(1)


@app.command()
def purge(
    days: Annotated[
        int | None, typer.Option(min=0, help="Days after despatch, else privacy.erase_after_days of the profile.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Erase names, addresses and telephone numbers that no order needs any more. Figures and proofs stay."""
    with speaking_plainly():
        company = Company.load()
        company.warehouse.migrate()
        purged = erase(company, datetime.now(UTC), days)
    if as_json:
        print_json(asdict(purged))
        return
    out.print(f"{purged.recipients} recipients and {purged.documents} reports about orders were erased.")
