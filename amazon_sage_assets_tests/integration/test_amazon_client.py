"""The Amazon client against the simulated Seller Central: what it finds, how it paces, and what it never takes."""

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from amazon_sage_assets.amazon.client import SellingPartner
from amazon_sage_assets.amazon.errors import (
    AmazonRefused,
    AmazonThrottled,
    AmazonUnavailable,
    AmazonUnreadable,
    LinkExpired,
    PayoutsUnavailable,
)
from amazon_sage_assets.amazon.finances_api import balances, payouts, settlement_summary, transactions
from amazon_sage_assets.amazon.quotas import RATES, QuotaKeeper
from amazon_sage_assets.amazon.reports_api import ReportInfo, download, list_settlement_reports
from amazon_sage_assets.amazon.sellers_api import participations
from amazon_sage_assets.sandbox.seller_central import SellerCentral, create_app
from amazon_sage_assets.sandbox.seller_central.plans import PLANS
from amazon_sage_assets_tests.seller_central import (
    CLIENT,
    CONTENT,
    DE,
    REFRESH_TOKEN,
    START,
    UK,
    Answer,
    Clock,
    Interrupted,
    add_report,
    add_seller,
    as_json,
    balance,
    connection,
    packed,
    partner,
    payout,
    summary,
    transaction,
)
from amazon_sage_assets_tests.served import serve

QUARTER = START - timedelta(days=90)
HTML = b"<html><body>Service Unavailable</body></html>"


class World:
    """A seller, a client, and a network between them that can be told to misbehave."""

    def __init__(self, store: SellerCentral, clock: Clock, network: Interrupted, base: str) -> None:
        self.store, self.clock, self.network, self.base = store, clock, network, base
        self.partner = partner(base, clock)

    def reports(self, *marketplaces: str) -> list[ReportInfo]:
        return list(list_settlement_reports(self.partner, QUARTER, marketplaces))

    def report_ids(self) -> list[str]:
        return [report.report_id for report in self.reports()]

    def content(self, report_id: str = "one") -> bytes:
        (report,) = (report for report in self.reports() if report.report_id == report_id)
        with download(self.partner, report.document_id) as document:
            return document.stream.read()

    def sleeps(self) -> list[int]:
        return [round(seconds) for seconds in self.clock.slept]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Interrupted, str]]:
    network = Interrupted()
    with serve(network) as base:
        yield network, base


@pytest.fixture
def world(tmp_path: Path, server: tuple[Interrupted, str]) -> Iterator[World]:
    network, base = server
    clock = Clock()
    with SellerCentral(tmp_path / "amazon.sqlite", now=clock.now, page_size=3) as store:
        add_seller(store)
        network.app = create_app(store)
        network.instead, network.asked, network.headers = [], [], []
        world = World(store, clock, network, base)
        with world.partner:
            yield world


def words(error: BaseException) -> str:
    """Everything that a log would show of an error."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


# Finding and fetching reports


def test_every_finished_report_is_found_over_all_pages_once(world: World) -> None:
    for number in range(230):
        add_report(world.store, f"r{number:03}", created_at=START - timedelta(hours=number + 1))
    for status in ("IN_PROGRESS", "IN_QUEUE", "CANCELLED", "FATAL"):
        add_report(world.store, status, processing_status=status)
    assert world.report_ids() == [f"r{number:03}" for number in range(230)]
    assert world.store.requests() == {"getReports": 3, "token": 1}


def test_a_report_says_what_it_is(world: World) -> None:
    add_report(world.store, "one", marketplace_ids=[UK, DE])
    (report,) = world.reports(UK)
    assert (report.report_id, report.marketplace_ids) == ("one", (UK, DE))
    assert report.created_at == report.data_end == START - timedelta(days=1)
    assert report.data_start == START - timedelta(days=15)


def test_marketplaces_are_named_by_us_and_by_one_name_only(world: World) -> None:
    add_report(world.store, "uk")
    add_report(world.store, "de", marketplace_ids=[DE])
    assert [report.report_id for report in world.reports(DE)] == ["de"]
    (asked,) = (asked for asked in world.network.asked if "getReports" in asked or "/reports?" in asked)
    assert asked.count(DE) == 1


def test_more_marketplaces_than_a_request_may_name_are_asked_for_in_groups(world: World) -> None:
    add_report(world.store, "both", marketplace_ids=["M0", "M11"])
    add_report(world.store, "last", marketplace_ids=["M11"])
    found = world.reports(*(f"M{number}" for number in range(12)))
    assert {report.report_id for report in found} == {"both", "last"}
    assert len(found) == 2


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize(("charset", "heard"), [("Cp1252", "cp1252"), (None, None)])
def test_a_document_is_the_bytes_that_amazon_made(
    world: World, compressed: bool, charset: str | None, heard: str | None
) -> None:
    add_report(world.store, "one", compressed=compressed, charset=charset)
    with download(world.partner, world.reports()[0].document_id) as document:
        assert (document.stream.read(), document.charset) == (CONTENT, heard)
        assert document.stream.seek(0) == 0
    assert document.stream.closed


def test_an_expired_link_is_asked_for_once_more(world: World) -> None:
    add_report(world.store, "one")
    expired = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
    world.network.answers(Answer(403, expired, "application/xml", "/documents/uk/"))
    assert world.content() == CONTENT
    assert world.store.requests()["getReportDocument"] == 2
    world.network.answers(*[Answer(403, expired, "application/xml", "/documents/uk/")] * 2)
    with pytest.raises(LinkExpired):
        world.content()


def test_a_link_that_expires_while_a_download_is_tried_again_is_renewed(world: World) -> None:
    add_report(world.store, "one")
    broken = Answer(200, packed(CONTENT)[:20], "text/plain", "/documents/uk/", breaks_off=True)
    expired = Answer(403, b"<Error/>", "application/xml", "/documents/uk/")
    world.network.answers(broken, expired)
    assert world.content() == CONTENT


@pytest.mark.parametrize(
    "broken",
    [
        Answer(200, packed(CONTENT)[:20], "text/plain", breaks_off=True),
        Answer(200, packed(CONTENT)[:-4], "text/plain"),
        Answer(200, HTML, "text/html"),
        Answer(503, HTML, "text/html"),
    ],
    ids=["connection lost", "cut short", "a page instead", "busy"],
)
def test_a_document_that_did_not_arrive_whole_is_fetched_again_by_the_same_link(world: World, broken: Answer) -> None:
    add_report(world.store, "one")
    world.network.answers(replace(broken, path="/documents/uk/"))
    assert world.content() == CONTENT
    assert world.store.requests()["getReportDocument"] == 1


def test_a_document_that_never_arrives_whole_is_none(world: World) -> None:
    add_report(world.store, "one")
    world.network.answers(*[Answer(200, packed(CONTENT)[:-4], "text/plain", "/documents/uk/")] * 5)
    with pytest.raises(AmazonUnavailable, match="ends too early"):
        world.content()


def test_a_link_that_leads_into_the_open_is_not_followed(world: World) -> None:
    add_report(world.store, "one")
    answer = {"reportDocumentId": "d", "url": "http://documents.invalid/d?X-Amz-Signature=secret"}
    world.network.answers(Answer(200, as_json(answer), path="/2021-06-30/documents/"))
    with pytest.raises(AmazonUnreadable) as refusal:
        world.content()
    assert "secret" not in words(refusal.value)


def test_an_unknown_compression_is_not_guessed_at(world: World) -> None:
    add_report(world.store, "one")
    answer = {"reportDocumentId": "d", "url": world.base, "compressionAlgorithm": "ZSTD"}
    world.network.answers(Answer(200, as_json(answer), path="/2021-06-30/documents/"))
    with pytest.raises(AmazonUnreadable, match="ZSTD"):
        world.content()


# Money


def test_a_payout_is_read_exactly(world: World) -> None:
    world.store.add_payout("uk", payout(amount=Decimal("1234567890.17")))
    world.store.set_payout_status("uk", "25900000001", "FAILED", at=START, failure_reason="Account closed")
    (found,) = payouts(world.partner, QUARTER)
    assert (found.amount, found.currency) == (Decimal("1234567890.17"), "GBP")
    assert (found.id, found.settlement_id, found.status) == ("25900000001", "25900000001", "FAILED")
    assert (found.account_tail, found.trace_id, found.failure_reason) == ("1234", "TR1", "Account closed")
    assert found.created_at is not None
    assert found.created_at.isoformat() == "2026-11-15T06:10:11+00:00"


def test_a_settlement_without_a_payout_has_no_amount(world: World) -> None:
    world.store.add_payout("uk", payout(amount=None) | {"amount": None, "currentStatus": "NO_PAYOUT"})
    (found,) = payouts(world.partner, QUARTER)
    assert (found.status, found.amount, found.currency) == ("NO_PAYOUT", None, None)


@pytest.mark.parametrize("status", [403, 404])
def test_a_seller_without_the_payouts_api_is_told_apart_from_trouble(world: World, status: int) -> None:
    body = as_json({"errors": [{"code": "Unauthorized", "message": "Access to requested resource is denied."}]})
    world.network.answers(Answer(status, body, path="/payouts"))
    with pytest.raises(PayoutsUnavailable, match="Access to requested resource is denied"):
        payouts(world.partner, QUARTER)


def test_payouts_that_are_switched_off_cost_one_request(world: World) -> None:
    world.store.set_payouts_available("uk", available=False)
    with pytest.raises(PayoutsUnavailable):
        payouts(world.partner, QUARTER)
    assert world.store.requests() == {"listPayouts": 1, "token": 1}


def test_transactions_are_read_over_empty_pages_and_every_penny_is_exact(world: World) -> None:
    amounts = [Decimal(number) / 100 for number in range(-6, 10, 2)]
    world.store.add_transactions("uk", [transaction(number, amount) for number, amount in enumerate(amounts)])
    found = list(transactions(world.partner, START - timedelta(days=30), START - timedelta(hours=1)))
    assert [row.amount for row in found] == amounts
    assert sum(row.amount for row in found) == sum(amounts)
    assert world.store.requests()["listTransactions"] == 4, "one of the pages is empty"


def test_a_transaction_says_what_it_belongs_to(world: World) -> None:
    world.store.add_transactions("uk", [transaction(1)])
    (found,) = transactions(world.partner, START - timedelta(days=30), START - timedelta(hours=1), UK)
    assert (found.kind, found.status, found.amount) == ("Refund", "RELEASED", Decimal("-20.35"))
    assert found.identifier("ORDER_ID") == "202-0000001-0000001"
    assert found.identifier("INVOICE_ID") is None
    assert found.deferral_reason == "DD7"
    (item,) = found.items
    assert (item.sku, item.quantity, item.fulfilment) == ("SKU-A", 1, "AFN")
    assert item.identifiers == (("ORDER_ADJUSTMENT_ITEM_ID", "1757482067203214050"),)
    assert [(part.kind, part.amount) for part in item.breakdowns] == [("ProductCharges", Decimal("-20.35"))]


def test_a_span_that_amazon_answers_with_nothing_is_asked_for_in_parts(world: World) -> None:
    days = ("2025-11-06", "2026-03-06", "2026-11-06")
    world.store.add_transactions(
        "uk", [transaction(number, postedDate=f"{day}T10:00:00Z") for number, day in enumerate(days)]
    )
    found = list(transactions(world.partner, START - timedelta(days=400), START - timedelta(hours=1)))
    assert [row.posted_at.date().isoformat() for row in found] == list(days)


def test_balances_keep_their_tree(world: World) -> None:
    world.store.set_balances("uk", [balance()])
    (whole,) = balances(world.partner, [UK])
    available, reserved = whole.parts
    assert (whole.kind, whole.amount, whole.marketplace_id) == ("TOTAL", Decimal("100.1"), UK)
    assert available.amount + reserved.amount == whole.amount
    assert sum(part.amount for part in reserved.parts) == reserved.amount
    assert reserved.parts[0].marketplace_id == UK
    assert balances(world.partner, as_of=date(2026, 11, 1)) == []


def test_a_settlement_s_summary_is_found_by_its_id(world: World) -> None:
    world.store.add_summary("uk", "25900000001", summary())
    found = settlement_summary(world.partner, "25900000001")
    assert found is not None
    assert found.net_proceeds == sum(part.amount for part in found.breakdowns) == Decimal("6.54")
    assert settlement_summary(world.partner, "1") is None


def test_participations_say_where_the_seller_sells(world: World) -> None:
    found = participations(world.partner)
    assert [(place.marketplace_id, place.marketplace, place.currency) for place in found] == [
        (UK, "Amazon.co.uk", "GBP"),
        (DE, "Amazon.de", "EUR"),
    ]


# Quotas


def test_both_sides_know_the_same_usage_plans() -> None:
    known = {name: (rate.per_second, rate.burst) for name, rate in RATES.items()}
    assert known == {name: PLANS[name] for name in known}


def test_a_long_listing_is_paced_so_that_amazon_never_says_no(world: World) -> None:
    for number in range(1_200):
        add_report(world.store, f"r{number:04}", created_at=START - timedelta(minutes=number + 1))
    assert len(world.reports()) == 1_200
    assert world.store.throttled() == {}
    assert world.sleeps() == [46, 45]


def test_another_rate_in_the_header_is_followed(world: World) -> None:
    for number in range(1_200):
        add_report(world.store, f"r{number:04}", created_at=START - timedelta(minutes=number + 1))
    world.store.set_rate("getReports", 0.2, burst=10)
    assert len(world.reports()) == 1_200
    assert world.store.throttled() == {}
    assert world.sleeps() == [6, 5]


@pytest.mark.parametrize("empty", [True, False])
def test_a_429_is_waited_out_by_the_rate_in_its_header(world: World, empty: bool) -> None:
    add_report(world.store, "one")
    world.store.set_empty_429(empty)
    world.store.set_rate("getReports", 0.1, burst=1)
    assert [world.report_ids() for _ in range(3)] == [["one"]] * 3
    assert world.store.throttled() == {"getReports": 1}, "what it says once is heard"
    assert world.sleeps() == [10, 10]


def test_patience_with_a_429_has_an_end(world: World) -> None:
    world.network.answers(*[Answer(429, b"")] * 5)
    with pytest.raises(AmazonThrottled):
        world.report_ids()
    assert world.network.instead == []


def test_a_second_process_does_not_burst_again(world: World, tmp_path: Path) -> None:
    def process() -> SellingPartner:
        clock = world.clock
        state = tmp_path / "quotas.json"
        quotas = QuotaKeeper(state=state, clock=clock.seconds, wall=clock.seconds, sleep=clock.sleep)
        return SellingPartner(connection(world.base), quotas, retry_wait=0.0, clock=clock.seconds)

    for _ in range(12):
        with process() as short_lived:
            list(list_settlement_reports(short_lived, QUARTER, [UK]))
    assert world.store.throttled() == {}
    assert world.sleeps() == [46, 45]


# What is no answer


@pytest.mark.parametrize(
    "no_answer",
    [
        Answer(429, b""),
        Answer(503, b""),
        Answer(503, HTML, "text/html"),
        Answer(502, HTML, "text/html"),
        Answer(500, as_json({"errors": [{"code": "InternalFailure", "message": "We had a problem."}]})),
        Answer(200, b""),
        Answer(200, HTML, "text/html"),
        Answer(200, b'{"reports": [{"reportId": "1050'),
        Answer(200, b'{"reports": []', breaks_off=True),
        Answer(200, b"[]"),
        Answer(200, b'{"reports": NaN}'),
        Answer(302, b"", "text/html"),
    ],
    ids=lambda answer: f"{answer.status} {answer.body[:16].decode()}{' broken off' * answer.breaks_off}",
)
def test_what_is_no_whole_answer_is_never_an_empty_success(world: World, no_answer: Answer) -> None:
    add_report(world.store, "one")
    world.network.answers(replace(no_answer, path="/reports"))
    assert world.report_ids() == ["one"], "asked again, it came right"
    world.network.answers(*[replace(no_answer, path="/reports")] * 5)
    with pytest.raises(AmazonUnavailable):
        world.report_ids()


def test_an_answer_to_another_question_is_never_an_empty_success(world: World) -> None:
    world.network.answers(Answer(200, as_json({"payload": {}}), path="/reports"))
    with pytest.raises(AmazonUnreadable, match="no list of reports"):
        world.report_ids()


def test_errors_beside_a_200_are_a_refusal(world: World) -> None:
    problem = as_json({"reports": [], "errors": [{"code": "InvalidInput", "message": "No."}]})
    world.network.answers(Answer(200, problem, path="/reports"))
    with pytest.raises(AmazonRefused, match="200 InvalidInput: No"):
        world.report_ids()


def test_the_gateway_s_bare_403_is_a_refusal_and_not_asked_again(world: World) -> None:
    world.network.answers(*[Answer(403, as_json({"message": "Forbidden"}), path="/reports")] * 2)
    with pytest.raises(AmazonRefused, match="403: Forbidden"):
        world.report_ids()
    assert len(world.network.instead) == 1


def test_a_refusal_carries_amazon_s_code_words_and_request_id(world: World) -> None:
    with pytest.raises(AmazonRefused) as refusal:
        world.partner.get("getReports", "/reports/2021-06-30/reports", {"reportTypes": "X", "pageSize": "500"})
    error = refusal.value
    assert (error.status, error.code, error.words) == (400, "InvalidInput", "pageSize must be between 1 and 100")
    assert error.request_id
    assert error.request_id in str(error)
    assert world.store.requests()["getReports"] == 1


def test_a_page_token_that_comes_twice_ends_the_turning_of_pages(world: World) -> None:
    page = Answer(200, as_json({"reports": [], "nextToken": "again"}), path="/reports")
    world.network.answers(*[page] * 3)
    with pytest.raises(AmazonUnavailable, match="round in circles"):
        world.report_ids()


def test_nobody_at_the_other_end_is_unavailable(world: World) -> None:
    with partner("http://127.0.0.1:1", world.clock) as nobody, pytest.raises(AmazonUnavailable, match="ConnectError"):
        participations(nobody)


# Tokens


def test_one_access_token_serves_until_it_expires_and_is_renewed_in_time(world: World) -> None:
    for _ in range(3):
        world.report_ids()
    assert world.store.requests()["token"] == 1
    world.clock.sleep(3600 - 59)
    world.report_ids()
    assert world.store.requests()["token"] == 2
    assert world.store.requests()["getReports"] == 4, "no request was spent on an expired token"


def test_a_token_that_amazon_has_ended_is_replaced_once(world: World) -> None:
    world.report_ids()
    world.store.expire_tokens()
    assert world.report_ids() == []
    assert world.store.requests()["token"] == 2
    denied = as_json({"errors": [{"code": "Unauthorized", "message": "Access to requested resource is denied."}]})
    world.network.answers(*[Answer(401, denied, path="/reports")] * 3)
    with pytest.raises(AmazonRefused):
        world.report_ids()
    assert world.store.requests()["token"] == 3
    assert len(world.network.instead) == 1


def test_two_hosts_with_one_refresh_token_do_not_share_an_access_token(world: World, tmp_path: Path) -> None:
    world.report_ids()
    with SellerCentral(tmp_path / "other.sqlite", now=world.clock.now) as other:
        add_seller(other)
        add_report(other, "elsewhere")
        with serve(create_app(other)) as base, partner(base, world.clock) as there:
            found = list(list_settlement_reports(there, QUARTER, [UK]))
        assert [report.report_id for report in found] == ["elsewhere"]
        assert other.requests() == {"getReports": 1, "token": 1}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"refresh_token": SecretStr("Atzr|revoked-token")}, "400 invalid_grant"),
        ({"client_secret": SecretStr("not-the-secret")}, "401 invalid_client"),
    ],
)
def test_wrong_credentials_need_a_person_and_are_not_shown(world: World, wrong: dict[str, Any], says: str) -> None:
    with partner(world.base, world.clock, **wrong) as stranger, pytest.raises(AmazonRefused, match=says) as refusal:
        participations(stranger)
    for secret in ("revoked-token", "not-the-secret", REFRESH_TOKEN, CLIENT["client_secret"]):
        assert secret not in words(refusal.value)


def test_a_login_that_answers_nonsense_is_unavailable(world: World) -> None:
    world.network.answers(*[Answer(200, as_json({"token_type": "bearer"}), path="/auth/")] * 5)
    with pytest.raises(AmazonUnavailable, match="without an access token"):
        world.report_ids()


@pytest.mark.parametrize(
    "call",
    [
        lambda world: world.report_ids(),
        lambda world: world.content(),
        lambda world: payouts(world.partner, QUARTER),
    ],
    ids=["reports", "document", "payouts"],
)
def test_no_secret_is_ever_logged_or_shown(
    world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], call: Callable[[World], Any]
) -> None:
    for name in (
        None,
        "httpx",
        "httpcore",
        "sp_api",
        "sp_api.base.client",
        "sp_api.auth.access_token_client",
        "stamina",
    ):
        caplog.set_level(logging.DEBUG, logger=name)
    add_report(world.store, "one")
    world.network.answers(Answer(503, b""))  # so that retries are logged too
    call(world)
    issued = {headers["x-amz-access-token"] for headers in world.network.headers if "x-amz-access-token" in headers}
    signatures = {asked.rsplit("Signature=", 1)[1] for asked in world.network.asked if "Signature=" in asked}
    output = capsys.readouterr()
    logged = "\n".join(f"{r.name} {r.getMessage()} {vars(r)}" for r in caplog.records if r.name != "uvicorn.access")
    shown = logged + output.out + output.err + repr(world.partner) + repr(world.partner.connection)
    assert issued
    assert "stamina.retry_scheduled" in logged
    assert output.out == ""
    for secret in (REFRESH_TOKEN, CLIENT["client_secret"], *issued, *signatures):
        assert secret not in shown


# Where the client goes


@pytest.mark.parametrize(
    "address",
    [
        "http://sellingpartnerapi-eu.amazon.com",
        "http://127.0.0.1@sellingpartnerapi-eu.amazon.com",
        "http://127.0.0.1.amazon.com",
        "ftp://127.0.0.1",
        "sellingpartnerapi-eu.amazon.com",
        "https://",
    ],
)
def test_an_address_in_the_open_is_refused_before_anything_is_sent(address: str) -> None:
    with pytest.raises(ValueError, match="https"):
        connection(address, token_host="api.amazon.com")  # noqa: S106
    if "://" in address:
        with pytest.raises(ValueError, match="https"):
            connection("https://sellingpartnerapi-eu.amazon.com", token_host=address)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("api.amazon.com", "https://api.amazon.com"),
        ("https://api.amazon.com/", "https://api.amazon.com"),
        ("127.0.0.1:8099", "http://127.0.0.1:8099"),
        ("localhost:8099", "http://localhost:8099"),
        ("http://[::1]:8099", "http://[::1]:8099"),
    ],
)
def test_the_login_s_host_needs_no_scheme(host: str, address: str) -> None:
    assert connection("https://sellingpartnerapi-eu.amazon.com", token_host=host).token_address == address


def test_a_marketplace_in_the_environment_does_not_lead_elsewhere(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SP_API_DEFAULT_MARKETPLACE", "US")
    monkeypatch.setenv("SP_API_REFRESH_TOKEN", "Atzr|somebody-else")
    with partner(world.base, world.clock) as ours:
        assert len(participations(ours)) == 2


def test_a_proxy_in_the_environment_is_not_asked_for_this_machine(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with partner(world.base, world.clock) as ours:
        assert len(participations(ours)) == 2


def test_requests_carry_the_right_host(world: World) -> None:
    world.report_ids()
    assert {f"http://{headers['host']}" for headers in world.network.headers} == {world.base}


def test_numbers_are_read_from_their_text(world: World) -> None:
    world.network.answers(Answer(200, b'{"a": 0.1, "b": 1.10, "c": 12345678901234567890.12}', path="/anything"))
    payload = world.partner.get("getReports", "/anything").payload
    assert json.dumps(payload, default=str) == '{"a": "0.1", "b": "1.10", "c": "12345678901234567890.12"}'
