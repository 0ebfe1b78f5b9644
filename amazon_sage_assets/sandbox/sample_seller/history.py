"""The sample seller: two months of one company's trade on Amazon, from orders to bank, made from a seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property

from amazon_sage_assets.sandbox.sample_seller.amazon_orders import amazon_order
from amazon_sage_assets.sandbox.sample_seller.bank import SampleBankLine, bank_lines, card_lines
from amazon_sage_assets.sandbox.sample_seller.catalogue import MARKETS, PRODUCTS, Product
from amazon_sage_assets.sandbox.sample_seller.orders import (
    AWKWARD,
    CANCELLED,
    HELD,
    HELD_AS,
    PENDING,
    OrderBook,
    SampleOrder,
)
from amazon_sage_assets.sandbox.sample_seller.payouts import SamplePayout, payout
from amazon_sage_assets.sandbox.sample_seller.returns import Row, returns
from amazon_sage_assets.sandbox.sample_seller.settlements import LENGTH, SETTLEMENTS, SampleReport, chain, first_start
from amazon_sage_assets.sandbox.sample_seller.transactions import Record, records


@dataclass(frozen=True)
class SampleSeller:
    """`anchor` is the first day of the first of two months. The same three values give the same bytes everywhere.

    Nothing large is kept: orders, transactions and report lines come one at a time, at any scale.
    """

    anchor: date
    seed: int = 7
    scale: int = 1

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(MARKETS)

    @property
    def until(self) -> datetime:
        """The moment up to which the history is known: the end of the last settlement."""
        return max(self._chain_end(account) for account in MARKETS)

    def products(self) -> Sequence[Product]:
        return PRODUCTS

    def orders(self, account: str) -> Iterator[SampleOrder]:
        """An account's orders as they came in."""
        return iter(self._books[account])

    def held_orders(self) -> list[tuple[str, SampleOrder]]:
        """The orders that cannot become Sage orders as they are, each with its reason. They are not sent yet."""
        return [(reason, order) for reason, order in self._planted_orders if reason in HELD]

    def awkward_orders(self) -> list[tuple[str, SampleOrder]]:
        """The orders that need care to become Sage orders, each with its reason. They are not sent yet either."""
        return [(reason, order) for reason, order in self._planted_orders if reason in AWKWARD]

    def pending_orders(self) -> list[SampleOrder]:
        """The orders that are not paid for yet."""
        return [order for reason, order in self._planted_orders if reason == PENDING]

    def cancelled_orders(self) -> list[SampleOrder]:
        return [order for reason, order in self._planted_orders if reason == CANCELLED]

    def amazon_orders(self, account: str) -> Iterator[Record]:
        """The account's orders as the Orders API tells them, with all blocks."""
        return map(amazon_order, self._books[account])

    def returns(self, account: str) -> Iterator[Row]:
        """The goods that came back to an account, as rows of Amazon's returns reports."""
        return returns(self._books[account])

    def reports(self) -> list[SampleReport]:
        """Every settlement report, by account and then in order."""
        return [report for reports in self._chains.values() for report in reports]

    def payouts(self) -> list[SamplePayout]:
        """One per settlement that left something to pay."""
        found = (
            payout(report, place, self.seed)
            for reports in self._chains.values()
            for place, report in enumerate(reports)
        )
        return [one for one in found if one]

    def transactions(self, account: str) -> Iterator[Record]:
        """The account's money as listTransactions tells it."""
        return records(self._chains[account])

    def bank_lines(self) -> list[SampleBankLine]:
        """What is in Sage's main bank before the bridge posts anything."""
        return list(bank_lines(list(self._chains.values()), self.anchor))

    def card_lines(self) -> list[SampleBankLine]:
        """What the statement of the company card shows; not in Sage."""
        return list(card_lines(list(self._chains.values())))

    @property
    def expected_exceptions(self) -> list[tuple[str, str]]:
        """Code and settlement id of what a full close must raise about settlements, payouts and bank; nothing else.

        Those of `expected_order_exceptions` come on top where orders are read.
        """
        unmapped = [("UNMAPPED_TYPE", r.settlement_id) for r in self.reports() if r.story.has_unknown_fee]
        late = [("PAYOUT_LATE", p.settlement_id) for p in self.payouts() if p.status == "IN_TRANSIT"]
        return [*unmapped, *late, ("BANK_WITHOUT_SETTLEMENT", "")]

    @cached_property
    def _planted_orders(self) -> list[tuple[str, SampleOrder]]:
        return [(order.planted, order) for book in self._books.values() for order in book.planted() if order.planted]

    @property
    def expected_order_exceptions(self) -> list[tuple[str, str]]:
        """Code and order id of what reading and sending the orders must raise: one for each of `held_orders`."""
        return [(HELD_AS[reason], order.order_id) for reason, order in self.held_orders()]

    @cached_property
    def _books(self) -> dict[str, OrderBook]:
        second = (self.anchor.replace(day=1) + timedelta(days=31)).replace(day=1)
        third = (second + timedelta(days=31)).replace(day=1)
        days = (third - self.anchor).days
        return {
            account: OrderBook(self.seed, self.scale, account, self.anchor, days, self._chain_end(account))
            for account in MARKETS
        }

    @cached_property
    def _chains(self) -> dict[str, list[SampleReport]]:
        return {account: chain(book, first_start(book.market, self._midnight)) for account, book in self._books.items()}

    @property
    def _midnight(self) -> datetime:
        return datetime.combine(self.anchor, time())

    def _chain_end(self, account: str) -> datetime:
        return first_start(MARKETS[account], self._midnight) + SETTLEMENTS * LENGTH
