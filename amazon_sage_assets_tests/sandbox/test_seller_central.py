"""The simulated Seller Central behaves as Amazon's contract says, over HTTP and across a restart."""

import gzip
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from amazon_sage_assets.sandbox.seller_central import SellerCentral, create_app
from amazon_sage_assets_tests.seller_central import (
    CONTENT,
    DE,
    DOCUMENTS,
    REPORTS,
    SETTLEMENT,
    START,
    UK,
    Amazon,
    Clock,
    Interrupted,
    add_report,
    add_seller,
    balance,
    code,
    payout,
    summary,
    transaction,
)
from amazon_sage_assets_tests.served import serve

TRANSACTIONS = "/finances/2024-06-19/transactions"
PAYOUTS = "/finances/transfers/2024-06-01/payouts"
NOVEMBER = "2026-11-01T00:00:00Z"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[SellerCentral]:
    with SellerCentral(tmp_path / "amazon.sqlite", now=clock.now, page_size=3) as store:
        add_seller(store)
        yield store


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Interrupted, httpx.Client]]:
    """One server for all, which serves whatever world a test puts into it."""
    app = Interrupted()
    with serve(app) as base, httpx.Client(base_url=base, trust_env=False) as http:
        yield app, http


@pytest.fixture
def amazon(store: SellerCentral, clock: Clock, server: tuple[Interrupted, httpx.Client]) -> Amazon:
    app, http = server
    app.app = create_app(store)
    return Amazon(store, clock, http)


# The door


def test_a_refresh_token_opens_for_as_long_as_the_answer_says(amazon: Amazon) -> None:
    answer = amazon.sign_in().json()
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 3600)
    assert amazon.get(REPORTS, reportTypes=SETTLEMENT).status_code == 200
    amazon.clock.sleep(3600)
    refused = amazon.get(REPORTS, reportTypes=SETTLEMENT)
    assert code(refused) == (403, "Unauthorized")
    assert "expired" in refused.json()["errors"][0]["details"]


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"client_secret": "guessed"}, 401, "invalid_client"),
        ({"client_id": "somebody"}, 401, "invalid_client"),
        ({"refresh_token": "Atzr|old"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"refresh_token": ""}, 400, "invalid_request"),
    ],
)
def test_wrong_credentials_get_the_login_s_own_error(
    amazon: Amazon, wrong: dict[str, str], status: int, error: str
) -> None:
    answer = amazon.sign_in(**wrong)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_without_a_known_access_token_nothing_is_said(amazon: Amazon) -> None:
    assert code(amazon.http.get(REPORTS, params={"reportTypes": SETTLEMENT})) == (403, "Unauthorized")
    amazon.token = "Atza|forged"  # noqa: S105
    assert code(amazon.get(REPORTS, reportTypes=SETTLEMENT)) == (403, "Unauthorized")


def test_expiring_every_token_is_an_order_of_the_operator(amazon: Amazon) -> None:
    assert amazon.get(REPORTS, reportTypes=SETTLEMENT).status_code == 200
    amazon.http.post("/_sandbox/expire_tokens")
    assert code(amazon.get(REPORTS, reportTypes=SETTLEMENT)) == (403, "Unauthorized")


def test_a_path_that_does_not_exist_gets_the_gateway_s_bare_refusal(amazon: Amazon) -> None:
    answer = amazon.get("/orders/v0/nothing")
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_moving_money_is_not_on_offer(amazon: Amazon) -> None:
    assert amazon.http.post(PAYOUTS, json={"marketplaceId": DE, "accountType": "Standard Orders"}).status_code == 403


# Reports


def test_reports_come_ten_to_a_page_the_newest_first(amazon: Amazon) -> None:
    for number in range(23):
        add_report(amazon.store, f"r{number:02}", created_at=START - timedelta(hours=number + 1))
    first = amazon.get(REPORTS, reportTypes=SETTLEMENT).json()
    assert [report["reportId"] for report in first["reports"]] == [f"r{number:02}" for number in range(10)]
    assert amazon.reports(pageSize=7) == [f"r{number:02}" for number in range(23)]


def test_a_report_that_is_made_while_pages_are_turned_doubles_none(amazon: Amazon) -> None:
    for number in range(4):
        add_report(amazon.store, f"r{number}", created_at=START - timedelta(hours=number + 1))
    first = amazon.get(REPORTS, reportTypes=SETTLEMENT, pageSize=2).json()
    add_report(amazon.store, "new", created_at=START)
    second = amazon.get(REPORTS, nextToken=first["nextToken"]).json()
    assert [report["reportId"] for report in second["reports"]] == ["r2", "r3"]


def test_a_page_token_stands_alone(amazon: Amazon) -> None:
    for number in range(3):
        add_report(amazon.store, f"r{number}")
    token = amazon.get(REPORTS, reportTypes=SETTLEMENT, pageSize=1).json()["nextToken"]
    assert code(amazon.get(REPORTS, nextToken=token, pageSize=1)) == (400, "InvalidInput")
    assert code(amazon.get(REPORTS, nextToken=token[:-4])) == (400, "InvalidInput")
    assert amazon.get(REPORTS, nextToken=token).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"reportTypes": SETTLEMENT, "pageSize": "101"},
        {"reportTypes": SETTLEMENT, "pageSize": "0"},
        {"reportTypes": SETTLEMENT, "processingStatuses": "READY"},
        {"reportTypes": SETTLEMENT, "createdSince": "yesterday"},
        {"reportTypes": SETTLEMENT, "marketplaceIds": ",".join(f"M{n}" for n in range(11))},
    ],
)
def test_a_question_that_amazon_would_not_take_is_invalid_input(amazon: Amazon, query: dict[str, str]) -> None:
    assert code(amazon.get(REPORTS, **query)) == (400, "InvalidInput")


def test_reports_are_found_by_status_marketplace_and_time(amazon: Amazon) -> None:
    add_report(amazon.store, "uk")
    add_report(amazon.store, "de", marketplace_ids=[DE])
    add_report(amazon.store, "running", processing_status="IN_PROGRESS")
    add_report(amazon.store, "old", created_at=START - timedelta(days=30))
    assert set(amazon.reports(processingStatuses="DONE", createdSince="2026-11-15T00:00:00Z")) == {"uk", "de"}
    assert set(amazon.reports(processingStatuses="DONE,IN_PROGRESS", marketplaceIds=UK)) == {"uk", "running", "old"}
    assert amazon.reports(createdUntil="2026-11-15T00:00:00Z") == ["old"]
    assert "reportDocumentId" not in amazon.get(f"{REPORTS}/running").json()


def test_marketplaces_under_four_names_at_once_and_a_wrong_host_are_taken(amazon: Amazon) -> None:
    add_report(amazon.store, "uk")
    add_report(amazon.store, "de", marketplace_ids=[DE])
    names = ("MarketplaceId", "MarketplaceIds", "marketplace_ids", "marketplaceIds")
    assert amazon.reports(**dict.fromkeys(names, UK)) == ["uk"]
    headers = {"x-amz-access-token": amazon.token, "host": "27.0.0.1:1"}
    document_id = amazon.get(f"{REPORTS}/uk").json()["reportDocumentId"]
    link = amazon.http.get(f"{DOCUMENTS}/{document_id}", headers=headers).json()["url"]
    assert amazon.http.get(link).status_code == 200


def test_a_report_appears_when_it_is_made_and_is_gone_after_ninety_days(amazon: Amazon) -> None:
    add_report(amazon.store, "next", created_at=START + timedelta(hours=1))
    assert amazon.reports() == []
    assert code(amazon.get(f"{REPORTS}/next")) == (404, "NotFound")
    amazon.clock.sleep(3600)
    amazon.token = ""
    assert amazon.reports() == ["next"]
    amazon.clock.sleep(90 * 86_400)
    amazon.token = ""
    assert amazon.reports(createdSince="2026-01-01T00:00:00Z") == []


def test_the_same_content_may_stand_under_two_report_ids(amazon: Amazon) -> None:
    add_report(amazon.store, "one")
    add_report(amazon.store, "two")
    links = [amazon.link(report_id) for report_id in ("one", "two")]
    assert links[0] != links[1]
    assert [gzip.decompress(amazon.http.get(link).content) for link in links] == [CONTENT, CONTENT]


def test_a_document_is_sent_as_it_lies_with_and_without_gzip_and_charset(amazon: Amazon, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_bytes(CONTENT)
    add_report(amazon.store, "plain", compressed=False, charset=None)
    amazon.store.add_report(
        "uk", "packed", file, report_type=SETTLEMENT, marketplace_ids=[UK], data_start=None, data_end=None,
        created_at=START, charset="Cp1252",
    )  # fmt: skip
    plain, packed = (amazon.http.get(amazon.link(report_id)) for report_id in ("plain", "packed"))
    assert (plain.content, plain.headers["content-type"]) == (CONTENT, "text/plain")
    assert (gzip.decompress(packed.content), packed.headers["content-type"]) == (CONTENT, "text/plain;charset=Cp1252")
    assert "content-encoding" not in packed.headers
    described = [
        amazon.get(f"{DOCUMENTS}/{amazon.get(f'{REPORTS}/{r}').json()['reportDocumentId']}").json().keys()
        for r in ("plain", "packed")
    ]
    assert ["compressionAlgorithm" in keys for keys in described] == [False, True]


def test_a_link_needs_no_token_lives_five_minutes_and_cannot_be_bent(amazon: Amazon) -> None:
    add_report(amazon.store, "one")
    link = amazon.link("one")
    amazon.clock.sleep(299)
    assert amazon.http.get(link).status_code == 200
    bent = amazon.http.get(link.replace("X-Amz-Expires=300", "X-Amz-Expires=900"))
    assert (bent.status_code, "<Code>SignatureDoesNotMatch</Code>" in bent.text) == (403, True)
    amazon.clock.sleep(1)
    late = amazon.http.get(link)
    assert (late.status_code, late.headers["content-type"]) == (403, "application/xml")
    assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in late.text


def test_a_seller_sees_no_other_seller_s_reports(amazon: Amazon) -> None:
    add_seller(amazon.store, "rival", "Atzr|rival")
    add_report(amazon.store, "theirs", seller="rival")
    assert amazon.reports() == []
    amazon.token = amazon.sign_in(refresh_token="Atzr|rival").json()["access_token"]  # noqa: S106
    document_id = amazon.get(f"{REPORTS}/theirs").json()["reportDocumentId"]
    amazon.token = ""
    assert code(amazon.get(f"{DOCUMENTS}/{document_id}")) == (404, "NotFound")


def test_a_settlement_report_cannot_be_asked_for(amazon: Amazon) -> None:
    amazon.get(f"{REPORTS}/none")
    answer = amazon.http.post(REPORTS, json={"reportType": SETTLEMENT}, headers={"x-amz-access-token": amazon.token})
    assert code(answer) == (400, "InvalidInput")


# Quotas


def test_a_burst_is_followed_by_the_rate_of_the_plan(amazon: Amazon) -> None:
    add_report(amazon.store, "one")
    answers = [amazon.get(REPORTS, reportTypes=SETTLEMENT) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert code(answers[-1]) == (429, "QuotaExceeded")
    assert {answer.headers["x-amzn-RateLimit-Limit"] for answer in answers} == {"0.0222"}
    assert len({answer.headers["x-amzn-RequestId"] for answer in answers}) == 11
    amazon.clock.sleep(45)
    assert amazon.get(REPORTS, reportTypes=SETTLEMENT).status_code == 429
    amazon.clock.sleep(1)
    assert amazon.get(REPORTS, reportTypes=SETTLEMENT).status_code == 200
    assert amazon.get(f"{REPORTS}/one").status_code == 200, "another operation has a quota of its own"


def test_a_rate_can_be_changed_and_shows_in_the_header(amazon: Amazon) -> None:
    amazon.http.post("/_sandbox/rate", json={"operation": "getReports", "rate": 0.5, "burst": 1})
    first, second = (amazon.get(REPORTS, reportTypes=SETTLEMENT) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)
    assert second.headers["x-amzn-RateLimit-Limit"] == "0.5"
    amazon.clock.sleep(2)
    assert amazon.get(REPORTS, reportTypes=SETTLEMENT).status_code == 200
    assert amazon.http.post("/_sandbox/rate", json={"operation": "nothing", "rate": 1}).status_code == 400


def test_a_429_may_come_without_a_body(amazon: Amazon) -> None:
    amazon.store.set_rate("getReports", 0.01, burst=1)
    amazon.http.post("/_sandbox/empty_429", json={"on": True})
    answer = [amazon.get(REPORTS, reportTypes=SETTLEMENT) for _ in range(2)][-1]
    assert (answer.status_code, answer.content) == (429, b"")
    assert answer.headers["x-amzn-RateLimit-Limit"] == "0.01"


def test_every_request_is_counted_by_operation(amazon: Amazon) -> None:
    add_report(amazon.store, "one")
    amazon.http.get(amazon.link("one"))
    amazon.store.set_rate("listPayouts", 0.01, burst=1)
    for _ in range(3):
        amazon.get(PAYOUTS)
    counts = {"token": 1, "getReport": 1, "getReportDocument": 1, "document": 1, "listPayouts": 3}
    assert amazon.store.requests() == counts
    assert amazon.http.get("/_sandbox/requests").json() == {"requests": counts, "throttled": {"listPayouts": 2}}


# Money


def test_transactions_need_a_beginning_or_something_they_belong_to(amazon: Amazon) -> None:
    amazon.store.add_transactions("uk", [transaction(1), transaction(2)])
    assert code(amazon.get(TRANSACTIONS)) == (400, "InvalidInput")
    order = {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": "202-0000001-0000002"}
    found = amazon.get(TRANSACTIONS, **order).json()["payload"]["transactions"]
    assert [row["transactionId"] for row in found] == ["t-00002"]
    settlement = {"relatedIdentifierName": "SETTLEMENT_ID", "relatedIdentifierValue": "1"}
    assert code(amazon.get(TRANSACTIONS, **settlement)) == (400, "InvalidInput")


def test_transactions_are_found_by_time_and_status_and_written_as_numbers(amazon: Amazon) -> None:
    later = transaction(2, postedDate="2026-11-10T10:00:00Z", transactionStatus="DEFERRED")
    amazon.store.add_transactions("uk", [later, transaction(1)])
    everything = amazon.get(TRANSACTIONS, postedAfter=NOVEMBER)
    assert '"currencyAmount":-20.35' in everything.text
    assert [row["transactionId"] for row in everything.json()["payload"]["transactions"]] == ["t-00001", "t-00002"]
    until = amazon.get(TRANSACTIONS, postedAfter=NOVEMBER, postedBefore="2026-11-10T10:00:00Z").json()
    assert [row["transactionId"] for row in until["payload"]["transactions"]] == ["t-00001"]
    held = amazon.get(TRANSACTIONS, postedAfter=NOVEMBER, transactionStatus="DEFERRED").json()
    assert [row["transactionId"] for row in held["payload"]["transactions"]] == ["t-00002"]


def test_a_window_too_long_is_answered_with_nothing_and_one_too_new_is_refused(amazon: Amazon) -> None:
    amazon.store.add_transactions("uk", [transaction(1)])
    assert amazon.get(TRANSACTIONS, postedAfter="2026-01-01T00:00:00Z").json()["payload"]["transactions"] == []
    recent = (START - timedelta(seconds=60)).isoformat()
    assert code(amazon.get(TRANSACTIONS, postedAfter=NOVEMBER, postedBefore=recent)) == (400, "InvalidInput")


def test_an_empty_page_may_stand_before_the_last(amazon: Amazon) -> None:
    amazon.store.add_transactions("uk", [transaction(number) for number in range(7)])
    sizes: list[int] = []
    token: dict[str, str] = {}
    while True:
        payload = amazon.get(TRANSACTIONS, postedAfter=NOVEMBER, **token).json()["payload"]
        sizes.append(len(payload["transactions"]))
        if "nextToken" not in payload:
            break
        token = {"nextToken": payload["nextToken"]}
    assert sizes == [3, 3, 0, 1]
    assert code(amazon.get(TRANSACTIONS, postedAfter="2026-11-02T00:00:00Z", **token)) == (400, "InvalidInput")


def test_a_payout_moves_through_its_statuses(amazon: Amazon) -> None:
    amazon.store.add_payout("uk", payout())
    amazon.store.set_payout_status("uk", "25900000001", "PAID", at=START)
    amazon.store.add_payout("uk", payout("later", creationDate="2026-11-29T00:00:00Z"))
    (found,) = amazon.get(PAYOUTS, createdAfter=NOVEMBER).json()["payouts"]
    assert [entry["status"] for entry in found["statusHistory"]] == ["STARTED", "PAID"]
    assert (found["currentStatus"], found["amount"]["currencyAmount"]) == ("PAID", 6.54)
    assert amazon.get(PAYOUTS, createdAfter="2026-11-16T00:00:00Z").json()["payouts"] == []


def test_payouts_may_be_closed_to_a_seller(amazon: Amazon) -> None:
    amazon.store.set_payouts_available("uk", available=False)
    assert code(amazon.get(PAYOUTS)) == (403, "Unauthorized")


def test_balances_are_those_of_now_or_of_a_day(amazon: Amazon) -> None:
    path = "/finances/2024-06-19/balances"
    amazon.store.set_balances("uk", [balance()])
    assert amazon.get(path).json()["balances"][0]["amount"]["currencyAmount"] == 100.1
    (held,) = amazon.get(path, balanceType="DEFERRED", marketplaceIds=UK).json()["balances"]
    assert held["amount"]["currencyAmount"] == 50.06
    assert amazon.get(path, asOfDate="2026-11-01").json()["balances"] == []
    assert code(amazon.get(path, asOfDate="soon")) == (400, "InvalidInput")


def test_a_summary_is_found_by_its_settlement(amazon: Amazon) -> None:
    amazon.store.add_summary("uk", "25900000001", summary())
    path, name = "/finances/2024-06-19/summary", "SETTLEMENT_ID"
    found = amazon.get(path, relatedIdentifierName=name, relatedIdentifierValue="25900000001").json()["summaries"]
    assert found[0]["netProceeds"] == {"currencyCode": "GBP", "currencyAmount": 6.54}
    other = amazon.get(path, relatedIdentifierName=name, relatedIdentifierValue="1").json()
    assert other == {"summaries": []}


# A kill


def test_after_a_kill_it_is_the_same_world(tmp_path: Path, clock: Clock) -> None:
    first = SellerCentral(tmp_path / "amazon.sqlite", now=clock.now)
    add_seller(first)
    for number in range(3):
        add_report(first, f"r{number}")
    with serve(create_app(first)) as base, httpx.Client(base_url=base, trust_env=False) as http:
        amazon = Amazon(first, clock, http)
        link, token = amazon.link("r0"), amazon.get(REPORTS, reportTypes=SETTLEMENT, pageSize=2).json()["nextToken"]
        access_token = amazon.token
        for _ in range(9):
            amazon.get(REPORTS, reportTypes=SETTLEMENT)
    # Never closed: the second one finds what the first one left.
    second = SellerCentral(tmp_path / "amazon.sqlite", now=clock.now)
    with second, serve(create_app(second)) as base, httpx.Client(base_url=base, trust_env=False) as http:
        amazon = Amazon(second, clock, http)
        amazon.token = access_token
        assert http.get(httpx.URL(link).raw_path.decode()).status_code == 200
        assert amazon.get(REPORTS, nextToken=token).status_code == 429, "the quota was used up before"
        clock.sleep(46)
        assert len(amazon.get(REPORTS, nextToken=token).json()["reports"]) == 1
        assert second.requests()["getReports"] == 12
    first.close()
