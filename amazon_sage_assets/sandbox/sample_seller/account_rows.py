"""The rows of a settlement that belong to no order: what Amazon charges the account, and what it pays for losses."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from amazon_sage_assets.sandbox.sample_seller.catalogue import Market, offered
from amazon_sage_assets.sandbox.sample_seller.chance import chance
from amazon_sage_assets.sandbox.sample_seller.charges import Line

SUBSCRIPTION_PENCE = 3000
ADVERTISING_PERCENT = 6  # of what buyers paid
UNKNOWN_FEE = ("AmazonFees", "New Sustainability Levy", "Base fee")
_OTHER = "other-transaction"
_LOSSES = ("WAREHOUSE_LOST", "WAREHOUSE_DAMAGE", "MISSING_FROM_INBOUND", "REMOVAL_ORDER_LOST")


def balance_row(description: str, pence: int, moment: datetime) -> Line:
    """Reserve, debt, card charge or a payout that came back: money moves, nothing is earned or spent."""
    return Line(_OTHER, _OTHER, description, pence, moment)


def advertising(pence: int, moment: datetime) -> Line:
    return Line("ServiceFee", "Cost of Advertising", "TransactionTotalAmount", -pence, moment)


def unknown_fee(pence: int, moment: datetime) -> Line:
    """A fee that Amazon has just invented: no rule knows it."""
    return Line(*UNKNOWN_FEE, -pence, moment)


def monthly(market: Market, seed: int, scale: int, first: date, start: datetime, end: datetime) -> Iterator[Line]:
    """Subscription on the 3rd and storage on the 10th of each month from the first one on, as far as they fall here."""
    day = start.date().replace(day=1)
    while day <= end.date():
        subscribed = datetime.combine(day.replace(day=3), time(4, 11))
        stored = datetime.combine(day.replace(day=10), time(2, 40))
        if market.is_base and start <= subscribed < end and day >= first:
            yield Line(_OTHER, _OTHER, "Subscription Fee", -SUBSCRIPTION_PENCE, subscribed)
        if start <= stored < end and day >= first:
            pence = chance(seed, market.account, "storage", day).randrange(900, 2400) * scale
            yield Line(_OTHER, _OTHER, "Storage Fee", -pence, stored)
        day = (day + timedelta(days=31)).replace(day=1)


def losses(market: Market, seed: int, scale: int, index: int, start: datetime, end: datetime) -> Iterator[Line]:
    """Units that Amazon lost or broke and paid for; later one of those payments taken back; units destroyed."""
    source = chance(seed, market.account, "losses", index)
    goods = offered(market.account, "AFN")
    for number in range((1 + source.randrange(2)) * scale):
        product, reason = source.choice(goods), source.choice(_LOSSES)
        moment = end - timedelta(hours=6 + number % 40)
        yield _loss(reason, product.gross_pence[market.account] * 2 // 5, product.sku, moment)
    if index == 3:
        yield _loss("COMPENSATED_CLAWBACK", -goods[0].gross_pence[market.account] * 2 // 5, goods[0].sku, end - _DAY)
    if index == 2:
        yield from _removal(market, source.randrange(2, 6) * scale, start + 3 * _DAY)


_DAY = timedelta(days=1)


def _loss(reason: str, pence: int, sku: str, moment: datetime) -> Line:
    return Line(_OTHER, "FBA Inventory Reimbursement", reason, pence, moment, sku=sku, quantity="1")


def _removal(market: Market, units: int, moment: datetime) -> Iterator[Line]:
    """Amazon writes it in two ways: the tax of the fee on a row of its own, or inside the fee."""
    if market.is_base:
        yield Line("FBAFees", "FBA Removal Order: Disposal Fee", "Base fee", -50 * units, moment)
        yield Line("FBAFees", "FBA Removal Order: Disposal Fee", "Tax on fee", -10 * units, moment)
    else:
        yield Line(_OTHER, _OTHER, "DisposalComplete", -60 * units, moment)
