"""What Amazon says of its payouts, where it says it: not every seller is told."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from amazon_sage_assets.amazon.errors import PayoutsUnavailable
from amazon_sage_assets.amazon.finances_api import payouts
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import has_amazon, marketplace_ids, selling_partner
from amazon_sage_assets.settings import Secrets
from amazon_sage_assets.tables import insert_rows, plain

LOOK_BACK = timedelta(days=80)


def read_amazon_payouts(
    company: Company, now: datetime, secrets: Secrets | None = None, progress: Callable[[str], None] = lambda _: None
) -> dict[str, int | None]:
    """Read every connected account's payouts. Returns how many per account; None where Amazon does not tell."""
    secrets = secrets or Secrets()
    counts: dict[str, int | None] = {}
    for account in company.profile.accounts:
        if not has_amazon(secrets, account.name):
            continue
        progress(f"reading Amazon's payouts of {account.name}")
        with selling_partner(company, account, secrets) as partner:
            try:
                found = payouts(partner, now - LOOK_BACK, marketplace_ids(account))
            except PayoutsUnavailable:
                counts[account.name] = None
                continue
        rows = [
            (
                account.name, p.id, p.settlement_id, p.status, p.amount, p.currency, p.account_tail or "",
                p.trace_id or "", plain(p.created_at or now.astimezone(UTC)), plain(now),
            )
            for p in found
            if p.settlement_id and p.amount is not None and p.currency
        ]  # fmt: skip
        with company.warehouse.transaction() as connection:
            ids = [row[1] for row in rows]
            connection.execute(
                "delete from raw.amazon_payouts where account = $1 and list_contains($2, payout_id)",
                [account.name, ids],
            )
            insert_rows(connection, "raw.amazon_payouts", rows)
        counts[account.name] = len(rows)
    return counts
