"""What Amazon writes for an order or a refund: per item, the buyer's money, kept tax and fees, towards the seller."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from amazon_sage_assets.money import round_half_up
from amazon_sage_assets.sandbox.sample_seller.catalogue import BY_SKU
from amazon_sage_assets.sandbox.sample_seller.orders import SampleItem, SampleOrder, SampleRefund

Charge = tuple[str, str, int]  # amount type, description, pence

COMMISSION_PERCENT = 18  # 15% and the UK VAT that Amazon puts into its fees
REFUND_COMMISSION_PERCENT = 20  # of the commission that is handed back


class Line(NamedTuple):
    """One row of a settlement report."""

    transaction_type: str
    amount_type: str
    description: str
    pence: int
    moment: datetime
    order_id: str = ""
    adjustment_id: str = ""
    shipment_id: str = ""
    marketplace: str = ""
    fulfilment: str = ""
    item_code: str = ""
    adjustment_item_id: str = ""
    sku: str = ""
    quantity: str = ""
    promotion_id: str = ""


def sale_charges(order: SampleOrder, item: SampleItem) -> list[Charge]:
    """What one item of an order brings and costs."""
    commission = _commission(item)
    charges = [*_buyers_money(order, item, 1), ("ItemFees", "Commission", -commission)]
    if order.fulfilment == "AFN":
        fee = BY_SKU[item.sku].fba_fee_pence[order.account] * item.quantity
        charges.append(("ItemFees", "FBAPerUnitFulfillmentFee", -fee))
    return [*charges, *_postage_fee(order, item, 1)]


def refund_charges(order: SampleOrder, item: SampleItem) -> list[Charge]:
    """What the refund of an item, or of a part of it, takes back and gives back."""
    commission = _commission(item)
    kept = round_half_up(commission * REFUND_COMMISSION_PERCENT, 100)
    return [
        *_buyers_money(order, item, -1),
        ("ItemFees", "Commission", commission),
        ("ItemFees", "RefundCommission", -kept),
        *_postage_fee(order, item, -1),
    ]


def _commission(item: SampleItem) -> int:
    return round_half_up((item.price - item.promotion) * COMMISSION_PERCENT, 100)


def _buyers_money(order: SampleOrder, item: SampleItem, sign: int) -> Iterator[Charge]:
    """Goods, postage and promotion with their VAT, and the VAT that Amazon keeps, which leaves nothing of it."""
    yield "ItemPrice", "Principal", sign * (item.price - item.vat)
    if item.vat:
        yield "ItemPrice", "Tax", sign * item.vat
    if item.postage:
        yield "ItemPrice", "Shipping", sign * (item.postage - item.postage_vat)
        if item.postage_vat:
            yield "ItemPrice", "ShippingTax", sign * item.postage_vat
    if item.promotion:
        yield "Promotion", "Principal", -sign * (item.promotion - item.promotion_vat)
        if item.promotion_vat:
            yield "Promotion", "TaxDiscount", -sign * item.promotion_vat
    if order.market.vat_withheld:
        yield "ItemWithheldTax", "MarketplaceFacilitatorVAT-Principal", -sign * (item.vat - item.promotion_vat)
        if item.postage_vat:
            yield "ItemWithheldTax", "MarketplaceFacilitatorVAT-Shipping", -sign * item.postage_vat


def _postage_fee(order: SampleOrder, item: SampleItem, sign: int) -> Iterator[Charge]:
    """Amazon keeps the postage of what it sends itself, and takes commission of the other."""
    if not item.postage:
        return
    if order.fulfilment == "AFN":
        yield "ItemFees", "ShippingChargeback", -sign * item.postage
    else:
        yield "ItemFees", "ShippingHB", -sign * round_half_up(item.postage * COMMISSION_PERCENT, 100)


def sale_pence(order: SampleOrder) -> int:
    """What an order leaves the seller."""
    return sum(charge[2] for item in order.items for charge in sale_charges(order, item))


def refund_pence(order: SampleOrder, refund: SampleRefund) -> int:
    """What a refund moves, below zero."""
    return sum(charge[2] for item in refund.items for charge in refund_charges(order, item))


def sale_lines(order: SampleOrder) -> Iterator[Line]:
    """The rows of an order, on the moment its money is let go."""
    if order.released_at is None:
        return
    for item in order.items:
        for amount_type, description, pence in sale_charges(order, item):
            yield Line(
                "Order", amount_type, description, pence, order.released_at, order.order_id, "", order.shipment_id,
                order.marketplace, order.fulfilment, item.item_code, "", item.sku, str(item.quantity),
                item.promotion_id if amount_type == "Promotion" else "",
            )  # fmt: skip


def refund_lines(order: SampleOrder, refund: SampleRefund) -> Iterator[Line]:
    """The rows of a refund; a refund has no shipment."""
    for item, adjustment in zip(refund.items, refund.adjustment_item_ids, strict=True):
        for amount_type, description, pence in refund_charges(order, item):
            yield Line(
                "Refund", amount_type, description, pence, refund.moment, order.order_id, refund.refund_id, "",
                order.marketplace, order.fulfilment, item.item_code, adjustment, item.sku, str(item.quantity),
                item.promotion_id if amount_type == "Promotion" else "",
            )  # fmt: skip
