"""The simulated Seller Central tells orders as the Orders API 2026-01-01 does."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from amazon_sage_assets.sandbox.seller_central import SellerCentral, create_app
from amazon_sage_assets.sandbox.seller_central.switches import FULFILLMENT_REFUSED, PRICES_INCLUDE_TAX
from amazon_sage_assets_tests.contracts import swagger
from amazon_sage_assets_tests.seller_central import (
    DE,
    ORDERS,
    START,
    UK,
    Amazon,
    Clock,
    Interrupted,
    add_seller,
    code,
    fulfilled,
    order,
)
from amazon_sage_assets_tests.served import serve

NOVEMBER = "2026-11-01T00:00:00Z"
GERMANY = {"channelName": "AMAZON", "marketplaceId": DE, "marketplaceName": "Amazon.de"}
# Each block, what it adds to an order, and what to its items.
BLOCKS = [
    ("BUYER", {"buyer"}, set()),
    ("RECIPIENT", {"recipient"}, set()),
    ("PROCEEDS", {"proceeds"}, {"proceeds"}),
    ("EXPENSE", set(), {"expense"}),
    ("PROMOTION", set(), {"promotion"}),
    ("CANCELLATION", set(), {"cancellation"}),
    ("FULFILLMENT", {"fulfillment"}, {"fulfillment"}),
    ("PACKAGES", {"packages"}, set()),
    ("TAX", {"tax"}, {"tax"}),
    ("PAYMENT", {"payment"}, set()),
    ("FULFILLMENT_ORDERS", {"fulfillmentOrders"}, set()),
]
EVERYTHING = ",".join(name for name, _, _ in BLOCKS)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Interrupted, httpx.Client]]:
    """One server for all, which serves whatever world a test puts into it."""
    app = Interrupted()
    with serve(app) as base, httpx.Client(base_url=base, trust_env=False) as http:
        yield app, http


@pytest.fixture
def amazon(tmp_path: Path, server: tuple[Interrupted, httpx.Client]) -> Iterator[Amazon]:
    clock = Clock()
    with SellerCentral(tmp_path / "amazon.sqlite", now=clock.now) as store:
        add_seller(store)
        app, http = server
        app.app = create_app(store)
        yield Amazon(store, clock, http)


def number(told: dict[str, Any]) -> int:
    return int(told["orderId"][-7:])


def found(amazon: Amazon, **query: Any) -> list[int]:
    """The numbers of the orders on one page."""
    answer = amazon.get(ORDERS, **({"lastUpdatedAfter": NOVEMBER} | query)).json()
    return [number(told) for told in answer["orders"]]


def add(amazon: Amazon, *numbers: int, **different: Any) -> None:
    amazon.store.add_orders("uk", [order(one, **different) for one in numbers])


def updated(minutes: int) -> str:
    """So many minutes into the day before START."""
    return f"2026-11-19T{minutes // 60:02}:{minutes % 60:02}:00Z"


# What can be asked


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"createdAfter": NOVEMBER, "lastUpdatedAfter": NOVEMBER},
        {"createdAfter": NOVEMBER, "lastUpdatedBefore": "2026-11-02T00:00:00Z"},
        {"lastUpdatedAfter": NOVEMBER, "createdBefore": "2026-11-02T00:00:00Z"},
        {"lastUpdatedAfter": NOVEMBER, "lastUpdatedBefore": "2026-10-31T00:00:00Z"},
        {"lastUpdatedAfter": NOVEMBER, "lastUpdatedBefore": "2026-11-20T11:58:01Z"},
        {"lastUpdatedAfter": "2026-11-20T11:59:00Z"},
        {"lastUpdatedAfter": "2026-11-01T00:00:00"},
        {"createdAfter": "soon"},
        {"createdAfter": NOVEMBER, "marketplaceIds": ",".join(f"M{n}" for n in range(51))},
        {"createdAfter": NOVEMBER, "fulfillmentStatuses": "SHIPPED,Shipped"},
        {"createdAfter": NOVEMBER, "fulfilledBy": "AFN"},
        {"createdAfter": NOVEMBER, "includedData": "BUYER,ADDRESS"},
        {"createdAfter": NOVEMBER, "maxResultsPerPage": "0"},
        {"createdAfter": NOVEMBER, "maxResultsPerPage": "101"},
        {"createdAfter": NOVEMBER, "paginationToken": "forged"},
    ],
)
def test_a_question_that_amazon_would_not_take_is_invalid_input(amazon: Amazon, query: dict[str, str]) -> None:
    assert code(amazon.get(ORDERS, **query)) == (400, "InvalidInput")


def test_orders_are_found_by_their_last_change_both_ends_included_the_oldest_first(amazon: Amazon) -> None:
    for one, minutes in ((1, 30), (2, 10), (3, 20), (4, 40)):
        add(amazon, one, lastUpdatedTime=updated(minutes))
    assert found(amazon) == [2, 3, 1, 4]
    assert found(amazon, lastUpdatedAfter=updated(20), lastUpdatedBefore=updated(30)) == [3, 1]


def test_orders_are_found_by_their_creation_too(amazon: Amazon) -> None:
    add(amazon, 1, createdTime="2026-11-19T09:00:00Z")
    add(amazon, 2, createdTime="2026-11-19T08:00:00Z")
    query = {"createdAfter": "2026-11-19T08:00:00Z"}
    assert [number(told) for told in amazon.get(ORDERS, **query).json()["orders"]] == [2, 1]
    before = amazon.get(ORDERS, **query, createdBefore="2026-11-19T08:59:59Z").json()
    assert [number(told) for told in before["orders"]] == [2]


def test_the_answer_says_up_to_when_it_told_two_minutes_ago_unless_asked_otherwise(amazon: Amazon) -> None:
    add(amazon, 1, lastUpdatedTime="2026-11-20T11:58:00Z")
    add(amazon, 2, lastUpdatedTime="2026-11-20T11:58:01Z")
    answer = amazon.get(ORDERS, lastUpdatedAfter=NOVEMBER).json()
    assert (answer["lastUpdatedBefore"], [number(told) for told in answer["orders"]]) == ("2026-11-20T11:58:00Z", [1])
    asked = amazon.get(ORDERS, lastUpdatedAfter=NOVEMBER, lastUpdatedBefore="2026-11-10T00:00:00Z").json()
    assert asked["lastUpdatedBefore"] == "2026-11-10T00:00:00Z"
    assert amazon.get(ORDERS, createdAfter=NOVEMBER).json().keys() == {"orders", "createdBefore"}
    assert "pagination" not in answer


def test_orders_are_found_by_marketplace_status_and_sender(amazon: Amazon) -> None:
    add(amazon, 1, fulfillment=fulfilled("UNSHIPPED", "MERCHANT"))
    add(amazon, 2, fulfillment=fulfilled("SHIPPED", "AMAZON"))
    add(amazon, 3, fulfillment=fulfilled("SHIPPED", "MERCHANT"), salesChannel=GERMANY)
    add(amazon, 4, fulfillment=fulfilled("CANCELLED", "MERCHANT"))
    assert found(amazon, marketplaceIds=UK) == [1, 2, 4]
    assert found(amazon, marketplaceIds=f"{UK},{DE}") == [1, 2, 3, 4]
    assert found(amazon, fulfillmentStatuses="SHIPPED,CANCELLED") == [2, 3, 4]
    assert found(amazon, fulfilledBy="AMAZON") == [2]
    assert found(amazon, fulfilledBy="MERCHANT", fulfillmentStatuses="SHIPPED", marketplaceIds=DE) == [3]


def test_orders_older_than_two_years_and_orders_of_tomorrow_are_not_told(amazon: Amazon) -> None:
    add(amazon, 1, createdTime="2024-11-19T11:00:00Z")
    add(amazon, 2, createdTime="2024-11-21T11:00:00Z")
    add(amazon, 3, createdTime="2026-11-21T11:00:00Z", lastUpdatedTime="2026-11-21T11:00:00Z")
    assert found(amazon) == [2]
    assert code(amazon.get(f"{ORDERS}/{order(3)['orderId']}")) == (404, "NotFound")


# What is told


@pytest.mark.parametrize(("block", "of_order", "of_item"), BLOCKS)
def test_a_block_is_told_when_it_was_asked_for(
    amazon: Amazon, block: str, of_order: set[str], of_item: set[str]
) -> None:
    add(amazon, 1)
    always = {"orderId", "createdTime", "lastUpdatedTime", "programs", "salesChannel", "orderItems"}
    (plain,) = amazon.get(ORDERS, lastUpdatedAfter=NOVEMBER).json()["orders"]
    assert plain.keys() == always
    assert plain["orderItems"][0].keys() == {"orderItemId", "quantityOrdered", "product"}
    (searched,) = amazon.get(ORDERS, lastUpdatedAfter=NOVEMBER, includedData=block).json()["orders"]
    assert searched.keys() == always | of_order
    assert searched["orderItems"][0].keys() == {"orderItemId", "quantityOrdered", "product"} | of_item
    assert amazon.get(f"{ORDERS}/{searched['orderId']}", includedData=block).json() == {"order": searched}


def test_personal_data_are_in_two_blocks_alone(amazon: Amazon) -> None:
    add(amazon, 1)
    others = ",".join(name for name, _, _ in BLOCKS if name not in ("BUYER", "RECIPIENT"))
    told = amazon.get(ORDERS, lastUpdatedAfter=NOVEMBER, includedData=others).text
    assert all(personal not in told for personal in ("Lightfoot", "Lantern", "LS1", "07700", "vx7q"))
    assert "Lightfoot" in amazon.get(ORDERS, lastUpdatedAfter=NOVEMBER, includedData="BUYER").text


def test_of_an_unpaid_order_neither_money_nor_address_is_told_until_it_is_paid(amazon: Amazon) -> None:
    add(amazon, 1, fulfillment=fulfilled("PENDING"))
    path = f"{ORDERS}/{order(1)['orderId']}"
    unpaid = amazon.get(path, includedData=EVERYTHING).json()["order"]
    assert not unpaid.keys() & {"buyer", "recipient", "proceeds", "payment"}
    assert all("proceeds" not in item and "price" not in item["product"] for item in unpaid["orderItems"])
    assert [item["quantityOrdered"] for item in unpaid["orderItems"]] == [1, 1]
    amazon.store.update_order("uk", order(1)["orderId"], {"fulfillment": {"fulfillmentStatus": "UNSHIPPED"}})
    paid = amazon.get(path, includedData=EVERYTHING).json()["order"]
    assert paid["recipient"] == order(1)["recipient"]
    assert [item["proceeds"] for item in paid["orderItems"]] == [item["proceeds"] for item in order(1)["orderItems"]]


def amounts(proceeds: dict[str, Any]) -> dict[str, Decimal]:
    return {part["type"]: Decimal(part["subtotal"]["amount"]) for part in proceeds["breakdowns"]}


def test_parts_of_a_price_are_told_without_their_vat_or_with_it(amazon: Amazon) -> None:
    add(amazon, 1)
    path = f"{ORDERS}/{order(1)['orderId']}"
    net = amazon.get(path, includedData="PROCEEDS").json()["order"]
    amazon.http.post("/_sandbox/switch", json={PRICES_INCLUDE_TAX: True}).raise_for_status()
    gross = amazon.get(path, includedData="PROCEEDS").json()["order"]
    for told in (net, gross):
        assert told["proceeds"]["grandTotal"]["amount"] == "28.80"
        assert [item["proceeds"]["proceedsTotal"]["amount"] for item in told["orderItems"]] == ["26.00", "2.80"]
        assert [amounts(item["proceeds"])["TAX"] for item in told["orderItems"]] == [Decimal("4.33"), Decimal("0.47")]
    lamp = {"ITEM": Decimal("24.00"), "SHIPPING": Decimal("5.00"), "DISCOUNT": Decimal("-3.00"), "TAX": Decimal("4.33")}
    assert amounts(gross["orderItems"][0]["proceeds"]) == lamp
    for proceeds in (net["proceeds"], *(item["proceeds"] for item in net["orderItems"])):
        total = proceeds.get("proceedsTotal") or proceeds["grandTotal"]
        assert sum(amounts(proceeds).values()) == Decimal(total["amount"])
    for proceeds in (gross["proceeds"], *(item["proceeds"] for item in gross["orderItems"])):
        total = proceeds.get("proceedsTotal") or proceeds["grandTotal"]
        assert sum(v for kind, v in amounts(proceeds).items() if kind != "TAX") == Decimal(total["amount"])


def test_the_fulfilment_block_can_be_out_of_order(amazon: Amazon) -> None:
    add(amazon, 1)
    amazon.store.switch(FULFILLMENT_REFUSED, on=True)
    refused = amazon.get(ORDERS, lastUpdatedAfter=NOVEMBER, includedData="PROCEEDS,FULFILLMENT")
    assert code(refused) == (400, "InvalidInput")
    assert found(amazon, includedData="PROCEEDS") == [1]
    amazon.store.switch(FULFILLMENT_REFUSED, on=False)
    assert found(amazon, includedData="PROCEEDS,FULFILLMENT") == [1]


def test_an_unknown_order_and_another_seller_s_are_not_found(amazon: Amazon) -> None:
    add_seller(amazon.store, "rival", "Atzr|rival")
    amazon.store.add_orders("rival", [order(7)])
    assert code(amazon.get(f"{ORDERS}/{order(7)['orderId']}")) == (404, "NotFound")
    assert found(amazon) == []


def test_a_hidden_order_is_missed_by_the_search_and_known_by_its_number(amazon: Amazon) -> None:
    add(amazon, 1, 2)
    amazon.store.hide_from_search(order(1)["orderId"])
    amazon.store.update_order("uk", order(1)["orderId"], {"programs": ["PRIME"]}, at=START - timedelta(hours=1))
    assert found(amazon) == [2]
    assert amazon.get(f"{ORDERS}/{order(1)['orderId']}").json()["order"]["programs"] == ["PRIME"]
    amazon.store.hide_from_search(order(1)["orderId"], hidden=False)
    assert found(amazon) == [2, 1]


# Pages


def turned(amazon: Amazon, **query: Any) -> list[list[int]]:
    """The order numbers of every page."""
    pages: list[list[int]] = []
    token: dict[str, str] = {}
    while True:
        answer = amazon.get(ORDERS, **query, **token).json()
        pages.append([number(told) for told in answer["orders"]])
        if "pagination" not in answer:
            return pages
        token = {"paginationToken": answer["pagination"]["nextToken"]}


def test_orders_come_a_hundred_to_a_page_unless_fewer_are_wanted(amazon: Amazon) -> None:
    add(amazon, *range(203))
    assert [len(page) for page in turned(amazon, lastUpdatedAfter=NOVEMBER)] == [100, 100, 3]
    pages = turned(amazon, lastUpdatedAfter=NOVEMBER, maxResultsPerPage=70)
    assert [one for page in pages for one in page] == list(range(203))


def test_a_full_last_page_has_no_token(amazon: Amazon) -> None:
    add(amazon, 1, 2, 3, 4)
    assert turned(amazon, createdAfter=NOVEMBER, maxResultsPerPage=2) == [[1, 2], [3, 4]]


def test_a_token_comes_with_the_parameters_it_was_made_for_but_for_size_and_blocks(amazon: Amazon) -> None:
    add(amazon, 1, 2, 3)
    asked = {"lastUpdatedAfter": NOVEMBER, "marketplaceIds": f"{UK},{DE}", "maxResultsPerPage": "1"}
    token = {"paginationToken": amazon.get(ORDERS, **asked).json()["pagination"]["nextToken"]}
    for change in (
        {"lastUpdatedAfter": "2026-11-02T00:00:00Z"},
        {"marketplaceIds": UK},
        {"fulfilledBy": "MERCHANT"},
        {"lastUpdatedBefore": "2026-11-20T11:58:00Z"},
    ):
        assert code(amazon.get(ORDERS, **(asked | token | change))) == (400, "InvalidInput"), change
    without = {name: value for name, value in asked.items() if name != "marketplaceIds"}
    assert code(amazon.get(ORDERS, **(without | token))) == (400, "InvalidInput")
    reordered = {"marketplaceIds": f"{DE},{UK}", "maxResultsPerPage": "2", "includedData": "PROCEEDS"}
    assert found(amazon, **(asked | token | reordered)) == [2, 3]


def test_a_token_lives_a_day(amazon: Amazon) -> None:
    add(amazon, 1, 2)
    asked = {"lastUpdatedAfter": NOVEMBER, "maxResultsPerPage": "1"}
    token = amazon.get(ORDERS, **asked).json()["pagination"]["nextToken"]
    amazon.clock.sleep(24 * 3600 - 1)
    amazon.token = ""
    assert found(amazon, **asked, paginationToken=token) == [2]
    amazon.clock.sleep(1)
    assert code(amazon.get(ORDERS, **asked, paginationToken=token)) == (400, "InvalidInput")


def test_an_order_that_changes_while_pages_are_turned_is_told_in_the_next_search(amazon: Amazon) -> None:
    for one in (1, 2, 3):
        add(amazon, one, lastUpdatedTime=updated(one))
    asked = {"lastUpdatedAfter": NOVEMBER, "maxResultsPerPage": "1"}
    first = amazon.get(ORDERS, **asked).json()
    amazon.clock.sleep(600)
    amazon.store.update_order("uk", order(2)["orderId"], {}, at=START + timedelta(minutes=5))
    token = first["pagination"]["nextToken"]
    second = amazon.get(ORDERS, **(asked | {"maxResultsPerPage": "9"}), paginationToken=token).json()
    assert [number(told) for told in second["orders"]] == [3]
    assert second["lastUpdatedBefore"] == first["lastUpdatedBefore"]
    assert found(amazon, lastUpdatedAfter=second["lastUpdatedBefore"]) == [2]


# What happens to orders


def test_a_change_says_what_is_new_and_when_and_leaves_the_rest(amazon: Amazon) -> None:
    add(amazon, 1)
    bulb = order(1)["orderItems"][1]["orderItemId"]
    changes = {
        "fulfillment": {"fulfillmentStatus": "PARTIALLY_SHIPPED"},
        "recipient": {"deliveryAddress": {"city": "York", "phone": None}},
        "orderItems": [{"orderItemId": bulb, "fulfillment": {"quantityUnfulfilled": 0}}],
    }
    amazon.store.update_order("uk", order(1)["orderId"], changes, at=START - timedelta(minutes=10))
    (told,) = amazon.get(
        ORDERS, lastUpdatedAfter=NOVEMBER, fulfillmentStatuses="PARTIALLY_SHIPPED", includedData=EVERYTHING
    ).json()["orders"]
    expected = order(1, lastUpdatedTime="2026-11-20T11:50:00Z")
    expected["fulfillment"]["fulfillmentStatus"] = "PARTIALLY_SHIPPED"
    expected["recipient"]["deliveryAddress"]["city"] = "York"
    del expected["recipient"]["deliveryAddress"]["phone"]
    expected["orderItems"][1]["fulfillment"]["quantityUnfulfilled"] = 0
    assert told == expected


def test_an_order_that_is_not_there_cannot_change(amazon: Amazon) -> None:
    with pytest.raises(KeyError, match="has no order 202"):
        amazon.store.update_order("uk", "202-0000000-0000000", {})


def test_the_operator_adds_changes_and_hides_orders_of_a_served_process(amazon: Amazon) -> None:
    one = order(1)["orderId"]
    assert amazon.http.post("/_sandbox/order", json={"seller": "uk", "order": order(1)}).status_code == 200
    changes = {"fulfillment": {"fulfillmentStatus": "CANCELLED"}}
    change = {"seller": "uk", "orderId": one, "changes": changes, "at": "2026-11-20T10:00:00Z"}
    assert amazon.http.post("/_sandbox/order", json=change).status_code == 200
    (told,) = amazon.get(ORDERS, lastUpdatedAfter="2026-11-20T10:00:00Z", includedData="FULFILLMENT").json()["orders"]
    assert told["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    amazon.http.post("/_sandbox/order", json={"seller": "uk", "orderId": one, "hidden": True})
    assert found(amazon) == []
    for wrong in (
        {"seller": "nobody", "order": order(2)},
        change | {"orderId": "unknown"},
        {"seller": "uk", "order": {}},
    ):
        assert amazon.http.post("/_sandbox/order", json=wrong).status_code == 400
    assert amazon.http.post("/_sandbox/switch", json={"everything_free": True}).status_code == 400


# Quotas, a kill, and Amazon's own model


def test_searching_is_dear_and_one_order_is_cheap(amazon: Amazon) -> None:
    add(amazon, 1)
    answers = [amazon.get(ORDERS, lastUpdatedAfter=NOVEMBER) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[0].headers["x-amzn-RateLimit-Limit"] == "0.0056"
    amazon.clock.sleep(178)
    assert amazon.get(ORDERS, lastUpdatedAfter=NOVEMBER).status_code == 429
    amazon.clock.sleep(1)
    assert amazon.get(ORDERS, lastUpdatedAfter=NOVEMBER).status_code == 200
    one = amazon.get(f"{ORDERS}/{order(1)['orderId']}")
    assert (one.status_code, one.headers["x-amzn-RateLimit-Limit"]) == (200, "0.5")


def test_after_a_kill_orders_and_page_tokens_are_the_same(tmp_path: Path) -> None:
    clock = Clock()
    asked = {"lastUpdatedAfter": NOVEMBER, "maxResultsPerPage": "1"}
    first = SellerCentral(tmp_path / "killed.sqlite", now=clock.now)
    add_seller(first)
    first.add_orders("uk", [order(1), order(2), order(3)])
    first.hide_from_search(order(2)["orderId"])
    with serve(create_app(first)) as base, httpx.Client(base_url=base, trust_env=False) as http:
        token = Amazon(first, clock, http).get(ORDERS, **asked).json()["pagination"]["nextToken"]
    # Never closed: the second one finds what the first one left.
    second = SellerCentral(tmp_path / "killed.sqlite", now=clock.now)
    with second, serve(create_app(second)) as base, httpx.Client(base_url=base, trust_env=False) as http:
        assert found(Amazon(second, clock, http), **asked, paginationToken=token) == [3]
    first.close()


@pytest.mark.skipif(not swagger.MODELS.is_dir(), reason="Amazon's API models are not beside the repository")
@pytest.mark.parametrize("inside", [False, True])
def test_every_answer_is_one_that_amazon_s_model_describes(amazon: Amazon, inside: bool) -> None:
    model = json.loads((swagger.MODELS / "orders_2026-01-01.json").read_text(encoding="utf-8"))
    search, one = (swagger.Operation(model, model["paths"][path]["get"]) for path in (ORDERS, f"{ORDERS}/{{orderId}}"))
    add(amazon, 1, 2, 3)
    add(amazon, 4, fulfillment=fulfilled("PENDING"))
    amazon.store.switch(PRICES_INCLUDE_TAX, on=inside)
    every = {"includedData": EVERYTHING, "maxResultsPerPage": "2"}
    for query in (
        {"lastUpdatedAfter": NOVEMBER},
        {"createdAfter": NOVEMBER},
        {"lastUpdatedAfter": NOVEMBER} | every,
        {},
    ):
        answer = amazon.get(ORDERS, **query)
        assert not list(search.answer_faults(answer.status_code, answer.json()))
    for path in (order(1)["orderId"], order(4)["orderId"], "unknown"):
        answer = amazon.get(f"{ORDERS}/{path}", includedData=EVERYTHING)
        assert not list(one.answer_faults(answer.status_code, answer.json()))
    assert datetime.fromisoformat(amazon.get(ORDERS, createdAfter=NOVEMBER).json()["createdBefore"]) < START
