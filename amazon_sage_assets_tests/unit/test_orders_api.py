"""Orders as the Orders API tells them, read from the simulated Seller Central."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from amazon_sage_assets.amazon.client import SellingPartner
from amazon_sage_assets.amazon.errors import AmazonRefused, AmazonUnreadable
from amazon_sage_assets.amazon.orders_api import (
    Order,
    OrderItem,
    Recipient,
    Told,
    changed_orders,
    one_order,
    recipients,
)
from amazon_sage_assets.sandbox.seller_central import SellerCentral, create_app
from amazon_sage_assets.sandbox.seller_central.switches import FULFILLMENT_REFUSED, PRICES_INCLUDE_TAX
from amazon_sage_assets_tests.seller_central import (
    DE,
    START,
    UK,
    Answer,
    Clock,
    Interrupted,
    add_seller,
    as_json,
    fulfilled,
    order,
    partner,
)
from amazon_sage_assets_tests.served import serve

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL = START - timedelta(minutes=3)
NIL = Decimal("0.00")


class World:
    """A seller with orders, a client, and a network between them that can be told to misbehave."""

    def __init__(self, store: SellerCentral, network: Interrupted, client: SellingPartner) -> None:
        self.store, self.network, self.partner = store, network, client

    def add(self, *orders: dict[str, Any]) -> None:
        self.store.add_orders("uk", orders)

    def pages(self, *marketplaces: str) -> list[Told]:
        return list(changed_orders(self.partner, NOVEMBER, marketplaces or (UK,), until=UNTIL))

    def orders(self) -> list[Order]:
        return [found for page in self.pages() for found in page.orders]

    def only(self) -> Order:
        (found,) = self.orders()
        return found

    def whom(self) -> list[Recipient]:
        return [found for page in recipients(self.partner, NOVEMBER, [UK], until=UNTIL) for found in page]

    def asked(self) -> list[dict[str, str]]:
        """The parameters of each request for orders."""
        searches = [urlsplit(path) for path in self.network.asked if path.startswith("/orders/")]
        return [{name: values[0] for name, values in parse_qs(search.query).items()} for search in searches]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Interrupted, str]]:
    network = Interrupted()
    with serve(network) as base:
        yield network, base


@pytest.fixture
def world(tmp_path: Path, server: tuple[Interrupted, str]) -> Iterator[World]:
    network, base = server
    clock = Clock()
    with SellerCentral(tmp_path / "amazon.sqlite", now=clock.now) as store:
        add_seller(store)
        network.app = create_app(store)
        network.instead, network.asked, network.headers = [], [], []
        with partner(base, clock) as client:
            yield World(store, network, client)


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currencyCode": currency}


def entry(kind: str, amount: str, **details: str) -> dict[str, Any]:
    told = [{"subtype": subtype, "value": money(value)} for subtype, value in details.items()]
    return {"type": kind, "subtotal": money(amount)} | ({"detailedBreakdowns": told} if told else {})


def item(total: str, *entries: dict[str, Any], **different: Any) -> dict[str, Any]:
    usual = {
        "orderItemId": "60000000000001",
        "quantityOrdered": 1,
        "product": {"sellerSku": "LAMP", "title": "Test lamp"},
        "proceeds": {"proceedsTotal": money(total), "breakdowns": list(entries)},
    }
    return {**usual, **different}


def read(world: World, *items: dict[str, Any]) -> tuple[OrderItem, ...]:
    """The items of one order, as they are read."""
    world.add(order(1, orderItems=list(items)))
    return world.only().items


# --- what an order says ---------------------------------------------------------------------------------------------


def test_an_order_says_what_when_how_and_how_much(world: World) -> None:
    world.add(order(1))
    found = world.only()
    assert (found.order_id, found.marketplace, found.fulfilment) == ("202-0000001-0000001", "Amazon.co.uk", "MFN")
    assert (found.status, found.is_business, found.is_incomplete) == ("UNSHIPPED", True, False)
    assert found.purchased_at == datetime(2026, 11, 19, 11, 0, tzinfo=UTC)
    assert found.updated_at == datetime(2026, 11, 19, 11, 30, tzinfo=UTC)
    assert found.ship_by_at == datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)
    assert (found.total, found.currency) == (Decimal("28.80"), "GBP")
    assert [(i.order_item_id, i.seller_sku, i.title, i.quantity) for i in found.items] == [
        ("60000001000001", "LAMP", "Test lamp", 1),
        ("60000001000002", "BULB", "Test bulb", 1),
    ]


def test_an_order_that_amazon_sends_is_known_by_it_and_a_sent_one_by_its_last_change(world: World) -> None:
    world.add(order(1, fulfillment=fulfilled("SHIPPED", "AMAZON")), order(2, fulfillment=fulfilled("UNSHIPPED")))
    sent, waiting = world.orders()
    assert (sent.fulfilment, sent.shipped_at) == ("AFN", sent.updated_at)
    assert (waiting.fulfilment, waiting.shipped_at) == ("MFN", None)


def test_an_order_of_another_shop_that_amazon_sends_belongs_to_no_site(world: World) -> None:
    world.add(order(1, salesChannel={"channelName": "NON_AMAZON", "marketplaceId": UK}))
    assert world.only().marketplace == "Non-Amazon"


def test_an_item_whose_tax_amazon_keeps_says_so(world: World) -> None:
    kept = item("24.00", entry("ITEM", "24.00"), tax={"taxCollections": [{"model": "MARKETPLACE_FACILITATOR"}]})
    own = item("24.00", entry("ITEM", "24.00"), orderItemId="60000000000002", tax={"taxCollections": []})
    assert [one.is_withheld for one in read(world, kept, own)] == [True, False]


# --- amounts, written either way ------------------------------------------------------------------------------------


@pytest.mark.parametrize("prices_include_tax", [False, True])
def test_an_item_costs_what_the_buyer_pays_however_amazon_writes_its_parts(
    world: World, prices_include_tax: bool
) -> None:
    """20.00 + 4.00 for the lamp, 4.17 + 0.83 to send it, 2.50 + 0.50 off."""
    world.store.switch(PRICES_INCLUDE_TAX, on=prices_include_tax)
    world.add(order(1))
    lamp, bulb = world.only().items
    assert (lamp.gross, lamp.vat) == (Decimal("26.00"), Decimal("4.33"))
    assert (lamp.postage, lamp.postage_vat) == (Decimal("5.00"), Decimal("0.83"))
    assert (bulb.gross, bulb.vat, bulb.postage, bulb.wrap) == (Decimal("2.80"), Decimal("0.47"), NIL, NIL)


@pytest.mark.parametrize("discount", ["-2.50", "2.50"])
def test_a_discount_takes_off_whatever_its_sign(world: World, discount: str) -> None:
    told = item(
        "21.00", entry("ITEM", "20.00"), entry("DISCOUNT", discount),
        entry("TAX", "3.50", ITEM="4.00", DISCOUNT="-0.50"),
    )  # fmt: skip
    (lamp,) = read(world, told)
    assert (lamp.gross, lamp.vat, lamp.postage) == (Decimal("21.00"), Decimal("3.50"), NIL)


FREE_POSTAGE = (
    entry("ITEM", "30.00"),
    entry("SHIPPING", "4.00"),
    entry("DISCOUNT", "-9.00", ITEM="-5.00", SHIPPING="-4.00"),
    entry("TAX", "5.00", ITEM="6.00", SHIPPING="0.80", DISCOUNT="-1.80"),
)
FREE_POSTAGE_TAX_INSIDE = (
    entry("ITEM", "36.00"),
    entry("SHIPPING", "4.80"),
    entry("DISCOUNT", "10.80", ITEM="6.00", SHIPPING="4.80"),
    entry("TAX", "5.00", ITEM="6.00", SHIPPING="0.80", DISCOUNT="-1.80"),
)


@pytest.mark.parametrize("entries", [FREE_POSTAGE, FREE_POSTAGE_TAX_INSIDE], ids=["net", "gross"])
def test_e15_postage_that_a_promotion_pays_is_nil_and_so_is_its_vat(
    world: World, entries: tuple[dict[str, Any], ...]
) -> None:
    (found,) = read(world, item("30.00", *entries))
    assert (found.gross, found.vat) == (Decimal("30.00"), Decimal("5.00"))
    assert (found.postage, found.postage_vat) == (NIL, NIL)


HALF_POSTAGE = (
    entry("ITEM", "20.00"),
    entry("SHIPPING", "4.00"),
    entry("DISCOUNT", "-2.00", SHIPPING="-2.00"),
    entry("TAX", "4.40", ITEM="4.00", SHIPPING="0.80", DISCOUNT="-0.40"),
)
HALF_POSTAGE_TAX_INSIDE = (
    entry("ITEM", "24.00"),
    entry("SHIPPING", "4.80"),
    entry("DISCOUNT", "-2.40", SHIPPING="-2.40"),
    entry("TAX", "4.40", ITEM="4.00", SHIPPING="0.80", DISCOUNT="-0.40"),
)
HALF_POSTAGE_TAX_DISCOUNTED = (
    entry("ITEM", "20.00"),
    entry("SHIPPING", "4.00"),
    entry("DISCOUNT", "-2.00", SHIPPING="-2.00"),
    entry("TAX", "4.40", ITEM="4.00", SHIPPING="0.40"),
)


@pytest.mark.parametrize(
    "entries",
    [HALF_POSTAGE, HALF_POSTAGE_TAX_INSIDE, HALF_POSTAGE_TAX_DISCOUNTED],
    ids=["net", "gross", "tax discounted"],
)
def test_postage_at_half_price_bears_half_its_vat(world: World, entries: tuple[dict[str, Any], ...]) -> None:
    (found,) = read(world, item("26.40", *entries))
    assert (found.gross, found.vat) == (Decimal("26.40"), Decimal("4.40"))
    assert (found.postage, found.postage_vat) == (Decimal("2.40"), Decimal("0.40"))


def test_gift_wrap_is_told_apart_with_its_vat(world: World) -> None:
    told = item(
        "27.60", entry("ITEM", "20.00"), entry("GIFT_WRAP", "3.00"), entry("TAX", "4.60", ITEM="4.00", GIFT_WRAP="0.60")
    )
    (found,) = read(world, told)
    assert (found.gross, found.wrap, found.wrap_vat) == (Decimal("27.60"), Decimal("3.60"), Decimal("0.60"))


def test_tax_told_in_two_entries_is_one_sum(world: World) -> None:
    told = item(
        "28.80", entry("ITEM", "20.00"), entry("SHIPPING", "4.00"), entry("TAX", "0.80", SHIPPING="0.80"),
        entry("TAX", "4.00", ITEM="4.00"),
    )  # fmt: skip
    (found,) = read(world, told)
    assert (found.vat, found.postage, found.postage_vat) == (Decimal("4.80"), Decimal("4.80"), Decimal("0.80"))


def test_without_a_tax_entry_amazons_vat_is_unknown_and_not_nil(world: World) -> None:
    (found,) = read(world, item("24.00", entry("ITEM", "24.00")))
    assert (found.gross, found.vat) == (Decimal("24.00"), None)


def test_without_parts_the_total_stands_alone(world: World) -> None:
    (found,) = read(world, item("24.00"))
    assert (found.gross, found.vat, found.postage, found.wrap) == (Decimal("24.00"), None, NIL, NIL)


def test_an_order_that_is_not_paid_has_items_and_no_amounts(world: World) -> None:
    world.add(order(1, fulfillment=fulfilled("PENDING")))
    found = world.only()
    assert (found.status, found.total, found.currency) == ("PENDING", None, None)
    assert [(i.seller_sku, i.quantity, i.gross, i.vat) for i in found.items] == [
        ("LAMP", 1, None, None),
        ("BULB", 1, None, None),
    ]


# --- orders that cannot be read -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        (item("24.001", entry("ITEM", "24.001")), "at most two decimals"),
        (item("24.00", entry("ITEM", "20.005"), entry("TAX", "3.995")), "at most two decimals"),
        (item("24,00", entry("ITEM", "24,00")), "at most two decimals"),
        (item("24.00", entry("ITEM", "20.00"), entry("TAX", "3.00")), "20.00 and tax 3.00, its total is 24.00"),
        (item("24.00", entry("ITEM", "24.00"), quantityOrdered="1"), "quantityOrdered"),
        (item("24.00", entry("ITEM", "24.00"), quantityOrdered=True), "quantityOrdered"),
        (item("24.00", entry("ITEM", "24.00"), quantityOrdered=2**31), "quantityOrdered"),
        (item("24.00", entry("ITEM", "24.00"), orderItemId=""), "orderItemId"),
        (item("24.00", {"subtotal": money("24.00")}), "type"),
        (item("24.00", proceeds={"proceedsTotal": {"amount": "24.00"}}), "currencyCode"),
        (item("24.00", proceeds={"proceedsTotal": {"amount": 24, "currencyCode": "GBP"}}), "amount"),
    ],
)
def test_an_order_that_cannot_be_read_is_set_aside_with_its_reason_and_the_others_go_on(
    world: World, spoilt: dict[str, Any], reason: str
) -> None:
    world.add(order(1), order(2, orderItems=[spoilt]), order(3))
    (page,) = world.pages()
    assert [found.order_id[-1] for found in page.orders] == ["1", "3"]
    ((order_id, why),) = page.unreadable
    assert order_id == "202-0000001-0000002"
    assert reason in why


@pytest.mark.parametrize(
    "different",
    [
        {"programs": 5},
        {"createdTime": "2026-11-19T11:00:00Z", "salesChannel": {"marketplaceId": UK, "marketplaceName": 7}},
        {"fulfillment": fulfilled() | {"shipByWindow": {"latestDateTime": "soon"}}},
        {"orderItems": [item("24.00"), item("24.00")]},
        {"orderItems": ["a lamp"]},
    ],
    ids=["programs", "site", "ship by", "an item twice", "words for items"],
)
def test_whatever_is_odd_in_one_order_the_next_one_is_read(world: World, different: dict[str, Any]) -> None:
    odd = as_json({
        "orders": [{**order(1), **different}, order(2)], "lastUpdatedBefore": "2026-11-20T11:57:00Z",
    })  # fmt: skip
    world.network.answers(Answer(body=odd, path="/orders/2026-01-01/orders"))
    (page,) = world.pages()
    assert page.orders[-1].order_id == "202-0000001-0000002"
    assert len(page.orders) + len(page.unreadable) == 2


def test_an_item_that_is_told_twice_would_be_sent_twice_so_the_order_is_set_aside(world: World) -> None:
    world.add(order(1, orderItems=[item("24.00"), item("24.00")]), order(2))
    (page,) = world.pages()
    assert [found.order_id[-1] for found in page.orders] == ["2"]
    assert "twice" in dict(page.unreadable)["202-0000001-0000001"]


def test_an_answer_without_a_list_of_orders_is_no_answer(world: World) -> None:
    world.network.answers(Answer(body=as_json({"lastUpdatedBefore": "2026-11-20T11:57:00Z"}), path="/orders/"))
    with pytest.raises(AmazonUnreadable, match="no list of orders"):
        world.pages()


# --- asking ---------------------------------------------------------------------------------------------------------


def test_nothing_personal_is_asked_for_with_the_orders(world: World) -> None:
    world.add(order(1))
    found = world.only()
    (asked,) = world.asked()
    assert set(asked["includedData"].split(",")) == {"PROCEEDS", "FULFILLMENT", "TAX"}
    assert asked["lastUpdatedAfter"] == "2026-11-01T00:00:00Z"
    assert (asked["lastUpdatedBefore"], asked["marketplaceIds"]) == ("2026-11-20T11:57:00Z", UK)
    for word in ("Vera", "Lightfoot", "Lantern", "LS1", "07700"):
        assert word not in repr(found)


def test_pages_follow_one_another_and_each_says_up_to_when_it_told(world: World) -> None:
    world.add(*(order(number) for number in range(1, 251)))
    pages = world.pages()
    assert [len(page.orders) for page in pages] == [100, 100, 50]
    assert {page.until for page in pages} == {UNTIL}
    assert len({found.order_id for page in pages for found in page.orders}) == 250


def test_more_marketplaces_than_amazon_takes_are_asked_for_in_turns(world: World) -> None:
    world.add(order(1), order(2, salesChannel={"marketplaceId": DE, "marketplaceName": "Amazon.de"}))
    pages = world.pages(UK, *(f"M{number}" for number in range(49)), DE)
    assert [[found.marketplace for found in page.orders] for page in pages] == [["Amazon.co.uk"], ["Amazon.de"]]
    assert [len(asked["marketplaceIds"].split(",")) for asked in world.asked()] == [50, 1]


def test_where_amazon_refuses_the_fulfilment_block_orders_come_without_it_and_are_marked(world: World) -> None:
    world.store.switch(FULFILLMENT_REFUSED, on=True)
    world.add(order(1), order(2))
    found = world.orders()
    assert [(one.status, one.is_incomplete) for one in found] == [("UNKNOWN", True)] * 2
    assert found[0].items[0].gross == Decimal("26.00")
    assert [asked["includedData"] for asked in world.asked()] == ["PROCEEDS,FULFILLMENT,TAX", "PROCEEDS,TAX"]


def test_where_the_block_is_refused_on_a_later_page_no_order_is_missed(world: World) -> None:
    world.add(*(order(number) for number in range(1, 151)))
    refusal = as_json({"errors": [{"code": "InvalidInput", "message": "Invalid includedData: FULFILLMENT."}]})
    pages = changed_orders(world.partner, NOVEMBER, [UK], until=UNTIL)
    told = [next(pages)]
    world.network.answers(Answer(400, refusal, path="/orders/"))
    told += pages
    assert {found.order_id for page in told for found in page.orders} == {order(n)["orderId"] for n in range(1, 151)}


def test_one_order_comes_without_the_refused_block_too(world: World) -> None:
    world.store.switch(FULFILLMENT_REFUSED, on=True)
    world.add(order(1))
    found = one_order(world.partner, "202-0000001-0000001")
    assert (found.status, found.is_incomplete) == ("UNKNOWN", True)


def test_any_other_refusal_is_told_and_not_worked_around(world: World) -> None:
    refusal = as_json({"errors": [{"code": "InvalidInput", "message": "Invalid marketplaceIds."}]})
    world.network.answers(Answer(400, refusal, path="/orders/"))
    with pytest.raises(AmazonRefused, match="marketplaceIds"):
        world.pages()
    assert len(world.asked()) == 1


def test_an_order_without_a_status_is_incomplete(world: World) -> None:
    answer = as_json({"order": {**order(1), "fulfillment": {}}})
    world.network.answers(Answer(body=answer, path="/orders/"))
    found = one_order(world.partner, "202-0000001-0000001")
    assert (found.status, found.fulfilment, found.is_incomplete) == ("UNKNOWN", "", True)


def test_one_order_is_read_as_the_search_reads_it(world: World) -> None:
    world.add(order(1))
    assert one_order(world.partner, "202-0000001-0000001") == world.only()


# --- whom orders go to ----------------------------------------------------------------------------------------------


def test_whom_an_order_goes_to_is_asked_only_for_what_we_still_send(world: World) -> None:
    world.add(
        order(1),
        order(2, fulfillment=fulfilled("SHIPPED", "MERCHANT")),
        order(3, fulfillment=fulfilled("UNSHIPPED", "AMAZON")),
        order(4, fulfillment=fulfilled("PARTIALLY_SHIPPED", "MERCHANT")),
    )
    assert [found.order_id[-1] for found in world.whom()] == ["1", "4"]
    (asked,) = world.asked()
    assert asked["includedData"] == "RECIPIENT"


def test_a_recipient_is_read_field_by_field(world: World) -> None:
    address = {
        "name": "Vera Lightfoot", "companyName": "Calm Kettle Ltd", "addressLine1": "Unit 4", "addressLine2": "",
        "addressLine3": "9 Lantern Row", "city": "Leeds", "stateOrRegion": "West Yorkshire", "postalCode": "LS1 1AA",
        "countryCode": "GB", "phone": "07700 900123",
    }  # fmt: skip
    world.add(order(1, recipient={"deliveryAddress": address}))
    (found,) = world.whom()
    assert found == Recipient(
        order_id="202-0000001-0000001", name="Vera Lightfoot", company="Calm Kettle Ltd",
        lines=("Unit 4", "9 Lantern Row"), city="Leeds", county="West Yorkshire", postcode="LS1 1AA", country="GB",
        phone="07700 900123",
    )  # fmt: skip


def test_a_recipient_in_another_country_is_known_by_municipality_and_district(world: World) -> None:
    address = {"name": "Vera", "addressLine1": "9 Row", "municipality": "Lund", "districtOrCounty": "Skåne"}
    world.add(order(1, recipient={"deliveryAddress": address}))
    (found,) = world.whom()
    assert (found.city, found.county, found.postcode, found.phone) == ("Lund", "Skåne", "", "")


def test_an_order_without_an_address_has_no_recipient(world: World) -> None:
    world.add(order(1, recipient={}), order(2))
    assert [found.order_id[-1] for found in world.whom()] == ["2"]


def test_a_recipient_that_is_printed_shows_the_order_alone(world: World) -> None:
    world.add(order(1))
    shown = repr(world.whom())
    assert shown == "[Recipient(order_id='202-0000001-0000001')]"
