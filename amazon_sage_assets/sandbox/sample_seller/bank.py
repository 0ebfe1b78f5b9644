"""What is in Sage's bank accounts already, and on the card statement, before the bridge posts anything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from amazon_sage_assets.money import from_pence
from amazon_sage_assets.sandbox.sample_seller.catalogue import MARKETS
from amazon_sage_assets.sandbox.sample_seller.settlements import SampleReport

ENTERED_BY_HAND = ("uk", 3)  # account and place in its chain, counted from 0
UNEXPLAINED_PENCE = 7_341


@dataclass(frozen=True)
class SampleBankLine:
    """One line. `contra` is the account key of the other side; a statement line has none, it is not in Sage."""

    date: date
    amount: Decimal
    currency: str
    bank: str
    reference: str
    source: Literal["hand", "feed", "statement"]
    contra: str
    settlement_id: str = ""


def bank_lines(chains: Sequence[Sequence[SampleReport]], anchor: date) -> Iterator[SampleBankLine]:
    """What finance entered and what the bank feed brought."""
    account, place = ENTERED_BY_HAND
    for reports in chains:
        if reports[0].account == account:
            report, market = reports[place], MARKETS[account]
            day = working_day_from(report.deposit_date.date() + timedelta(days=1))
            yield SampleBankLine(
                day, report.total, report.currency, market.bank, "AMZN payout JB", "hand", market.wallet,
                report.settlement_id,
            )  # fmt: skip
    bank, unexplained = MARKETS[account].bank, working_day_from(anchor + timedelta(days=33))
    yield SampleBankLine(unexplained, from_pence(UNEXPLAINED_PENCE), "GBP", bank, "AMAZON PAYMENTS", "feed", "suspense")
    shop = working_day_from(anchor + timedelta(days=19))
    yield SampleBankLine(shop, Decimal("418.60"), "GBP", bank, "HOLLY LANE TEAROOM", "feed", "debtors")


def card_lines(chains: Sequence[Sequence[SampleReport]]) -> Iterator[SampleBankLine]:
    """The company card's statement: what Amazon charged for settlements that ended in debt."""
    for report in (report for reports in chains for report in reports if report.debt_pence):
        day = working_day_from(report.end.date() + timedelta(days=1))
        yield SampleBankLine(
            day, report.total, report.currency, "card", "AMAZON SELLER SERVICES", "statement", "", report.settlement_id
        )


def working_day_from(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=max(7 - day.weekday(), 0) if day.weekday() > 4 else 0)
