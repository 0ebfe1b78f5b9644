"""What Amazon says about its payouts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from amazon_sage_assets.sandbox.sample_seller.catalogue import MARKETS
from amazon_sage_assets.sandbox.sample_seller.chance import chance, lettered
from amazon_sage_assets.sandbox.sample_seller.settlements import SampleReport

PayoutStatus = Literal["PAID", "IN_TRANSIT", "FAILED"]
LATE = ("de", 2)  # account and place in its chain, counted from 0


@dataclass(frozen=True)
class SamplePayout:
    """One payout. `settled_at` is when it reached the bank or failed; None while it is on its way."""

    id: str
    account: str
    settlement_id: str
    status: PayoutStatus
    amount: Decimal
    currency: str
    account_tail: str
    trace_id: str
    created_at: datetime
    settled_at: datetime | None
    deposit_date: datetime
    marketplace_id: str


def payout(report: SampleReport, place: int, seed: int) -> SamplePayout | None:
    """The payout of a settlement; none where nothing is left to pay. Amazon gives both the same number."""
    if report.total_pence <= 0:
        return None
    status: PayoutStatus = "PAID"
    if report.story.payout_fails:
        status = "FAILED"
    elif (report.account, place) == LATE:
        status = "IN_TRANSIT"
    trace = chance(seed, "trace", report.settlement_id).getrandbits(88)
    return SamplePayout(
        id=report.settlement_id,
        account=report.account,
        settlement_id=report.settlement_id,
        status=status,
        amount=report.total,
        currency=report.currency,
        account_tail=MARKETS[report.account].account_tail,
        trace_id=lettered(trace, 15).upper(),
        created_at=report.end,
        settled_at=None if status == "IN_TRANSIT" else report.deposit_date + timedelta(hours=3),
        deposit_date=report.deposit_date,
        marketplace_id=report.marketplace_id,
    )
