"""Worked settlements with the books that an accountant expects of them, agreed before the product was written.

A case is one example on one route: who owns the revenue decides what the settlement itself posts. Where a Sage order
owns it, the invoice or credit note carries sales and output VAT, and the settlement only moves the customer's money;
what such an example still owes is named in EXPECTED_LATER. The Sage orders of an
example, their invoices and credit notes, are in `test_order_examples.py`.

Amounts of entries are debit less credit. Boxes are those that the settlement fills. `documents` are the planned Sage
documents as kind and amount, without the payout, which every settlement with a positive total has.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from amazon_sage_assets_tests.reports import account_row, row

Row = dict[str, str]
Entries = Mapping[str, Mapping[str, str]]
Boxes = Mapping[str, Mapping[int, str]]

MARCH, APRIL = "2026-03", "2026-04"
WHOLE = "all periods"  # entries that are stated without saying in which month they fall

EXPECTED_LATER = {
    "E04": "part 4: goods come back into stock only when they arrive",
    "E07b": "part 6: the fee accrual and its reversal",
    "E08a": "part 6: a sale that Amazon has not released at month end, Sage order: only its fee is accrued",
    "E08b": "part 6: a sale that Amazon has not released at month end, settlement-owned: sale and VAT are accrued",
    "E09": "part 6: sterling values, exchange differences, the payout in pounds",
    "E11": "part 4: the lost and the found unit at Sage cost, linked to the money by reimbursement id",
    "E12": "part 6: the advertising invoice paid by card, and every invoice number posted once",
    "E13a": "part 6: the cost accrued to the month of storage and reversed",
    "E16a": "part 6: a service date that is better than the posted date, as Amazon's VAT invoice gives it",
    "E17": "part 5: proof of export per order; part 6: the VAT that falls due without it",
    "E20": "part 6: the pair matched within days, the wallet in transit cleared, its exchange difference booked",
    "E24": "part 4: the liquidated units leave stock at Sage cost",
}


@dataclass(frozen=True)
class File:
    """One settlement: its rows and what becomes of them. `beyond`: its rows are ours, not the example's."""

    rows: tuple[Row, ...]
    total: str
    entries: Entries
    boxes: Boxes
    documents: tuple[tuple[str, str], ...] = ()
    start: date = date(2026, 3, 1)
    end: date = date(2026, 3, 14)
    deposit: date = date(2026, 3, 16)
    status: str = "ready"
    raises: frozenset[str] = frozenset()
    beyond: bool = False

    @property
    def payout(self) -> str | None:
        """What the bank is expected to receive, if anything."""
        return self.total if self.status == "ready" and Decimal(self.total) > 0 else None


@dataclass(frozen=True)
class Case:
    """An example on one route. Each case is a seller account of its own, so that no case precedes another.

    `agrees_with` are the places, in the example's own list of documents, of those that this settlement posts by
    itself; None where the example states them in another currency.
    """

    example: str
    title: str
    files: tuple[File, ...]
    agrees_with: tuple[int, ...] | None
    owner: str = "settlement"
    fulfilment: str = "AFN"
    sale_vat: str = "uk_standard"
    marketplaces: tuple[str, ...] = ("Amazon.co.uk",)
    currency: str = "GBP"
    established_in: str = "GB"

    def written(self, file: File) -> list[Row]:
        """The file's rows as this route's seller gets them."""
        return [{**r, "fulfillment-id": self.fulfilment} if r.get("fulfillment-id", "") else dict(r) for r in file.rows]


def sage(example: str, title: str, *files: File, agrees_with: tuple[int, ...] | None, **route: object) -> Case:
    """A case whose revenue a Sage order owns: seller-fulfilled."""
    return Case(example, title, files, agrees_with, owner="sop", fulfilment="MFN", **route)  # type: ignore[arg-type]


def own(example: str, title: str, *files: File, agrees_with: tuple[int, ...] | None, **route: object) -> Case:
    """A case whose revenue, if any, the settlement itself books."""
    return Case(example, title, files, agrees_with, **route)  # type: ignore[arg-type]


def item(number: int, sku: str = "TEAPOT-BLUE", posted: str = "05.03.2026", **more: str) -> dict[str, str]:
    """Columns that make a row belong to the one item of order `number`."""
    return {
        "order_id": f"202-71000{number:02d}-71000{number:02d}",
        "order_item_code": f"710000000000{number:02d}",
        "sku": sku,
        "posted_date_time": f"{posted} 10:00:00 UTC",
        **more,
    }


def price(what: str, amount: str, **columns: str) -> Row:
    return row("Order", "ItemPrice", what, amount, **columns)


def fee(what: str, amount: str, **columns: str) -> Row:
    return row("Order", "ItemFees", what, amount, **columns)


def at(day: str) -> dict[str, str]:
    return {"posted_date_time": f"{day} 10:00:00 UTC"}


def march(**entries: str) -> Entries:
    return {MARCH: entries}


def march_boxes(boxes: Mapping[int, str]) -> Boxes:
    return {MARCH: boxes}


def rows(*some: Row | Iterable[Row]) -> tuple[Row, ...]:
    return tuple(r for one in some for r in ([one] if isinstance(one, dict) else one))


# --- one sale, its refund -------------------------------------------------------------------------------------------

TEAPOT = rows(
    price("Principal", "20.00", **item(1)), price("Tax", "4.00", **item(1)), fee("Commission", "-4.40", **item(1))
)
TEAPOT_FEE_BOXES = {4: "0.73", 7: "3.67"}

ONE_SALE = (
    sage(
        "E01",
        "a Sage order is paid: no revenue and no output VAT from the settlement",
        File(
            TEAPOT,
            "19.60",
            march(wallet="19.60", debtors="-24.00", fees_referral="3.67", input_vat="0.73"),
            march_boxes(TEAPOT_FEE_BOXES),
            (("sales_receipt", "24.00"), ("bank_payment", "4.40")),
        ),
        agrees_with=(1, 2),
    ),
    own(
        "E02",
        "the same rows without a Sage order: the settlement books revenue and VAT",
        File(
            TEAPOT,
            "19.60",
            march(wallet="19.60", sales="-20.00", output_vat="-4.00", fees_referral="3.67", input_vat="0.73"),
            march_boxes({1: "4.00", 6: "20.00", **TEAPOT_FEE_BOXES}),
            (("bank_receipt", "24.00"), ("bank_payment", "4.40")),
        ),
        agrees_with=(0,),
    ),
    sage(
        "E04",
        "a Sage order is refunded: the customer is paid, part of the commission comes back",
        File(
            rows(
                row("Refund", "ItemPrice", "Principal", "-20.00", **item(1, posted="20.03.2026")),
                row("Refund", "ItemPrice", "Tax", "-4.00", **item(1, posted="20.03.2026")),
                row("Refund", "ItemFees", "Commission", "4.40", **item(1, posted="20.03.2026")),
                row("Refund", "ItemFees", "RefundCommission", "-0.88", **item(1, posted="20.03.2026")),
            ),
            "-20.48",
            march(wallet="-20.48", debtors="24.00", fees_referral="-2.94", input_vat="-0.58"),
            march_boxes({4: "-0.58", 7: "-2.94"}),
            (("sales_payment", "24.00"), ("bank_receipt", "4.40"), ("bank_payment", "0.88")),
            start=date(2026, 3, 6),
            end=date(2026, 3, 20),
            deposit=date(2026, 3, 22),
        ),
        agrees_with=(1, 2, 3),
    ),
    own(
        "E04",
        "the same refund without a Sage order: revenue and VAT fall in the month of the refund",
        File(
            rows(
                row("Refund", "ItemPrice", "Principal", "-20.00", **item(1, posted="20.03.2026")),
                row("Refund", "ItemPrice", "Tax", "-4.00", **item(1, posted="20.03.2026")),
                row("Refund", "ItemFees", "Commission", "4.40", **item(1, posted="20.03.2026")),
                row("Refund", "ItemFees", "RefundCommission", "-0.88", **item(1, posted="20.03.2026")),
            ),
            "-20.48",
            march(wallet="-20.48", sales="20.00", output_vat="4.00", fees_referral="-2.94", input_vat="-0.58"),
            march_boxes({1: "-4.00", 4: "-0.58", 6: "-20.00", 7: "-2.94"}),
            (("bank_payment", "24.00"), ("bank_receipt", "4.40"), ("bank_payment", "0.88")),
            start=date(2026, 3, 6),
            end=date(2026, 3, 20),
            deposit=date(2026, 3, 22),
        ),
        agrees_with=(0, 1, 2, 3),
    ),
)

# --- VAT out of the price -------------------------------------------------------------------------------------------

THREE_CUPS = rows(price("Principal", "29.97", **item(3, "CUP-9-99", quantity_purchased="3")))
CAR_SEAT = rows(price("Principal", "84.00", **item(18, "CAR-SEAT")), price("Shipping", "4.20", **item(18, "CAR-SEAT")))
BOOK = item(18, "TEA-BOOK") | {"order_item_code": "71000000000099"}
PROMOTED = item(15, "KETTLE-RED", posted="06.03.2026")
PROMOTION = rows(
    price("Principal", "30.00", **PROMOTED),
    price("Tax", "6.00", **PROMOTED),
    price("Shipping", "4.00", **PROMOTED),
    price("ShippingTax", "0.80", **PROMOTED),
    row("Order", "Promotion", "Principal", "-5.00", promotion_id="SPRING-5", **PROMOTED),
    row("Order", "Promotion", "TaxDiscount", "-1.00", promotion_id="SPRING-5", **PROMOTED),
    row("Order", "Promotion", "Shipping", "-4.00", promotion_id="FREE-POSTAGE", **PROMOTED),
    row("Order", "Promotion", "TaxDiscount", "-0.80", promotion_id="FREE-POSTAGE", **PROMOTED),
)
EXPORT = rows(price("Principal", "150.00", **item(17, "SAMOVAR", posted="06.03.2026")))

SALE_VAT = (
    sage(
        "E03",
        "a price with the VAT inside, Sage order: the receipt is the whole price",
        File(THREE_CUPS, "29.97", march(wallet="29.97", debtors="-29.97"), {}, (("sales_receipt", "29.97"),)),
        agrees_with=(1,),
    ),
    own(
        "E03",
        "a price with the VAT inside: a sixth of the line, rounded half up and never cut off",
        File(
            THREE_CUPS,
            "29.97",
            march(wallet="29.97", sales="-24.97", output_vat="-5.00"),
            march_boxes({1: "5.00", 6: "24.97"}),
            (("bank_receipt", "29.97"),),
        ),
        agrees_with=(0, 1),
    ),
    sage(
        "E15",
        "seller-funded discounts lower the receipt of a Sage order",
        File(PROMOTION, "30.00", march(wallet="30.00", debtors="-30.00"), {}, (("sales_receipt", "30.00"),)),
        agrees_with=(1,),
    ),
    own(
        "E15",
        "seller-funded discounts lower revenue and VAT, free postage leaves nothing",
        File(
            PROMOTION,
            "30.00",
            march(wallet="30.00", sales="-25.00", output_vat="-5.00"),
            march_boxes({1: "5.00", 6: "25.00"}),
            (("bank_receipt", "30.00"),),
        ),
        agrees_with=(0, 1),
    ),
    sage(
        "E17",
        "an export, Sage order: the customer pays, and the settlement knows no VAT",
        File(EXPORT, "150.00", march(wallet="150.00", debtors="-150.00"), {}, (("sales_receipt", "150.00"),)),
        agrees_with=(1,),
        sale_vat="export_zero",
    ),
    own(
        "E17",
        "an export without a Sage order is a zero-rated sale",
        File(
            EXPORT,
            "150.00",
            march(wallet="150.00", sales_export="-150.00"),
            march_boxes({6: "150.00"}),
            (("bank_receipt", "150.00"),),
        ),
        agrees_with=(0, 1),
        sale_vat="export_zero",
    ),
    sage(
        "E18a",
        "reduced-rate goods, Sage order: goods and postage are one receipt",
        File(CAR_SEAT, "88.20", march(wallet="88.20", debtors="-88.20"), {}, (("sales_receipt", "88.20"),)),
        agrees_with=(1,),
        sale_vat="uk_reduced",
    ),
    own(
        "E18a",
        "reduced-rate goods: 5/105 of the price, and the postage follows the goods",
        File(
            CAR_SEAT,
            "88.20",
            march(wallet="88.20", sales_reduced="-84.00", output_vat="-4.20"),
            march_boxes({1: "4.20", 6: "84.00"}),
            (("bank_receipt", "88.20"),),
        ),
        agrees_with=(0, 1),
        sale_vat="uk_reduced",
    ),
    sage(
        "E18b",
        "a basket of two rates, Sage order: one receipt",
        File(
            rows(
                price("Principal", "24.00", **item(18)),
                price("Principal", "16.00", **BOOK),
                price("Shipping", "5.00", **item(18)),
            ),
            "45.00",
            march(wallet="45.00", debtors="-45.00"),
            {},
            (("sales_receipt", "45.00"),),
        ),
        agrees_with=(1,),
    ),
    sage(
        "E23",
        "Amazon pays less than the Sage invoice: the receipt is what Amazon paid, and nothing is made up",
        File(
            rows(price("Principal", "19.58", **item(23)), price("Tax", "3.92", **item(23))),
            "23.50",
            march(wallet="23.50", debtors="-23.50"),
            {},
            (("sales_receipt", "23.50"),),
        ),
        agrees_with=(1,),
    ),
)

# --- tax that Amazon keeps ------------------------------------------------------------------------------------------

KEPT_TAX = rows(
    price("Principal", "16.62", **item(10, posted="06.03.2026")),
    price("Tax", "3.33", **item(10, posted="06.03.2026")),
    row("Order", "ItemWithheldTax", "MarketplaceFacilitatorVAT-Principal", "-3.33", **item(10, posted="06.03.2026")),
)
SUPPLY_TO_AMAZON = File(
    KEPT_TAX,
    "16.62",
    march(wallet="16.62", sales_marketplace="-16.62"),
    march_boxes({6: "16.62"}),
    (("bank_receipt", "16.62"),),
)


def retrocharge(kept: str) -> tuple[Row, ...]:
    old = item(21, posted="09.03.2026")
    return rows(
        row("Order_Retrocharge", "ItemPrice", "Tax", "3.50", **old),
        row("Order_Retrocharge", "ItemWithheldTax", "MarketplaceFacilitatorVAT-Principal", kept, **old),
    )


AMAZON_ACCOUNTS_FOR_VAT = (
    sage(
        "E10",
        "Amazon keeps the VAT of an overseas seller's Sage order: tax and kept tax cancel out in the receipt",
        File(KEPT_TAX, "16.62", march(wallet="16.62", debtors="-16.62"), {}, (("sales_receipt", "16.62"),)),
        agrees_with=(1,),
        sale_vat="marketplace_zero",
        established_in="CN",
    ),
    own(
        "E10",
        "Amazon keeps the VAT of an overseas seller: a zero-rated supply to Amazon, no output VAT",
        SUPPLY_TO_AMAZON,
        agrees_with=(0, 1),
        sale_vat="marketplace_zero",
        established_in="CN",
    ),
    own(
        "E10",
        "Amazon keeps the VAT of a small import: the supply lies outside the UK and fills no box",
        File(
            KEPT_TAX,
            "16.62",
            march(wallet="16.62", sales_marketplace="-16.62"),
            {},
            (("bank_receipt", "16.62"),),
        ),
        agrees_with=(0, 1),
        sale_vat="marketplace_outside",
        established_in="CN",
    ),
    own(
        "E10",
        "Amazon keeps the VAT of a seller established in the UK: booked alike, and the tax owner is told",
        File(
            KEPT_TAX,
            "16.62",
            march(wallet="16.62", sales_marketplace="-16.62"),
            march_boxes({6: "16.62"}),
            (("bank_receipt", "16.62"),),
            raises=frozenset({"ESTABLISHMENT_CHECK"}),
        ),
        agrees_with=(0, 1),
    ),
    own(
        "E21",
        "a late tax correction that cancels out posts nothing",
        File(retrocharge("-3.50"), "0.00", {}, {}),
        agrees_with=(),
    ),
    own(
        "E21",
        "a late tax correction that does not cancel out stops the settlement",
        File(retrocharge("-3.00"), "0.50", {}, {}, status="held", raises=frozenset({"RETROCHARGE_OPEN"}), beyond=True),
        agrees_with=None,
    ),
)

# --- balances that Amazon keeps, carries or charges -----------------------------------------------------------------


def receipts_and_fees(receipts: str, fees: str, **columns: str) -> tuple[Row, ...]:
    return rows(price("Principal", receipts, **columns), fee("Commission", fees, **columns))


def second_half(number: int) -> dict[str, str]:
    return item(number, posted="19.03.2026")


RESERVE_HELD = File(
    rows(receipts_and_fees("600.00", "-100.00", **item(5)), account_row("Current Reserve Amount", "-150.00")),
    "350.00",
    march(wallet="350.00", debtors="-600.00", fees_referral="83.33", input_vat="16.67", reserve_held="150.00"),
    march_boxes({4: "16.67", 7: "83.33"}),
    (("sales_receipt", "600.00"), ("bank_payment", "100.00"), ("bank_transfer", "150.00")),
)


def reserve_taken_back(amount: str, total: str, **expected: object) -> File:
    return File(
        rows(
            account_row("Previous Reserve Amount Balance", amount, **at("14.03.2026")),
            receipts_and_fees("300.00", "-100.00", **second_half(6)),
            account_row("Current Reserve Amount", "-40.00", **at("27.03.2026")),
        ),
        total,
        start=date(2026, 3, 14),
        end=date(2026, 3, 28),
        deposit=date(2026, 3, 30),
        **expected,  # type: ignore[arg-type]
    )


ADVERTISING = row("ServiceFee", "Cost of Advertising", "TransactionTotalAmount", "-180.00", **at("11.03.2026"))
ENDS_IN_DEBT = File(
    rows(price("Principal", "50.00", **item(6)), ADVERTISING),
    "-130.00",
    march(wallet="-130.00", debtors="-50.00", advertising="150.00", input_vat="30.00"),
    march_boxes({4: "30.00", 7: "150.00"}),
    (("sales_receipt", "50.00"), ("bank_payment", "180.00")),
)


def opens_with(debt: str, total: str, **expected: object) -> File:
    return File(
        rows(
            account_row("Payable to Amazon", debt, **at("14.03.2026")), price("Principal", "500.00", **second_half(7))
        ),
        total,
        start=date(2026, 3, 14),
        end=date(2026, 3, 28),
        deposit=date(2026, 3, 30),
        beyond=True,
        **expected,  # type: ignore[arg-type]
    )


def over_month_end(entries: Entries, boxes: Boxes) -> File:
    return File(
        rows(
            receipts_and_fees("600.00", "-120.00", **item(7, posted="27.03.2026")),
            receipts_and_fees("900.00", "-180.00", **item(8, posted="03.04.2026")),
        ),
        "1200.00",
        entries,
        boxes,
        (
            ("sales_receipt", "600.00"),
            ("bank_payment", "120.00"),
            ("sales_receipt", "900.00"),
            ("bank_payment", "180.00"),
        ),
        start=date(2026, 3, 24),
        end=date(2026, 4, 7),
        deposit=date(2026, 4, 9),
    )


BALANCES = (
    sage(
        "E05a",
        "a reserve is held back: a move on the balance sheet, neither cost nor VAT",
        RESERVE_HELD,
        agrees_with=(0, 1, 2),
    ),
    sage(
        "E05b",
        "the reserve comes back and a smaller one is held",
        replace(RESERVE_HELD, beyond=True),
        reserve_taken_back(
            "150.00",
            "310.00",
            entries=march(
                wallet="310.00", debtors="-300.00", fees_referral="83.33", input_vat="16.67", reserve_held="-110.00"
            ),
            boxes=march_boxes({4: "16.67", 7: "83.33"}),
            documents=(
                ("bank_transfer", "150.00"),
                ("sales_receipt", "300.00"),
                ("bank_payment", "100.00"),
                ("bank_transfer", "40.00"),
            ),
        ),
        agrees_with=(0, 1, 2, 3),
    ),
    sage(
        "E05b",
        "another reserve comes back than was held: the settlement is held until a person has looked",
        replace(RESERVE_HELD, beyond=True),
        reserve_taken_back(
            "140.00",
            "300.00",
            entries=march(
                wallet="300.00", debtors="-300.00", fees_referral="83.33", input_vat="16.67", reserve_held="-100.00"
            ),
            boxes=march_boxes({4: "16.67", 7: "83.33"}),
            status="held",
            raises=frozenset({"RESERVE_CHAIN_BREAK"}),
            beyond=True,
        ),
        agrees_with=None,
    ),
    sage(
        "E06a",
        "a settlement ends in debt and the next one charges the card: the wallet is nil again",
        ENDS_IN_DEBT,
        File(
            rows(
                account_row("Payable to Amazon", "-130.00", **at("14.03.2026")),
                account_row("Successful charge", "130.00", **at("16.03.2026")),
            ),
            "0.00",
            march(wallet="130.00", bank_card="-130.00"),
            {},
            # The debt is closed in the earlier settlement and opened in this one; the card then pays the wallet.
            (("bank_receipt", "130.00"), ("bank_payment", "130.00"), ("bank_transfer", "130.00")),
            start=date(2026, 3, 14),
            end=date(2026, 3, 16),
            deposit=date(2026, 3, 18),
            beyond=True,
        ),
        agrees_with=(0, 1),
    ),
    sage(
        "E06b",
        "a settlement ends in debt: no bank line is expected",
        ENDS_IN_DEBT,
        agrees_with=(0, 1),
    ),
    sage(
        "E06b",
        "the next settlement opens with the debt and earns it back",
        replace(ENDS_IN_DEBT, beyond=True),
        opens_with(
            "-130.00",
            "370.00",
            entries=march(wallet="500.00", debtors="-500.00"),
            boxes={},
            documents=(("bank_receipt", "130.00"), ("bank_payment", "130.00"), ("sales_receipt", "500.00")),
        ),
        agrees_with=None,
    ),
    sage(
        "E06b",
        "the next settlement opens with another debt: it is held until a person has looked",
        replace(ENDS_IN_DEBT, beyond=True),
        opens_with(
            "-120.00",
            "380.00",
            entries=march(wallet="500.00", debtors="-500.00"),
            boxes={},
            status="held",
            raises=frozenset({"RESERVE_CHAIN_BREAK"}),
        ),
        agrees_with=None,
    ),
    sage(
        "E07a",
        "a settlement over a month end: each month gets its part, the bank one payout",
        over_month_end(
            {
                MARCH: {"wallet": "480.00", "debtors": "-600.00", "fees_referral": "100.00", "input_vat": "20.00"},
                APRIL: {"wallet": "720.00", "debtors": "-900.00", "fees_referral": "150.00", "input_vat": "30.00"},
            },
            {MARCH: {4: "20.00", 7: "100.00"}, APRIL: {4: "30.00", 7: "150.00"}},
        ),
        agrees_with=(0, 1, 2, 3),
    ),
    sage(
        "E07b",
        "the same over a closed month end: whatever the month, the sums are these and the payout is one",
        over_month_end(
            {WHOLE: {"wallet": "1200.00", "debtors": "-1500.00", "fees_referral": "250.00", "input_vat": "50.00"}},
            {WHOLE: {4: "50.00", 7: "250.00"}},
        ),
        agrees_with=(2, 3, 4, 5),
    ),
    own(
        "E20",
        "the UK wallet pays a German debt: the money is in transit, neither cost nor VAT",
        File(
            rows(
                row(
                    "Debt Adjustment",
                    "Debt Adjustment",
                    "Cross-Account Debt Adjustment against DE",
                    "-25.00",
                    **at("12.03.2026"),
                )
            ),
            "-25.00",
            march(wallet="-25.00", wallet_transfer="25.00"),
            {},
            (("bank_payment", "25.00"),),
        ),
        agrees_with=None,
    ),
    own(
        "E20",
        "the German wallet receives it, in euros",
        File(
            rows(
                row(
                    "Debt Adjustment",
                    "Debt Adjustment",
                    "Cross-Account Debt Adjustment for UK",
                    "29.00",
                    **at("13.03.2026"),
                )
            ),
            "29.00",
            march(wallet="29.00", wallet_transfer="-29.00"),
            {},
            (("bank_receipt", "29.00"),),
            beyond=True,
        ),
        agrees_with=None,
        sale_vat="export_zero",
        marketplaces=("Amazon.de",),
        currency="EUR",
    ),
    sage(
        "E22",
        "a payout comes back: the main bank gives it to the wallet again",
        File(
            rows(price("Principal", "350.00", **item(22))),
            "350.00",
            march(wallet="350.00", debtors="-350.00"),
            {},
            (("sales_receipt", "350.00"),),
            beyond=True,
        ),
        File(
            rows(
                account_row(
                    "Transfer of funds unsuccessful: the bank did not know the account", "350.00", **at("18.03.2026")
                )
            ),
            "350.00",
            march(wallet="350.00", bank_main="-350.00"),
            {},
            (("bank_transfer", "350.00"),),
            start=date(2026, 3, 14),
            end=date(2026, 3, 18),
            deposit=date(2026, 3, 20),
        ),
        agrees_with=(1,),
    ),
)

# --- fees and their VAT ---------------------------------------------------------------------------------------------


def storage(*amounts: tuple[str, str]) -> tuple[Row, ...]:
    return tuple(
        row("FBAFees", "FBA Inventory Storage Fee", what, amount, **at("12.04.2026")) for what, amount in amounts
    )


def april_storage(*amounts: tuple[str, str]) -> File:
    return File(
        storage(*amounts),
        "-72.00",
        {APRIL: {"wallet": "-72.00", "fees_storage": "60.00", "input_vat": "12.00"}},
        {APRIL: {4: "12.00", 7: "60.00"}},
        (("bank_payment", "72.00"),),
        start=date(2026, 3, 29),
        end=date(2026, 4, 12),
        deposit=date(2026, 4, 14),
    )


SELLING_PLAN = account_row("Subscription Fee", "-30.00", **at("10.03.2026"))

FEES = (
    own(
        "E12",
        "an advertising invoice taken from the balance, VAT inside",
        File(
            rows(ADVERTISING),
            "-180.00",
            march(wallet="-180.00", advertising="150.00", input_vat="30.00"),
            march_boxes({4: "30.00", 7: "150.00"}),
            (("bank_payment", "180.00"),),
        ),
        agrees_with=(0,),
    ),
    own("E13a", "a storage fee with the VAT inside", april_storage(("Base fee", "-72.00")), agrees_with=(2,)),
    own(
        "E13b",
        "a storage fee with its VAT as a row of its own makes the same journal",
        april_storage(("Base fee", "-60.00"), ("Tax on fee", "-12.00")),
        agrees_with=(0,),
    ),
    own(
        "E16a",
        "a fee of the last day of July 2024 is reverse-charged: VAT both ways and no cash",
        File(
            rows(fee("Commission", "-100.00", **item(16, posted="31.07.2024"))),
            "-100.00",
            {
                "2024-07": {
                    "wallet": "-100.00",
                    "fees_referral": "100.00",
                    "input_vat": "20.00",
                    "output_vat": "-20.00",
                }
            },
            {"2024-07": {1: "20.00", 4: "20.00", 6: "100.00", 7: "100.00"}},
            (("bank_payment", "100.00"),),
            start=date(2024, 7, 17),
            end=date(2024, 7, 31),
            deposit=date(2024, 8, 2),
        ),
        agrees_with=(0,),
    ),
    own(
        "E16b",
        "the same fee a day later has UK VAT inside",
        File(
            rows(fee("Commission", "-120.00", **item(16, posted="01.08.2024"))),
            "-120.00",
            {"2024-08": {"wallet": "-120.00", "fees_referral": "100.00", "input_vat": "20.00"}},
            {"2024-08": {4: "20.00", 7: "100.00"}},
            (("bank_payment", "120.00"),),
            start=date(2024, 7, 18),
            end=date(2024, 8, 1),
            deposit=date(2024, 8, 3),
        ),
        agrees_with=(0,),
    ),
    own(
        "E19",
        "one fee, two treatments: VAT inside for the parcel at home, none for the parcel abroad",
        File(
            rows(
                fee("FBAPerUnitFulfillmentFee", "-3.60", **item(19)),
                fee("FBAPerUnitFulfillmentFee", "-6.00", **item(20, marketplace_name="Amazon.de")),
            ),
            "-9.60",
            march(wallet="-9.60", fees_fba="9.00", input_vat="0.60"),
            march_boxes({4: "0.60", 7: "9.00"}),
            (("bank_payment", "9.60"),),
        ),
        agrees_with=(0,),
        marketplaces=("Amazon.co.uk", "Amazon.de"),
    ),
    own(
        "E25",
        "the selling plan",
        File(
            rows(SELLING_PLAN),
            "-30.00",
            march(wallet="-30.00", subscription="25.00", input_vat="5.00"),
            march_boxes({4: "5.00", 7: "25.00"}),
            (("bank_payment", "30.00"),),
        ),
        agrees_with=(0,),
    ),
    own(
        "E25",
        "a selling plan that names an order is no selling plan",
        File(
            rows({**SELLING_PLAN, "order-id": "202-7100025-7100025"}),
            "-30.00",
            {},
            {},
            status="quarantined",
            raises=frozenset({"BAD_ROW"}),
            beyond=True,
        ),
        agrees_with=None,
    ),
    own(
        "E25",
        "a selling plan that names a SKU is no selling plan",
        File(
            rows({**SELLING_PLAN, "sku": "TEAPOT-BLUE"}),
            "-30.00",
            {},
            {},
            status="quarantined",
            raises=frozenset({"BAD_ROW"}),
            beyond=True,
        ),
        agrees_with=None,
    ),
)

# --- everything else ------------------------------------------------------------------------------------------------

NEW_FEE_LABELS = ("AmazonFees", "New Sustainability Levy", "Base fee")
NEW_FEE = rows(row(*NEW_FEE_LABELS, "-3.60", **at("10.03.2026")), price("Principal", "24.00", **item(14)))


def reimbursement(reason: str, amount: str, day: str) -> Row:
    return row("other-transaction", "FBA Inventory Reimbursement", reason, amount, sku="TEAPOT-BLUE", **at(day))


def liquidated(amount_type: str, what: str, amount: str) -> Row:
    return row("Liquidations", amount_type, what, amount, marketplace_name="Amazon.co.uk", **item(24))


OTHER = (
    sage(
        "E09",
        "exports paid in euros: the journal is in euros, and the fee has UK VAT inside",
        File(
            rows(
                price("Principal", "1000.00", **item(9, marketplace_name="Amazon.de")),
                fee("Commission", "-150.00", **item(9, marketplace_name="Amazon.de")),
            ),
            "850.00",
            march(wallet="850.00", debtors="-1000.00", fees_referral="125.00", input_vat="25.00"),
            march_boxes({4: "25.00", 7: "125.00"}),
            (("sales_receipt", "1000.00"), ("bank_payment", "150.00")),
            start=date(2026, 3, 10),
            end=date(2026, 3, 24),
            deposit=date(2026, 3, 26),
        ),
        agrees_with=None,
        sale_vat="export_zero",
        marketplaces=("Amazon.de",),
        currency="EUR",
    ),
    own(
        "E11",
        "a lost unit is made good and found again: outside the scope of VAT both times",
        File(
            rows(reimbursement("WAREHOUSE_LOST", "8.50", "12.03.2026")),
            "8.50",
            march(wallet="8.50", reimbursements="-8.50"),
            {},
            (("bank_receipt", "8.50"),),
        ),
        File(
            rows(reimbursement("REVERSAL_REIMBURSEMENT", "-8.50", "26.03.2026")),
            "-8.50",
            march(wallet="-8.50", reimbursements="8.50"),
            {},
            (("bank_payment", "8.50"),),
            start=date(2026, 3, 14),
            end=date(2026, 3, 28),
            deposit=date(2026, 3, 30),
        ),
        agrees_with=(1, 3),
    ),
    sage(
        "E14a",
        "a kind of row that nobody has seen: nothing of the settlement is posted",
        File(NEW_FEE, "20.40", {}, {}, status="held", raises=frozenset({"UNMAPPED_TYPE"})),
        agrees_with=(),
    ),
    own(
        "E24",
        "units sold to a liquidator are a sale with VAT, the broker's fee has VAT inside",
        File(
            rows(
                liquidated("ItemPrice", "Principal", "20.00"),
                liquidated("ItemPrice", "Tax", "4.00"),
                liquidated("ItemFees", "LiquidationsBrokerageFee", "-3.00"),
            ),
            "21.00",
            march(wallet="21.00", liquidation_sales="-20.00", output_vat="-4.00", fees_other="2.50", input_vat="0.50"),
            march_boxes({1: "4.00", 4: "0.50", 6: "20.00", 7: "2.50"}),
            (("bank_receipt", "24.00"), ("bank_payment", "3.00")),
        ),
        agrees_with=(0, 1),
    ),
)

# Month end is tonight, and finance lets the unseen row go to suspense: gross, with no VAT claimed.
RELEASED_TO_SUSPENSE = sage(
    "E14b",
    "an unseen row is released to suspense",
    File(
        NEW_FEE,
        "20.40",
        march(wallet="20.40", debtors="-24.00", suspense="3.60"),
        {},
        (("sales_receipt", "24.00"), ("bank_payment", "3.60")),
    ),
    agrees_with=(0, 1),
)

# What becomes of the unseen row once finance has mapped it to other fees with VAT inside.
NEW_FEE_MAPPED = File(
    NEW_FEE,
    "20.40",
    march(wallet="20.40", debtors="-24.00", fees_other="3.00", input_vat="0.60"),
    march_boxes({4: "0.60", 7: "3.00"}),
    (("sales_receipt", "24.00"), ("bank_payment", "3.60")),
)

CASES: tuple[Case, ...] = (*ONE_SALE, *SALE_VAT, *AMAZON_ACCOUNTS_FOR_VAT, *BALANCES, *FEES, *OTHER)
