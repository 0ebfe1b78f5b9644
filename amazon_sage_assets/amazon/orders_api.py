"""Orders, from the Orders API 2026-01-01. Whom they go to is asked for apart, and only where it is needed.

Amazon tells an order again at each change of it. Amounts per item are what the buyer pays, VAT inside; whether the
parts of a price hold the VAT is not documented, so the item's own total decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from amazon_sage_assets.amazon.answers import (
    Fields,
    listed,
    moment,
    optional_moment,
    optional_text,
    part,
    parts,
    rows,
    stamp,
    text,
)
from amazon_sage_assets.amazon.client import SellingPartner
from amazon_sage_assets.amazon.errors import AmazonRefused, AmazonUnreadable
from amazon_sage_assets.money import from_pence, money, round_half_up, to_pence

ORDERS = "/orders/2026-01-01/orders"
PAGE_SIZE = 100
MARKETPLACES_PER_REQUEST = 50
IMPERSONAL = ("PROCEEDS", "FULFILLMENT", "TAX")
REDUCED = ("PROCEEDS", "TAX")  # where Amazon refuses FULFILLMENT for a while
WAITING = ("UNSHIPPED", "PARTIALLY_SHIPPED")
MOST_UNITS = 2**31 - 1
ZERO = Decimal("0.00")


@dataclass(frozen=True)
class OrderItem:
    """One item. Amounts are for the whole quantity with VAT inside; None where Amazon tells none yet.

    `gross` holds `postage` and `wrap`; discounts are taken off. `vat` is Amazon's own figure, of all three.
    """

    order_item_id: str
    seller_sku: str
    title: str
    quantity: int
    currency: str | None
    gross: Decimal | None
    vat: Decimal | None
    postage: Decimal = ZERO
    postage_vat: Decimal = ZERO
    wrap: Decimal = ZERO
    wrap_vat: Decimal = ZERO
    is_withheld: bool = False


@dataclass(frozen=True)
class Order:
    """The newest word on an order. `is_incomplete`: Amazon left a block out that was asked for."""

    order_id: str
    marketplace: str
    fulfilment: str
    status: str
    purchased_at: datetime
    updated_at: datetime
    ship_by_at: datetime | None
    shipped_at: datetime | None
    currency: str | None
    total: Decimal | None
    is_business: bool
    is_incomplete: bool
    items: tuple[OrderItem, ...]


@dataclass(frozen=True)
class Recipient:
    """Personal data: whom an order goes to. `repr` shows none of it, so that no log can."""

    order_id: str
    name: str
    company: str
    lines: tuple[str, ...]
    city: str
    county: str
    postcode: str
    country: str
    phone: str

    def __repr__(self) -> str:
        return f"Recipient(order_id={self.order_id!r})"


@dataclass(frozen=True)
class Told:
    """One page of changed orders. `until` is the moment up to which Amazon has told everything.

    `unreadable` are orders that could not be read, each with the reason: they are set aside, the others go on.
    """

    orders: tuple[Order, ...]
    unreadable: tuple[tuple[str, str], ...]
    until: datetime


def changed_orders(
    partner: SellingPartner, since: datetime, marketplace_ids: Sequence[str], *, until: datetime
) -> Iterator[Told]:
    """Orders that changed from `since` on, a page at a time, without personal data. `until` is two minutes past.

    Where Amazon refuses one of the blocks for now, the orders come without it and are marked incomplete.
    """
    wanted = {"lastUpdatedAfter": stamp(since), "lastUpdatedBefore": stamp(until)}
    try:
        yield from _told(partner, wanted, marketplace_ids, IMPERSONAL)
    except AmazonRefused as refusal:
        if not _is_about_blocks(refusal):
            raise
        yield from _told(partner, wanted, marketplace_ids, REDUCED)


def one_order(partner: SellingPartner, order_id: str) -> Order:
    """One order, without personal data; incomplete where Amazon refuses one of the blocks for now."""
    try:
        return _one(partner, order_id, IMPERSONAL)
    except AmazonRefused as refusal:
        if not _is_about_blocks(refusal):
            raise
    return _one(partner, order_id, REDUCED)


def _one(partner: SellingPartner, order_id: str, blocks: Sequence[str]) -> Order:
    path = f"{ORDERS}/{quote(order_id, safe='')}"
    answer = partner.get("getOrder", path, {"includedData": listed(blocks)}).payload
    return _order(part(answer, "order"), blocks)


def _is_about_blocks(refusal: AmazonRefused) -> bool:
    return refusal.status == 400 and "includedData" in str(refusal)


def recipients(
    partner: SellingPartner, since: datetime, marketplace_ids: Sequence[str], *, until: datetime
) -> Iterator[list[Recipient]]:
    """Whom the orders go to that we still have to send, a page at a time."""
    wanted = {
        "lastUpdatedAfter": stamp(since),
        "lastUpdatedBefore": stamp(until),
        "fulfilledBy": "MERCHANT",
        "fulfillmentStatuses": listed(WAITING),
        "includedData": "RECIPIENT",
    }
    for page in _pages(partner, wanted, marketplace_ids):
        yield [found for fields in rows(page, "orders") if (found := _recipient(fields))]


def _told(
    partner: SellingPartner, wanted: dict[str, str], marketplace_ids: Sequence[str], blocks: Sequence[str]
) -> Iterator[Told]:
    for page in _pages(partner, wanted | {"includedData": listed(blocks)}, marketplace_ids):
        found, unreadable = [], []
        for fields in rows(page, "orders"):
            try:
                found.append(_order(fields, blocks))
            except AmazonUnreadable as error:
                unreadable.append((text(fields, "orderId"), str(error)))
        yield Told(tuple(found), tuple(unreadable), moment(page, "lastUpdatedBefore"))


def _pages(partner: SellingPartner, wanted: dict[str, str], marketplace_ids: Sequence[str]) -> Iterator[Fields]:
    for start in range(0, max(len(marketplace_ids), 1), MARKETPLACES_PER_REQUEST):
        group = marketplace_ids[start : start + MARKETPLACES_PER_REQUEST]
        where = {"marketplaceIds": listed(group)} if group else {}
        parameters = {**wanted, **where, "maxResultsPerPage": str(PAGE_SIZE)}
        yield from partner.pages("searchOrders", ORDERS, parameters, page_parameter="paginationToken")


def _order(fields: Fields, blocks: Sequence[str]) -> Order:
    fulfilment, sales = part(fields, "fulfillment"), part(fields, "salesChannel")
    total, currency = _money(part(part(fields, "proceeds"), "grandTotal"))
    packages = (optional_moment(p, "shipTime") for p in parts(fields, "packages"))
    status = optional_text(fulfilment, "fulfillmentStatus")
    updated = moment(fields, "lastUpdatedTime")
    programs = fields.get("programs")
    items = tuple(_item(item) for item in parts(fields, "orderItems"))
    if len({item.order_item_id for item in items}) < len(items):
        raise AmazonUnreadable("Amazon tells an item of the order twice.")
    return Order(
        order_id=text(fields, "orderId"),
        marketplace=optional_text(sales, "marketplaceName") or _no_site(sales),
        fulfilment={"AMAZON": "AFN", "MERCHANT": "MFN"}.get(optional_text(fulfilment, "fulfilledBy") or "", ""),
        status=status or "UNKNOWN",
        purchased_at=moment(fields, "createdTime"),
        updated_at=updated,
        ship_by_at=optional_moment(part(fulfilment, "shipByWindow"), "latestDateTime"),
        shipped_at=min((p for p in packages if p), default=updated) if status == "SHIPPED" else None,
        currency=currency,
        total=total,
        is_business=isinstance(programs, list) and "AMAZON_BUSINESS" in programs,
        is_incomplete=status is None or "FULFILLMENT" not in blocks,
        items=items,
    )


def _no_site(sales: Fields) -> str:
    return "Non-Amazon" if sales.get("channelName") == "NON_AMAZON" else optional_text(sales, "marketplaceId") or ""


def _item(fields: Fields) -> OrderItem:
    product, proceeds = part(fields, "product"), part(fields, "proceeds")
    quantity = fields.get("quantityOrdered")
    if isinstance(quantity, bool) or not isinstance(quantity, int) or abs(quantity) > MOST_UNITS:
        raise AmazonUnreadable("quantityOrdered in Amazon's answer is not a whole number.")
    gross, currency = _money(part(proceeds, "proceedsTotal"))
    collections = parts(part(fields, "tax"), "taxCollections")
    amounts = _amounts(proceeds, gross) if gross is not None else {}
    return OrderItem(
        order_item_id=text(fields, "orderItemId"),
        seller_sku=optional_text(product, "sellerSku") or "",
        title=optional_text(product, "title") or "",
        quantity=quantity,
        currency=currency,
        gross=gross,
        is_withheld=any(c.get("model") == "MARKETPLACE_FACILITATOR" for c in collections),
        vat=amounts.pop("vat", None),
        **amounts,
    )


def _amounts(proceeds: Fields, gross: Decimal) -> dict[str, Decimal]:
    """Postage and gift wrap inside an item's total, and the VAT of each. Raises AmazonUnreadable.

    The parts hold the VAT when they make the total without the TAX entry, else the TAX entry comes on top of them.
    """
    sums: dict[str, Decimal] = {}
    tax: dict[str, Decimal] = {}
    off: dict[str, Decimal] = {}
    for entry in parts(proceeds, "breakdowns"):
        kind = text(entry, "type")
        value = _money(part(entry, "subtotal"))[0] or ZERO
        details = {
            str(d.get("subtype")): _money(part(d, "value"))[0] or ZERO for d in parts(entry, "detailedBreakdowns")
        }
        if kind == "TAX":
            sums["TAX"] = sums.get("TAX", ZERO) + value
            for name, amount in details.items():
                tax[name] = tax.get(name, ZERO) + amount
        elif kind == "DISCOUNT":  # written as what it takes off, with or without a sign
            sums["DISCOUNT"] = sums.get("DISCOUNT", ZERO) - abs(value)
            for name, amount in details.items():
                off[name] = off.get(name, ZERO) + abs(amount)
        else:
            sums[kind] = sums.get(kind, ZERO) + value
    if not sums:
        return {}
    total_tax = sums.pop("TAX", None)
    without = sum(sums.values(), ZERO)
    tax_on_top = without != gross
    if tax_on_top and without + (total_tax or ZERO) != gross:
        raise AmazonUnreadable(f"An item's parts come to {without} and tax {total_tax or ZERO}, its total is {gross}.")

    def whole(kind: str) -> tuple[Decimal, Decimal]:
        """One part as the buyer pays it, and the VAT in it."""
        full, vat = sums.get(kind, ZERO), tax.get(kind, ZERO)
        left = full - off.get(kind, ZERO)
        if full > 0 and left != full and "DISCOUNT" in tax:  # else the VAT of the part is told with the discount off
            vat = from_pence(round_half_up(to_pence(vat) * to_pence(left), to_pence(full)))
        return left + (vat if tax_on_top else ZERO), vat

    postage, postage_vat = whole("SHIPPING")
    wrap, wrap_vat = whole("GIFT_WRAP")
    found = {"postage": postage, "postage_vat": postage_vat, "wrap": wrap, "wrap_vat": wrap_vat}
    return found if total_tax is None else found | {"vat": total_tax}


def _recipient(fields: Fields) -> Recipient | None:
    address = part(part(fields, "recipient"), "deliveryAddress")
    if not address:
        return None

    def word(name: str) -> str:
        found = address.get(name)
        return found if isinstance(found, str) else ""

    return Recipient(
        order_id=text(fields, "orderId"),
        name=word("name"),
        company=word("companyName"),
        lines=tuple(filter(None, (word("addressLine1"), word("addressLine2"), word("addressLine3")))),
        city=word("city") or word("municipality"),
        county=word("stateOrRegion") or word("districtOrCounty"),
        postcode=word("postalCode"),
        country=word("countryCode"),
        phone=word("phone"),
    )


def _money(fields: Fields) -> tuple[Decimal | None, str | None]:
    """Amazon writes orders' amounts as text. Nothing is rounded: more than two decimals is an error."""
    if not fields:
        return None, None
    written = text(fields, "amount")
    try:
        return money(written), text(fields, "currencyCode")
    except ValueError as error:
        raise AmazonUnreadable(f"An amount in Amazon's answer cannot be read: {error}.") from None
