"""The Sage order that an Amazon order becomes: Sage's own VAT on it, its nets and the rounding make what was paid.

Sage's side is worked out here by decimal arithmetic from the lines alone, as Sage does it: each line's net is quantity
times unit price to the penny, VAT is the rate times the sum of the nets of one tax code, halves up.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amazon_sage_assets.accounting.order_plan import (
    ROUNDING_TEXT,
    DoesNotFit,
    OrderHead,
    RoundingRule,
    SoldItem,
    StockPart,
    merged,
    plan_order,
)
from amazon_sage_assets.accounting.posting_plan import Ledger
from amazon_sage_assets.accounting.sales_documents import SalesDocument
from amazon_sage_assets.money import from_pence, money

PENNY = Decimal("0.01")
NIL = Decimal("0.00")
SALES, REDUCED, ZERO = Ledger("4000", "AMZ", "ONL"), Ledger("4005"), Ledger("4001")
# Basis points, Sage's tax code and the sales account of each kind of supply.
STANDARD_RATE, REDUCED_RATE, ZERO_RATE = (2000, "1", SALES), (500, "95", REDUCED), (0, "2", ZERO)
RATES = {"1": Decimal("0.20"), "95": Decimal("0.05"), "2": Decimal(0), "99": Decimal(0)}
RULE = RoundingRule(Ledger("7910"), "99", Decimal("0.02"))
HEAD = OrderHead(
    key="uk/order/202-0000001-0000001",
    document="order",
    customer_document_no="202-0000001-0000001",
    marketplace="Amazon.co.uk",
    currency="GBP",
    fulfilment="MFN",
    day=date(2026, 3, 3),
    deliver_by=date(2026, 3, 5),
    recipient="a-hash",
)


def penny(amount: Decimal) -> Decimal:
    return amount.quantize(PENNY, rounding=ROUND_HALF_UP)


def sold(
    gross: str,
    vat: str,
    rate: tuple[int, str, Ledger] = STANDARD_RATE,
    *,
    parts: Sequence[tuple[str, int]] = (("A", 1),),
    quantity: int = 1,
    postage: str = "0.00",
    wrap: str = "0.00",
) -> SoldItem:
    rate_bp, tax_code, ledger = rate
    return SoldItem(
        parts=tuple(StockPart(code, units) for code, units in parts),
        quantity=quantity,
        gross=money(gross),
        vat=money(vat),
        rate_bp=rate_bp,
        tax_code=tax_code,
        ledger=ledger,
        postage=money(postage),
        wrap=money(wrap),
    )


class InSage:
    """What Sage makes of the lines of an order."""

    def __init__(self, planned: SalesDocument) -> None:
        self.content: dict[str, Any] = json.loads(planned.payload)
        self.lines: list[dict[str, Any]] = self.content["lines"]
        self.nets: dict[str, Decimal] = defaultdict(lambda: NIL)
        self.rounding = NIL
        for line in self.lines:
            net = penny(line["quantity"] * Decimal(line["unit_price"]))
            if line.get("description") == ROUNDING_TEXT:
                self.rounding += net
            self.nets[line["tax_code"]] += net
        self.vat_by_code = {code: penny(RATES[code] * net) for code, net in self.nets.items()}
        self.vat = sum(self.vat_by_code.values(), NIL)
        self.net = sum(self.nets.values(), NIL)

    def said(self, *names: str) -> list[tuple[Any, ...]]:
        return [tuple(line.get(name) for name in names) for line in self.lines]


def in_sage(*items: SoldItem, rule: RoundingRule = RULE) -> InSage:
    return InSage(plan_order(HEAD, items, rule))


# --- the examples of the accounting rules ---------------------------------------------------------------------------


def test_e03_three_at_9_99_bear_5_00_of_vat_and_not_4_99() -> None:
    """24.97 at 20 % would be 4.99 in Sage, so the net is a penny higher and the rounding line takes it back."""
    order = in_sage(sold("29.97", "5.00", quantity=3))
    assert (order.net, order.vat, order.net + order.vat) == (Decimal("24.97"), Decimal("5.00"), Decimal("29.97"))
    assert order.rounding == Decimal("-0.01")


def test_e15_a_discount_lowers_the_vat_and_postage_that_is_free_bears_none() -> None:
    order = in_sage(sold("30.00", "5.00"))
    assert (order.net, order.vat, order.rounding) == (Decimal("25.00"), Decimal("5.00"), NIL)
    assert order.said("line", "description") == [("stock", None)]


def test_e18a_postage_bears_the_reduced_rate_of_the_goods() -> None:
    order = in_sage(sold("88.20", "4.20", REDUCED_RATE, postage="4.20"))
    assert (order.net, order.vat, order.rounding) == (Decimal("84.00"), Decimal("4.20"), NIL)
    assert order.said("description", "net", "gross", "tax_code", "nominal_code") == [
        (None, "80.00", "84.00", "95", "4005"),
        ("Postage", "4.00", "4.20", "95", "4005"),
    ]


def test_e18b_in_a_mixed_basket_each_part_of_the_postage_has_the_rate_of_its_goods() -> None:
    lamp = sold("27.00", "4.50", STANDARD_RATE, parts=[("LAMP", 1)], postage="3.00")
    book = sold("18.00", "0.00", ZERO_RATE, parts=[("BOOK", 1)], postage="2.00")
    order = in_sage(lamp, book)
    assert (order.net, order.vat, order.rounding) == (Decimal("40.50"), Decimal("4.50"), NIL)
    assert order.nets == {"1": Decimal("22.50"), "2": Decimal("18.00")}
    assert order.said("nominal_code", "net") == [
        ("4000", "20.00"),
        ("4000", "2.50"),
        ("4001", "16.00"),
        ("4001", "2.00"),
    ]


def test_e01_an_order_without_pennies_to_spare_has_no_rounding_line() -> None:
    order = in_sage(sold("24.00", "4.00"))
    assert order.said("stock_code", "quantity", "unit_price", "net") == [("A", 1, "20.00000", "20.00")]
    assert order.vat == Decimal("4.00")


# --- lines ----------------------------------------------------------------------------------------------------------


def test_a_multi_pack_is_so_many_units_of_its_stock_item() -> None:
    order = in_sage(sold("72.00", "12.00", parts=[("CUP", 6)], quantity=2))
    assert order.said("stock_code", "quantity", "unit_price") == [("CUP", 12, "5.00000")]


def test_a_bundle_is_a_line_for_each_stock_item_its_price_shared_by_units() -> None:
    order = in_sage(sold("48.00", "8.00", parts=[("CUP", 3), ("POT", 1)], quantity=2))
    assert order.said("stock_code", "quantity", "net", "gross") == [
        ("CUP", 6, "30.00", "36.00"),
        ("POT", 2, "10.00", "12.00"),
    ]


def test_gift_wrap_is_a_line_of_its_own_with_the_tax_code_of_the_goods() -> None:
    order = in_sage(sold("27.60", "4.60", wrap="3.60"))
    assert order.said("description", "net", "tax_code") == [(None, "20.00", "1"), ("Gift wrap", "3.00", "1")]


def test_an_item_that_costs_nothing_is_still_sent() -> None:
    order = in_sage(sold("24.00", "4.00"), sold("0.00", "0.00", parts=[("GIFT", 1)], quantity=2))
    assert ("GIFT", 2, "0.00000", "0.00") in order.said("stock_code", "quantity", "unit_price", "net")
    assert (order.net, order.vat) == (Decimal("20.00"), Decimal("4.00"))


def test_only_the_postage_is_paid_where_a_voucher_took_off_the_whole_price_of_the_goods() -> None:
    order = in_sage(sold("3.60", "0.60", postage="3.60"))
    assert order.said("description", "net") == [(None, "0.00"), ("Postage", "3.00")]


def test_pennies_that_sages_vat_takes_are_spread_so_that_no_line_falls_below_zero() -> None:
    """Eight items at 2p bear no VAT each, but 16p at 20 % hold 3p: more than any one item can give."""
    order = in_sage(*[sold("0.02", "0.00", parts=[(f"S{n}", 1)]) for n in range(8)])
    assert min(Decimal(line["net"]) for line in order.lines) >= 0
    assert order.net + order.vat == Decimal("0.16")


def test_a_line_of_more_units_than_a_unit_price_can_resolve_is_split_in_lines_that_can() -> None:
    """83.33 over 6,000 units is 0.013888...: with five decimals Sage would make it 83.34."""
    order = in_sage(sold("100.00", "16.67", parts=[("BEAD", 12)], quantity=500))
    assert sum(line["quantity"] for line in order.lines) == 6000
    assert (order.net, order.vat) == (Decimal("83.33"), Decimal("16.67"))


def test_the_rounding_line_is_a_text_without_vat_on_its_own_account() -> None:
    (line,) = [line for line in in_sage(sold("29.97", "5.00")).lines if line["line"] == "text"]
    assert (line["description"], line["nominal_code"], line["tax_code"]) == (ROUNDING_TEXT, "7910", "99")
    assert (line["quantity"], line["net"], line["gross"]) == (1, "-0.01", "0.00")


def test_each_line_is_booked_on_the_account_of_its_treatment() -> None:
    order = in_sage(sold("24.00", "4.00"), sold("16.00", "0.00", ZERO_RATE, parts=[("BOOK", 1)]))
    assert order.said("nominal_code", "cost_centre", "department") == [("4000", "AMZ", "ONL"), ("4001", "", "")]


# --- the head and the message ---------------------------------------------------------------------------------------


def test_an_order_says_when_for_whom_and_how_it_is_sent_but_names_nobody() -> None:
    content = in_sage(sold("24.00", "4.00")).content
    assert content["document_date"] == "2026-03-03"
    assert content["deliver_by"] == "2026-03-05"
    assert content["customer_document_no"] == "202-0000001-0000001"
    assert content["customer"] == {"marketplace": "Amazon.co.uk", "currency": "GBP"}
    assert (content["fulfilment"], content["recipient"]) == ("MFN", "a-hash")
    assert (content["gross"], content["vat"]) == ("24.00", "4.00")


def test_an_order_without_a_day_to_deliver_by_says_none() -> None:
    planned = plan_order(replace(HEAD, deliver_by=None), [sold("24.00", "4.00")], RULE)
    assert json.loads(planned.payload)["deliver_by"] == ""


def test_the_order_is_found_again_by_amazons_number_and_comes_to_what_the_buyer_paid() -> None:
    planned = plan_order(HEAD, [sold("24.00", "4.00"), sold("5.99", "1.00")], RULE)
    assert planned.remote_reference == "202-0000001-0000001"
    assert (planned.amount, planned.currency) == (Decimal("29.99"), "GBP")


def test_the_same_order_is_the_same_payload_and_a_penny_more_is_another_under_the_same_key() -> None:
    one, same, other = (plan_order(HEAD, [sold(gross, "4.00")], RULE) for gross in ("24.00", "24.00", "24.01"))
    assert one == same
    assert one.payload_hash == same.payload_hash
    assert one.message_key == other.message_key
    assert one.payload_hash != other.payload_hash


# --- what does not fit ----------------------------------------------------------------------------------------------


def test_without_tolerance_a_price_that_no_net_makes_is_refused_and_the_miss_is_named() -> None:
    """2p net bear 0p and 3p bear 1p, so no net comes to 3p at 20 %."""
    with pytest.raises(DoesNotFit, match=r"by -?0\.01; the tolerance is 0\.00"):
        in_sage(sold("0.03", "0.01"), rule=replace(RULE, tolerance=NIL))


def test_without_tolerance_a_price_that_a_net_makes_is_built() -> None:
    order = in_sage(sold("24.00", "4.00"), rule=replace(RULE, tolerance=NIL))
    assert (order.net, order.vat, order.rounding) == (Decimal("20.00"), Decimal("4.00"), NIL)


def test_vat_that_is_far_from_the_rate_is_not_forced_through_a_large_rounding_line() -> None:
    """Amazon shows 1.00 of VAT in 24.00 at 20 %: Sage works out 4.00, and the total stands."""
    order = in_sage(sold("24.00", "1.00"))
    assert order.net + order.vat == Decimal("24.00")
    assert abs(order.rounding) <= RULE.tolerance
    assert abs(order.vat - Decimal("4.00")) <= PENNY


def test_the_buyers_vat_is_worth_as_much_rounding_as_the_tolerance_allows() -> None:
    """1.34 + 1.34 + 1.33: Sage would make 4.00 of 24.02 without any rounding, and 4.01 with two pence of it."""
    basket = [sold("8.01", "1.34"), sold("8.01", "1.34"), sold("8.00", "1.33")]
    assert (in_sage(*basket).vat, in_sage(*basket).rounding) == (Decimal("4.01"), Decimal("-0.02"))
    strict = in_sage(*basket, rule=replace(RULE, tolerance=PENNY))
    assert (strict.vat, strict.rounding) == (Decimal("4.00"), NIL)


# --- daily orders ---------------------------------------------------------------------------------------------------


def test_the_same_goods_of_many_orders_become_one_item_of_a_daily_order() -> None:
    lamp = sold("12.00", "2.00", parts=[("LAMP", 1)], postage="2.40")
    (only,) = merged([lamp, replace(lamp, quantity=3, gross=money("36.00"), vat=money("6.00"), wrap=money("1.20"))])
    assert (only.quantity, only.gross, only.vat) == (4, Decimal("48.00"), Decimal("8.00"))
    assert (only.postage, only.wrap) == (Decimal("4.80"), Decimal("1.20"))


def test_goods_of_another_rate_account_or_bundle_stay_apart_in_a_daily_order() -> None:
    lamp = sold("12.00", "2.00", parts=[("LAMP", 1)])
    others = [
        sold("12.00", "0.57", REDUCED_RATE, parts=[("LAMP", 1)]),
        replace(lamp, ledger=ZERO),
        replace(lamp, tax_code="2", rate_bp=0, vat=NIL),
        sold("12.00", "2.00", parts=[("LAMP", 2)]),
        sold("12.00", "2.00", parts=[("BULB", 1), ("LAMP", 1)]),
    ]
    assert len(merged([lamp, *others])) == 6


# --- whatever the basket --------------------------------------------------------------------------------------------

STOCK = ("BOOK", "BULB", "CUP", "LAMP", "POT")


@st.composite
def any_item(draw: st.DrawFn) -> SoldItem:
    """As the buyer paid it: discounts are off. Amazon's VAT is worked out per line or per unit, so it may stray."""
    rate_bp, tax_code, ledger = draw(st.sampled_from([STANDARD_RATE, REDUCED_RATE, ZERO_RATE]))
    codes = draw(st.lists(st.sampled_from(STOCK), min_size=1, max_size=3, unique=True))
    units = draw(st.lists(st.sampled_from([1, 1, 2, 3, 6, 12]), min_size=len(codes), max_size=len(codes)))
    quantity = draw(st.sampled_from([1, 1, 2, 3]) | st.integers(min_value=1, max_value=500))
    price = draw(st.integers(min_value=0, max_value=50_000) | st.integers(min_value=0, max_value=60))
    goods = price * quantity - draw(st.integers(min_value=0, max_value=price * quantity))
    goods = draw(st.sampled_from([goods, price * quantity]))
    postage, wrap = (draw(st.just(0) | st.integers(min_value=0, max_value=2_000)) for _ in range(2))
    gross = from_pence(goods + postage + wrap)
    rate = RATES[tax_code]
    by_line = penny(gross * rate / (1 + rate))
    by_unit = quantity * penny(gross / quantity * rate / (1 + rate))
    return SoldItem(
        parts=tuple(StockPart(code, number) for code, number in zip(codes, units, strict=True)),
        quantity=quantity,
        gross=gross,
        vat=min(gross, draw(st.sampled_from([by_line, by_line, by_unit]))),
        rate_bp=rate_bp,
        tax_code=tax_code,
        ledger=ledger,
        postage=from_pence(postage),
        wrap=from_pence(wrap),
    )


BASKETS = st.lists(any_item(), min_size=1, max_size=8)
RULES = st.builds(
    RoundingRule,
    account=st.just(Ledger("7910")),
    tax_code=st.just("99"),
    tolerance=st.sampled_from([Decimal("0.02"), Decimal("0.02"), Decimal("0.05")]),
    may_be_negative=st.booleans(),
)


def closest_vat(gross: Decimal, vat: Decimal, rate: Decimal, rule: RoundingRule) -> Decimal:
    """How near the VAT of one rate can come to the buyer's when the rounding line may be as large as the rule says."""
    natural = penny(gross / (1 + rate))
    found = []
    for step in range(-12, 13):
        net = natural + step * PENNY
        rest = gross - net - penny(rate * net)
        if abs(rest) <= rule.tolerance and (rule.may_be_negative or rest >= 0):
            found.append(abs(penny(rate * net) - vat))
    return min(found)


@settings(deadline=None, max_examples=300)
@given(items=BASKETS, rule=RULES)
@example(items=[sold("0.03", "0.01")], rule=RULE)
@example(items=[sold("0.03", "0.01"), sold("0.11", "0.01", REDUCED_RATE)], rule=replace(RULE, may_be_negative=False))
@example(items=[sold("0.02", "0.00")] * 8, rule=RULE)
def test_whatever_is_in_the_basket_sage_comes_to_what_the_buyer_paid(items: list[SoldItem], rule: RoundingRule) -> None:
    planned = plan_order(HEAD, items, rule)
    order = InSage(planned)
    paid = sum((item.gross for item in items), NIL)
    assert order.net + order.vat == paid == planned.amount
    assert Decimal(order.content["vat"]) == order.vat
    assert abs(order.rounding) <= rule.tolerance
    assert rule.may_be_negative or order.rounding >= 0


@settings(deadline=None, max_examples=300)
@given(items=BASKETS, rule=RULES)
def test_whatever_is_in_the_basket_its_vat_is_as_near_the_buyers_as_sage_lets_it(
    items: list[SoldItem], rule: RoundingRule
) -> None:
    order = in_sage(*items, rule=rule)
    codes = {item.tax_code for item in items}
    for code in codes:
        gross = sum((item.gross for item in items if item.tax_code == code), NIL)
        vat = sum((item.vat for item in items if item.tax_code == code), NIL)
        best = closest_vat(gross, vat, RATES[code], rule)
        off = abs(order.vat_by_code[code] - vat)
        assert off <= best + PENNY
        assert off == best or len(codes) > 1


@settings(deadline=None, max_examples=200)
@given(items=BASKETS)
def test_whatever_is_in_the_basket_its_lines_hold_every_unit_and_no_line_is_negative(items: list[SoldItem]) -> None:
    order = in_sage(*items)
    expected: dict[str, int] = defaultdict(int)
    for item in items:
        for part in item.parts:
            expected[part.stock_code] += item.quantity * part.units
    held: dict[str, int] = defaultdict(int)
    for line in order.lines:
        price = Decimal(line["unit_price"])
        assert line["quantity"] >= 1
        assert price == price.quantize(Decimal("0.00001"))
        assert penny(line["quantity"] * price) == Decimal(line["net"])
        if line.get("description") != ROUNDING_TEXT:
            assert price >= 0
            assert Decimal(line["gross"]) >= Decimal(line["net"]) - PENNY  # the two are shared apart
        if line["line"] == "stock":
            held[line["stock_code"]] += line["quantity"]
    assert held == expected


@settings(deadline=None, max_examples=200)
@given(items=BASKETS)
def test_a_sage_whose_prices_hold_the_vat_finds_the_buyers_price_on_the_lines(items: list[SoldItem]) -> None:
    """There the unit price is the line's gross over its quantity, with five decimals too."""
    lines = in_sage(*items).lines
    priced = [(line["quantity"], Decimal(line["gross"])) for line in lines]
    made = [
        penny(quantity * (gross / quantity).quantize(Decimal("0.00001"), rounding=ROUND_HALF_UP))
        for quantity, gross in priced
    ]
    assert made == [gross for _, gross in priced]
    assert sum(made, NIL) == sum((item.gross for item in items), NIL)


@settings(deadline=None, max_examples=100)
@given(items=st.lists(any_item(), min_size=1, max_size=20))
def test_a_daily_order_comes_to_the_same_money_and_units_as_its_orders(items: list[SoldItem]) -> None:
    together = merged(items)
    for total in ("quantity", "gross", "vat", "postage", "wrap"):
        assert sum(getattr(item, total) for item in together) == sum(getattr(item, total) for item in items)
    assert merged(reversed(items)) == together
    order = in_sage(*together)
    assert order.net + order.vat == sum((item.gross for item in items), NIL)
