"""The Sage sales order that an Amazon order becomes. Nothing is sent here.

Sage works VAT out per rate on the order's net total, the buyer paid prices with VAT inside. So for each rate a net is
sought whose VAT, as Sage will work it out, is the VAT in the buyer's price; the penny by which net and VAT then miss
the price is a rounding line. Net + VAT + rounding is what the buyer paid, always.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from amazon_sage_assets.accounting.posting_plan import Ledger
from amazon_sage_assets.accounting.sales_documents import SalesDocument, as_payload
from amazon_sage_assets.money import BASIS_POINTS, allocate, from_pence, round_half_up, to_pence

ORDER, DAILY_ORDER = "order", "daily_order"
KIND = "sop_order"
UNIT_PRICE = Decimal("0.00001")  # five decimals are what Sage keeps of a unit price
MOST_UNITS = 1_000  # of one line: up to here some unit price comes to any amount of pence
WIDTH = 60  # pence to either side of the natural net within which one is sought
ROUNDING_TEXT = "Rounding to what the buyer paid"


class DoesNotFit(Exception):  # noqa: N818
    """The order cannot be built so that Sage's total is what the buyer paid. The message says by how much."""


@dataclass(frozen=True)
class StockPart:
    """So many units of a stock item of Sage in one unit of what was sold."""

    stock_code: str
    units: int


@dataclass(frozen=True)
class SoldItem:
    """One item as sold. Amounts for the whole quantity with VAT inside; `postage` and `wrap` are in `gross`.

    Without `parts` it is no stock item, and its line says `text`.
    """

    parts: tuple[StockPart, ...]
    quantity: int
    gross: Decimal
    vat: Decimal
    rate_bp: int
    tax_code: str
    ledger: Ledger
    postage: Decimal = Decimal("0.00")
    wrap: Decimal = Decimal("0.00")
    text: str = ""


@dataclass(frozen=True)
class OrderHead:
    """What the lines hang on. `recipient` is a hash, empty where Sage need not know whom it goes to."""

    key: str
    document: str
    customer_document_no: str
    marketplace: str
    currency: str
    fulfilment: str
    day: date
    deliver_by: date | None = None
    recipient: str = ""


@dataclass(frozen=True)
class RoundingRule:
    """`account` and `tax_code` of a rounding line; `tolerance` is how large it may be, either way."""

    account: Ledger
    tax_code: str
    tolerance: Decimal
    may_be_negative: bool = True


def plan_order(head: OrderHead, items: Sequence[SoldItem], rule: RoundingRule) -> SalesDocument:
    """The order whose total in Sage, `amount`, is what the buyer paid. Raises DoesNotFit."""
    gross = sum((item.gross for item in items), Decimal("0.00"))
    lines, vat = priced_lines(items, rule)
    payload = {
        "kind": KIND,
        "document_date": head.day.isoformat(),
        "customer_document_no": head.customer_document_no,
        "customer": {"marketplace": head.marketplace, "currency": head.currency},
        "fulfilment": head.fulfilment,
        "deliver_by": head.deliver_by.isoformat() if head.deliver_by else "",
        "recipient": head.recipient,
        "lines": lines,
        "gross": str(gross),
        "vat": str(vat),
    }
    return SalesDocument(
        message_key=head.key,
        kind=KIND,
        document=head.document,
        document_date=head.day,
        remote_reference=head.customer_document_no,
        amount=gross,
        currency=head.currency,
        payload=as_payload(payload),
        order_id=head.customer_document_no if head.document == ORDER else None,
    )


def priced_lines(items: Sequence[SoldItem], rule: RoundingRule) -> tuple[list[dict[str, Any]], Decimal]:
    """Lines whose total in Sage is the items' gross, and the VAT that Sage works out on them. Raises DoesNotFit.

    Each line has its net and, for a Sage whose prices hold the VAT, its gross; there the rounding line falls away.
    """
    nets, rounding = _nets(items, rule)
    lines: list[dict[str, Any]] = []
    for item, net in zip(items, nets, strict=True):
        lines += _lines(item, net)
    if rounding:
        lines.append(_text_line(ROUNDING_TEXT, rounding, Decimal("0.00"), rule.account, rule.tax_code))
    return lines, from_pence(sum(sage_vat(net_and_rate) for net_and_rate in _by_rate(items, nets).values()))


Rate = tuple[str, int]


def _by_rate(items: Sequence[SoldItem], nets: Sequence[Decimal]) -> dict[Rate, tuple[int, int]]:
    """Net pence per tax code, with its rate."""
    found: dict[Rate, int] = {}
    for item, net in zip(items, nets, strict=True):
        key = (item.tax_code, item.rate_bp)
        found[key] = found.get(key, 0) + to_pence(net)
    return {key: (pence, key[1]) for key, pence in found.items()}


def sage_vat(net_and_rate: tuple[int, int]) -> int:
    """The VAT, in pence, that Sage works out on the net total of one rate."""
    return round_half_up(net_and_rate[0] * net_and_rate[1], BASIS_POINTS)


def _nets(items: Sequence[SoldItem], rule: RoundingRule) -> tuple[list[Decimal], Decimal]:
    """The net of each item, and the rounding line. Raises DoesNotFit."""
    groups: dict[Rate, list[int]] = {}
    for place, item in enumerate(items):
        groups.setdefault((item.tax_code, item.rate_bp), []).append(place)
    tolerance = to_pence(rule.tolerance)
    for closest in (False, True):  # first the VAT in the price, then, where several rates add up, the total
        nets = [Decimal("0.00")] * len(items)
        rounding = 0
        for (_, rate_bp), places in groups.items():
            paid = [to_pence(items[place].gross) for place in places]
            gross = sum(paid)
            vat = sum(to_pence(items[place].vat) for place in places)
            net, missing = _net_of(gross, vat, rate_bp, tolerance, rule.may_be_negative, closest)
            if gross:  # at one rate, nets are to each other as prices are
                for place, share in zip(places, allocate(from_pence(net), paid), strict=True):
                    nets[place] = share
            rounding += missing
        if abs(rounding) <= tolerance:
            return nets, from_pence(rounding)
    raise DoesNotFit(
        f"Sage's VAT per rate misses what the buyer paid by {from_pence(rounding)}; the tolerance is {rule.tolerance}."
    )


def _net_of(
    gross: int, vat: int, rate_bp: int, tolerance: int, may_be_negative: bool, closest: bool
) -> tuple[int, int]:
    """The net of one rate and what net and Sage's VAT on it leave of the gross, in pence.

    The nearest VAT wins within the tolerance, then the smallest rest; with `closest` the other way round.
    """
    natural = round_half_up(gross * BASIS_POINTS, BASIS_POINTS + rate_bp)
    found = [
        (net, sage, gross - net - sage)
        for net in range(max(natural - WIDTH, 0), natural + WIDTH + 1)
        for sage in (round_half_up(net * rate_bp, BASIS_POINTS),)
        if may_be_negative or gross - net - sage >= 0
    ]
    within = [] if closest else [one for one in found if abs(one[2]) <= tolerance]
    if within:
        net, _, missing = min(within, key=lambda one: (abs(one[1] - vat), abs(one[2]), one[0]))
    else:
        net, _, missing = min(found, key=lambda one: (abs(one[2]), abs(one[1] - vat), one[0]))
    return net, missing


def _lines(item: SoldItem, net: Decimal) -> list[dict[str, Any]]:
    """The item's Sage lines: its stock items, then postage and gift wrap. They add up to `net`."""
    if not item.parts:
        return [_text_line(item.text, net, item.gross, item.ledger, item.tax_code)]
    share, paid_share = _share(net, item), _share(item.gross, item)
    lines = []
    for place, (part, value) in enumerate(zip(item.parts, share[: len(item.parts)], strict=True)):
        units = _line_units(item.quantity * part.units)
        nets, grosses = allocate(value, units), allocate(paid_share[place], units)
        for quantity, line_net, line_gross in zip(units, nets, grosses, strict=True):
            lines.append({
                "line": "stock",
                "stock_code": part.stock_code,
                "quantity": quantity,
                "unit_price": str((line_net / quantity).quantize(UNIT_PRICE, rounding=ROUND_HALF_UP)),
                "net": str(line_net),
                "gross": str(line_gross),
                **_booking(item.ledger, item.tax_code),
            })  # fmt: skip
    for text, paid, value in zip(
        ("Postage", "Gift wrap"), (item.postage, item.wrap), share[len(item.parts) :], strict=True
    ):
        if paid:
            lines.append(_text_line(text, value, paid, item.ledger, item.tax_code))
    return lines


def _share(net: Decimal, item: SoldItem) -> list[Decimal]:
    """The net over stock items, postage and wrap, as the buyer's price is; a bundle's goods by units."""
    goods = item.gross - item.postage - item.wrap
    extra = [to_pence(item.postage), to_pence(item.wrap)]
    if item.gross == 0:
        return [Decimal("0.00")] * (len(item.parts) + 2)
    whole = allocate(net, [to_pence(goods), *extra])
    units = [part.units for part in item.parts]
    return [*allocate(whole[0], units), *whole[1:]]


def _line_units(quantity: int) -> list[int]:
    """A quantity in lines on which the unit price can be exact to the penny."""
    whole, rest = divmod(quantity, MOST_UNITS)
    return [MOST_UNITS] * whole + ([rest] if rest else [])


def _text_line(text: str, net: Decimal, gross: Decimal, ledger: Ledger, tax_code: str) -> dict[str, Any]:
    return {
        "line": "text",
        "description": text,
        "quantity": 1,
        "unit_price": str(net),
        "net": str(net),
        "gross": str(gross),
        **_booking(ledger, tax_code),
    }


def _booking(ledger: Ledger, tax_code: str) -> dict[str, str]:
    return {
        "nominal_code": ledger.nominal_code,
        "cost_centre": ledger.cost_centre,
        "department": ledger.department,
        "tax_code": tax_code,
    }


def merged(items: Iterable[SoldItem]) -> list[SoldItem]:
    """Items of many orders as one per stock item, treatment and account: the lines of a daily order."""
    found: dict[tuple[Any, ...], SoldItem] = {}
    for item in items:
        key = (item.parts, item.rate_bp, item.tax_code, item.ledger)
        known = found.get(key)
        found[key] = item if known is None else SoldItem(
            item.parts, known.quantity + item.quantity, known.gross + item.gross, known.vat + item.vat, item.rate_bp,
            item.tax_code, item.ledger, known.postage + item.postage, known.wrap + item.wrap,
        )  # fmt: skip
    return [found[key] for key in sorted(found, key=repr)]
