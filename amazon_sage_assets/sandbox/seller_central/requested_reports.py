"""The reports that can be asked for: tab-separated text, made of what is known at that moment."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from amazon_sage_assets.sandbox.seller_central.database import Json
from amazon_sage_assets.sandbox.seller_central.orders import UNPAID
from amazon_sage_assets.sandbox.seller_central.store import FBA_RETURN, MFN_RETURN, Seller, SellerCentral

Row = Mapping[str, str]

ALL_ORDERS = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
FBA_RETURNS = "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA"
MFN_RETURNS = "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE"

ORDER_COLUMNS = (
    "amazon-order-id", "merchant-order-id", "purchase-date", "last-updated-date", "order-status", "fulfillment-channel",
    "sales-channel", "order-channel", "url", "ship-service-level", "product-name", "sku", "asin", "item-status",
    "quantity", "currency", "item-price", "item-tax", "shipping-price", "shipping-tax", "gift-wrap-price",
    "gift-wrap-tax", "item-promotion-discount", "ship-promotion-discount", "ship-city", "ship-state",
    "ship-postal-code", "ship-country", "promotion-ids", "is-business-order", "purchase-order-number",
    "price-designation",
)  # fmt: skip
FBA_RETURN_COLUMNS = (
    "return-date", "order-id", "sku", "asin", "fnsku", "product-name", "quantity", "fulfillment-center-id",
    "detailed-disposition", "reason", "status", "license-plate-number", "customer-comments",
)  # fmt: skip
MFN_RETURN_COLUMNS = (
    "Order ID", "Order date", "Return request date", "Return request status", "Amazon RMA ID", "Merchant RMA ID",
    "Label type", "Label cost", "Currency code", "Return carrier", "Tracking ID", "Label to be paid by", "A-to-Z Claim",
    "Is prime", "ASIN", "Merchant SKU", "Item Name", "Return quantity", "Return Reason", "In policy", "Return type",
    "Resolution", "Invoice number", "Return delivery date", "Order Amount", "Order quantity", "SafeT Action reason",
    "SafeT claim id", "SafeT claim state", "SafeT claim creation time", "SafeT claim reimbursement amount",
    "Refunded Amount",
)  # fmt: skip
# This report says status and service in words of its own.
STATUSES = {
    "PENDING_AVAILABILITY": "Pending",
    "PENDING": "Pending",
    "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "Shipping",
    "SHIPPED": "Shipped",
    "CANCELLED": "Cancelled",
    "UNFULFILLABLE": "Unfulfillable",
}
SERVICES = {"SECOND_DAY": "SecondDay", "NEXT_DAY": "NextDay", "SAME_DAY": "SameDay", "FREE_ECONOMY": "FreeEconomy"}


def made(
    store: SellerCentral, seller: Seller, report_type: str, start: datetime, end: datetime, places: Sequence[str]
) -> bytes | None:
    """The document of a report; None where there is nothing to report."""
    columns, find = MAKERS[report_type]
    rows = list(find(store, seller, start, end, places))
    return _text(columns, rows) if rows else None


def _orders(
    store: SellerCentral, seller: Seller, start: datetime, end: datetime, places: Sequence[str]
) -> Iterator[Row]:
    for order in store.updated_orders(seller.name, start, end):
        if order["salesChannel"]["marketplaceId"] in places:
            yield from (_order_row(order, item) for item in order["orderItems"])


def _order_row(order: Json, item: Json) -> Row:
    fulfilment, product = order["fulfillment"], item["product"]
    status, is_fba = fulfilment["fulfillmentStatus"], fulfilment["fulfilledBy"] == "AMAZON"
    service = fulfilment.get("fulfillmentServiceLevel", "STANDARD")
    row = {
        "amazon-order-id": order["orderId"],
        "merchant-order-id": order["orderId"],
        "purchase-date": _moment(order["createdTime"]),
        "last-updated-date": _moment(order["lastUpdatedTime"]),
        "order-status": STATUSES[status],
        "fulfillment-channel": "Amazon" if is_fba else "Merchant",
        "sales-channel": order["salesChannel"]["marketplaceName"],
        "ship-service-level": SERVICES.get(service, service.capitalize()),
        "product-name": product["title"],
        "sku": product["sellerSku"],
        "asin": product["asin"],
        "item-status": STATUSES[status],
        "quantity": "0" if status == "CANCELLED" else str(item["quantityOrdered"]),
        "promotion-ids": ",".join(p["promotionId"] for p in item.get("promotion", {}).get("breakdowns", ())),
        "is-business-order": "true" if "AMAZON_BUSINESS" in order.get("programs", ()) else "false",
        "purchase-order-number": order.get("buyer", {}).get("buyerPurchaseOrderNumber", ""),
        "price-designation": product.get("price", {}).get("priceDesignation", ""),
    }
    if status in UNPAID:
        return row
    address = order.get("recipient", {}).get("deliveryAddress", {})
    row |= {
        "ship-city": address.get("city", ""),
        "ship-state": address.get("stateOrRegion", ""),
        "ship-postal-code": address.get("postalCode", ""),
        "ship-country": address.get("countryCode", ""),
    }
    return row if status == "CANCELLED" else row | _amounts(item["proceeds"])


def _amounts(proceeds: Json) -> dict[str, str]:
    """Each price with its VAT inside and the VAT beside it; what is nothing stays blank."""
    net = {part["type"]: Decimal(part["subtotal"]["amount"]) for part in proceeds["breakdowns"]}
    details = [detail for part in proceeds["breakdowns"] for detail in part.get("detailedBreakdowns", ())]
    taxes = {detail["subtype"]: Decimal(detail["value"]["amount"]) for detail in details}
    row = {"currency": proceeds["proceedsTotal"]["currencyCode"]}
    for kind, price, tax in (
        ("ITEM", "item-price", "item-tax"),
        ("SHIPPING", "shipping-price", "shipping-tax"),
        ("GIFT_WRAP", "gift-wrap-price", "gift-wrap-tax"),
    ):
        if kind in net:
            row[price] = str(net[kind] + taxes.get(kind, Decimal(0)))
            row[tax] = str(taxes.get(kind, Decimal("0.00")))
    if "DISCOUNT" in net:
        row["item-promotion-discount"] = str(-net["DISCOUNT"] - taxes.get("DISCOUNT", Decimal(0)))
    return row


def _fba_returns(
    store: SellerCentral, seller: Seller, start: datetime, end: datetime, places: Sequence[str]
) -> Iterator[Row]:
    """Returns say no marketplace; a seller's are told together."""
    for at, row in store.records(FBA_RETURN, seller.name):
        if start <= at <= min(end, store.now()):
            yield row


def _mfn_returns(
    store: SellerCentral, seller: Seller, start: datetime, end: datetime, places: Sequence[str]
) -> Iterator[Row]:
    """The days of both ends belong to it: this report knows days alone."""
    for at, row in store.records(MFN_RETURN, seller.name):
        if start.date() <= at.date() <= min(end, store.now()).date():
            yield row


Find = Callable[[SellerCentral, Seller, datetime, datetime, Sequence[str]], Iterator[Row]]
MAKERS: dict[str, tuple[tuple[str, ...], Find]] = {
    ALL_ORDERS: (ORDER_COLUMNS, _orders),
    FBA_RETURNS: (FBA_RETURN_COLUMNS, _fba_returns),
    MFN_RETURNS: (MFN_RETURN_COLUMNS, _mfn_returns),
}


def _text(columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    lines = ["\t".join(columns), *("\t".join(row.get(column, "") for column in columns) for row in rows)]
    return "".join(f"{line}\n" for line in lines).encode()


def _moment(written: str) -> str:
    return datetime.fromisoformat(written).isoformat(timespec="seconds")
