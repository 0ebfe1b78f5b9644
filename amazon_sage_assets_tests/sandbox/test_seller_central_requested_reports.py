"""The simulated Seller Central makes reports that are asked for, of what it knows at that moment."""

import gzip
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from amazon_sage_assets.sandbox.seller_central import SellerCentral, create_app
from amazon_sage_assets.sandbox.seller_central.requested_reports import ALL_ORDERS, FBA_RETURNS, MFN_RETURNS
from amazon_sage_assets.sandbox.seller_central.switches import REPORTS_AT_ONCE
from amazon_sage_assets_tests.contracts import swagger
from amazon_sage_assets_tests.seller_central import (
    DE,
    DOCUMENTS,
    REPORTS,
    SETTLEMENT,
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
FBA_RETURN = {
    "return-date": "2026-11-18T08:00:00+00:00",
    "order-id": "202-0000001-0000001",
    "sku": "LAMP",
    "quantity": "1",
    "detailed-disposition": "SELLABLE",
    "license-plate-number": "LPNRR000001",
}
MFN_RETURN = {
    "Order ID": "202-0000001-0000002",
    "Return request date": "18-Nov-2026",
    "Amazon RMA ID": "DabcRRMA",
    "Merchant SKU": "BULB",
    "Return quantity": "1",
    "Refunded Amount": "2.80",
}


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


def ask(amazon: Amazon, report_type: str = ALL_ORDERS, **different: Any) -> httpx.Response:
    wanted = {"reportType": report_type, "marketplaceIds": [UK], "dataStartTime": NOVEMBER}
    return amazon.post(REPORTS, {**wanted, **different})


def finished(amazon: Amazon, answer: httpx.Response) -> dict[str, Any]:
    """The report as it ends."""
    while True:
        report: dict[str, Any] = amazon.get(f"{REPORTS}/{answer.json()['reportId']}").json()
        if report["processingStatus"] not in ("IN_QUEUE", "IN_PROGRESS"):
            return report


def rows(amazon: Amazon, answer: httpx.Response) -> list[dict[str, str]]:
    document = amazon.get(f"{DOCUMENTS}/{finished(amazon, answer)['reportDocumentId']}").json()
    assert document["compressionAlgorithm"] == "GZIP"
    header, *lines = gzip.decompress(amazon.http.get(document["url"]).content).decode().splitlines()
    return [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]


# Asking


def test_a_report_waits_is_made_and_is_done_and_only_then_has_a_document(amazon: Amazon) -> None:
    amazon.store.add_orders("uk", [order(1)])
    answer = ask(amazon)
    assert answer.status_code == 202
    looks = [amazon.get(f"{REPORTS}/{answer.json()['reportId']}").json() for _ in range(4)]
    assert [look["processingStatus"] for look in looks] == ["IN_QUEUE", "IN_PROGRESS", "DONE", "DONE"]
    assert ["reportDocumentId" in look for look in looks] == [False, False, True, True]
    assert (looks[0]["reportType"], looks[0]["marketplaceIds"]) == (ALL_ORDERS, [UK])
    assert looks[0]["dataStartTime"] == "2026-11-01T00:00:00+00:00"


def test_looking_at_the_list_of_reports_makes_none_go_on(amazon: Amazon) -> None:
    amazon.store.add_orders("uk", [order(1)])
    ask(amazon)
    statuses = [amazon.get(REPORTS, reportTypes=ALL_ORDERS).json()["reports"][0]["processingStatus"] for _ in range(4)]
    assert statuses == ["IN_QUEUE"] * 4


def test_a_report_can_be_done_at_once(amazon: Amazon) -> None:
    amazon.store.add_orders("uk", [order(1)])
    amazon.store.switch(REPORTS_AT_ONCE, on=True)
    report_id = ask(amazon).json()["reportId"]
    assert amazon.get(f"{REPORTS}/{report_id}").json()["processingStatus"] == "DONE"


@pytest.mark.parametrize("report_type", [ALL_ORDERS, FBA_RETURNS, MFN_RETURNS])
def test_a_report_without_anything_in_it_is_called_off(amazon: Amazon, report_type: str) -> None:
    report = finished(amazon, ask(amazon, report_type))
    assert report["processingStatus"] == "CANCELLED"
    assert "reportDocumentId" not in report


@pytest.mark.parametrize(
    "wrong",
    [
        {"reportType": SETTLEMENT},
        {"reportType": "GET_MERCHANT_LISTINGS_ALL_DATA"},
        {"reportType": None},
        {"marketplaceIds": []},
        {"marketplaceIds": UK},
        {"marketplaceIds": [UK] * 26},
        {"marketplaceIds": ["ATVPDKIKX0DER"]},
        {"dataStartTime": "2026-11-20T12:00:01Z"},
        {"dataEndTime": "2026-11-20T12:00:01Z"},
        {"dataEndTime": "2026-10-31T00:00:00Z"},
        {"dataStartTime": "yesterday"},
    ],
)
def test_a_report_that_amazon_would_not_make_is_invalid_input(amazon: Amazon, wrong: dict[str, Any]) -> None:
    assert code(ask(amazon, **wrong)) == (400, "InvalidInput")


def test_a_body_that_is_no_json_is_invalid_input(amazon: Amazon) -> None:
    amazon.get(REPORTS)
    headers = {"x-amz-access-token": amazon.token}
    assert code(amazon.http.post(REPORTS, content=b"{", headers=headers)) == (400, "InvalidInput")


def test_a_seller_sees_no_report_of_another(amazon: Amazon) -> None:
    amazon.store.add_orders("uk", [order(1)])
    report_id = ask(amazon).json()["reportId"]
    add_seller(amazon.store, "rival", "Atzr|rival")
    amazon.token = amazon.sign_in(refresh_token="Atzr|rival").json()["access_token"]  # noqa: S106
    assert code(amazon.get(f"{REPORTS}/{report_id}")) == (404, "NotFound")


def test_two_reports_that_were_asked_for_are_two(amazon: Amazon) -> None:
    amazon.store.add_orders("uk", [order(1)])
    first, second = ask(amazon), ask(amazon)
    assert first.json() != second.json()
    assert rows(amazon, first) == rows(amazon, second)


# All orders


def test_all_orders_has_a_row_an_item_with_the_vat_inside_the_price_and_beside_it(amazon: Amazon) -> None:
    amazon.store.add_orders("uk", [order(1)])
    lamp, bulb = rows(amazon, ask(amazon))
    assert list(lamp)[:6] == [
        "amazon-order-id", "merchant-order-id", "purchase-date", "last-updated-date", "order-status",
        "fulfillment-channel",
    ]  # fmt: skip
    expected = {
        "amazon-order-id": "202-0000001-0000001",
        "purchase-date": "2026-11-19T11:00:00+00:00",
        "last-updated-date": "2026-11-19T11:30:00+00:00",
        "order-status": "Unshipped",
        "fulfillment-channel": "Merchant",
        "sales-channel": "Amazon.co.uk",
        "ship-service-level": "Standard",
        "sku": "LAMP",
        "quantity": "1",
        "currency": "GBP",
        "item-price": "24.00",
        "item-tax": "4.00",
        "shipping-price": "5.00",
        "shipping-tax": "0.83",
        "gift-wrap-price": "",
        "item-promotion-discount": "3.00",
        "ship-city": "Leeds",
        "ship-postal-code": "LS1 1AA",
        "ship-country": "GB",
        "promotion-ids": "TEN-OFF",
        "is-business-order": "true",
    }
    assert {name: lamp[name] for name in expected} == expected
    assert (bulb["sku"], bulb["item-price"], bulb["item-tax"], bulb["shipping-price"]) == ("BULB", "2.80", "0.47", "")


def test_all_orders_names_towns_but_nobody_and_no_street(amazon: Amazon) -> None:
    amazon.store.add_orders("uk", [order(1)])
    told = str(rows(amazon, ask(amazon)))
    assert "Leeds" in told
    assert all(personal not in told for personal in ("Lightfoot", "Lantern", "07700", "vx7q"))


def test_all_orders_says_nothing_of_the_money_of_what_is_unpaid_or_cancelled(amazon: Amazon) -> None:
    amazon.store.add_orders("uk", [order(1, fulfillment=fulfilled("PENDING"))])
    amazon.store.add_orders("uk", [order(2, fulfillment=fulfilled("CANCELLED"))])
    unpaid, _, cancelled, _ = rows(amazon, ask(amazon))
    assert (unpaid["order-status"], unpaid["item-price"], unpaid["ship-city"]) == ("Pending", "", "")
    assert (cancelled["order-status"], cancelled["item-price"], cancelled["quantity"]) == ("Cancelled", "", "0")


def test_all_orders_holds_what_changed_in_its_time_on_its_marketplaces(amazon: Amazon) -> None:
    germany = {"channelName": "AMAZON", "marketplaceId": DE, "marketplaceName": "Amazon.de"}
    for number, day in ((1, 1), (2, 2), (3, 3)):
        amazon.store.add_orders("uk", [order(number, lastUpdatedTime=f"2026-11-{day:02}T12:00:00Z")])
    amazon.store.add_orders("uk", [order(4, lastUpdatedTime="2026-11-02T12:00:00Z", salesChannel=germany)])
    days = {"dataStartTime": "2026-11-02T00:00:00Z", "dataEndTime": "2026-11-03T12:00:00Z"}
    for places, expected in (([UK], {2, 3}), ([DE], {4}), ([UK, DE], {2, 3, 4})):
        told = rows(amazon, ask(amazon, marketplaceIds=places, **days))
        assert {int(row["amazon-order-id"][-7:]) for row in told} == expected


def test_all_orders_knows_the_order_that_the_search_misses(amazon: Amazon) -> None:
    amazon.store.add_orders("uk", [order(1)])
    amazon.store.hide_from_search(order(1)["orderId"])
    assert {row["amazon-order-id"] for row in rows(amazon, ask(amazon))} == {order(1)["orderId"]}


def test_a_report_tells_what_was_known_when_it_was_asked_for(amazon: Amazon) -> None:
    amazon.store.add_orders("uk", [order(1)])
    answer = ask(amazon)
    shipped = {"fulfillment": {"fulfillmentStatus": "SHIPPED"}}
    amazon.store.update_order("uk", order(1)["orderId"], shipped, at=START - timedelta(seconds=1))
    assert {row["order-status"] for row in rows(amazon, answer)} == {"Unshipped"}
    assert {row["order-status"] for row in rows(amazon, ask(amazon))} == {"Shipped"}


# Returns


def test_each_returns_report_tells_its_own_kind_of_returns(amazon: Amazon) -> None:
    amazon.store.add_returns("uk", [FBA_RETURN, MFN_RETURN])
    (by_amazon,) = rows(amazon, ask(amazon, FBA_RETURNS))
    (by_seller,) = rows(amazon, ask(amazon, MFN_RETURNS))
    assert {name: value for name, value in by_amazon.items() if value} == FBA_RETURN
    assert {name: value for name, value in by_seller.items() if value} == MFN_RETURN
    assert (len(by_amazon), len(by_seller)) == (13, 32)


def test_returns_are_those_of_the_time_that_was_asked_for(amazon: Amazon) -> None:
    amazon.store.add_returns("uk", [FBA_RETURN, MFN_RETURN])
    before = {"dataStartTime": NOVEMBER, "dataEndTime": "2026-11-17T23:59:59Z"}
    after = {"dataStartTime": "2026-11-18T08:00:01Z"}
    for different in (before, after):
        assert finished(amazon, ask(amazon, FBA_RETURNS, **different))["processingStatus"] == "CANCELLED"
    assert finished(amazon, ask(amazon, MFN_RETURNS, **before))["processingStatus"] == "CANCELLED"
    assert len(rows(amazon, ask(amazon, MFN_RETURNS, **after))) == 1, "this report knows days alone"


@pytest.mark.skipif(not swagger.MODELS.is_dir(), reason="Amazon's API models are not beside the repository")
def test_every_answer_is_one_that_amazon_s_model_describes(amazon: Amazon) -> None:
    amazon.store.add_orders("uk", [order(1)])
    asking, looking = swagger.operation("POST", REPORTS), swagger.operation("GET", f"{REPORTS}/1")
    for answer in (ask(amazon), ask(amazon, SETTLEMENT), ask(amazon, FBA_RETURNS)):
        assert not list(asking.answer_faults(answer.status_code, answer.json()))
        if answer.status_code == 202:
            for _ in range(3):
                look = amazon.get(f"{REPORTS}/{answer.json()['reportId']}")
                assert not list(looking.answer_faults(look.status_code, look.json()))
