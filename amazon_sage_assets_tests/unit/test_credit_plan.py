"""The credit note that a refund becomes: the VAT of the original sale, and a reference of its own for each refund."""

import json
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_sage_assets.accounting.credit_plan import (
    MARKS,
    RefundedItem,
    credit_note,
    reference,
    rounding,
    sales_return,
)
from amazon_sage_assets.accounting.order_plan import RoundingRule, StockPart, sage_vat
from amazon_sage_assets.accounting.posting_plan import Ledger
from amazon_sage_assets.accounting.sales_documents import SalesDocument
from amazon_sage_assets.money import from_pence, money, to_pence

PENNY = Decimal("0.01")
ORDER = "202-0000001-0000001"
STANDARD, REDUCED, ZERO = (2000, "1"), (500, "95"), (0, "2")


def refunded(gross: str, shown: str = "0.00", rate: tuple[int, str] = STANDARD, sku: str = "LAMP") -> RefundedItem:
    rate_bp, tax_code = rate
    ledger = Ledger("4000", "AMZ", "ONL")
    return RefundedItem(money(gross), money(shown), rate_bp, tax_code, ledger, f"Amazon refund {ORDER} {sku}")


def noted(*items: RefundedItem, number: int = 1) -> SalesDocument:
    key = f"uk/refund/{ORDER}/{number}"
    return credit_note(key, ORDER, "Amazon.co.uk", "GBP", date(2026, 3, 20), number, items)


def body(bill: SalesDocument) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(bill.payload)
    return content


def lines(bill: SalesDocument) -> list[tuple[str, str, str]]:
    return [(line["goods_value"], line["tax_value"], line["tax_code"]) for line in body(bill)["items"]]


# --- VAT ------------------------------------------------------------------------------------------------------------


def test_e04_a_full_refund_gives_back_the_whole_sale_and_its_vat() -> None:
    bill = noted(refunded("24.00", "4.00"))
    assert lines(bill) == [("20.00", "4.00", "1")]
    assert (bill.kind, bill.amount, bill.document_date) == ("sales_credit_note", Decimal("24.00"), date(2026, 3, 20))


def test_where_amazon_shows_no_vat_it_is_taken_out_of_the_gross_at_the_original_rate() -> None:
    assert lines(noted(refunded("29.97"))) == [("24.97", "5.00", "1")]
    assert lines(noted(refunded("88.20", rate=REDUCED))) == [("84.00", "4.20", "95")]


def test_where_amazon_shows_no_vat_a_refund_of_pennies_has_its_penny_too() -> None:
    """3p at 20 % hold 0.5p, which is a penny rounded."""
    assert lines(noted(refunded("0.03"))) == [("0.02", "0.01", "1")]


def test_a_partial_refund_has_the_rate_of_the_whole() -> None:
    assert lines(noted(refunded("6.00", "1.00"))) == [("5.00", "1.00", "1")]
    assert lines(noted(refunded("4.20", rate=REDUCED))) == [("4.00", "0.20", "95")]


@pytest.mark.parametrize(
    ("shown", "said"),
    [("4.00", "4.00"), ("4.01", "4.01"), ("3.99", "3.99"), ("4.02", "4.00"), ("3.98", "4.00"), ("1.14", "4.00")],
)
def test_amazons_vat_wins_within_a_penny_of_the_original_rate_and_else_the_rate(shown: str, said: str) -> None:
    (line,) = body(noted(refunded("24.00", shown)))["items"]
    assert line["tax_value"] == said
    assert Decimal(line["goods_value"]) + Decimal(said) == Decimal("24.00")


@pytest.mark.parametrize("shown", ["0.00", "0.01", "25.00"])
def test_what_was_sold_without_vat_is_refunded_without_vat_whatever_amazon_shows(shown: str) -> None:
    """E17 and E10: exports and supplies to Amazon bore none, so none comes back."""
    assert lines(noted(refunded("150.00", shown, ZERO))) == [("150.00", "0.00", "2")]


def test_each_item_of_a_refund_keeps_its_own_rate_and_account() -> None:
    bill = noted(refunded("24.00", "4.00"), refunded("16.00", rate=ZERO, sku="BOOK"))
    assert lines(bill) == [("20.00", "4.00", "1"), ("16.00", "0.00", "2")]
    assert bill.amount == Decimal("40.00")
    assert [line["narrative"] for line in body(bill)["items"]] == [
        f"Amazon refund {ORDER} LAMP",
        f"Amazon refund {ORDER} BOOK",
    ]
    assert {(line["code"], line["cost_centre"], line["department"]) for line in body(bill)["items"]} == {
        ("4000", "AMZ", "ONL")
    }


@given(
    pence=st.lists(st.integers(min_value=1, max_value=10**8), min_size=1, max_size=6),
    rate=st.sampled_from([STANDARD, REDUCED, ZERO]),
    strays=st.integers(min_value=-3, max_value=3),
)
def test_whatever_comes_back_net_and_vat_make_it_and_neither_is_negative(
    pence: list[int], rate: tuple[int, str], strays: int
) -> None:
    share = Decimal(rate[0]) / 10_000
    items = []
    for one in pence:
        due = (from_pence(one) * share / (1 + share)).quantize(PENNY, rounding=ROUND_HALF_UP)
        shown = max(due + strays * PENNY, Decimal("0.00"))
        items.append(refunded(str(from_pence(one)), str(shown), rate))
    bill = noted(*items)
    assert bill.amount == from_pence(sum(pence))
    for item, (goods, tax, _) in zip(items, lines(bill), strict=True):
        due = item.gross * share / (1 + share)
        assert Decimal(goods) + Decimal(tax) == item.gross
        assert min(Decimal(goods), Decimal(tax)) >= 0
        assert abs(Decimal(tax) - due) < Decimal("0.02")
        assert rate != ZERO or Decimal(tax) == 0


# --- sales returns --------------------------------------------------------------------------------------------------

RULE = RoundingRule(Ledger("7910", "", ""), "99", Decimal("0.02"))


def returned(*items: RefundedItem) -> dict[str, Any]:
    key = f"uk/refund/{ORDER}/1"
    planned = sales_return(key, ORDER, "Amazon.co.uk", "GBP", date(2026, 3, 20), 1, items, "AFN", RULE)
    assert planned.amount == sum(item.gross for item in items)
    return body(planned)


def test_goods_that_are_back_are_a_line_of_stock_and_other_money_is_a_line_of_text() -> None:
    back = replace(refunded("24.00", "4.00"), seller_sku="LAMP", parts=(StockPart("LAMP-01", 3),), units=2)
    said = returned(back, refunded("12.00", sku="CUP"))
    stock, text = said["lines"]
    assert (stock["line"], stock["stock_code"], stock["quantity"], stock["net"]) == ("stock", "LAMP-01", 6, "20.00")
    assert (text["line"], text["description"], text["net"]) == ("text", f"Amazon refund {ORDER} CUP", "10.00")
    assert (said["units"], said["fulfilment"], said["recipient"]) == ({"LAMP": 2}, "AFN", "")
    assert (said["gross"], said["vat"], said["customer_document_no"]) == ("36.00", "6.00", "C20200000010000001-1")


def test_goods_that_are_not_back_move_no_stock() -> None:
    kept = replace(refunded("24.00", "4.00"), seller_sku="LAMP", parts=(StockPart("LAMP-01", 1),))
    said = returned(kept)
    assert ([line["line"] for line in said["lines"]], said["units"]) == (["text"], {})


@given(
    pence=st.lists(st.integers(min_value=1, max_value=10**7), min_size=1, max_size=5),
    rate=st.sampled_from([STANDARD, REDUCED, ZERO]),
    units=st.integers(min_value=0, max_value=4),
)
def test_whatever_comes_back_sage_s_total_of_the_return_is_what_the_buyer_gets(
    pence: list[int], rate: tuple[int, str], units: int
) -> None:
    parts = (StockPart("A", 1), StockPart("B", 2))
    items = [replace(refunded(str(from_pence(p)), rate=rate), parts=parts, units=units) for p in pence]
    lines = returned(*items)["lines"]
    net = sum(to_pence(money(line["net"])) for line in lines if line["tax_code"] == rate[1])
    rest = sum(to_pence(money(line["net"])) for line in lines if line["tax_code"] != rate[1])
    assert net + sage_vat((net, rate[0])) + rest == sum(pence)


# --- references -----------------------------------------------------------------------------------------------------


def test_every_refund_of_an_order_has_a_reference_of_its_own_that_fits_sages_field() -> None:
    references = [noted(refunded("1.00"), number=number).remote_reference for number in range(1, len(MARKS) + 1)]
    assert len(set(references)) == len(references) == 33
    assert max(map(len, references)) <= 20
    assert all("0000001" in one for one in references)


def test_refunds_of_orders_that_differ_in_their_last_digit_have_other_references() -> None:
    assert reference("C", "202-0000001-0000001", 1) != reference("C", "202-0000001-0000002", 1)


def test_a_credit_note_and_a_rounding_of_one_order_cannot_be_taken_for_each_other() -> None:
    account = Ledger("7910")
    one = rounding("k", ORDER, "Amazon.co.uk", "GBP", date(2026, 3, 20), money("0.01"), account, "99")
    assert one.remote_reference != noted(refunded("0.01")).remote_reference
    assert len(one.remote_reference) <= 20


def test_the_credit_note_names_the_order_that_it_belongs_to() -> None:
    content = body(noted(refunded("24.00", "4.00")))
    assert content["second_reference"] == ORDER
    assert content["customer"] == {"marketplace": "Amazon.co.uk", "currency": "GBP"}
    assert (content["kind"], content["transaction_date"]) == ("sales_credit_note", "2026-03-20")


def test_an_order_number_that_is_longer_than_sages_field_is_cut_there_alone() -> None:
    long = "S01-1234567-1234567-1234567"
    bill = credit_note("k", long, "Amazon.co.uk", "GBP", date(2026, 3, 20), 2, [refunded("1.00")])
    assert len(body(bill)["second_reference"]) == 20
    assert len(bill.remote_reference) <= 20
    assert bill.order_id == long


def test_the_same_refund_is_the_same_payload_and_a_penny_more_is_another_under_the_same_key() -> None:
    one, same, other = (noted(refunded(gross, "4.00")) for gross in ("24.00", "24.00", "24.01"))
    assert one == same
    assert one.payload_hash == same.payload_hash
    assert one.message_key == other.message_key
    assert one.payload_hash != other.payload_hash


# --- the penny ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("owed", "kind"), [("0.02", "sales_credit_note"), ("-0.02", "sales_invoice")])
def test_a_penny_that_is_owed_is_credited_and_one_paid_too_much_is_invoiced(owed: str, kind: str) -> None:
    bill = rounding(
        "k", ORDER, "Amazon.co.uk", "GBP", date(2026, 3, 20), money(owed), Ledger("7910", "AMZ", "ONL"), "99"
    )
    (line,) = body(bill)["items"]
    assert (bill.kind, body(bill)["kind"], bill.amount) == (kind, kind, Decimal("0.02"))
    assert (line["goods_value"], line["tax_value"], line["tax_code"]) == ("0.02", "0.00", "99")
    assert (line["code"], line["cost_centre"], line["department"]) == ("7910", "AMZ", "ONL")
    assert ORDER in line["narrative"]
