"""What the client says to Sage during a whole close and what Sage answers, held against Sage's own OpenAPI files."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import simplejson

from amazon_sage_assets import verification
from amazon_sage_assets.accounting.journal_file import JournalLine, journal_documents
from amazon_sage_assets.accounting.posting_plan import Settlement
from amazon_sage_assets.orders.flow import Ordered, send
from amazon_sage_assets.outbox.messages import SAGE_IMPORT
from amazon_sage_assets.outbox.store import put
from amazon_sage_assets.posting.deliver import post, read_banks
from amazon_sage_assets.sandbox.faults import Fault
from amazon_sage_assets.sandbox.sage200 import BASE, Options
from amazon_sage_assets_tests.contracts.openapi import FOLDER, Contract
from amazon_sage_assets_tests.order_world import Wave, bring, desk, order_world
from amazon_sage_assets_tests.posting_world import NOW, PostingWorld, message_of, posting_world
from amazon_sage_assets_tests.reports import account_row, commission, principal, row, write_report

if not FOLDER.is_dir():
    pytest.skip("Sage's OpenAPI files are not beside the repository, in ../shared/contracts", allow_module_level=True)

DOCUMENTS = {
    "/bank_payment",
    "/bank_receipt",
    "/bank_transfer",
    "/sales_receipts",
    "/sales_payments",
    "/sales_credit_notes",
    "/sales_invoices",
}
# Orders with what follows from them; they have no transaction date.
ORDERED = {"/sop_orders", "/sop_confirm_despatch", "/sales_allocations"}
RECORDS = {"/sites", "/system_settings", "/sop_settings"}  # one record or a few, never in pages
LISTS = {
    "/banks",
    "/currencies",
    "/customers",
    "/nominal_codes",
    "/tax_codes",
    "/financial_year_period_views",
    "/bank_posted_transactions",
    "/sales_posted_transactions",
    "/nominal_transaction_enquiry_views",
    "/products",
    "/warehouses",
    "/sop_orders",
    "/sop_order_line_views",
    "/sop_order_despatch_views",
    "/sop_order_return_invoice_credit_views",
    "/sales_transaction_views",
}
# Of each, the first answer is lost and the document is looked for.
LOST = ("/sales_receipts", "/bank_receipt")
LOST_ORDERS = ("/sop_orders", "/sop_confirm_despatch", "/sales_credit_notes", "/sales_allocations")
# Sage's file calls these needed in every order, and its texts say of each in which. The last is how a line is named.
DEPENDS = re.compile(
    r"/sop_orders lacks document_no|/sop_orders\.lines\[\d+\] lacks (code|description|line_quantity|\w+_id)"
    r"|/sop_confirm_despatch\.items\[\d+\]\.id is only read"
)
LINES_NEED = {
    "EnumLineTypeStandard": {"product_id", "warehouse_id", "code", "line_quantity"},
    "EnumLineTypeFreeText": {"description", "line_quantity"},
    "EnumLineTypeComment": {"description"},
}
DAY = date(2026, 3, 14)


@dataclass(frozen=True)
class Exchange:
    """One request with its answer, numbers as they were written."""

    method: str
    path: str
    query: dict[str, str]
    headers: httpx.Headers
    sent: str
    status: int
    answer: Any

    @property
    def body(self) -> Any:
        return simplejson.loads(self.sent, use_decimal=True) if self.sent else None


@contextmanager
def listening(world: PostingWorld, heard: list[Exchange]) -> Iterator[Any]:
    def note(request: httpx.Request, response: httpx.Response) -> None:
        path = urlsplit(str(request.url)).path.removeprefix(BASE)
        answer = simplejson.loads(response.text, use_decimal=True) if response.content else None
        heard.append(
            Exchange(
                request.method, path, dict(request.url.params), request.headers, request.content.decode(),
                response.status_code, answer,
            )
        )  # fmt: skip

    with world.client(note) as client:
        yield client


def sop(amount: str, kind: str = "Order", **changes: str) -> dict[str, str]:
    """A price that a Sage order owns."""
    order = {"fulfillment_id": "MFN", "order_id": "202-0000009-0000009"}
    return row(kind, "ItemPrice", "Principal", amount, **order, **changes)


def write_files(world: PostingWorld) -> list[Path]:
    """Sales and refunds of either owner, fees, a reserve, a card charge, a month end that is closed, and euros."""
    german = {"marketplace_name": "Amazon.de"}
    return [
        write_report(
            world.folder / "uk.txt",
            [
                principal("120.00", posted_date_time="27.02.2026 10:00:00 UTC"),
                commission("-12.00"),
                commission("-1.20", posted_date_time="27.02.2026 10:00:00 UTC"),
                commission("-0.07"),
                sop("48.00"),
                sop("60.00", posted_date_time="27.02.2026 10:00:00 UTC"),
                sop("-24.00", "Refund"),
                row("Refund", "ItemPrice", "Principal", "-6.00"),
                account_row("Current Reserve Amount", "-10.00"),
                account_row("Successful charge", "5.00"),
            ],
            settlement_id="24000000801",
            settlement_start_date="22.02.2026 06:00:00 UTC",
            settlement_end_date="07.03.2026 06:00:00 UTC",
            deposit_date="09.03.2026 06:00:00 UTC",
        ),
        write_report(
            world.folder / "de.txt",
            [principal("119.00", **german), commission("-11.90", **german)],
            settlement_id="24000000802",
            currency="EUR",
        ),
    ]


def journal(world: PostingWorld) -> None:
    """A journal file that may be written."""
    settlement = Settlement("uk", "24000000803", "Amazon.co.uk", "GBP", DAY, DAY, Decimal("-12.00"))
    lines = [
        JournalLine("2026-03", DAY, ("5100", "", "", "1"), Decimal("12.00"), Decimal("0.00"), "Fees"),
        JournalLine("2026-03", DAY, ("1250", "", "", ""), Decimal("0.00"), Decimal("12.00"), "Wallet"),
    ]
    [document] = journal_documents(settlement, lines, [], [], "1250")
    message = message_of(document, system=SAGE_IMPORT, status="approved")
    with world.company.warehouse.transaction() as connection:
        put(connection, [message], NOW, "planning")
        connection.execute(
            "update outbox.messages set approved_hash = payload_hash where message_key = $1", [message.message_key]
        )


def close(world: PostingWorld, heard: list[Exchange]) -> None:
    """All that a month needs of Sage: looking, posting, a lost answer, a month that is closed, the final proof."""
    world.seller.settle(*write_files(world))
    journal(world)
    for month in (1, 2):
        world.books.close_period(date(2026, month, 1))
    world.approve("24000000801", "24000000802")
    world.strike(*(Fault("drop_after", method="POST", path=path, times=1) for path in LOST))
    with listening(world, heard) as client:
        posted = post(world.company, client)
    assert (posted.report.rejected, posted.report.held, posted.report.stopped) == ([], [], "")
    assert len(posted.report.proven) == len(LOST)
    [written] = posted.journal_files
    world.books.import_journal((world.company.environment.journals / f"{written}.csv").read_text(encoding="utf-8"))
    with listening(world, heard) as client:
        client.get("/system_settings")  # what the doctor asks beside the lists
        read_banks(world.company, client, datetime.now(UTC))
        company = world.company
        company.warehouse.publish(company.environment.published_path)
        results = verification.verify(company.environment.published_path, company.landing, sage=client)
    assert {result.name for result in results if result.failures} == set()


def close_orders(world: PostingWorld, heard: list[Exchange]) -> None:
    """A day's orders until they are paid: sent, despatched, invoiced, refunded, allocated, and the final proof."""
    bring(world, [Wave(0)])
    world.strike(*(Fault("drop_after", method="POST", path=path, times=1) for path in LOST_ORDERS))
    reports = []
    with listening(world, heard) as client:
        ordered = Ordered()
        send(world.company, client, ordered)
        reports.append(ordered.report)
        while desk(world):
            reports.append(post(world.company, client).report)
    assert [(r.rejected, r.held, r.stopped) for r in reports if r.rejected or r.held or r.stopped] == []
    assert sum(len(report.proven) for report in reports) == len(LOST_ORDERS)
    company = world.company
    world.seller.settle()
    with listening(world, heard) as client:
        results = verification.verify(company.environment.published_path, company.landing, sage=client)
    assert {result.name: result.failures for result in results if result.failures} == {}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    """Everything that was said, by a Sage that gives its numbers as the texts that its files promise."""
    heard: list[Exchange] = []
    options = Options(latency_seconds=0, urn_as_text=True)
    with posting_world(
        tmp_path_factory.mktemp("close"), options, answer_within=1, late_commit=0.1, top='closed_period = "next_open"'
    ) as world:
        close(world, heard)
    with order_world(tmp_path_factory.mktemp("orders"), options, answer_within=1, late_commit=0.1) as world:
        close_orders(world, heard)
    return heard


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract()


def test_a_close_asks_and_sends_all_that_the_client_can(heard: list[Exchange]) -> None:
    assert {e.path for e in heard if e.method == "GET"} == LISTS | RECORDS
    assert {e.path for e in heard if e.method == "POST"} == DOCUMENTS | ORDERED | {"/transaction_date_validation"}
    assert {e.status for e in heard} == {200}


def test_every_request_is_one_that_sage_describes(heard: list[Exchange], contract: Contract) -> None:
    faults = {f for e in heard for f in contract.request_faults(e.method, e.path, e.query, e.body)}
    assert {fault for fault in faults if not DEPENDS.fullmatch(fault)} == set()


def test_every_line_of_an_order_has_what_a_line_of_its_kind_needs(heard: list[Exchange]) -> None:
    kinds = set()
    for exchange in heard:
        if exchange.path == "/sop_orders" and exchange.method == "POST":
            assert exchange.body["customer_document_no"]  # Sage numbers it, and this number finds it again
            for line in exchange.body["lines"]:
                kinds.add(line["line_type"])
                assert LINES_NEED[line["line_type"]] <= line.keys()
    assert kinds == LINES_NEED.keys()


def test_every_despatch_names_lines_of_its_order(heard: list[Exchange]) -> None:
    lines = {
        line["sop_order_line_id"]: line["sop_order_id"]
        for exchange in heard
        if exchange.path == "/sop_order_line_views"
        for line in exchange.answer
    }
    despatches = [exchange.body for exchange in heard if exchange.path == "/sop_confirm_despatch"]
    assert despatches
    for body in despatches:
        assert {lines[item["id"]] for item in body["items"]} == {body["sop_order_return_id"]}


def test_every_answer_is_one_that_sage_describes(heard: list[Exchange], contract: Contract) -> None:
    faults = set()
    for exchange in heard:
        schema = contract.answer(exchange.path[1:], exchange.method.lower())
        faults |= set(contract.faults(exchange.answer, schema, exchange.path))
    assert faults == set()


def test_every_request_but_the_first_names_the_company(heard: list[Exchange]) -> None:
    for exchange in heard:
        assert exchange.headers["Authorization"].startswith("Bearer ")
        assert ("X-Site" in exchange.headers) == ("X-Company" in exchange.headers) == (exchange.path != "/sites")


def test_every_list_is_read_in_pages_by_rising_key(heard: list[Exchange]) -> None:
    """Sage gives 500 rows at most; pages by offset would skip or double rows that are added meanwhile."""
    for exchange in heard:
        if exchange.method == "GET" and exchange.path not in RECORDS:
            assert exchange.query["$top"] == "500"
            key = exchange.query["$orderby"].removesuffix(" asc")
            assert exchange.query["$filter"].startswith(f"{key} gt ")
            assert "$skip" not in exchange.query


def amounts(content: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a body with its name."""
    if isinstance(content, dict):
        for inner, value in content.items():
            yield from amounts(value, inner)
    elif isinstance(content, list):
        for value in content:
            yield from amounts(value, name)
    else:
        yield name, content


def test_every_amount_is_a_json_number_with_its_exact_digits(heard: list[Exchange]) -> None:
    """Two decimals at most, none of them lost to a float: what is written is what the document says."""
    written: dict[str, list[str]] = {}
    for exchange in heard:
        if exchange.path in DOCUMENTS | ORDERED and exchange.method == "POST":
            body = json.loads(exchange.sent, parse_float=str)  # the digits as they travel
            for name, value in amounts(body):
                if name.endswith("_value") or name == "value_to_allocate":
                    assert re.fullmatch(r"\d+(\.\d{1,2})?", str(value)), (exchange.path, name, value)
                    written.setdefault(name, []).append(str(value))
            assert all(not isinstance(v, str) for n, v in amounts(exchange.body) if n.endswith("_value"))
            for name, value in amounts(body):
                if name == "selling_unit_price":  # Sage keeps five decimals of it
                    assert re.fullmatch(r"-?\d+(\.\d{1,5})?", str(value)), (name, value)
                    written.setdefault(name, []).append(str(value))
    assert {"cheque_value", "payment_value", "gross_value", "goods_value", "tax_value"} <= written.keys()
    assert "value_to_allocate" in written
    assert "16.72" in {price.rstrip("0") for price in written["selling_unit_price"]}  # of 20.06 with VAT
    assert ("12.07" in written["gross_value"], "10.06" in written["goods_value"]) == (True, True)
    assert "2.01" in written["tax_value"]


def test_every_date_of_a_document_is_a_whole_moment_in_utc(heard: list[Exchange]) -> None:
    days = {e.body["transaction_date"] for e in heard if e.path in DOCUMENTS}
    named = ("document_date", "requested_delivery_date", "despatch_receipt_date", "allocation_date")
    ordered = [{n: e.body[n] for n in named if n in e.body} for e in heard if e.path in ORDERED and e.method == "POST"]
    assert all(ordered)
    assert {name for dated in ordered for name in dated} == set(named)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", day) for dated in ordered for day in dated.values())
    assert all(re.fullmatch(r"2026-\d\d-\d\dT00:00:00Z", day) for day in days)
    assert "2026-03-01T00:00:00Z" in days  # February is closed


def test_the_judge_finds_faults(contract: Contract) -> None:
    """The judge itself: what it must not let pass."""
    item = {"code": "5100", "gross_value": Decimal("1.00")}
    good = {"bank_id": 1, "reference": "R", "nominal_analysis_items": [item]}
    assert list(contract.request_faults("POST", "/bank_payment", {}, good)) == []
    for wrong in (
        {"bank_id": 1},
        {**good, "colour": "red"},
        {**good, "bank_id": "1"},
        {**good, "reference": "R" * 21},
        {**good, "transaction_date": "2026-03-10"},
        {**good, "nominal_analysis_items": [{"gross_value": Decimal("1.00")}]},
        {**good, "nominal_analysis_items": [{**item, "gross_value": Decimal("1.005")}]},
        {**good, "nominal_analysis_items": [{**item, "gross_value": "1.00"}]},
    ):
        assert list(contract.request_faults("POST", "/bank_payment", {}, wrong)), wrong
    fits = {"$filter": "id gt 0 and (reference eq 'id or colour')", "$orderby": "id asc", "$select": "id,reference"}
    assert list(contract.request_faults("GET", "/bank_posted_transactions", fits, None)) == []
    for query in (
        {"$filter": "colour eq 'red'"},
        {"$orderby": "colour desc"},
        {"$select": "id,colour"},
        {"$expand": "colour"},
        {"$expand": "reference"},
        {"$search": "red"},
    ):
        assert list(contract.request_faults("GET", "/bank_posted_transactions", query, None)), query
    assert list(contract.request_faults("GET", "/nominal_journals", {}, None))
    assert list(contract.request_faults("DELETE", "/bank_posted_transactions", {}, None))
