"""Settlement reports from Seller Central to the landed documents: which are asked for, and what is kept."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from amazon_sage_assets.amazon.errors import AmazonRefused, AmazonUnavailable
from amazon_sage_assets.landing import SETTLEMENT_REPORT, LandedDocument
from amazon_sage_assets.sandbox.seller_central import SellerCentral, create_app
from amazon_sage_assets.settings import Secrets
from amazon_sage_assets.settlements.discovery import Discovered, discover, fetch, fetch_all, waiting_reports
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.reports import commission, principal, report_text
from amazon_sage_assets_tests.seller_central import (
    CLIENT,
    DE,
    REFRESH_TOKEN,
    Answer,
    Clock,
    Interrupted,
    add_report,
    add_seller,
    partner,
)
from amazon_sage_assets_tests.served import serve

EXPIRED = Answer(
    403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", "application/xml",
    path="/documents/uk/",
)  # fmt: skip
THROTTLED = Answer(429, b'{"errors": [{"code": "QuotaExceeded", "message": "You exceeded your quota."}]}')


class Central:
    """Seller Central with one client of the account `uk`, and the company that lands what it finds."""

    def __init__(self, store: SellerCentral, network: Interrupted, base: str, clock: Clock, seller: Seller) -> None:
        self.store, self.network, self.base, self.clock = store, network, base, clock
        self.company = seller.company
        self.partner = partner(base, clock)

    def discover(self) -> Discovered:
        account = next(account for account in self.company.profile.accounts if account.name == "uk")
        return discover(self.company, account, self.partner, self.clock.now())

    def fetch(self, found: Discovered | None = None) -> list[LandedDocument]:
        return fetch(self.company, found or self.discover(), self.partner, now=self.clock.now)

    def new(self) -> list[str]:
        return [report.report_id for report in self.discover().reports]

    def landed(self) -> list[LandedDocument]:
        return self.company.landing.documents(SETTLEMENT_REPORT)

    def bytes_of(self, document: LandedDocument) -> bytes:
        with self.company.landing.open(SETTLEMENT_REPORT, document.sha256) as stream:
            return stream.read()

    def asked_since(self) -> datetime:
        """From when on the last question asked for reports."""
        question = next(asked for asked in reversed(self.network.asked) if "createdSince" in asked)
        return datetime.fromisoformat(parse_qs(urlsplit(question).query)["createdSince"][0])


@pytest.fixture
def central(tmp_path: Path, seller: Seller) -> Iterator[Central]:
    clock = Clock()
    with SellerCentral(tmp_path / "central.sqlite", now=clock.now, rate_scale=1000.0) as store:
        add_seller(store)
        network = Interrupted(create_app(store))
        with serve(network) as base:
            central = Central(store, network, base, clock, seller)
            with central.partner:
                yield central


def settlement(number: int = 1, **changes: str) -> bytes:
    rows = [principal("20.00", **changes), commission("-3.00")]
    return report_text(rows, settlement_id=str(24_000_000_000 + number)).encode()


# --- what is kept ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
@pytest.mark.parametrize(
    ("content", "charset"),
    [
        (settlement(), "UTF-8"),
        (settlement(sku="THÉIÈRE").decode().encode("cp1252"), "Windows-1252"),
        (settlement().replace(b"\n", b"\r\n") + b"\r\n \x00", None),
        (b"", "UTF-8"),
    ],
    ids=["utf-8", "cp1252", "odd ends", "empty"],
)
def test_a_report_is_landed_byte_for_byte_with_what_its_server_called_its_charset(
    central: Central, content: bytes, charset: str | None, compressed: bool
) -> None:
    add_report(central.store, "one", content, charset=charset, compressed=compressed)
    (document,) = central.fetch()
    assert central.bytes_of(document) == content
    assert document.byte_count == len(content)
    (origin,) = document.origins
    assert (origin.source, origin.name, origin.account) == ("report", "one", "uk")
    assert (origin.charset or "").lower() == (charset or "").lower()
    assert datetime.fromisoformat(origin.landed_at) == central.clock.now()
    assert central.new() == []


def test_one_settlement_under_two_report_ids_is_one_document_with_two_origins(central: Central) -> None:
    content = settlement()
    add_report(central.store, "first", content)
    add_report(central.store, "second", content, compressed=False)
    add_report(central.store, "other", settlement(2))
    assert sorted(central.new()) == ["first", "other", "second"]
    central.fetch()
    landed = {tuple(sorted(origin.name for origin in document.origins)) for document in central.landed()}
    assert landed == {("first", "second"), ("other",)}
    assert central.new() == []


def test_reports_that_are_not_ready_or_of_another_kind_or_site_are_left(central: Central) -> None:
    add_report(central.store, "ready", settlement())
    add_report(central.store, "being made", settlement(2), processing_status="IN_PROGRESS")
    add_report(central.store, "another kind", settlement(3), report_type="GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE")
    add_report(central.store, "another site", settlement(4), marketplace_ids=[DE])
    assert central.new() == ["ready"]


# --- from when on ---------------------------------------------------------------------------------------------------


def test_amazon_is_asked_for_all_that_it_keeps_and_later_since_the_last_landed_report_less_a_week(
    central: Central,
) -> None:
    add_report(central.store, "one", settlement())
    central.discover()
    assert central.asked_since() == central.clock.now() - timedelta(days=89)
    central.fetch()
    landed_at = central.clock.now()

    central.clock.sleep(timedelta(days=14).total_seconds())
    add_report(central.store, "two", settlement(2), created_at=central.clock.now() - timedelta(hours=1))
    assert central.new() == ["two"]
    assert central.asked_since() == landed_at - timedelta(days=7)


def test_a_report_that_was_made_before_the_last_landed_one_and_shown_after_it_is_found(central: Central) -> None:
    add_report(central.store, "one", settlement())
    central.fetch()
    add_report(central.store, "late", settlement(2), created_at=central.clock.now() - timedelta(days=6))
    assert central.new() == ["late"]


def test_after_a_long_pause_no_more_is_asked_for_than_amazon_keeps(central: Central) -> None:
    add_report(central.store, "one", settlement())
    central.fetch()
    central.clock.sleep(timedelta(days=200).total_seconds())
    central.discover()
    assert central.asked_since() == central.clock.now() - timedelta(days=89)


def test_files_of_the_inbox_and_reports_of_other_accounts_say_nothing_about_this_one(
    central: Central, seller: Seller
) -> None:
    content = settlement()
    path = seller.folder / "dropped.txt"
    path.write_bytes(content)
    central.company.landing.land_file(path, SETTLEMENT_REPORT, "inbox", central.clock.now())
    add_report(central.store, "one", content)
    assert central.new() == ["one"]
    assert central.asked_since() == central.clock.now() - timedelta(days=89)
    central.fetch()
    (document,) = central.landed()
    assert [(origin.source, origin.name) for origin in document.origins] == [
        ("inbox", "dropped.txt"),
        ("report", "one"),
    ]


# --- what goes wrong on the way -------------------------------------------------------------------------------------


def test_a_link_that_has_expired_is_asked_for_again(central: Central) -> None:
    content = settlement()
    add_report(central.store, "one", content)
    central.network.answers(EXPIRED)
    (document,) = central.fetch()
    assert central.bytes_of(document) == content
    links = [asked for asked in central.network.asked if asked.startswith("/reports/2021-06-30/documents/")]
    assert len(links) == 2


def test_throttling_and_a_download_that_breaks_off_are_waited_out(central: Central) -> None:
    contents = {str(number): settlement(number) for number in range(3)}
    for report_id, content in contents.items():
        add_report(central.store, report_id, content)
    breaking = Answer(200, contents["0"][:50], "text/plain", path="/documents/uk/", breaks_off=True)
    busy = Answer(THROTTLED.status, THROTTLED.body, path="/reports/2021-06-30/documents/")
    central.network.answers(THROTTLED, busy, breaking)
    landed = central.fetch()
    assert {document.first.name: central.bytes_of(document) for document in landed} == contents


def test_a_report_that_cannot_be_had_leaves_the_ones_before_it_landed_and_is_still_new(central: Central) -> None:
    for number, report_id in enumerate(("one", "two")):
        add_report(central.store, report_id, settlement(number))
    found = central.discover()
    first, second = (report.report_id for report in found.reports)
    after_first: list[Answer] = []

    def progress(said: str) -> None:
        if second in said:
            after_first.append(EXPIRED)
            central.network.answers(EXPIRED, EXPIRED)

    with pytest.raises(AmazonRefused):
        fetch(central.company, found, central.partner, now=central.clock.now, progress=progress)
    assert after_first
    assert [document.first.name for document in central.landed()] == [first]
    assert list((central.company.environment.home / "scratch").iterdir()) == []
    assert central.new() == [second]
    central.fetch()
    assert central.new() == []


def test_half_a_report_is_never_landed(central: Central) -> None:
    content = settlement()
    add_report(central.store, "one", content, compressed=False)
    half = Answer(200, content[:100], "text/plain", path="/documents/uk/", breaks_off=True)
    central.network.answers(*[half] * 20)
    with pytest.raises(AmazonUnavailable):
        central.fetch()
    assert central.landed() == []
    assert not list((central.company.environment.home / "landed").rglob("*.part"))


# --- every account of the company -----------------------------------------------------------------------------------

Connect = Callable[..., Secrets]


@pytest.fixture
def connect(central: Central, monkeypatch: pytest.MonkeyPatch, seller: Seller) -> Connect:
    """Credentials of some accounts, in the environment as a person would set them."""
    central.clock.now_is = datetime.now(UTC)
    add_seller(central.store, "de", f"{REFRESH_TOKEN}-de")
    add_report(central.store, "uk one", settlement(1), created_at=central.clock.now() - timedelta(days=1))
    add_report(
        central.store, "de one", settlement(2), seller="de", marketplace_ids=[DE],
        created_at=central.clock.now() - timedelta(days=1),
    )  # fmt: skip
    for name in ("AMAZON_SAGE_AMAZON_ADDRESS", "AMAZON_SAGE_AMAZON_TOKEN_ADDRESS"):
        monkeypatch.setenv(name, central.base)
    central.company = seller.company
    tokens = {"uk": REFRESH_TOKEN, "de": f"{REFRESH_TOKEN}-de"}

    def connecting(*accounts: str) -> Secrets:
        for account, token in tokens.items():
            monkeypatch.setenv(f"SP_API_REFRESH_TOKEN_{account.upper()}", token if account in accounts else "")
        return Secrets(lwa_app_id=CLIENT["client_id"], lwa_client_secret=SecretStr(CLIENT["client_secret"]))

    return connecting


def test_every_connected_account_is_asked_with_its_own_sign_in(central: Central, connect: Connect) -> None:
    secrets = connect("uk", "de")
    now = central.clock.now()
    assert waiting_reports(central.company, now, secrets) == {"uk": ("uk one",), "de": ("de one",)}
    assert fetch_all(central.company, now, secrets) == {"uk": 1, "de": 1}
    assert {(d.first.name, d.given_account) for d in central.landed()} == {("uk one", "uk"), ("de one", "de")}
    assert fetch_all(central.company, now, secrets) == {"uk": 0, "de": 0}
    assert waiting_reports(central.company, now, secrets) == {"uk": (), "de": ()}


def test_an_account_without_credentials_is_passed_over(central: Central, connect: Connect) -> None:
    now = central.clock.now()
    assert fetch_all(central.company, now, connect("uk")) == {"uk": 1}
    assert [document.first.name for document in central.landed()] == ["uk one"]
    assert fetch_all(central.company, now, connect()) == {}
    assert fetch_all(central.company, now, Secrets()) == {}


def test_neither_logs_nor_landed_documents_hold_a_token_or_a_signed_link(
    central: Central, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "sp_api", "sp_api.base.client", "stamina"):
        caplog.set_level(logging.DEBUG, logger=name)
    central.network.answers(EXPIRED)
    assert fetch_all(central.company, central.clock.now(), connect("uk", "de")) == {"uk": 1, "de": 1}
    issued = {headers["x-amz-access-token"] for headers in central.network.headers if "x-amz-access-token" in headers}
    assert len(issued) == 2
    home = central.company.environment.home
    kept = "".join(path.read_text(encoding="utf-8") for path in home.rglob("*.json"))
    assert "uk one" in kept
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("uvicorn"))  # that is Amazon's
    assert "httpcore" in {record.name.split(".")[0] for record in caplog.records}
    for secret in (REFRESH_TOKEN, CLIENT["client_secret"], "X-Amz-Signature", *issued):
        assert secret not in ours
        assert secret not in kept
