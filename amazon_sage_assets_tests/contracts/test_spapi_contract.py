"""What the client asks and what the simulated Seller Central answers, held against Amazon's own models."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from amazon_sage_assets.amazon.errors import AmazonError
from amazon_sage_assets.amazon.finances_api import balances, payouts, settlement_summary, transactions
from amazon_sage_assets.amazon.order_reports import ALL_ORDERS, FBA_RETURNS
from amazon_sage_assets.amazon.orders_api import changed_orders, one_order, recipients
from amazon_sage_assets.amazon.quotas import RATES
from amazon_sage_assets.amazon.reports_api import ask_for_report, asked_report, download, list_settlement_reports
from amazon_sage_assets.amazon.sellers_api import participations
from amazon_sage_assets.sandbox.seller_central import SellerCentral, create_app
from amazon_sage_assets.sandbox.seller_central.plans import MARKETPLACES, PLANS
from amazon_sage_assets_tests.contracts import swagger
from amazon_sage_assets_tests.seller_central import (
    CLIENT,
    DE,
    ORDERS,
    REFRESH_TOKEN,
    SETTLEMENT,
    START,
    UK,
    Clock,
    add_report,
    balance,
    fulfilled,
    order,
    partner,
    payout,
    summary,
    transaction,
)
from amazon_sage_assets_tests.served import serve

pytestmark = pytest.mark.skipif(
    not swagger.MODELS.is_dir(), reason="Amazon's API models are not beside the repository, in ../shared/contracts"
)
DONE = (200, 202)  # a report that is asked for is accepted, and made later
SDK_MODELS = {
    "searchOrders": ("orders_v2026_01_01", "SearchOrdersResponse"),
    "getOrder": ("orders_v2026_01_01", "GetOrderResponse"),
    "createReport": ("reports_v2021_06_30", "CreateReportResponse"),
    "getReports": ("reports_v2021_06_30", "GetReportsResponse"),
    "getReport": ("reports_v2021_06_30", "Report"),
    "getReportDocument": ("reports_v2021_06_30", "ReportDocument"),
    "listTransactions": ("finances_v2024_06_19", "ListTransactionsResponse"),
    "listBalances": ("finances_v2024_06_19", "ListBalancesResponse"),
    "listSummary": ("finances_v2024_06_19", "SummaryResponse"),
    "listPayouts": ("transfers_v2024_06_01", "ListPayoutsResponse"),
    "getMarketplaceParticipations": ("sellers_v1", "GetMarketplaceParticipationsResponse"),
}


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    query: dict[str, list[str]]
    sent: bytes
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def operation(self) -> swagger.Operation:
        return swagger.operation(self.method, self.path)


class Watched:
    """An app with somebody who writes down what is said."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.heard: list[Exchange] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        said: list[dict[str, Any]] = []
        sent = b""

        async def hear() -> Any:
            nonlocal sent
            message = await receive()
            sent += message.get("body", b"")
            return message

        async def note(message: dict[str, Any]) -> None:
            said.append(message)
            await send(message)

        await self.app(scope, hear, note)
        if not scope["path"].startswith(("/auth/", "/documents/", "/_sandbox/")):
            headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
            query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
            body = b"".join(message.get("body", b"") for message in said)
            self.heard.append(Exchange(scope["method"], scope["path"], query, sent, said[0]["status"], headers, body))


def seed(store: SellerCentral) -> None:
    store.add_seller("uk", **CLIENT, refresh_token=REFRESH_TOKEN, marketplace_ids=list(MARKETPLACES))
    for status in ("DONE", "IN_PROGRESS", "IN_QUEUE", "CANCELLED", "FATAL"):
        add_report(store, status, processing_status=status)
    for number in range(120):
        add_report(store, f"r{number}", marketplace_ids=[UK, DE], compressed=bool(number % 2))
    for number, status in enumerate(("PAID", "FAILED", "CANCELLED", "NO_PAYOUT")):
        store.add_payout("uk", payout(f"2590000000{number}"))
        store.set_payout_status("uk", f"2590000000{number}", status, at=START, failure_reason="A reason")
    store.add_transactions("uk", [transaction(number, Decimal(number) / 100) for number in range(8)])
    store.set_balances("uk", [balance()])
    store.set_balances("uk", [balance() | {"asOfDate": "2026-11-01T00:00:00Z"}], as_of=date(2026, 11, 1))
    store.add_summary("uk", "25900000001", summary())
    waiting = [order(number) for number in range(1, 5)]
    sent = [order(number, fulfillment=fulfilled("SHIPPED", by="AMAZON")) for number in range(5, 9)]
    store.add_orders("uk", [*waiting, *sent])


def ask_everything(base: str, clock: Clock) -> None:
    """Whatever the client can ask, with and without its options, and over several pages."""
    quarter, hour_ago = START - timedelta(days=90), START - timedelta(hours=1)
    with partner(base, clock) as amazon:
        participations(amazon)
        for places in ([], [UK], list(MARKETPLACES)):
            reports = list(list_settlement_reports(amazon, quarter, places))
        for report in reports[:2]:
            with download(amazon, report.document_id):
                pass
        for marketplaces in ([], [UK, DE]):
            payouts(amazon, quarter, marketplaces)
            balances(amazon, marketplaces)
        balances(amazon, as_of=date(2026, 11, 1))
        settlement_summary(amazon, "25900000001")
        for marketplaces in ([], [UK, DE]):
            told = list(changed_orders(amazon, quarter, marketplaces, until=hour_ago))
            list(recipients(amazon, quarter, marketplaces, until=hour_ago))
        one_order(amazon, told[0].orders[0].order_id)
        for kind in (ALL_ORDERS, FBA_RETURNS):
            asked_report(amazon, ask_for_report(amazon, kind, quarter, hour_ago, [UK, DE]))
        list(transactions(amazon, quarter, hour_ago))
        list(transactions(amazon, quarter, hour_ago, UK))


def meet_refusals(base: str, clock: Clock, store: SellerCentral) -> None:
    """The answers that are none: what is wrong, unknown, closed, too soon, and said without being let in."""
    reports = "/reports/2021-06-30/reports"
    with partner(base, clock) as amazon, httpx.Client(base_url=base, trust_env=False) as plain:
        for operation, path in (
            ("getReports", reports),
            ("getReport", f"{reports}/unknown"),
            ("getReport", f"{reports}/DONE"),
            ("getReport", f"{reports}/IN_QUEUE"),
            ("getReportDocument", "/reports/2021-06-30/documents/unknown"),
            ("listTransactions", "/finances/2024-06-19/transactions"),
            ("searchOrders", ORDERS),
            ("getOrder", f"{ORDERS}/202-0000000-0000000"),
        ):
            with suppress(AmazonError):
                amazon.get(operation, path)
        store.set_payouts_available("uk", available=False)
        with suppress(AmazonError):
            payouts(amazon, START)
        plain.get(reports, params={"reportTypes": SETTLEMENT})
        token = amazon._library.auth.access_token
        headers = {"x-amz-access-token": token}
        plain.post(reports, json={"reportType": SETTLEMENT, "marketplaceIds": [UK]}, headers=headers)
        store.set_rate("getMarketplaceParticipations", 0.001, burst=0)
        plain.get("/sellers/v1/marketplaceParticipations", headers=headers)


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Exchange]]:
    clock = Clock()
    with SellerCentral(tmp_path_factory.mktemp("contract") / "amazon.sqlite", now=clock.now, page_size=3) as store:
        seed(store)
        watched = Watched(create_app(store))
        with serve(watched) as base:
            ask_everything(base, clock)
            asked = len(watched.heard)
            meet_refusals(base, clock, store)
        assert all(exchange.status in DONE for exchange in watched.heard[:asked])
        yield watched.heard


def faults(exchanges: list[Exchange], find: Callable[[Exchange], Iterator[str]]) -> set[str]:
    return {fault for exchange in exchanges for fault in find(exchange)}


def test_every_operation_that_the_client_knows_was_heard(heard: list[Exchange]) -> None:
    assert {exchange.operation.id for exchange in heard if exchange.status in DONE} == RATES.keys()
    assert {exchange.status for exchange in heard} == {*DONE, 400, 403, 404, 429}


def test_every_request_is_one_that_amazon_s_models_describe(heard: list[Exchange]) -> None:
    assert not faults(heard, lambda exchange: exchange.operation.request_faults(exchange.query))


def test_every_report_that_is_asked_for_is_described_as_amazon_s_models_say(heard: list[Exchange]) -> None:
    asked = [exchange for exchange in heard if exchange.operation.id == "createReport"]
    assert {json.loads(exchange.sent)["reportType"] for exchange in asked} >= {ALL_ORDERS, FBA_RETURNS}
    assert not faults(asked, lambda exchange: exchange.operation.body_faults(json.loads(exchange.sent)))


def test_every_answer_is_one_that_amazon_s_models_describe(heard: list[Exchange]) -> None:
    assert not faults(
        heard, lambda exchange: exchange.operation.answer_faults(exchange.status, json.loads(exchange.body))
    )


def test_every_answer_carries_its_rate_and_its_number(heard: list[Exchange]) -> None:
    assert all({"x-amzn-ratelimit-limit", "x-amzn-requestid"} <= exchange.headers.keys() for exchange in heard)


def test_the_usage_plans_are_those_of_the_models() -> None:
    plans = {operation.id: operation.usage_plan for _, _, operation in swagger.operations()}
    assert {name: plans[name] for name in PLANS} == PLANS
    assert {name: plans[name] for name in RATES} == {n: (rate.per_second, rate.burst) for n, rate in RATES.items()}


def moments_alike(content: Any) -> Any:
    """Amazon's SDK writes a moment back in another way; it is the same moment."""
    if isinstance(content, dict):
        return {name: moments_alike(inner) for name, inner in content.items()}
    if isinstance(content, list):
        return [moments_alike(inner) for inner in content]
    if isinstance(content, str) and "T" in content:
        with suppress(ValueError):
            return datetime.fromisoformat(content)
    return content


def test_amazon_s_own_sdk_reads_every_answer_without_losing_a_field(heard: list[Exchange]) -> None:
    spapi = pytest.importorskip("spapi", reason="Amazon's SDK (amzn-sp-api) is not installed")
    configuration = spapi.Configuration()
    configuration.access_token_cache = None  # it only reads here
    reader = spapi.ApiClient(configuration)
    for exchange in heard:
        if exchange.status not in DONE:
            continue
        module, model = SDK_MODELS[exchange.operation.id]
        reader.api_models_module = f"spapi.models.{module}"
        read = reader.deserialize(SimpleNamespace(data=exchange.body), model)
        assert moments_alike(reader.sanitize_for_serialization(read)) == moments_alike(json.loads(exchange.body))


def test_the_judge_finds_faults() -> None:
    """The judge itself: what it must not let pass."""
    judged = swagger.operation("GET", "/reports/2021-06-30/reports")
    report = {"reportId": "1", "reportType": "T", "createdTime": "2026-11-15T06:30:00Z", "processingStatus": "DONE"}
    assert not list(judged.answer_faults(200, {"reports": [report]}))
    for wrong in (
        {},
        {"reports": {}},
        {"reports": [report | {"reportId": 1}]},
        {"reports": [report | {"createdTime": "soon"}]},
        {"reports": [report | {"processingStatus": "READY"}]},
        {"reports": [report | {"colour": "blue"}]},
        {"reports": [report], "nextToken": None},
    ):
        assert list(judged.answer_faults(200, wrong)), wrong
    asking = swagger.operation("POST", "/reports/2021-06-30/reports")
    wanted = {"reportType": "T", "marketplaceIds": [UK]}
    assert not list(asking.body_faults(wanted))
    for body in ({"reportType": "T"}, wanted | {"colour": "blue"}, wanted | {"marketplaceIds": UK}):
        assert list(asking.body_faults(body)), body
    assert list(asking.body_faults(wanted | {"dataStartTime": "soon"}))
    for query in ({"colour": ["blue"]}, {"pageSize": ["101"]}, {"createdSince": ["soon"]}, {"reportTypes": ["a", "b"]}):
        assert list(judged.request_faults(query)), query
    assert list(judged.answer_faults(418, {}))
    with pytest.raises(LookupError):
        swagger.operation("GET", "/nothing")
