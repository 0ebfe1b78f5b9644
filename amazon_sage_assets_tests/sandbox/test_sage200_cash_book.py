"""Bank payments, receipts and transfers in the simulated Sage: what they do to the ledger, and what is refused."""

from decimal import Decimal
from typing import Any

import pytest

from amazon_sage_assets_tests.sandbox.sage_company import SageCompany, parsed

D = Decimal


def fees(sage: SageCompany, *lines: dict[str, Any], **head: Any) -> dict[str, Any]:
    """A payment out of the wallet; without lines one of 120.00 with 20.00 of VAT."""
    usual = {"code": "5100", "gross_value": D("120.00"), "goods_value": D("100.00"), "tax_value": D("20.00")}
    return {
        "bank_id": sage.bank("WALLET"),
        "transaction_date": "2026-03-05T00:00:00Z",
        "reference": "AMZ-1",
        "second_reference": "24012345678",
        "narrative": "March fees",
        "nominal_analysis_items": list(lines) or [{**usual, "tax_code_id": sage.tax(1)}],
        **head,
    }


def euro(sage: SageCompany, *lines: dict[str, Any], **head: Any) -> dict[str, Any]:
    body = fees(sage, *(lines or ({"code": "5100", "gross_value": D("125.00")},)), **head)
    return {"cheque_value": D("125.00"), "tax_code_id": sage.tax(2), **body, "bank_id": sage.bank("WALLETE")}


def test_a_payment_credits_the_bank_and_debits_cost_and_input_vat(sage: SageCompany) -> None:
    urn = sage.book("bank_payment", fees(sage))
    assert sage.ledger() == {"1250": "-120.00", "5100": "100.00", "2201": "20.00"}
    [entry] = sage.get("bank_posted_transactions", expand="nominal_analysis_items,tax_analysis_items")
    assert entry["urn"] == urn
    assert entry["bank_transaction_type"] == "BankAccountEntryTypePayment"
    assert (entry["cheque_value"], entry["reference"], entry["entry_description"]) == (120, "AMZ-1", "March fees")
    assert entry["transaction_date"] == "2026-03-05T00:00:00Z"
    assert entry["posted_date"] == entry["date_time_updated"] == "2026-03-12T10:02:13.11Z"
    assert [(i["code"], i["value"]) for i in entry["nominal_analysis_items"]] == [
        ("1250", -120), ("5100", 100), ("2201", 20)
    ]  # fmt: skip
    assert [(i["code"], i["goods_amount"], i["tax_amount"]) for i in entry["tax_analysis_items"]] == [(1, 100, 20)]


def test_a_receipt_debits_the_bank_and_credits_sales_and_output_vat(sage: SageCompany) -> None:
    line = {"code": "4000", "goods_value": D("10.01"), "tax_value": D("2.00")}
    sage.book("bank_receipt", fees(sage, line))
    assert sage.ledger() == {"1250": "12.01", "4000": "-10.01", "2200": "-2.00"}


def test_a_reverse_charge_moves_both_sides_of_vat_by_the_rate(sage: SageCompany) -> None:
    line = {"code": "5130", "gross_value": D("10.13"), "goods_value": D("10.13"), "tax_code_id": sage.tax(16)}
    sage.book("bank_payment", fees(sage, line))
    assert sage.ledger() == {"1250": "-10.13", "5130": "10.13", "2201": "2.03", "2200": "-2.03"}
    taxed = {**line, "gross_value": D("12.16"), "tax_value": D("2.03")}
    assert "notional" in sage.refuses("bank_payment", fees(sage, taxed))


def test_a_line_goes_to_the_account_of_its_cost_centre_and_department(sage: SageCompany) -> None:
    line = {"code": "5100", "cost_centre": "LON", "department": "WEB", "gross_value": 5}
    sage.book("bank_payment", fees(sage, line, {"code": "5100", "gross_value": 7}))
    assert sage.ledger() == {"1250": "-12.00", "5100/LON/WEB": "5.00", "5100": "7.00"}
    unknown = sage.refuses("bank_payment", fees(sage, {**line, "department": ""}))
    assert "5100/LON" in unknown
    assert "nominal_analysis_items[0].code" in unknown


def test_the_old_name_of_the_lines_still_works(sage: SageCompany) -> None:
    body = fees(sage)
    body["nominal_journal_items"] = body.pop("nominal_analysis_items")
    sage.book("bank_payment", body)
    assert sage.ledger()["5100"] == "100.00"


def test_a_transfer_gives_two_entries_under_one_urn(sage: SageCompany) -> None:
    body = {
        "bank_from_id": sage.bank("WALLET"),
        "bank_to_id": sage.bank("MAIN"),
        "payment_value": D("1158.92"),
        "reference": "PO_9F3C",
        "narrative": "Payout",
    }
    assert parsed(sage.post("bank_transfer", body)) == body
    out, into = sage.get("bank_posted_transactions", filter="reference eq 'PO_9F3C'", orderby="id asc")
    assert out["urn"] == into["urn"]
    assert (out["bank_id"], into["bank_id"]) == (body["bank_from_id"], body["bank_to_id"])
    assert out["bank_transaction_type"].endswith("Payment")
    assert into["bank_transaction_type"].endswith("Receipt")
    assert out["cheque_value"] == into["cheque_value"] == D("1158.92")
    assert sage.ledger() == {"1250": "-1158.92", "1200": "1158.92"}


def test_a_transfer_between_currencies_books_the_exchange_difference(sage: SageCompany) -> None:
    body = {"bank_from_id": sage.bank("WALLETE"), "bank_to_id": sage.bank("MAIN"), "payment_value": D("125.00")}
    assert sage.post("bank_transfer", {**body, "receipt_value": D("98.50")}).status_code == 200
    assert sage.ledger() == {"1251": "-100.00", "1200": "98.50", "7900": "1.50"}
    assert sage.books.bank_balances() == {"MAIN": D("98.50"), "WALLET": D("0.00"), "WALLETE": D("-125.00")}
    assert sage.post("bank_transfer", {**body, "payment_to_base_exchange_rate": D("1.20")}).status_code == 200
    assert sage.ledger()["1200"] == str(D("98.50") + D("104.17"))


def test_a_payment_in_euro_is_booked_at_the_rate_of_the_day(sage: SageCompany) -> None:
    sage.book("bank_payment", euro(sage, tax_code_id=sage.tax(1), cheque_tax_value=D("25.00")))
    assert sage.ledger() == {"1251": "-100.00", "5100": "80.00", "2201": "20.00"}
    assert sage.books.bank_balances()["WALLETE"] == D("-125.00")
    sage.book("bank_payment", euro(sage, exchange_rate=D("1.2")))
    assert sage.ledger()["1251"] == "-204.17"


def test_pennies_of_exchange_never_get_lost(sage: SageCompany) -> None:
    lines = [{"code": code, "gross_value": D("0.33")} for code in ("5100", "5130", "4000")]
    sage.book("bank_payment", euro(sage, *lines, cheque_value=D("0.99"), exchange_rate=D("1.187654")))
    assert sage.ledger()["1251"] == "-0.83"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cheque_value": D("124.99")}, "add up to 125.00, not to cheque_value 124.99"),
        ({"cheque_value": None}, "'cheque_value' is required"),
        ({"cheque_goods_value": D("100.00"), "cheque_tax_value": D("24.00")}, "do not add up to cheque_value"),
    ],
)
def test_a_payment_in_euro_adds_up_to_its_cheque(sage: SageCompany, change: dict[str, Any], words: str) -> None:
    assert words in sage.refuses("bank_payment", euro(sage, **change))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"gross_value": D("12.01"), "goods_value": D("10.00"), "tax_value": D("2.00")}, "do not add up"),
        ({}, "needs a gross_value or a goods_value"),
        ({"gross_value": D("-1.00")}, "must not be negative"),
        ({"gross_value": 0}, "greater than zero"),
        ({"gross_value": D("1.005")}, "more than 2 decimals"),
        ({"gross_value": "1.00"}, "must be a number"),
        ({"gross_value": 1, "tax_code_id": 1}, "id 1 given in 'nominal_analysis_items[0].tax_code_id'"),
        ({"gross_value": 1, "code": "9999"}, "'9999' given in 'nominal_analysis_items[0].code' does not exist"),
        ({"gross_value": 1, "vat": 1}, "'nominal_analysis_items[0].vat' is not a field"),
    ],
)
def test_a_line_that_is_wrong_is_named(sage: SageCompany, line: dict[str, Any], words: str) -> None:
    assert words in sage.refuses("bank_payment", fees(sage, {"code": "5100", **line}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bank_id": 1}, "bank with the id 1 given in 'bank_id' does not exist"),
        ({"bank_id": None}, "'bank_id' is required"),
        ({"bank_id": 0}, "'bank_id' is required"),
        ({"nominal_analysis_items": []}, "at least one line"),
        ({"transaction_date": "2026-03-05"}, "not a full date and time"),
        ({"transaction_date": "2026-02-30T00:00:00Z"}, "transaction_date"),
        ({"cheque_value": D("1.00")}, "is not the sum of the lines"),
        ({"reference": 7}, "must be a string"),
        ({"reference": "\ud800"}, "half a character"),
        ({"bank_id": 2**70}, "must be a whole number"),
    ],
)
def test_a_head_that_is_wrong_is_named(sage: SageCompany, change: dict[str, Any], words: str) -> None:
    assert words in sage.refuses("bank_payment", fees(sage, **change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bank_to_id": 1}, "'bank_to_id' does not exist"),
        ({"payment_value": 0}, "greater than zero"),
        ({"payment_value": 10**10}, "out of range"),
        ({"payment_value": None}, "'payment_value' is required"),
        ({"receipt_value": D("9.99")}, "differs from payment_value"),
    ],
)
def test_a_transfer_that_is_wrong_is_named(sage: SageCompany, change: dict[str, Any], words: str) -> None:
    body = {"bank_from_id": sage.bank("WALLET"), "bank_to_id": sage.bank("MAIN"), "payment_value": 10}
    assert words in sage.refuses("bank_transfer", {**body, **change})
    assert "two different banks" in sage.refuses("bank_transfer", {**body, "bank_to_id": body["bank_from_id"]})


@pytest.mark.parametrize(
    ("field", "limit"), [("reference", 20), ("second_reference", 20), ("narrative", 6000), ("line", 6000), ("code", 8)]
)
def test_a_text_fits_its_field_or_is_refused(sage: SageCompany, field: str, limit: int) -> None:
    def body(length: int) -> dict[str, Any]:
        text = "x" * length
        if field in ("line", "code"):
            name = "narrative" if field == "line" else "code"
            return fees(sage, {"code": "5100", "gross_value": 1, name: text})
        return fees(sage, **{field: text})

    assert f"{limit + 1} characters; the limit is {limit}" in sage.refuses("bank_payment", body(limit + 1))
    if field == "code":
        assert "does not exist" in sage.refuses("bank_payment", body(limit))
    else:
        sage.book("bank_payment", body(limit))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[1]", b'"text"', b'{"bank_id": NaN}', b"\xff", b"null"])
def test_a_body_that_is_no_object_is_refused(sage: SageCompany, content: bytes) -> None:
    assert sage.refuses("bank_payment", content)


def test_a_person_at_the_desk_and_the_bank_feed_book_too(sage: SageCompany) -> None:
    sage.books.enter_by_hand("bank_receipt", fees(sage), source="LedgerBankFeeds")
    [entry] = sage.get("bank_posted_transactions", filter="source eq 'LedgerBankFeeds'")
    assert entry["user_name"] == "SARAH"
    assert sage.ledger()["1250"] == "120.00"


def test_a_reconciled_entry_shows_its_statement_and_that_it_changed(sage: SageCompany) -> None:
    sage.book("bank_payment", fees(sage))
    [entry] = sage.get("bank_posted_transactions")
    assert "last_statement_date" not in entry
    sage.clock.later(hours=2)
    body = {"entry_id": entry["id"], "statement_date": "2026-03-10", "page": 3}
    assert sage.send("POST", "/_sandbox/reconcile", json=body).status_code == 200
    after = sage.get(f"bank_posted_transactions/{entry['id']}")
    assert (after["last_statement_date"], after["statement_page_number"]) == ("2026-03-10T00:00:00Z", 3)
    assert after["date_time_updated"] == "2026-03-12T12:02:13.11Z"
    assert sage.get("banks", filter="code eq 'WALLET'")[0]["statement_balance"] == -120
