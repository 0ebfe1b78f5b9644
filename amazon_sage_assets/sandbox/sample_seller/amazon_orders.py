"""The orders as Amazon's Orders API 2026-01-01 tells them, with every block. Who bought stands in buyer and recipient.

Amounts are net with the VAT apart, which together are what the buyer pays. Whose VAT Amazon keeps, it says so.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

from amazon_sage_assets.money import from_pence
from amazon_sage_assets.sandbox.sample_seller.catalogue import BY_SKU
from amazon_sage_assets.sandbox.sample_seller.orders import CANCELLED, PENDING, SampleItem, SampleOrder

Record = dict[str, Any]

ADDRESS_LINES = 3  # Amazon has no more
FACILITATOR = {"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon EU S.à r.l."}


def amazon_order(order: SampleOrder) -> Record:
    is_fba = order.fulfilment == "AFN"
    programs = (["PRIME"] if is_fba else []) + (["AMAZON_BUSINESS"] if order.is_business else [])
    record: Record = {
        "orderId": order.order_id,
        "createdTime": _moment(order.purchased_at),
        "lastUpdatedTime": _moment(order.updated_at),
        "programs": programs,
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": order.market.marketplace_id,
            "marketplaceName": order.marketplace,
        },
        "buyer": _buyer(order, is_fba),
        "recipient": {"deliveryAddress": _address(order, is_fba)},
        "proceeds": {"grandTotal": _money(order, order.total_pence), "breakdowns": _sums(order)},
        "fulfillment": _fulfilment(order, is_fba),
        "orderItems": [_item(order, item) for item in order.items],
    }
    if order.shipped_at and not is_fba:
        record["packages"] = [_package(order, order.shipped_at)]
    return record


def status(order: SampleOrder) -> str:
    """How far an order is, in Amazon's word."""
    if order.planted in (PENDING, CANCELLED):
        return "PENDING" if order.planted == PENDING else "CANCELLED"
    return "SHIPPED" if order.shipped_at else "UNSHIPPED"


def _buyer(order: SampleOrder, is_fba: bool) -> Record:
    """Amazon passes the e-mail address on where the seller sends the goods."""
    one = order.buyer
    found = {"buyerName": one.name}
    if not is_fba:
        found["buyerEmail"] = one.email
    if order.is_business:
        found["buyerCompanyName"] = f"{one.name.split()[-1]} & Partner"
    return found


def _address(order: SampleOrder, is_fba: bool) -> Record:
    one = order.buyer
    lines = [*one.lines[: ADDRESS_LINES - 1], ", ".join(one.lines[ADDRESS_LINES - 1 :])]
    address = {
        "name": one.name,
        **{f"addressLine{number}": line for number, line in enumerate(lines, start=1) if line},
        "city": one.city,
        "stateOrRegion": one.county,
        "postalCode": one.postcode,
        "countryCode": one.country,
        "phone": "" if is_fba else one.phone,
        "addressType": "COMMERCIAL" if order.is_business else "RESIDENTIAL",
    }
    return {name: value for name, value in address.items() if value}


def _fulfilment(order: SampleOrder, is_fba: bool) -> Record:
    due = datetime.combine(order.ship_by.date(), time())
    return {
        "fulfillmentStatus": status(order),
        "fulfilledBy": "AMAZON" if is_fba else "MERCHANT",
        "fulfillmentServiceLevel": "SECOND_DAY" if is_fba else "STANDARD",
        "shipByWindow": _window(datetime.combine(order.purchased_at.date(), time()), order.ship_by),
        "deliverByWindow": _window(due + timedelta(days=1), due + timedelta(days=4, seconds=-1)),
    }


def _item(order: SampleOrder, item: SampleItem) -> Record:
    product = BY_SKU[item.sku]
    price: Record = {"unitPrice": _money(order, item.price // item.quantity)}
    if order.is_business:
        price["priceDesignation"] = "BUSINESS_PRICE"
    is_open = order.planted != CANCELLED and order.shipped_at is None
    record: Record = {
        "orderItemId": item.item_code,
        "quantityOrdered": item.quantity,
        "product": {
            "asin": product.asin,
            "title": product.title,
            "sellerSku": item.sku,
            "condition": {"conditionType": "NEW", "conditionSubtype": "NEW"},
            "price": price,
        },
        "proceeds": {
            "proceedsTotal": _money(order, item.paid),
            "breakdowns": [_breakdown(order, *part) for part in _parts(item)],
        },
        "fulfillment": {
            "quantityFulfilled": item.quantity if order.shipped_at else 0,
            "quantityUnfulfilled": item.quantity if is_open else 0,
        },
    }
    if item.promotion_id:
        record["promotion"] = {"breakdowns": [{"promotionId": item.promotion_id}]}
    if order.market.vat_withheld:
        record["tax"] = {"taxCollections": [FACILITATOR]}
    if order.planted == CANCELLED:
        execution = {"cancelledBy": "BUYER", "cancelReason": "Ordered by mistake"}
        record["cancellation"] = {"cancellationExecution": execution}
    return record


def _parts(item: SampleItem) -> Iterator[tuple[str, int, tuple[tuple[str, int], ...]]]:
    """What an item's money is made of: kind, pence, and of the VAT which kind it is of."""
    vat = (("ITEM", item.vat), ("SHIPPING", item.postage_vat), ("DISCOUNT", -item.promotion_vat))
    yield "ITEM", item.price - item.vat, ()
    if item.postage:
        yield "SHIPPING", item.postage - item.postage_vat, ()
    if item.promotion:
        yield "DISCOUNT", item.promotion_vat - item.promotion, ()
    if item.vat_paid:
        yield "TAX", item.vat_paid, tuple((kind, pence) for kind, pence in vat if pence)


def _sums(order: SampleOrder) -> list[Record]:
    """The same of all items together."""
    sums: dict[str, int] = {}
    for kind, pence, _ in (part for item in order.items for part in _parts(item)):
        sums[kind] = sums.get(kind, 0) + pence
    return [_breakdown(order, kind, pence, ()) for kind, pence in sums.items()]


def _breakdown(order: SampleOrder, kind: str, pence: int, details: tuple[tuple[str, int], ...]) -> Record:
    record: Record = {"type": kind, "subtotal": _money(order, pence)}
    if details:
        record["detailedBreakdowns"] = [{"subtype": of, "value": _money(order, part)} for of, part in details]
    return record


def _package(order: SampleOrder, shipped: datetime) -> Record:
    return {
        "packageReferenceId": "1",
        "createdTime": _moment(shipped),
        "packageStatus": {"status": "SHIPPED"},
        "carrier": "Royal Mail",
        "shipTime": _moment(shipped),
        "shippingService": "Tracked 48",
        "trackingNumber": f"RM{order.items[0].item_code[-9:]}GB",
        "packageItems": [{"orderItemId": item.item_code, "quantity": item.quantity} for item in order.items],
    }


def _window(earliest: datetime, latest: datetime) -> Record:
    return {"earliestDateTime": _moment(earliest), "latestDateTime": _moment(latest)}


def _money(order: SampleOrder, pence: int) -> Record:
    return {"amount": str(from_pence(pence)), "currencyCode": order.currency}


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
