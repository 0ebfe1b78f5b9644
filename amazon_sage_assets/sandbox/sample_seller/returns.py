"""The goods that come back after a full refund, as rows of Amazon's two returns reports. Some never come back.

What Amazon sends comes back to Amazon, one row a unit; what the company sends comes back to the company, one row an
item.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from random import Random

from amazon_sage_assets.money import from_pence
from amazon_sage_assets.sandbox.sample_seller.catalogue import BY_SKU
from amazon_sage_assets.sandbox.sample_seller.chance import chance, lettered, scattered
from amazon_sage_assets.sandbox.sample_seller.orders import OrderBook, SampleItem, SampleOrder, SampleRefund

Row = dict[str, str]

KEPT_PERCENT = 15  # of the refunds: the buyer keeps the goods
DAMAGED_PERCENT = 20
DAYS_BACK = (2, 12)  # after the refund
SELLABLE, DAMAGED = "SELLABLE", "CUSTOMER_DAMAGED"
_REASONS = {SELLABLE: ("UNWANTED_ITEM", "ORDERED_WRONG_ITEM", "NOT_AS_DESCRIBED"), DAMAGED: ("DEFECTIVE",)}
_CENTRES = {"uk": ("LTN4", "BHX4", "MAN1"), "de": ("LEJ1", "DTM2")}


def returns(book: OrderBook) -> Iterator[Row]:
    """An account's returned goods that are back by the end of the history, in the order of their orders."""
    for order, refund in book.refunded_between(datetime.combine(book.first_day, time()), book.known_until):
        source = chance(*order.key, "return")
        least, most = DAYS_BACK
        back = refund.moment + timedelta(minutes=source.randrange(least * 1440, most * 1440))
        if refund.is_full and source.randrange(100) >= KEPT_PERCENT and back < book.known_until:
            if order.fulfilment == "AFN":
                yield from (_fba(order, item, unit, back) for item in refund.items for unit in range(item.quantity))
            else:
                yield from (_mfn(order, refund, item, source, back) for item in refund.items)


def _fba(order: SampleOrder, item: SampleItem, unit: int, back: datetime) -> Row:
    source = chance(*order.key, "return", item.item_code, unit)
    disposition = DAMAGED if source.randrange(100) < DAMAGED_PERCENT else SELLABLE
    product = BY_SKU[item.sku]
    return {
        "return-date": f"{back:%Y-%m-%dT%H:%M:%S}+00:00",
        "order-id": order.order_id,
        "sku": item.sku,
        "asin": product.asin,
        "fnsku": f"X00{product.asin[-7:]}",
        "product-name": product.title,
        "quantity": "1",
        "fulfillment-center-id": source.choice(_CENTRES[order.account]),
        "detailed-disposition": disposition,
        "reason": source.choice(_REASONS[disposition]),
        "status": "Unit returned to inventory",
        "license-plate-number": f"LPNRR{scattered(int(item.item_code) * 4 + unit, 15):015d}",
        "customer-comments": "",
    }


def _mfn(order: SampleOrder, refund: SampleRefund, item: SampleItem, source: Random, back: datetime) -> Row:
    asked = refund.moment - timedelta(days=1)
    product = BY_SKU[item.sku]
    return {
        "Order ID": order.order_id,
        "Order date": _day(order.purchased_at),
        "Return request date": _day(asked),
        "Return request status": "Approved",
        "Amazon RMA ID": f"D{lettered(scattered(int(order.items[0].item_code), 14), 8)}RRMA",
        "Label type": "AmazonUnPaidLabel",
        "Label cost": "3.20",
        "Currency code": order.currency,
        "Return carrier": "Royal Mail",
        "Tracking ID": f"RT{item.item_code[-9:]}GB",
        "Label to be paid by": "Customer",
        "A-to-Z Claim": "N",
        "Is prime": "N",
        "ASIN": product.asin,
        "Merchant SKU": item.sku,
        "Item Name": product.title,
        "Return quantity": str(item.quantity),
        "Return Reason": source.choice(("CR-UNWANTED_ITEM", "CR-DEFECTIVE", "CR-ORDERED_WRONG_ITEM")),
        "In policy": "Y",
        "Return type": "C-Returns",
        "Resolution": "StandardRefund",
        "Return delivery date": _day(back),
        "Order Amount": str(from_pence(order.total_pence)),
        "Order quantity": str(sum(one.quantity for one in order.items)),
        "Refunded Amount": str(from_pence(item.paid)),
    }


def _day(moment: datetime) -> str:
    return f"{moment:%d-%b-%Y}"
