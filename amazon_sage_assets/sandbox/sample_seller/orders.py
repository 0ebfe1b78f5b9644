"""The orders, made one by one: any order can be made again without the ones before it, so nothing is kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from random import Random
from typing import NamedTuple

from amazon_sage_assets.money import from_pence
from amazon_sage_assets.sandbox.sample_seller.buyers import (
    Buyer,
    buyer,
    with_emoji,
    with_long_address,
    with_long_line,
    with_long_postcode,
    without_postcode,
)
from amazon_sage_assets.sandbox.sample_seller.catalogue import (
    BY_SKU,
    MARKETS,
    MULTI_PACK_SKU,
    NO_VAT_SKU,
    UNMATCHED_SKU,
    Market,
    Product,
    offered,
    vat_inside,
)
from amazon_sage_assets.sandbox.sample_seller.chance import chance, lettered, scattered

POSTAGE_PENCE, FREE_FROM_PENCE = 399, 3000
OPEN_SECONDS = 61_200  # buyers are awake from five in the morning until ten at night
LATE_SECONDS = 600  # between the planted orders that come after the others
REFUND_EVERY = 20  # one order in so many
BUSINESS_EVERY = 25
HOLD_DAYS, BUSINESS_HOLD_DAYS = 7, 30  # Amazon keeps the money so long after sending
LONGEST_WAY = timedelta(days=5)  # from the order to the end of the day on which its money is due, holding time apart
REFUND_DAYS = (14, 31)  # after sending
NUMBERS_A_DAY = 1_000_003  # no multiple of ten, or the ids of every day would end alike

UNMATCHED, LONG_LINE, LONG_POSTCODE = "unmatched_sku", "long_address_line", "long_postcode"
NO_VAT, LONG_ADDRESS = "vat_category", "long_address"
EMOJI, NO_POSTCODE, MULTI_PACK = "emoji", "no_postcode", "multi_pack"
PENDING, CANCELLED = "pending", "cancelled"
# What is planted on the last day, once each and not sent: in place of its first orders, and after its last ones.
PLANTED_FIRST = (UNMATCHED, LONG_LINE, LONG_POSTCODE)
PLANTED_LAST = (NO_VAT, PENDING, CANCELLED, EMOJI, LONG_ADDRESS, NO_POSTCODE, MULTI_PACK)
HELD = (UNMATCHED, LONG_POSTCODE, NO_VAT, NO_POSTCODE, MULTI_PACK)
# Under which exception each of them waits.
HELD_AS = {
    UNMATCHED: "SKU_UNMATCHED",
    MULTI_PACK: "SKU_UNMATCHED",
    LONG_POSTCODE: "FIELD_TOO_LONG",
    NO_VAT: "VAT_CATEGORY_MISSING",
    NO_POSTCODE: "ADDRESS_INCOMPLETE",
}
AWKWARD = (LONG_LINE, EMOJI, LONG_ADDRESS)
_ODD_BUYERS = {
    LONG_LINE: with_long_line,
    LONG_POSTCODE: with_long_postcode,
    EMOJI: with_emoji,
    LONG_ADDRESS: with_long_address,
    NO_POSTCODE: without_postcode,
}
_ODD_SKUS = {UNMATCHED: UNMATCHED_SKU, NO_VAT: NO_VAT_SKU, MULTI_PACK: MULTI_PACK_SKU}


class SampleItem(NamedTuple):
    """One order line, or the part of it that is refunded. Amounts are pence or cents for the whole quantity.

    `price` and `postage` are what the buyer pays with VAT inside; `promotion` lowers that, and is positive.
    """

    item_code: str
    sku: str
    quantity: int
    price: int
    vat: int
    postage: int
    postage_vat: int
    promotion: int
    promotion_vat: int
    promotion_id: str
    vat_bp: int

    @property
    def paid(self) -> int:
        return self.price + self.postage - self.promotion

    @property
    def vat_paid(self) -> int:
        return self.vat + self.postage_vat - self.promotion_vat


class SampleRefund(NamedTuple):
    """Money given back. `is_full`: the whole order, and the goods come back; else a part of one item's price."""

    refund_id: str
    moment: datetime
    items: tuple[SampleItem, ...]
    adjustment_item_ids: tuple[str, ...]
    is_full: bool

    @property
    def amount_pence(self) -> int:
        """What the buyer gets back."""
        return sum(item.paid for item in self.items)


class SampleOrder(NamedTuple):
    """One order. Moments are UTC without a zone. `shipped_at` is None while the company has not sent it."""

    account: str
    order_id: str
    shipment_id: str
    purchased_at: datetime
    shipped_at: datetime | None
    released_at: datetime | None  # when Amazon lets the money into a settlement
    ship_by: datetime
    fulfilment: str
    is_business: bool
    items: tuple[SampleItem, ...]
    refunds: tuple[SampleRefund, ...]
    planted: str | None  # what is special about it: one of PLANTED_FIRST or PLANTED_LAST
    key: tuple[object, ...]

    @property
    def market(self) -> Market:
        return MARKETS[self.account]

    @property
    def marketplace(self) -> str:
        return self.market.marketplace

    @property
    def currency(self) -> str:
        return self.market.currency

    @property
    def total_pence(self) -> int:
        """What the buyer paid, VAT inside."""
        return sum(item.paid for item in self.items)

    @property
    def held_for(self) -> str | None:
        """Why a careful bridge cannot make a Sage order of it; one of HELD."""
        return self.planted if self.planted in HELD else None

    @property
    def updated_at(self) -> datetime:
        """When Amazon last changed it: it was sent or called off, or could be paid for, as far as it is."""
        if self.planted == CANCELLED:
            return self.purchased_at + timedelta(minutes=95)
        return self.shipped_at or self.purchased_at + timedelta(minutes=1 if self.planted == PENDING else 30)

    @property
    def buyer(self) -> Buyer:
        one = buyer(self.market.country, *self.key)
        change = _ODD_BUYERS.get(self.planted or "")
        return change(one) if change else one

    def __str__(self) -> str:
        return f"{self.order_id} of {self.purchased_at:%d %b %Y}, {from_pence(self.total_pence)} {self.currency}"


@dataclass(frozen=True)
class OrderBook:
    """Every order of one account: `days` days from `first_day`. What happens from `known_until` on is not known yet."""

    seed: int
    scale: int
    account: str
    first_day: date
    days: int
    known_until: datetime

    @property
    def market(self) -> Market:
        return MARKETS[self.account]

    @cached_property
    def _offers(self) -> dict[str, tuple[Product, ...]]:
        return {fulfilment: offered(self.account, fulfilment) for fulfilment in ("AFN", "MFN")}

    @cached_property
    def _offset(self) -> int:
        return chance(self.seed, self.account, self.first_day, "ids").randrange(10**14)

    @property
    def end(self) -> datetime:
        """Midnight after the last day of orders."""
        return datetime.combine(self.first_day + timedelta(days=self.days), time())

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """How many orders come on each day. The scale multiplies it exactly."""
        fewest, most = self.market.orders_a_day
        days = (chance(self.seed, self.account, "day", day) for day in range(self.days))
        return tuple(source.randint(fewest, most) * self.scale for source in days)

    @cached_property
    def _first_business(self) -> tuple[int, ...]:
        return self._firsts("business", BUSINESS_EVERY)

    @cached_property
    def _first_refunded(self) -> tuple[int, ...]:
        return self._firsts("refund", REFUND_EVERY)

    def _firsts(self, what: str, every: int) -> tuple[int, ...]:
        return tuple(chance(self.seed, self.account, what, day).randrange(every) for day in range(self.days))

    def __iter__(self) -> Iterator[SampleOrder]:
        for day in range(self.days):
            for number in range(self.counts[day]):
                yield self.order(day, number)
        yield from (self.order(*place) for place in self._planted_last)

    def planted(self) -> Iterator[SampleOrder]:
        """The orders that something is special about."""
        first = [(self.days - 1, number) for number in range(len(PLANTED_FIRST) if self.market.sends_itself else 0)]
        yield from (self.order(*place) for place in (*first, *self._planted_last))

    @property
    def _planted_last(self) -> list[tuple[int, int]]:
        """Day and number of what comes after the last day's ordinary orders, whose times do not shift for it."""
        count = len(PLANTED_LAST) if self.market.sends_itself else 0
        return [(self.days - 1, self.counts[-1] + index) for index in range(count)]

    def released_between(self, start: datetime, end: datetime) -> Iterator[SampleOrder]:
        """The orders whose money Amazon lets go from `start` on and before `end`."""
        for hold, business in ((HOLD_DAYS, False), (BUSINESS_HOLD_DAYS, True)):
            earliest, latest = start - timedelta(days=hold) - LONGEST_WAY, end - timedelta(days=hold)
            for day in self._days_between(earliest, latest):
                for number in self._numbers(day, business):
                    order = self.order(day, number)
                    if order.released_at is not None and start <= order.released_at < end:
                        yield order

    def refunded_between(self, start: datetime, end: datetime) -> Iterator[tuple[SampleOrder, SampleRefund]]:
        """The refunds from `start` on and before `end`, each with its order."""
        least, most = REFUND_DAYS
        earliest, latest = start - timedelta(days=most) - LONGEST_WAY, end - timedelta(days=least)
        for day in self._days_between(earliest, latest):
            for number in range(self._first_refunded[day], self.counts[day], REFUND_EVERY):
                order = self.order(day, number)
                yield from ((order, refund) for refund in order.refunds if start <= refund.moment < end)

    def order(self, day: int, number: int) -> SampleOrder:
        """One order; the same one whenever it is asked for."""
        key = (self.seed, self.account, "order", day, number)
        source = chance(*key)
        planted = self._planted_at(day, number)
        count = self.counts[day]
        length = max(OPEN_SECONDS // count, 1) if number < count else LATE_SECONDS
        second = number * OPEN_SECONDS // count if number < count else OPEN_SECONDS + (number - count) * LATE_SECONDS
        purchased = self._midnight(day) + timedelta(hours=5, seconds=second + source.randrange(length))
        by_company = self.market.sends_itself and (planted is not None or source.randrange(100) < 40)
        fulfilment = "MFN" if by_company else "AFN"
        is_business = planted is None and number % BUSINESS_EVERY == self._first_business[day]
        place = day * NUMBERS_A_DAY + number
        items = self._items(source, place, fulfilment, planted)
        shipped = _sent(source, purchased, fulfilment)
        hold = timedelta(days=BUSINESS_HOLD_DAYS if is_business else HOLD_DAYS, minutes=source.randrange(36 * 60))
        is_sent = fulfilment == "AFN" or shipped < self.end
        is_refunded = is_sent and not is_business and number % REFUND_EVERY == self._first_refunded[day]
        refund = self._refund(key, place, items, shipped) if is_refunded else None
        identity = scattered(place, 14, self._offset)
        prefixes = self.market.order_prefixes
        return SampleOrder(
            account=self.account,
            order_id=f"{prefixes[identity % len(prefixes)]}-{identity // 10**7:07d}-{identity % 10**7:07d}",
            shipment_id=f"U{lettered(identity, 8)}",
            purchased_at=purchased,
            shipped_at=shipped if is_sent else None,
            released_at=shipped + hold if is_sent else None,
            ship_by=_end_of_day(_working_day(purchased.date(), 2)),
            fulfilment=fulfilment,
            is_business=is_business,
            items=items,
            refunds=(refund,) if refund and refund.moment < self.known_until else (),
            planted=planted,
            key=key,
        )

    def _items(self, source: Random, place: int, fulfilment: str, planted: str | None) -> tuple[SampleItem, ...]:
        offers = self._offers[fulfilment]
        first = source.randrange(len(offers))
        chosen = [BY_SKU[_ODD_SKUS[planted]] if planted in _ODD_SKUS else offers[first]]
        if planted is None and source.randrange(100) < 15:
            chosen.append(offers[(first + 1 + source.randrange(len(offers) - 1)) % len(offers)])
        quantities = [3 if roll > 96 else 2 if roll > 84 else 1 for roll in (source.randrange(100) for _ in chosen)]
        goods = sum(p.gross_pence[self.account] * q for p, q in zip(chosen, quantities, strict=True))
        pays_postage = goods < FREE_FROM_PENCE if fulfilment == "MFN" else source.randrange(8) == 0
        has_promotion = source.randrange(100) < 12
        return tuple(
            self._item(place * 4 + index, product, quantity, pays_postage and not index, has_promotion and not index)
            for index, (product, quantity) in enumerate(zip(chosen, quantities, strict=True))
        )

    def _item(self, code: int, product: Product, quantity: int, pays_postage: bool, has_promotion: bool) -> SampleItem:
        rate = product.vat_bp[self.account]
        price = product.gross_pence[self.account] * quantity
        postage = POSTAGE_PENCE if pays_postage else 0
        promotion = price // 10 if has_promotion else 0
        return SampleItem(
            item_code=f"6{scattered(code, 13, self._offset):013d}",
            sku=product.sku,
            quantity=quantity,
            price=price,
            vat=vat_inside(price, rate),
            postage=postage,
            postage_vat=vat_inside(postage, rate),
            promotion=promotion,
            promotion_vat=vat_inside(promotion, rate),
            promotion_id="CK-TEN-PERCENT" if promotion else "",
            vat_bp=rate,
        )

    def _refund(
        self, key: tuple[object, ...], place: int, items: tuple[SampleItem, ...], shipped: datetime
    ) -> SampleRefund:
        source = chance(*key, "refund")
        least, most = REFUND_DAYS
        moment = shipped + timedelta(minutes=source.randrange(least * 1440, most * 1440))
        is_full = source.randrange(100) < 60
        back = items if is_full else (_part(items[0], source.randrange(10, 50)),)
        return SampleRefund(
            refund_id=f"amzn1:crow:{lettered(scattered(place, 14, self._offset), 8)}",
            moment=moment,
            items=back,
            adjustment_item_ids=tuple(f"17{scattered(int(i.item_code), 17, self._offset):017d}" for i in back),
            is_full=is_full,
        )

    def _planted_at(self, day: int, number: int) -> str | None:
        if not self.market.sends_itself or day != self.days - 1:
            return None
        if number < len(PLANTED_FIRST):
            return PLANTED_FIRST[number]
        late = number - self.counts[day]
        return PLANTED_LAST[late] if 0 <= late < len(PLANTED_LAST) else None

    def _numbers(self, day: int, business: bool) -> Iterator[int]:
        """The numbers of a day's orders from businesses, or of all the others."""
        first = self._first_business[day]
        if business:
            yield from range(first, self.counts[day], BUSINESS_EVERY)
        else:
            yield from (n for n in range(self.counts[day]) if n % BUSINESS_EVERY != first)

    def _midnight(self, day: int) -> datetime:
        return datetime.combine(self.first_day + timedelta(days=day), time())

    def _days_between(self, earliest: datetime, latest: datetime) -> range:
        first = (earliest.date() - self.first_day).days
        last = (latest.date() - self.first_day).days
        return range(max(first, 0), min(last + 1, self.days))


def _part(item: SampleItem, percent: int) -> SampleItem:
    """A share of an item's price, without postage and promotion."""
    price = max(item.price * percent // 100, 1)
    return item._replace(
        price=price, vat=vat_inside(price, item.vat_bp), postage=0, postage_vat=0, promotion=0, promotion_vat=0,
        promotion_id="",
    )  # fmt: skip


def _sent(source: Random, purchased: datetime, fulfilment: str) -> datetime:
    """Amazon sends within a day or so; the company on the afternoon of the next working day."""
    if fulfilment == "AFN":
        return purchased + timedelta(minutes=source.randrange(4 * 60, 30 * 60))
    afternoon = datetime.combine(_working_day(purchased.date(), 1), time(13))
    return afternoon + timedelta(minutes=source.randrange(180))


def _working_day(day: date, ahead: int) -> date:
    """The working day so many working days after a day."""
    while ahead:
        day += timedelta(days=1)
        ahead -= day.weekday() < 5
    return day


def _end_of_day(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59))
