"""What each settlement row becomes: its treatment, its account, its VAT and its month, as finance reads them.

Each test brings the rows of one settlement. All settlements of one company are settled together, once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_sage_assets.settings import PACKAGED_RULES
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.reports import account_row, commission, principal, row

ABROAD = """
[[accounts]]
name = "ca"
marketplaces = ["Amazon.ca"]

[[accounts]]
name = "tr"
marketplaces = ["Amazon.com.tr"]

[[accounts]]
name = "pl"
marketplaces = ["Amazon.pl"]
"""
# The companies of these tests, by the profile that makes them; see PROFILE in conftest.
COMPANIES: Mapping[str, Mapping[str, str]] = {
    "a UK company": {"bottom": ABROAD},
    "not registered for VAT": {"vat_registered": "false"},
    "at home in Germany": {"established_in": "DE"},
    "declaring German VAT itself": {"bottom": '[local_vat]\n"Amazon.de" = "vat_awaiting_invoice"'},
    "selling at the zero rate": {"uk_vat": "uk_zero"},
    "exporting": {"uk_vat": "export_zero"},
}
REGISTERED: dict[str, tuple[str, tuple[dict[str, str], ...], dict[str, Any]]] = {}
DE = {"marketplace_name": "Amazon.de"}
CA = {"marketplace_name": "Amazon.ca"}
WITHHELD = ("ItemWithheldTax", "MarketplaceFacilitatorVAT-Principal")
LOW_VALUE_GOODS = ("ItemWithheldTax", "LowValueGoodsTax-Principal")
FBA_FEE = ("Order", "ItemFees", "FBAPerUnitFulfillmentFee")
STORAGE = ("FBAFees", "FBA Inventory Storage Fee")
ADVERTISING = ("ServiceFee", "Cost of Advertising")


def tax(amount: str, **changes: str) -> dict[str, str]:
    return row("Order", "ItemPrice", "Tax", amount, **changes)


@dataclass(frozen=True)
class Booked:
    """One settlement as finance reads it. Journal and boxes are signed: a credit or an amount due is positive."""

    seller: Seller
    settlement_id: str

    def read(self, table: str) -> list[dict[str, Any]]:
        return self.seller.query(f"select * from finance.{table} where settlement_id = $1", [self.settlement_id])

    @property
    def status(self) -> str:
        (settlement,) = self.read("settlements")
        return str(settlement["status"])

    @property
    def codes(self) -> list[str]:
        """Open exceptions, but for the gaps that lie between the settlements of these tests."""
        return sorted(e["code"] for e in self.read("exceptions") if e["code"] != "MISSING_SETTLEMENT")

    @property
    def lines(self) -> list[dict[str, Any]]:
        return sorted(self.read("settlement_lines"), key=lambda line: line["line_number"])

    @property
    def treatments(self) -> list[str | None]:
        return [line["vat_treatment"] for line in self.lines]

    @property
    def journal(self) -> dict[str, Decimal]:
        """Credit less debit by `document account`, without the wallet."""
        found: dict[str, Decimal] = {}
        for line in self.read("journal_lines"):
            if line["account_key"] != "wallet":
                key = f"{line['document']} {line['account_key']}"
                found[key] = found.get(key, Decimal(0)) + line["credit"] - line["debit"]
        return found

    @property
    def boxes(self) -> dict[int, Decimal]:
        found: dict[int, Decimal] = {}
        for line in self.read("vat_preview"):
            found[line["box"]] = found.get(line["box"], Decimal(0)) + line["amount"]
        return {box: amount for box, amount in found.items() if amount}

    @property
    def periods(self) -> list[str]:
        return sorted({line["period"] for line in self.read("journal_lines")})


def amounts(**values: str) -> dict[str, Decimal]:
    """`fees__input_vat="-2.00"` is {"fees input_vat": Decimal("-2.00")}."""
    return {name.replace("__", " "): Decimal(value) for name, value in values.items()}


def boxes(**values: str) -> dict[int, Decimal]:
    return {int(name.removeprefix("box")): Decimal(value) for name, value in values.items()}


def settled(*rows: dict[str, str], company: str = "a UK company", **header: Any) -> pytest.MarkDecorator:
    """Give a test the settlement of these rows as `booked`."""
    number = len(REGISTERED) + 1
    # Short settlements with gaps between them: what one takes over is then not held against the one before.
    start = datetime(2026, 3, 10) + timedelta(minutes=10 * number)  # noqa: DTZ001
    form = "%d.%m.%Y %H:%M:%S UTC"
    dates = {
        "settlement_start_date": start.strftime(form),
        "settlement_end_date": (start + timedelta(minutes=1)).strftime(form),
    }
    REGISTERED[str(7000 + number)] = (company, rows, {**dates, **header})
    return pytest.mark.parametrize("booked", [str(7000 + number)], ids=[f"line-{number}"], indirect=True)


@pytest.fixture(scope="module")
def sellers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seller]:
    """Every company, with all its settlements settled."""
    found = {}
    for name, profile in COMPANIES.items():
        found[name] = Seller(tmp_path_factory.mktemp("seller"), **profile)
        mine = {key: rest for key, (company, *rest) in REGISTERED.items() if company == name}
        found[name].settle(
            *(found[name].file(f"{key}.txt", rows, settlement_id=key, **header) for key, (rows, header) in mine.items())
        )
    return found


@pytest.fixture
def booked(request: pytest.FixtureRequest, sellers: dict[str, Seller]) -> Booked:
    company, *_ = REGISTERED[request.param]
    return Booked(sellers[company], request.param)


# --- rounding and months --------------------------------------------------------------------------------------------


@settled(principal("20.00"), *[commission("-0.03") for _ in range(3)])
def test_vat_is_rounded_per_row_and_not_per_account(booked: Booked) -> None:
    assert booked.journal["fees input_vat"] == Decimal("-0.03")
    assert booked.journal["fees fees_referral"] == Decimal("-0.06")


@settled(principal("24.99"), row("Refund", "ItemPrice", "Principal", "-24.99"))
def test_a_refund_mirrors_its_sale_to_the_penny(booked: Booked) -> None:
    assert booked.journal == amounts(
        sales__sales="20.82", sales__output_vat="4.17", refunds__sales="-20.82", refunds__output_vat="-4.17"
    )
    assert booked.boxes == {}


@settled(principal("5.00"), principal("5.00"))
def test_two_equal_rows_are_both_booked(booked: Booked) -> None:
    assert len(booked.lines) == 2
    assert booked.journal == amounts(sales__sales="8.34", sales__output_vat="1.66")


@settled(
    principal("12.00", posted_date_time="31.07.2026 22:59:59 UTC"),
    principal("24.00", posted_date_time="31.07.2026 23:26:00 UTC"),
    settlement_start_date="24.07.2026 06:00:00 UTC",
    settlement_end_date="07.08.2026 06:00:00 UTC",
)
def test_the_month_is_londons_and_a_month_that_ended_is_dated_at_its_end(booked: Booked) -> None:
    wallet = {line["period"]: line for line in booked.read("journal_lines") if line["account_key"] == "wallet"}
    assert {period: line["debit"] for period, line in wallet.items()} == {
        "2026-07": Decimal("12.00"),
        "2026-08": Decimal("24.00"),
    }
    assert wallet["2026-07"]["document_date"] == date(2026, 7, 31)
    assert wallet["2026-08"]["document_date"] == date(2026, 8, 7)
    assert booked.lines[1]["posted_at"] == datetime(2026, 7, 31, 23, 26)  # noqa: DTZ001 - UTC, as published


@settled(principal("12.00", posted_date_time="31.01.2026 23:59:59 UTC"))
def test_in_winter_london_is_utc(booked: Booked) -> None:
    assert booked.periods == ["2026-01"]


# --- sales ----------------------------------------------------------------------------------------------------------


@settled(principal("10.00"), tax("2.00"))
def test_with_a_tax_row_the_price_is_net_and_amazons_vat_wins(booked: Booked) -> None:
    assert booked.treatments == ["uk_standard", "uk_standard"]
    assert booked.journal == amounts(sales__sales="10.00", sales__output_vat="2.00")
    assert booked.boxes == boxes(box1="2.00", box6="10.00")
    assert [line["account_key"] for line in booked.lines] == ["sales", "output_vat"]
    assert [line["nominal_code"] for line in booked.lines] == ["4000", "2200"]


@settled(principal("12.00"))
def test_without_a_tax_row_the_vat_of_the_route_is_inside_the_price(booked: Booked) -> None:
    assert booked.journal == amounts(sales__sales="10.00", sales__output_vat="2.00")


@settled(principal("10.00"), tax("2.00"), principal("12.00", sku="SKU-B", order_item_code="60000000000002"))
def test_whether_there_is_a_tax_row_is_decided_per_item(booked: Booked) -> None:
    assert booked.journal == amounts(sales__sales="20.00", sales__output_vat="4.00")


@settled(principal("10.00"), tax("2.00"), row("Refund", "ItemPrice", "Principal", "-12.00"))
def test_the_tax_row_of_a_sale_says_nothing_about_its_refund(booked: Booked) -> None:
    assert booked.journal == amounts(
        sales__sales="10.00", sales__output_vat="2.00", refunds__sales="-10.00", refunds__output_vat="-2.00"
    )


@settled(principal("20.00"), tax("1.00"))
def test_the_reduced_rate_is_recognised_from_the_tax_row(booked: Booked) -> None:
    assert booked.treatments == ["uk_reduced", "uk_reduced"]
    assert booked.journal == amounts(sales__sales_reduced="20.00", sales__output_vat="1.00")


@settled(
    principal("25.00"),
    tax("1.25"),
    row("Order", "Promotion", "Principal", "-5.00"),
    row("Order", "Promotion", "TaxDiscount", "-0.25"),
)
def test_a_discount_belongs_to_the_rate_of_its_item(booked: Booked) -> None:
    assert set(booked.treatments) == {"uk_reduced"}
    assert booked.journal == amounts(sales__sales_reduced="20.00", sales__output_vat="1.00")


@settled(principal("12.00"), company="selling at the zero rate")
def test_the_route_names_the_treatment_where_the_order_does_not(booked: Booked) -> None:
    assert booked.treatments == ["uk_zero"]
    assert booked.journal == amounts(sales__sales_zero="12.00")
    assert booked.boxes == boxes(box6="12.00")


@settled(principal("10.00"), tax("2.00"), company="selling at the zero rate")
def test_the_orders_own_tax_comes_before_the_route(booked: Booked) -> None:
    assert booked.treatments == ["uk_standard", "uk_standard"]
    assert booked.journal == amounts(sales__sales="10.00", sales__output_vat="2.00")


@settled(principal("12.00"), company="exporting")
def test_an_export_has_its_own_account_and_box_six(booked: Booked) -> None:
    assert booked.journal == amounts(sales__sales_export="12.00")
    assert booked.boxes == boxes(box6="12.00")


@settled(principal("10.00", fulfillment_id="MFN"), tax("2.00", fulfillment_id="MFN"))
def test_what_a_sage_order_owns_is_a_receipt_without_revenue_or_vat(booked: Booked) -> None:
    assert booked.journal == amounts(customer_receipts__debtors="12.00")
    assert booked.boxes == {}
    assert {line["revenue_owner"] for line in booked.lines} == {"sop"}
    assert [p["kind"] for p in booked.read("postings") if p["kind"].startswith("sales")] == ["sales_receipt"]


@settled(
    row("Refund", "ItemPrice", "Principal", "-10.00", fulfillment_id="MFN"),
    row("Refund", "ItemFees", "Commission", "1.20", fulfillment_id="MFN"),
)
def test_the_fees_of_a_sage_order_are_still_the_settlements(booked: Booked) -> None:
    assert booked.journal == amounts(
        customer_refunds__debtors="-10.00", credits__fees_referral="1.00", credits__input_vat="0.20"
    )


@settled(row("Chargeback Refund", "ItemPrice", "Principal", "-12.00"))
def test_a_chargeback_is_gross_and_its_vat_waits_for_finance(booked: Booked) -> None:
    assert booked.journal == amounts(chargebacks__chargebacks="-12.00")
    assert booked.boxes == {}


@settled(
    *(
        row("Liquidations", "ItemPrice", name, amount, order_id="S01-1", marketplace_name="Amazon.co.uk",
            fulfillment_id="MFN", order_item_code="1", sku="SKU-A")
        for name, amount in (("Principal", "10.00"), ("Tax", "2.00"))
    )
)  # fmt: skip
def test_a_liquidation_never_belongs_to_a_sage_order(booked: Booked) -> None:
    assert booked.journal == amounts(liquidations__liquidation_sales="10.00", liquidations__output_vat="2.00")


# --- marketplaces and nil rows --------------------------------------------------------------------------------------


@settled(
    principal("12.00", marketplace_name=""),
    principal("12.00", marketplace_name="Non-Amazon UK"),
    principal("12.00", marketplace_name="SI UK Prod Marketplace"),
    principal("12.00"),
)
def test_a_blank_or_foreign_marketplace_is_the_settlements_own(booked: Booked) -> None:
    assert {line["marketplace"] for line in booked.lines} == {"Amazon.co.uk"}
    assert booked.status == "ready"
    assert booked.journal == amounts(sales__sales="40.00", sales__output_vat="8.00")


@settled(
    principal("12.00", **DE), row(*FBA_FEE, "-5.00", marketplace_name="", order_id="", fulfillment_id=""),
    currency="EUR",
)  # fmt: skip
def test_a_blank_row_takes_the_rules_of_the_settlements_marketplace(booked: Booked) -> None:
    assert booked.lines[1]["marketplace"] == "Amazon.de"
    assert booked.treatments[1] == "fee_cross_border"


@settled(
    principal("12.00"),
    row("Order", "ItemPrice", "NeverSeenBefore", "0.00"),
    principal("0.00", fulfillment_id="", sku=""),
    account_row("Fee Adjustment", "0.00"),
)
def test_a_nil_row_is_kept_books_nothing_and_needs_no_rule_owner_or_sku(booked: Booked) -> None:
    assert (booked.status, booked.codes) == ("ready", [])
    assert [line["amount"] for line in booked.lines] == [Decimal("12.00"), *[Decimal("0.00")] * 3]
    assert [line["journal_line_id"] is None for line in booked.lines] == [False, True, True, True]
    assert booked.journal == amounts(sales__sales="10.00", sales__output_vat="2.00")


# --- fees -----------------------------------------------------------------------------------------------------------


@settled(commission("-12.00"))
def test_a_fee_has_its_vat_inside(booked: Booked) -> None:
    assert booked.treatments == ["fee_uk"]
    assert booked.journal == amounts(fees__fees_referral="-10.00", fees__input_vat="-2.00")
    assert booked.boxes == boxes(box4="2.00", box7="10.00")


@settled(commission("-10.00", posted_date_time="31.07.2024 22:59:59 UTC"))
def test_before_august_2024_a_fee_is_reverse_charged_on_top(booked: Booked) -> None:
    assert booked.journal == amounts(fees__fees_referral="-10.00", fees__input_vat="-2.00", fees__output_vat="2.00")
    assert booked.boxes == boxes(box1="2.00", box4="2.00", box6="10.00", box7="10.00")
    (wallet,) = [line for line in booked.read("journal_lines") if line["account_key"] == "wallet"]
    assert wallet["credit"] == Decimal("10.00")


@settled(commission("-12.00", posted_date_time="31.07.2024 23:00:00 UTC"))
def test_august_2024_begins_at_midnight_in_london(booked: Booked) -> None:
    assert booked.periods == ["2024-08"]
    assert booked.journal == amounts(fees__fees_referral="-10.00", fees__input_vat="-2.00")


@settled(row("Refund", "ItemFees", "Commission", "10.00", posted_date_time="15.07.2024 10:00:00 UTC"))
def test_a_reverse_charged_fee_given_back_runs_the_other_way(booked: Booked) -> None:
    assert booked.journal == amounts(
        credits__fees_referral="10.00", credits__input_vat="2.00", credits__output_vat="-2.00"
    )
    assert booked.boxes == boxes(box1="-2.00", box4="-2.00", box6="-10.00", box7="-10.00")


@settled(
    row(*STORAGE, "Base fee", "-10.00"),
    row(*STORAGE, "Discount on fee", "2.00"),
    row(*STORAGE, "Tax on fee", "-1.60"),
    row(*STORAGE, "Base fee", "-12.00", posted_date_time="06.03.2026 10:00:00 UTC"),
)
def test_a_tax_row_beside_a_fee_is_its_vat_and_nothing_more_is_taken_out(booked: Booked) -> None:
    """The second fee was posted at another time, so its VAT is inside."""
    assert booked.journal == amounts(fees__fees_storage="-18.00", fees__input_vat="-3.60")
    assert booked.boxes == boxes(box4="3.60", box7="18.00")
    assert [line["account_key"] for line in booked.lines] == [
        "fees_storage",
        "fees_storage",
        "input_vat",
        "fees_storage",
    ]


@settled(
    row(*STORAGE, "Base fee", "10.00"), row(*STORAGE, "Discount on fee", "-2.00"), row(*STORAGE, "Tax on fee", "1.60")
)
def test_a_fee_given_back_with_its_tax_row_is_one_credit(booked: Booked) -> None:
    assert booked.journal == amounts(credits__fees_storage="8.00", credits__input_vat="1.60")


@settled(row(*FBA_FEE, "-6.00"), row(*FBA_FEE, "-6.00", **DE), commission("-6.00", **DE))
def test_only_fba_handling_outside_the_uk_is_cross_border(booked: Booked) -> None:
    assert booked.treatments == ["fee_uk", "fee_cross_border", "fee_uk"]
    assert booked.journal == amounts(fees__fees_fba="-11.00", fees__fees_referral="-5.00", fees__input_vat="-2.00")
    assert booked.boxes == boxes(box4="2.00", box7="16.00")


@settled(row("Refund", "ItemFees", "ShippingChargeback", "6.00", **DE), currency="EUR")
def test_fba_handling_given_back_has_the_vat_of_the_original(booked: Booked) -> None:
    assert booked.treatments == ["fee_cross_border"]
    assert booked.journal == amounts(credits__fees_fba="6.00")


@settled(
    commission("-10.00", **CA),
    row(*FBA_FEE, "-5.00", **CA),
    row(*STORAGE, "Base fee", "-10.00", **CA),
    row(*STORAGE, "Tax on fee", "-1.30", **CA),
    row(*ADVERTISING, "TransactionTotalAmount", "-20.00", **CA),
    row(*ADVERTISING, "TaxAmount", "-2.60", **CA),
    currency="CAD",
)
def test_fees_and_advertising_in_canada_are_cost_with_their_tax(booked: Booked) -> None:
    assert set(booked.treatments) == {"fee_foreign"}
    assert booked.journal == amounts(
        fees__fees_referral="-10.00", fees__fees_fba="-5.00", fees__fees_storage="-11.30", fees__advertising="-22.60"
    )
    assert booked.boxes == {}


@settled(commission("-10.00", marketplace_name="Amazon.com.tr"), currency="TRY")
def test_fees_in_turkey_are_cost(booked: Booked) -> None:
    assert booked.treatments == ["fee_foreign"]
    assert booked.journal == amounts(fees__fees_referral="-10.00")


@settled(
    commission("-10.00", marketplace_name="Amazon.pl"), row(*FBA_FEE, "-5.00", marketplace_name="Amazon.pl"),
    currency="PLN",
)  # fmt: skip
def test_fees_in_poland_are_cost(booked: Booked) -> None:
    assert booked.treatments == ["fee_foreign", "fee_foreign"]
    assert booked.journal == amounts(fees__fees_referral="-10.00", fees__fees_fba="-5.00")
    assert booked.boxes == {}


@settled(row(*ADVERTISING, "TransactionTotalAmount", "-10.00", **DE), currency="EUR")
def test_advertising_in_the_eu_is_reverse_charged(booked: Booked) -> None:
    assert booked.treatments == ["advertising_eu"]
    assert booked.boxes == boxes(box1="2.00", box4="2.00", box6="10.00", box7="10.00")


@settled(
    row(*ADVERTISING, "TransactionTotalAmount", "-10.00", marketplace_name="Amazon.co.uk"),
    row(*ADVERTISING, "TaxAmount", "-2.00", marketplace_name="Amazon.co.uk"),
)
def test_advertising_in_the_uk_has_its_tax_beside_it(booked: Booked) -> None:
    assert booked.journal == amounts(fees__advertising="-10.00", fees__input_vat="-2.00")


# --- tax that Amazon keeps, and other countries' tax ----------------------------------------------------------------


@settled(
    principal("20.00"),
    tax("4.00"),
    row("Order", "Promotion", "Principal", "-5.00"),
    row("Order", "Promotion", "TaxDiscount", "-1.00"),
    row("Order", *WITHHELD, "-3.00"),
)
def test_withheld_tax_with_the_tax_of_the_discount_is_nil_and_never_in_box_one(booked: Booked) -> None:
    assert set(booked.treatments) == {"marketplace_zero", "no_vat"}
    assert booked.journal == amounts(sales__sales_marketplace="15.00", sales__marketplace_tax="0.00")
    assert booked.boxes == boxes(box6="15.00")
    assert booked.codes == ["ESTABLISHMENT_CHECK"]
    assert booked.status == "ready"


@settled(
    row("Refund", "ItemPrice", "Principal", "-20.00"),
    row("Refund", "ItemPrice", "Tax", "-4.00"),
    row("Refund", "ItemWithheldTax", "MarketplaceFacilitatorVAT-Principal", "4.00"),
)
def test_a_refund_of_such_an_order_reverses_no_output_vat(booked: Booked) -> None:
    assert booked.journal == amounts(refunds__sales_marketplace="-20.00", refunds__marketplace_tax="0.00")
    assert booked.boxes == boxes(box6="-20.00")


@settled(
    principal("20.00"),
    tax("4.00"),
    row("Order", *WITHHELD, "-4.00"),
    principal("10.00", order_id="202-0000002-0000002"),
    tax("2.00", order_id="202-0000002-0000002"),
)
def test_tax_withheld_from_one_order_says_nothing_about_another(booked: Booked) -> None:
    assert booked.journal == amounts(
        sales__sales_marketplace="20.00", sales__marketplace_tax="0.00", sales__sales="10.00", sales__output_vat="2.00"
    )


@settled(principal("10.00", **DE), tax("1.90", **DE), currency="EUR")
def test_german_vat_that_the_seller_collects_has_no_home_by_default(booked: Booked) -> None:
    assert (booked.status, booked.codes) == ("held", ["TAX_UNPLACED"])
    assert booked.journal == {}


@settled(principal("10.00", **DE), tax("1.90", **DE), currency="EUR", company="declaring German VAT itself")
def test_german_vat_goes_to_the_account_that_the_profile_names(booked: Booked) -> None:
    assert booked.status == "ready"
    assert booked.journal == amounts(sales__sales_eu="10.00", sales__vat_awaiting_invoice="1.90")
    assert booked.boxes == {}


@settled(principal("10.00", **DE), tax("1.90", **DE), row("Order", *WITHHELD, "-1.90", **DE), currency="EUR")
def test_german_vat_that_amazon_keeps_needs_no_account(booked: Booked) -> None:
    assert (booked.status, booked.codes) == ("ready", [])
    assert booked.journal == amounts(sales__sales_eu="10.00", sales__marketplace_tax="0.00")


# --- other companies ------------------------------------------------------------------------------------------------


@settled(
    principal("12.00"),
    commission("-1.20"),
    row(*STORAGE, "Base fee", "-10.00"),
    row(*STORAGE, "Tax on fee", "-2.00"),
    company="not registered for VAT",
)
def test_a_company_that_is_not_registered_declares_and_reclaims_nothing(booked: Booked) -> None:
    assert booked.status == "ready"
    assert booked.journal == amounts(sales__sales="12.00", fees__fees_referral="-1.20", fees__fees_storage="-12.00")
    assert booked.boxes == {}


@settled(
    commission("-11.90", **DE),
    row(*FBA_FEE, "-5.00", **DE),
    row(*ADVERTISING, "TransactionTotalAmount", "-10.00", **DE),
    currency="EUR",
    company="at home in Germany",
)
def test_fees_of_a_company_at_home_in_the_eu_hold_local_vat_that_is_cost_here(booked: Booked) -> None:
    assert set(booked.treatments) == {"fee_eu_home"}
    assert booked.journal == amounts(fees__fees_referral="-11.90", fees__fees_fba="-5.00", fees__advertising="-10.00")
    assert booked.boxes == {}


@settled(principal("20.00"), tax("4.00"), row("Order", *WITHHELD, "-4.00"), company="at home in Germany")
def test_tax_kept_from_a_company_abroad_is_as_it_should_be(booked: Booked) -> None:
    assert (booked.status, booked.codes) == ("ready", [])
    assert booked.journal == amounts(sales__sales_marketplace="20.00", sales__marketplace_tax="0.00")


# --- what posts nothing, and what is malformed ----------------------------------------------------------------------


@settled(
    principal("12.00"),
    row("Order_Retrocharge", "ItemPrice", "Tax", "4.00"),
    row("Order_Retrocharge", "ItemWithheldTax", "MarketplaceFacilitatorVAT-Principal", "-4.00"),
)
def test_a_retrocharge_that_is_nil_per_order_books_nothing(booked: Booked) -> None:
    assert (booked.status, booked.codes) == ("ready", [])
    assert booked.journal == amounts(sales__sales="10.00", sales__output_vat="2.00")
    assert [line["journal_line_id"] for line in booked.lines[1:]] == [None, None]


@settled(
    row("Order_Retrocharge", "ItemPrice", "Tax", "4.00", order_id="202-0000001-0000001"),
    row("Order_Retrocharge", "ItemPrice", "Tax", "-4.00", order_id="202-0000002-0000002"),
)
def test_a_retrocharge_must_be_nil_per_order_and_not_only_in_sum(booked: Booked) -> None:
    assert (booked.status, booked.codes) == ("held", ["RETROCHARGE_OPEN", "RETROCHARGE_OPEN"])


@settled(principal("12.00"), row("Order_Retrocharge", "ItemPrice", "Tax", "4.00"))
def test_a_retrocharge_that_is_open_has_one_reason_and_books_nothing(booked: Booked) -> None:
    assert (booked.status, booked.codes) == ("held", ["RETROCHARGE_OPEN"])
    assert booked.journal == {}


@settled(
    principal("12.00"),
    *(row("Order_Retrocharge", *LOW_VALUE_GOODS, amount) for amount in ("4.00", "-4.00")),
)
def test_a_retrocharge_whose_rule_is_not_confirmed_holds_even_when_it_is_nil(booked: Booked) -> None:
    assert (booked.status, booked.codes) == ("held", ["REVIEW_TYPE"])


@settled(account_row("Subscription Fee", "-30.00"))
def test_a_subscription_belongs_to_no_order(booked: Booked) -> None:
    assert booked.journal == amounts(fees__subscription="-25.00", fees__input_vat="-5.00")


@settled(account_row("Subscription Fee", "-30.00", order_id="202-0000001-0000001"))
def test_a_subscription_with_an_order_is_malformed(booked: Booked) -> None:
    assert (booked.status, booked.codes) == ("quarantined", ["BAD_ROW"])


@settled(account_row("Subscription Fee", "-30.00", sku="SKU-A"))
def test_a_subscription_with_a_sku_is_malformed(booked: Booked) -> None:
    assert (booked.status, booked.codes) == ("quarantined", ["BAD_ROW"])


@settled()
def test_an_empty_settlement_of_nil_is_ready_with_nothing_to_post(booked: Booked) -> None:
    assert (booked.status, booked.codes) == ("ready", [])
    assert booked.read("postings") == []
    assert booked.lines == []


@settled(total="5.00")
def test_an_empty_settlement_with_a_total_does_not_add_up(booked: Booked) -> None:
    assert (booked.status, booked.codes) == ("quarantined", ["TOTAL_MISMATCH"])


@settled(principal("50.00"), account_row("Current Reserve Amount", "-10.00"))
def test_a_reserve_row_touches_neither_profit_nor_vat(booked: Booked) -> None:
    assert booked.journal["reserve_held reserve_held"] == Decimal("-10.00")
    assert booked.boxes == boxes(box1="8.33", box6="41.67")


def test_the_invariants_hold_for_every_company(sellers: dict[str, Seller]) -> None:
    assert {name: seller.failed_checks() for name, seller in sellers.items()} == dict.fromkeys(sellers, [])


def test_a_treatment_that_changes_within_a_month_gives_each_journal_line_an_id_of_its_own(seller: Seller) -> None:
    """Drill-down needs it: a settlement line leads to one journal line."""
    packaged = (PACKAGED_RULES / "vat_treatments.csv").read_text(encoding="utf-8")
    split = packaged.replace(
        "fee_uk,2024-08-01,,2000,true,1,4,7,",
        "fee_uk,2026-03-10,,1000,true,3,4,7,\nfee_uk,2024-08-01,2026-03-09,2000,true,1,4,7,",
    )
    assert split != packaged
    (seller.folder / "rules").mkdir()
    (seller.folder / "rules" / "vat_treatments.csv").write_text(split, encoding="utf-8")
    later = commission("-11.00", posted_date_time="12.03.2026 10:00:00 UTC")
    seller.settle(seller.file("one.txt", [principal("60.00"), commission("-12.00"), later]))
    journal = seller.query("select * from finance.journal_lines where document = 'fees'")
    vat = {line["vat_code"]: line["debit"] for line in journal if line["account_key"] == "input_vat"}
    assert vat == {"1": Decimal("2.00"), "3": Decimal("1.00")}
    assert len({line["journal_line_id"] for line in journal}) == len(journal)
    assert seller.failed_checks() == []
