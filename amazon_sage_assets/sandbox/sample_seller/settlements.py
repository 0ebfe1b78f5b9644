"""The settlements of an account, worked out from its orders: a chain of fourteen days each, without a gap.

The chain has its stories: a reserve is held and handed back, a payout comes back, a settlement ends in debt and the
next one charges the card, and the last one holds a fee that no rule knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from amazon_sage_assets.amazon.settlement_report import V2_COLUMNS
from amazon_sage_assets.money import from_pence
from amazon_sage_assets.sandbox.sample_seller.account_rows import (
    ADVERTISING_PERCENT,
    advertising,
    balance_row,
    losses,
    monthly,
    unknown_fee,
)
from amazon_sage_assets.sandbox.sample_seller.catalogue import MARKETS, Market
from amazon_sage_assets.sandbox.sample_seller.chance import chance
from amazon_sage_assets.sandbox.sample_seller.charges import (
    Line,
    refund_lines,
    refund_pence,
    sale_lines,
    sale_pence,
)
from amazon_sage_assets.sandbox.sample_seller.orders import OrderBook

LENGTH = timedelta(days=14)
PAYOUT_DELAY = timedelta(days=2)
SETTLEMENTS = 5
RESERVE_PERCENT = 8
RETURNED = "Transfer of funds unsuccessful: the bank did not accept the account details"
BLANKS = "\t" * 18  # the summary row fills six of the columns
STAMP = "%d.%m.%Y %H:%M:%S UTC"


@dataclass(frozen=True)
class Story:
    """What is special about a settlement of the chain, counted from 0."""

    keeps_reserve: bool = False
    payout_fails: bool = False
    ends_in_debt: bool = False
    has_unknown_fee: bool = False


STORIES = {
    "uk": (
        Story(payout_fails=True),
        Story(keeps_reserve=True),
        Story(ends_in_debt=True),
        Story(keeps_reserve=True),
        Story(keeps_reserve=True, has_unknown_fee=True),
    ),
    "de": (Story(), Story(keeps_reserve=True), Story(keeps_reserve=True), Story(), Story(keeps_reserve=True)),
}


@dataclass(frozen=True)
class SampleReport:
    """One settlement report as Seller Central offers it; `report_ids` are all that it can be had under."""

    account: str
    settlement_id: str
    report_ids: tuple[str, ...]
    marketplace: str
    marketplace_id: str
    currency: str
    start: datetime
    end: datetime
    deposit_date: datetime
    created_at: datetime
    total_pence: int
    story: Story
    book: OrderBook
    before: tuple[Line, ...]  # what is taken over from the settlement before
    after: tuple[Line, ...]  # what belongs to the account as a whole

    @property
    def total(self) -> Decimal:
        return from_pence(self.total_pence)

    @property
    def debt_pence(self) -> int:
        """What the seller owes Amazon at the end."""
        return max(-self.total_pence, 0)

    def lines(self) -> Iterator[Line]:
        """Every row below the summary, one at a time."""
        yield from self.before
        for order in self.book.released_between(self.start, self.end):
            yield from sale_lines(order)
        for order, refund in self.book.refunded_between(self.start, self.end):
            yield from refund_lines(order, refund)
        yield from self.after

    def write(self, path: Path) -> int:
        """Write the report as a V2 flat file. Returns how many lines follow the summary row."""
        count = 0
        with path.open("w", encoding="utf-8", newline="") as out:
            out.write("\t".join(V2_COLUMNS) + "\n")
            dates = "\t".join(moment.strftime(STAMP) for moment in (self.start, self.end, self.deposit_date))
            out.write(f"{self.settlement_id}\t{dates}\t{self.total}\t{self.currency}{BLANKS}\n")
            for line in self.lines():
                count += 1
                out.write(_text(self.settlement_id, line))
        return count


def _text(settlement_id: str, line: Line) -> str:
    day = line.moment.strftime("%d.%m.%Y")
    return (
        f"{settlement_id}\t\t\t\t\t\t{line.transaction_type}\t{line.order_id}\t{line.order_id}\t{line.adjustment_id}\t"
        f"{line.shipment_id}\t{line.marketplace}\t{line.amount_type}\t{line.description}\t{from_pence(line.pence)}\t"
        f"{line.fulfilment}\t{day}\t{day} {line.moment:%H:%M:%S} UTC\t{line.item_code}\t\t{line.adjustment_item_id}\t"
        f"{line.sku}\t{line.quantity}\t{line.promotion_id}\n"
    )


def first_start(market: Market, anchor: datetime) -> datetime:
    """When the first settlement of an account starts."""
    days, clock = market.first_start
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    return anchor + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def chain(book: OrderBook, start: datetime) -> list[SampleReport]:
    """Every settlement of an account, in order. It goes through all orders once, to add them up."""
    order_pence, buyers_pence = _added_up(book, start)
    reports: list[SampleReport] = []
    for index, story in enumerate(STORIES[book.account]):
        reports.append(_settlement(book, start, index, story, order_pence[index], buyers_pence[index], reports))
    return reports


def _added_up(book: OrderBook, start: datetime) -> tuple[list[int], list[int]]:
    """Per settlement: what orders and refunds leave the seller, and what buyers paid."""
    left, paid = [0] * SETTLEMENTS, [0] * SETTLEMENTS
    for order in book:
        if order.released_at is not None and (index := (order.released_at - start) // LENGTH) < SETTLEMENTS:
            left[index] += sale_pence(order)
            paid[index] += order.total_pence
        for refund in order.refunds:
            left[(refund.moment - start) // LENGTH] += refund_pence(order, refund)
    return left, paid


def _settlement(
    book: OrderBook, first: datetime, index: int, story: Story, order_pence: int, buyers_pence: int,
    earlier: list[SampleReport],
) -> SampleReport:  # fmt: skip
    market, start = book.market, first + index * LENGTH
    end = start + LENGTH
    before = tuple(_taken_over(earlier[-1], start)) if earlier else ()
    after = [
        *monthly(market, book.seed, book.scale, book.first_day, start, end),
        *losses(market, book.seed, book.scale, index, start, end),
    ]
    source = chance(book.seed, book.account, book.first_day, "settlement", index)
    if story.has_unknown_fee:
        after.append(unknown_fee(source.randrange(210, 690), end - timedelta(hours=9)))
    net = order_pence + sum(line.pence for line in (*before, *after))
    spent = buyers_pence * ADVERTISING_PERCENT // 100
    if story.ends_in_debt:  # a campaign that cost more than all that came in
        spent = net + source.randrange(8_000, 16_000)
    after.append(advertising(spent, end - timedelta(hours=5)))
    net -= spent
    reserve = net * RESERVE_PERCENT // 100 if story.keeps_reserve else 0
    if reserve:
        after.append(balance_row("Current Reserve Amount", -reserve, end + timedelta(seconds=8)))
    settlement_id = _settlement_id(book, index)
    return SampleReport(
        account=book.account,
        settlement_id=settlement_id,
        report_ids=_report_ids(settlement_id, twice=market.is_base and index == 1),
        marketplace=market.marketplace,
        marketplace_id=market.marketplace_id,
        currency=market.currency,
        start=start,
        end=end,
        deposit_date=end + PAYOUT_DELAY,
        created_at=end + timedelta(minutes=20),
        total_pence=net - reserve,
        story=story,
        book=book,
        before=before,
        after=tuple(after),
    )


def _taken_over(last: SampleReport, start: datetime) -> Iterator[Line]:
    """How a settlement opens after the one before it."""
    held = -sum(line.pence for line in last.after if line.description == "Current Reserve Amount")
    if held:
        yield balance_row("Previous Reserve Amount Balance", held, start)
    if last.debt_pence:
        yield balance_row("Payable to Amazon", -last.debt_pence, start)
        yield balance_row("Successful charge", last.debt_pence, start + timedelta(hours=2))
    if last.story.payout_fails:
        yield balance_row(RETURNED, last.total_pence, last.deposit_date + timedelta(days=2, hours=3))


def _settlement_id(book: OrderBook, index: int) -> str:
    """Eleven digits, rising along the chain, unlike those of the other account."""
    block = chance(book.seed, book.first_day, "settlement ids").randrange(100_000)
    return f"24{block:05d}{list(MARKETS).index(book.account) + 1}{index * 13 + 11:03d}"


def _report_ids(settlement_id: str, twice: bool) -> tuple[str, ...]:
    return tuple(f"5{settlement_id[2:]}{copy}" for copy in ((20772, 20778) if twice else (20772,)))
