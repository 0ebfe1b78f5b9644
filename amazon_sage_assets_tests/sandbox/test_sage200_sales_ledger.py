"""Invoices, credit notes, receipts, payments and allocations in the simulated Sage."""

from decimal import Decimal
from typing import Any

import pytest

from amazon_sage_assets_tests.sandbox.sage_company import SageCompany

D = Decimal
PREFIX = "TradingAccountEntryType"


def bill(sage: SageCompany, **change: Any) -> dict[str, Any]:
    """An invoice or credit note of 12.50 and 2.50 VAT."""
    tax = {"id": sage.tax(1), "goods_amount": D("12.50"), "tax_amount": D("2.50")}
    return {
        "customer_id": sage.customer(),
        "transaction_date": "2026-03-12T00:00:00Z",
        "reference": "CN-1042-1",
        "second_reference": "#1042",
        "document_goods_value": D("12.50"),
        "document_tax_value": D("2.50"),
        "tax_analysis_items": [tax],
        "nominal_analysis_items": [{"code": "4000", "narrative": "Order 1042", "value": D("12.50")}],
        **change,
    }


def cash(sage: SageCompany, value: str, **change: Any) -> dict[str, Any]:
    head = {"customer_id": sage.customer(), "bank_id": sage.bank("WALLET"), "cheque_value": D(value)}
    return {**head, "reference": "PO_9f3c", "second_reference": "#1042", **change}


def test_an_invoice_debits_the_debtors_and_credits_sales_and_vat(sage: SageCompany) -> None:
    urn = sage.book("sales_invoices", bill(sage))
    assert sage.ledger() == {"1100": "15.00", "4000": "-12.50", "2200": "-2.50"}
    [entry] = sage.get("sales_posted_transactions", filter=f"urn eq {urn}", expand="tax_analysis_items,customer")
    assert entry["trader_transaction_type"] == f"{PREFIX}Invoice"
    assert (entry["document_gross_value"], entry["document_outstanding_value"]) == (15, 15)
    assert entry["customer"]["reference"] == "WEB001"
    assert entry["customer"]["balance"] == 15
    assert entry["tax_analysis_items"][0]["tax_amount"] == D("2.50")


def test_a_credit_note_is_the_mirror_of_an_invoice(sage: SageCompany) -> None:
    sage.book("sales_credit_notes", bill(sage))
    assert sage.ledger() == {"1100": "-15.00", "4000": "12.50", "2200": "2.50"}
    [entry] = sage.get("sales_posted_transactions", filter="reference eq 'CN-1042-1' and second_reference eq '#1042'")
    assert entry["trader_transaction_type"] == f"{PREFIX}CreditNote"
    assert entry["document_goods_value"] == D("-12.50")


def test_without_analysis_the_customers_account_and_tax_code_take_it(sage: SageCompany) -> None:
    sage.book("sales_invoices", bill(sage, tax_analysis_items=None, nominal_analysis_items=None))
    assert sage.ledger()["4000"] == "-12.50"
    [entry] = sage.get("sales_posted_transactions", expand="tax_analysis_items")
    assert [item["code"] for item in entry["tax_analysis_items"]] == [1]


def test_a_receipt_is_in_the_sales_ledger_and_in_the_bank(sage: SageCompany) -> None:
    urn = sage.book("sales_receipts", cash(sage, "39.54"))
    assert sage.ledger() == {"1250": "39.54", "1100": "-39.54"}
    [sale] = sage.get("sales_transaction_views", filter=f"urn eq {urn}")
    assert sale["transaction_type"] == f"{PREFIX}PurchasePaymentSalesReceipt"
    assert sale["document_gross_value"] == sale["document_outstanding_value"] == D("-39.54")
    [banked] = sage.get("bank_posted_transactions", filter="reference eq 'PO_9f3c'", expand="trade_items")
    assert (banked["urn"], banked["source"], banked["cheque_value"]) == (urn, "LedgerSales", D("39.54"))
    assert banked["bank_transaction_type"].endswith("Receipt")
    assert banked["trade_items"][0]["account_number"] == "WEB001"


def test_a_payment_gives_the_customer_money_back(sage: SageCompany) -> None:
    sage.book("sales_payments", cash(sage, "5.00"))
    assert sage.ledger() == {"1250": "-5.00", "1100": "5.00"}
    [sale] = sage.get("sales_transaction_enquiry_views")
    assert sale["trader_transaction_type"] == f"{PREFIX}PurchaseReceiptSalesPayment"
    assert sale["document_gross_value"] == 5


def test_an_allocation_lowers_what_is_outstanding_on_both_sides(sage: SageCompany) -> None:
    sage.book("sales_invoices", bill(sage))
    sage.book("sales_receipts", cash(sage, "10.00"))
    invoice, receipt = sage.get("sales_posted_transactions", orderby="id asc")
    assert "full_settlement_date" not in receipt
    lines = [{"posted_tran_id": entry["id"], "value_to_allocate": 10} for entry in (invoice, receipt)]
    before = sage.ledger()
    sage.clock.later(hours=1)
    answer = sage.post("sales_allocations", {"customer_id": sage.customer(), "allocation_lines": lines})
    assert answer.status_code == 200
    invoice, receipt = sage.get("sales_posted_transactions", orderby="id asc", expand="allocation_session_items")
    assert (invoice["document_outstanding_value"], invoice["document_allocated_value"]) == (5, 10)
    assert (receipt["document_outstanding_value"], receipt["document_allocated_value"]) == (0, -10)
    assert receipt["full_settlement_date"] == "2026-03-12T00:00:00Z"
    assert receipt["date_time_updated"] == "2026-03-12T11:02:13.11Z"
    assert [item["allocation_value"] for item in receipt["allocation_session_items"]] == [-10]
    assert sage.ledger() == before


def test_an_allocation_balances_and_stays_within_what_is_open(sage: SageCompany) -> None:
    sage.book("sales_invoices", bill(sage))
    sage.book("sales_receipts", cash(sage, "20.00"))
    invoice, receipt = (row["id"] for row in sage.get("sales_posted_transactions", orderby="id asc"))

    def refused(*pairs: tuple[int, str]) -> str:
        lines = [{"posted_tran_id": number, "value_to_allocate": D(value)} for number, value in pairs]
        words = sage.refuses("sales_allocations", {"customer_id": sage.customer(), "allocation_lines": lines})
        assert all(row["document_allocated_value"] == 0 for row in sage.get("sales_posted_transactions"))
        return words

    assert "does not balance: 1.00 is left over" in refused((invoice, "15.00"), (receipt, "14.00"))
    assert "15.00 of the transaction is outstanding" in refused((invoice, "15.01"), (receipt, "15.01"))
    assert "outstanding" in refused((invoice, "10"), (invoice, "10"), (receipt, "20"))
    assert "outstanding" in refused((invoice, "0"), (receipt, "0"))
    assert "no transaction with the id 1 " in refused((1, "5"), (receipt, "5"))
    assert "allocation_lines" in refused()


def test_a_customer_in_euro_pays_into_a_bank_in_pounds(sage: SageCompany) -> None:
    abroad = sage.customer("WEB002")
    sage.book("sales_invoices", bill(sage, customer_id=abroad))
    assert sage.ledger() == {"1100": "12.00", "4000": "-10.00", "2200": "-2.00"}
    sage.book("sales_receipts", cash(sage, "15.00", customer_id=abroad, exchange_rate=D("1.20")))
    assert sage.ledger() == {"1100": "-0.50", "4000": "-10.00", "2200": "-2.00", "1250": "12.00", "7900": "0.50"}


@pytest.mark.parametrize("path", ["sales_invoices", "sales_credit_notes"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"document_goods_value": D("12.51")}, "adds up to 12.50, not to document_goods_value 12.51"),
        ({"document_tax_value": D("2.49")}, "tax_analysis_items adds up to 2.50, not to document_tax_value 2.49"),
        ({"document_goods_value": D("-12.50")}, "must not be negative"),
        ({"document_goods_value": 0, "document_tax_value": 0}, "no value"),
        ({"customer_id": 5}, "customer with the id 5 given in 'customer_id' does not exist"),
        ({"tax_analysis_items": [{"goods_amount": D("12.50")}]}, "'tax_analysis_items[0].id' is required"),
        ({"tax_analysis_items": [{"id": 1}]}, "tax code with the id 1 given in 'tax_analysis_items[0].id'"),
        ({"nominal_analysis_items": [{"code": "4001", "value": D("12.50")}]}, "'4001'"),
        ({"second_reference": "x" * 21}, "21 characters"),
        ({"transaction_date": "2026-03-12"}, "not a full date"),
    ],
)  # fmt: skip
def test_a_bill_that_does_not_add_up_is_refused(
    sage: SageCompany, path: str, change: dict[str, Any], words: str
) -> None:
    assert words in sage.refuses(path, bill(sage, **change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bank_id": 9}, "'bank_id' does not exist"),
        ({"cheque_value": 0}, "greater than zero"),
        ({"cheque_value": None}, "'cheque_value' is required"),
        ({"cheque_currency_id": 3}, "currency with the id 3"),
        ({"settlement_discount_value": 1}, "does not post"),
    ],
)
@pytest.mark.parametrize("path", ["sales_receipts", "sales_payments"])
def test_cash_that_cannot_be_booked_is_refused(
    sage: SageCompany, path: str, change: dict[str, Any], words: str
) -> None:
    assert words in sage.refuses(path, cash(sage, "1.00", **change))
