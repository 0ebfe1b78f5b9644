"""The worked examples with their Sage orders: sent, despatched, invoiced, settled and allocated in the sandbox Sage.

What is expected is what the examples say each account must show in the end. A penny that Sage's VAT per rate leaves is
on the rounding account, where the examples have it in sales (E03).
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from amazon_sage_assets.amazon.orders_api import Order
from amazon_sage_assets.settlements.flow import note_exceptions
from amazon_sage_assets.turn import utc_now
from amazon_sage_assets_tests.order_world import (
    BOOK,
    KETTLE,
    ROUTES,
    item,
    order,
    order_world,
    recipient,
    run_until_still,
    settle_files,
    settlement_file,
    tell,
)
from amazon_sage_assets_tests.posting_world import PostingWorld
from amazon_sage_assets_tests.reports import row

SOLD, SETTLED, LATER = date(2026, 3, 2), date(2026, 3, 14), date(2026, 3, 20)
NUMBER, OTHER = "202-0000001-0000001", "202-0000002-0000002"
SEAT = "SEAT-01"
Row = dict[str, str]


def paid(*amounts: tuple[str, str, str], order_id: str = NUMBER, kind: str = "Order", **changes: str) -> list[Row]:
    """Rows of an order that we sent: amount type, description, amount."""
    said = {"order_id": order_id, "fulfillment_id": "MFN", "sku": KETTLE, **changes}
    return [row(kind, amount_type, description, amount, **said) for amount_type, description, amount in amounts]


def closed(
    world: PostingWorld, orders: Iterable[Order], *settlements: tuple[date, list[Row]], country: str = "GB"
) -> None:
    """Everything from the orders to the allocated money."""
    orders = list(orders)
    tell(world, orders, [recipient(o.order_id, country=country) for o in orders if o.fulfilment == "MFN"])
    files = (
        settlement_file(world, f"2400000000{number}", day, rows)
        for number, (day, rows) in enumerate(settlements, start=1)
    )
    settle_files(world, *files)
    run_until_still(world)


def balances(world: PostingWorld) -> dict[str, Decimal]:
    """Debit less credit of each account that is not nil."""
    return {code: amount for (code, _, _), amount in world.books.trial_balance().items() if amount}


def stated(**accounts: str) -> dict[str, Decimal]:
    return {code.removeprefix("n"): Decimal(amount) for code, amount in accounts.items()}


def exceptions(world: PostingWorld) -> dict[str, tuple[str | None, Decimal]]:
    with world.company.warehouse.transaction() as connection:
        note_exceptions(connection, utc_now())
    rows = world.rows("select code, order_id, amount_at_risk from exceptions.open_exceptions")
    return {code: (order_id, amount) for code, order_id, amount in rows}


def sale(gross: str, **amounts: Any) -> Order:
    return order(NUMBER, SOLD, item(1, KETTLE, gross, **amounts))


E01_ROWS = paid(("ItemPrice", "Principal", "20.00"), ("ItemPrice", "Tax", "4.00"), ("ItemFees", "Commission", "-4.40"))


def test_e01_the_settlement_pays_the_invoice_and_books_no_revenue(tmp_path: Path) -> None:
    with order_world(tmp_path) as world:
        closed(world, [sale("24.00", vat="4.00")], (SETTLED, E01_ROWS))
        assert balances(world) == stated(n1200="19.60", n4000="-20.00", n2200="-4.00", n5100="3.67", n2201="0.73")


def test_e02_a_settlement_that_would_book_an_order_of_sage_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    routes = ROUTES.format(orders="").replace("sop_daily", "settlement")
    with order_world(tmp_path, bottom=routes) as world:
        tell(
            world,
            [order(NUMBER, date(2026, 3, 1), item(1, KETTLE, "24.00", vat="4.00"), fulfilment="AFN", shipped=SOLD)],
        )
        enter_by_hand(world, NUMBER)
        rows = [{**one, "fulfillment-id": "AFN"} for one in E01_ROWS]
        settle_files(world, settlement_file(world, "24000000001", SETTLED, rows))
        world.post()
        assert exceptions(world)["DOUBLE_OWNERSHIP"] == (NUMBER, Decimal("24.00"))
        [(status,)] = world.rows("select status from core.core__settlement_status")
        assert status == "held"
        assert balances(world) == {}


def enter_by_hand(world: PostingWorld, number: str) -> None:
    """Somebody has the order in Sage under Amazon's number."""
    with world.books.store.reading() as db:
        customer = db.execute("select id from customers where reference = 'AMZUK'").fetchone()[0]
    body = {
        "customer_id": customer,
        "customer_document_no": number,
        "lines": [{"line_type": "EnumLineTypeFreeText", "description": "A kettle", "line_quantity": 1,
                   "selling_unit_price": Decimal("20.00")}],
    }  # fmt: skip
    world.books.enter_sop("order", body)


def test_e03_vat_out_of_the_gross_is_the_lines_and_the_penny_is_rounding(tmp_path: Path) -> None:
    with order_world(tmp_path) as world:
        three = order(NUMBER, SOLD, item(1, KETTLE, "29.97", quantity=3))
        closed(world, [three], (SETTLED, paid(("ItemPrice", "Principal", "29.97"))))
        found = balances(world)
        assert found.pop("4000") + found.pop("7910") == Decimal("-24.97")
        assert found == stated(n1200="29.97", n2200="-5.00")


def test_e04_a_refund_is_credited_at_the_vat_of_the_sale_and_lowers_output_vat(tmp_path: Path) -> None:
    refund = paid(
        ("ItemPrice", "Principal", "-20.00"), ("ItemPrice", "Tax", "-4.00"), ("ItemFees", "Commission", "4.40"),
        ("ItemFees", "RefundCommission", "-0.88"), kind="Refund", adjustment_id="amzn1:crow:one",
    )  # fmt: skip
    with order_world(tmp_path) as world:
        closed(world, [sale("24.00", vat="4.00")], (SETTLED, E01_ROWS), (LATER, refund))
        found = balances(world)
        # Fees given back are a bank receipt, whose VAT Sage books as output: together they are the example's.
        assert found.pop("2200") + found.pop("2201") == Decimal("0.15")
        assert found == stated(n1200="19.60", n1250="-20.48", n5100="0.73")
        [note] = [d for d in world.books.documents() if d["kind"] == "sales_credit_notes"]
        assert (note["value"], note["second_reference"], note["date"]) == (Decimal("24.00"), NUMBER, "2026-03-20")


def test_e10_what_amazon_withholds_is_no_output_vat(tmp_path: Path) -> None:
    rows = paid(
        ("ItemPrice", "Principal", "16.62"), ("ItemPrice", "Tax", "3.33"),
        ("ItemWithheldTax", "MarketplaceFacilitatorVAT-Principal", "-3.33"),
    )  # fmt: skip
    with order_world(tmp_path) as world:
        closed(world, [sale("19.95", vat="3.33", is_withheld=True)], (SETTLED, rows))
        assert balances(world) == stated(n1200="16.62", n4020="-16.62")


def test_e15_vat_is_on_the_discounted_price_and_free_postage_bears_none(tmp_path: Path) -> None:
    rows = paid(
        ("ItemPrice", "Principal", "30.00"), ("ItemPrice", "Tax", "6.00"), ("ItemPrice", "Shipping", "4.00"),
        ("ItemPrice", "ShippingTax", "0.80"), ("Promotion", "Principal", "-5.00"),
        ("Promotion", "TaxDiscount", "-1.00"), ("Promotion", "Shipping", "-4.00"),
        ("Promotion", "TaxDiscount", "-0.80"),
    )  # fmt: skip
    with order_world(tmp_path) as world:
        closed(world, [sale("30.00", vat="5.00")], (SETTLED, rows))
        assert balances(world) == stated(n1200="30.00", n4000="-25.00", n2200="-5.00")


def test_e17_goods_sent_abroad_are_zero_rated(tmp_path: Path) -> None:
    with order_world(tmp_path) as world:
        closed(world, [sale("150.00")], (SETTLED, paid(("ItemPrice", "Principal", "150.00"))), country="CH")
        assert balances(world) == stated(n1200="150.00", n4010="-150.00")


def test_e18a_postage_follows_goods_at_the_reduced_rate(tmp_path: Path) -> None:
    with order_world(tmp_path) as world:
        with world.books.together() as db:
            reduced = db.execute("select id from tax_codes where code = 95").fetchone()[0]
            world.books.add_product(SEAT, "A seat", tax_code_id=reduced, warehouses={"HOME": Decimal(10)})
        seat = order(NUMBER, SOLD, item(1, SEAT, "88.20", postage="4.20"))
        rows = paid(("ItemPrice", "Principal", "84.00"), ("ItemPrice", "Shipping", "4.20"), sku=SEAT)
        closed(world, [seat], (SETTLED, rows))
        assert balances(world) == stated(n1200="88.20", n4005="-84.00", n2200="-4.20")


def test_e18b_a_basket_of_two_rates_shares_postage_as_amazon_tells_it(tmp_path: Path) -> None:
    basket = order(NUMBER, SOLD, item(1, KETTLE, "27.00", postage="3.00"), item(2, BOOK, "18.00", postage="2.00"))
    rows = paid(("ItemPrice", "Principal", "40.00"), ("ItemPrice", "Shipping", "5.00"))
    with order_world(tmp_path) as world:
        closed(world, [basket], (SETTLED, rows))
        assert balances(world) == stated(n1200="45.00", n4000="-22.50", n4001="-18.00", n2200="-4.50")


def test_e19_the_fba_fee_of_an_order_sent_abroad_has_no_vat_to_reclaim(tmp_path: Path) -> None:
    home = order(NUMBER, SOLD, item(1, KETTLE, "24.00", vat="4.00"), fulfilment="AFN", shipped=SOLD)
    abroad = order(OTHER, SOLD, item(2, KETTLE, "24.00"), fulfilment="AFN", shipped=SOLD)
    fee = ("ItemFees", "FBAPerUnitFulfillmentFee")
    rows = paid((*fee, "-3.60"), fulfillment_id="AFN") + paid((*fee, "-6.00"), order_id=OTHER, fulfillment_id="AFN")
    with order_world(tmp_path) as world:
        tell(world, [home, abroad])
        with world.company.warehouse.transaction() as connection:
            connection.execute("update raw.amazon_orders set ship_country = 'DE' where order_id = $1", [OTHER])
        settle_files(world, settlement_file(world, "24000000001", SETTLED, rows))
        world.post()
        assert balances(world) == stated(n5110="9.00", n2201="0.60", n1250="-9.60")


def test_e21_a_late_correction_of_vat_that_sage_declared_is_told(tmp_path: Path) -> None:
    rows = paid(
        ("ItemPrice", "Tax", "3.50"), ("ItemWithheldTax", "MarketplaceFacilitatorVAT-Principal", "-3.50"),
        kind="Order_Retrocharge",
    )  # fmt: skip
    with order_world(tmp_path) as world:
        closed(world, [sale("24.00", vat="4.00")], (LATER, rows))
        assert exceptions(world)["VAT_RECLASS"] == (NUMBER, Decimal("4.00"))


def test_e23_what_is_missing_beyond_the_tolerance_stays_open_on_the_debtor(tmp_path: Path) -> None:
    rows = paid(("ItemPrice", "Principal", "19.58"), ("ItemPrice", "Tax", "3.92"))
    with order_world(tmp_path) as world:
        closed(world, [sale("24.00", vat="4.00")], (SETTLED, rows))
        assert balances(world) == stated(n1100="0.50", n1200="23.50", n4000="-20.00", n2200="-4.00")
        assert exceptions(world)["ORDER_AMOUNT_DIFF"] == (NUMBER, Decimal("0.50"))
