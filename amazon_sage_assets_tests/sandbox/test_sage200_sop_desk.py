"""What becomes of a sales order in the simulated Sage: despatch, invoice, return, credit note, allocation."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from amazon_sage_assets.sandbox.sage200 import Refused
from amazon_sage_assets_tests.sandbox.sage_company import SageCompany, parsed

NUMBER = "202-0000001-0000001"
DAY = date(2026, 3, 4)
SELL_UNTIL_KILLED = """
import sys
from datetime import date
from pathlib import Path
from amazon_sage_assets.sandbox.sage200 import Books

books = Books(Path(sys.argv[1]))
line = {"line_type": "EnumLineTypeStandard", "product_id": int(sys.argv[2]), "warehouse_id": int(sys.argv[3]),
        "line_quantity": 1, "selling_unit_price": 10}
for number in range(1000):
    body = {"customer_id": int(sys.argv[4]), "customer_document_no": str(number), "lines": [line, line]}
    books.enter_sop("order", body)
    books.despatch(str(number), day=date(2026, 3, 4))
    books.invoice_orders()
    print(number, flush=True)
"""


@pytest.fixture
def make_shop(make_sage: Callable[..., SageCompany]) -> Callable[..., SageCompany]:
    return lambda **options: make_sage(**options).open_shop()


@pytest.fixture
def shop(make_shop: Callable[..., SageCompany]) -> SageCompany:
    return make_shop()


def in_stock(shop: SageCompany, code: str = "KETTLE") -> tuple[D, D]:
    """What of a product lies at home, and what of it is promised."""
    words = f"product_id eq {shop.product(code)} and warehouse_name eq 'HOME'"
    [held] = shop.get("warehouse_holdings", filter=words)
    return held["quantity_in_stock"], held["quantity_allocated"]


def confirming(order: dict[str, Any], *quantities: int, **more: Any) -> dict[str, Any]:
    items = [{"id": line["id"], "quantity": n} for line, n in zip(order["lines"], quantities, strict=False)]
    return {"sop_order_return_id": order["id"], "items": items, **more}


# Despatch


def test_a_confirmed_despatch_can_be_read_with_its_tracking(shop: SageCompany) -> None:
    order = shop.sell(shop.goods("12.50", 3), shop.goods("5.00", code="BOOK"))
    tracking = {
        "sop_order_return_id": order["id"],
        "courier_id": shop.id("couriers", name="Royal Mail"),
        "consignment_no": "RM123456789GB",
        "pieces": 1,
        "weight": D("1.2345"),
    }
    body = confirming(order, 2, despatch_receipt_date="2026-03-04T00:00:00Z", tracking_items=[tracking])
    answer = shop.post("sop_confirm_despatch", body)
    assert (answer.status_code, parsed(answer)) == (200, body)
    [line] = shop.get("sop_order_despatch_line_views")
    assert (line["sop_despatch_line_quantity"], line["sop_order_line_quantity"]) == (2, 3)
    assert (line["sop_order_customer_document_no"], line["sop_order_document_no"]) == (NUMBER, "0000000187")
    assert (line["sop_despatch_document_no"], line["sop_despatch_date"]) == ("0000000154", "2026-03-04T00:00:00Z")
    assert (line["product_code"], line["warehouse_name"]) == ("KETTLE", "HOME")
    assert line["sys_courier_tracking_url"] == "https://track.example/RM123456789GB"
    assert (line["sop_despatch_courier_name"], line["sop_despatch_weight"]) == ("Royal Mail", D("1.235"))
    assert line["sop_despatch_line_is_invoiced"] is False
    [view] = shop.get("sop_order_despatch_views", filter=f"sop_order_customer_document_no eq '{NUMBER}'")
    assert (view["sop_despatch_consignment_no"], view["sop_order_document_status_id"]) == ("RM123456789GB", 0)
    assert shop.get("sop_despatch_receipts", expand="courier")[0]["courier"]["name"] == "Royal Mail"
    assert shop.get("sop_orders")[0]["despatch_receipt_status"].endswith("Part")
    assert in_stock(shop) == (38, 1)


def test_despatched_lines_of_many_orders_stay_with_their_own(shop: SageCompany) -> None:
    for number in ("a", "b", "c"):
        shop.sell(shop.goods("1"), shop.goods("2"), number=number)
        shop.clock.later(minutes=1)
        shop.books.despatch(number, day=DAY)
    rows = shop.get("sop_order_despatch_line_views", orderby="sop_despatch_line_id asc")
    assert [row["sop_order_customer_document_no"] for row in rows] == ["a", "a", "b", "b", "c", "c"]
    assert len({row["sop_despatch_id"] for row in rows}) == 3
    late = shop.get("sop_order_despatch_line_views", filter="date_time_updated gt 2026-03-12T10:04:30Z")
    assert {row["sop_order_customer_document_no"] for row in late} == {"c"}


def test_no_more_is_despatched_than_is_left(shop: SageCompany) -> None:
    order = shop.sell(shop.goods("1", 3))
    assert "4 of the line" in shop.refuses("sop_confirm_despatch", confirming(order, 4))
    shop.post("sop_confirm_despatch", confirming(order, 2))
    assert "1 is left" in shop.refuses("sop_confirm_despatch", confirming(order, 2))
    both = {"id": order["lines"][0]["id"], "quantity": 1}
    twice = {"sop_order_return_id": order["id"], "items": [both, both]}
    assert "0 is left" in shop.refuses("sop_confirm_despatch", twice)
    assert in_stock(shop) == (38, 1)
    assert shop.post("sop_confirm_despatch", confirming(order, 1)).status_code == 200
    assert shop.get("sop_orders")[0]["despatch_receipt_status"].endswith("Full")
    assert len(shop.get("sop_order_despatch_views")) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sop_order_return_id": 9}, "sales order with the id 9 given in 'sop_order_return_id'"),
        ({"items": []}, "'items' is required"),
        ({"items": [{"id": 9, "quantity": 1}]}, "no line to despatch with the id 9 given in 'items[0].id'"),
        ({"tracking_items": [{"courier_id": 9}]}, "courier with the id 9"),
        ({"tracking_items": [{"sop_order_return_id": 9}]}, "tracking item is of another order"),
        ({"tracking_items": [{"consignment_no": "x" * 61}]}, "61 characters"),
        ({"tracking_items": [{}, {}]}, "one tracking item"),
        ({"despatch_receipt_date": "2026-03-04"}, "not a full date"),
    ],
)
def test_a_despatch_that_cannot_be_is_refused(shop: SageCompany, change: dict[str, Any], words: str) -> None:
    order = shop.sell(shop.goods("1"))
    assert words in shop.refuses("sop_confirm_despatch", {**confirming(order, 1), **change})
    assert in_stock(shop) == (40, 1)
    assert shop.get("sop_order_despatch_views") == []


def test_only_a_live_order_is_despatched(shop: SageCompany) -> None:
    draft = shop.sell(shop.goods("1"), is_editing=True)
    assert "is draft" in shop.refuses("sop_confirm_despatch", confirming(draft, 1))
    gone = shop.sell(shop.goods("1"), number="2")
    shop.books.cancel_order("2")
    assert "is cancelled" in shop.refuses("sop_confirm_despatch", confirming(gone, 1))


def test_tracking_may_not_be_recorded(make_shop: Any) -> None:
    shop = make_shop(record_tracking_on_despatch=False)
    order = shop.sell(shop.goods("1"))
    shop.post("sop_confirm_despatch", confirming(order, 1, tracking_items=[{"consignment_no": "RM1"}]))
    assert shop.get("sop_order_despatch_line_views")[0]["sop_despatch_consignment_no"] == ""


def test_what_is_not_in_stock_may_be_despatched_or_not(make_shop: Any) -> None:
    easy, strict = make_shop(), make_shop(despatch_without_stock="refuse")
    for shop in (easy, strict):
        shop.sell(shop.goods("1", 5, code="BOOK"), number="first")
        shop.sell(shop.goods("1", 5, code="BOOK"), number="second")
    easy.books.despatch("first")
    easy.books.despatch("second")
    assert in_stock(easy, "BOOK") == (-3, 0)
    with pytest.raises(Refused, match="not enough of 'BOOK'"):
        strict.books.despatch("second")  # five lie there, but for the first order
    strict.books.despatch("first")
    strict.books.despatch("second", lines={"BOOK": D(2)})
    assert in_stock(strict, "BOOK") == (0, 0)


def test_a_person_despatches_a_part_and_then_the_rest(shop: SageCompany) -> None:
    shop.sell(shop.goods("1", 2), shop.goods("1", 2), shop.goods("1", code="BOOK"))
    assert shop.books.despatch(NUMBER, "royal mail", "RM1", DAY, {"KETTLE": D(3)}) == "0000000154"
    quantities = [row["sop_despatch_line_quantity"] for row in shop.get("sop_order_despatch_line_views")]
    assert quantities == [2, 1]
    with pytest.raises(Refused, match="So much of 'KETTLE' is not left"):
        shop.books.despatch(NUMBER, lines={"KETTLE": D(2)})
    assert shop.books.despatch("0000000187") == "0000000155"
    assert shop.books.sop_orders()[0]["despatched"] == "Full"
    with pytest.raises(Refused, match="Nothing is left to do"):
        shop.books.despatch(NUMBER)


def test_a_person_must_name_one_order_and_a_known_courier(shop: SageCompany) -> None:
    for _ in range(2):
        shop.sell(shop.goods("1"))
    with pytest.raises(Refused, match="2 sales orders have the number"):
        shop.books.despatch(NUMBER)
    with pytest.raises(Refused, match="0 sales orders have the number 'x'"):
        shop.books.despatch("x")
    with pytest.raises(Refused, match="courier 'Owl' given in 'courier' does not exist"):
        shop.books.despatch("0000000187", "Owl")


def test_an_order_is_cancelled_at_the_desk_before_it_leaves(shop: SageCompany) -> None:
    shop.sell(shop.goods("1", 5), number="a")
    shop.sell(shop.goods("1", 2), number="b")
    shop.books.despatch("b", lines={"KETTLE": D(1)})
    shop.books.cancel_order("a")
    [order] = shop.get("sop_orders", filter="customer_document_no eq 'a'")
    assert (order["document_status"], order["cancelled_status"][-4:]) == ("EnumDocumentStatusCancelled", "Full")
    assert in_stock(shop) == (39, 1)
    with pytest.raises(Refused, match="is cancelled"):
        shop.books.cancel_order("a")
    with pytest.raises(Refused, match="have been despatched"):
        shop.books.cancel_order("b")


# Invoices


def test_the_invoice_of_a_whole_order_has_the_orders_value_and_vat(shop: SageCompany) -> None:
    order = shop.sell(shop.goods("10.43"), shop.goods("0.83"), shop.goods("5.00", 2, code="BOOK"))
    shop.books.despatch(NUMBER, day=DAY)
    assert shop.books.invoice_orders() == ["0000000213"]
    assert shop.ledger() == {"1100": "23.51", "4000": "-11.26", "4010": "-10.00", "2200": "-2.25"}
    [invoice] = shop.get("sales_posted_transactions", expand="tax_analysis_items")
    assert (invoice["document_gross_value"], invoice["document_tax_value"]) == (D("23.51"), D("2.25"))
    assert invoice["document_gross_value"] == order["total_gross_value"]
    assert (invoice["reference"], invoice["second_reference"]) == ("0000000213", NUMBER)
    assert invoice["transaction_date"] == "2026-03-04T00:00:00Z"
    taxed = {item["code"]: (item["goods_amount"], item["tax_amount"]) for item in invoice["tax_analysis_items"]}
    assert taxed == {1: (D("11.26"), D("2.25")), 2: (10, 0)}
    [document] = shop.books.documents()
    assert (document["kind"], document["source"]) == ("sales_invoices", "LedgerSOP")
    [order] = shop.get("sop_orders", expand="lines")
    assert order["document_status"] == "EnumDocumentStatusComplete"
    assert order["invoice_credit_status"].endswith("Full")
    assert all(line["is_complete"] for line in order["lines"])
    [link] = shop.get("sop_order_return_invoice_credit_views")
    assert link["sop_order_return_customer_document_no"] == NUMBER
    assert (link["sop_invoice_credit_document_no"], link["sop_invoice_credit_total_gross_value"]) == (
        "0000000213", D("23.51"),
    )  # fmt: skip
    assert all(row["sop_despatch_line_is_invoiced"] for row in shop.get("sop_order_despatch_line_views"))
    assert shop.books.invoice_orders() == []


def test_parts_are_invoiced_each_with_the_vat_of_its_own_lines(shop: SageCompany) -> None:
    carriage = {"line_type": "EnumLineTypeCharge", "code": "CARRIAGE", "tax_code_id": shop.tax(2)}
    order = shop.sell(shop.goods("10.43"), shop.goods("0.83", code="MYSTERY"), carriage)
    assert order["total_tax_value"] == D("2.25")
    shop.books.despatch(NUMBER, lines={"KETTLE": D(1)}, day=DAY)
    shop.books.invoice_orders()
    [first] = shop.get("sales_posted_transactions")
    assert (first["document_goods_value"], first["document_tax_value"]) == (D("15.38"), D("2.09"))
    assert shop.books.sop_orders()[0]["invoiced"] == "Part"
    shop.books.despatch(NUMBER)
    shop.books.invoice_orders()
    second = shop.get("sales_posted_transactions", orderby="id")[1]
    assert (second["document_goods_value"], second["document_tax_value"]) == (D("0.83"), D("0.17"))
    assert shop.books.sop_orders()[0]["status"] == "Complete"
    quantities = shop.get("sop_order_return_line_invoice_credit_views", filter="sop_invoice_credit_id eq 5071001")
    assert len(quantities) == 2


def test_an_invoice_with_prices_that_include_vat_splits_them_to_the_penny(make_shop: Any) -> None:
    shop = make_shop(are_prices_tax_inclusive=True)
    line = {"line_type": "EnumLineTypeFreeText", "description": "Wrap", "line_quantity": 1, "selling_unit_price": 1}
    order = shop.sell(shop.goods("1.00"), {**line, "nominal_reference": "4010"}, shop.goods("1.00"))
    assert (order["total_net_value"], order["total_tax_value"]) == (D("2.50"), D("0.50"))
    shop.books.despatch(NUMBER)
    shop.books.invoice_orders()
    # 0.83, then 1.67 - 0.83, then 2.50 - 1.67
    assert shop.ledger() == {"1100": "3.00", "4000": "-1.66", "4010": "-0.84", "2200": "-0.50"}


def test_a_discount_line_lowers_the_invoice(shop: SageCompany) -> None:
    off = {"line_type": "EnumLineTypeFreeText", "description": "Promotion", "line_quantity": 1,
           "selling_unit_price": D("-2.50"), "nominal_reference": "4010"}  # fmt: skip
    shop.sell(shop.goods("10.00"), off)
    shop.books.despatch(NUMBER)
    shop.books.invoice_orders()
    assert shop.ledger() == {"1100": "9.00", "4000": "-10.00", "4010": "2.50", "2200": "-1.50"}


def test_an_order_worth_nothing_is_invoiced_too(shop: SageCompany) -> None:
    shop.sell(shop.goods("0"))
    shop.books.despatch(NUMBER)
    assert shop.books.invoice_orders() == ["0000000213"]
    assert shop.ledger() == {}
    assert shop.books.sop_orders()[0]["status"] == "Complete"


@pytest.mark.parametrize(
    ("choice", "second"), [("customer_order", "x" * 20), ("order_number", "0000000187"), ("blank", "")]
)
def test_the_second_reference_of_an_invoice_may_be_anything(make_shop: Any, choice: str, second: str) -> None:
    shop = make_shop(invoice_second_reference=choice)
    shop.sell(shop.goods("1"), number="x" * 30)
    shop.books.despatch("0000000187")
    shop.books.invoice_orders()
    assert shop.get("sales_transaction_views")[0]["second_reference"] == second


def test_invoices_may_be_for_some_orders_and_of_another_day(shop: SageCompany) -> None:
    orders = [shop.sell(shop.goods("1"), number=number) for number in "abc"]
    for number in "ab":
        shop.books.despatch(number, day=DAY)
    assert shop.books.invoice_orders(order_ids=[orders[2]["id"]]) == []
    body = {"day": "2026-03-10", "order_ids": [orders[1]["id"]]}
    told = shop.send("POST", "/_sandbox/invoice_orders", json=body).json()
    assert told == {"document_nos": ["0000000213"]}
    [invoice] = shop.get("sales_posted_transactions")
    assert (invoice["transaction_date"], invoice["second_reference"]) == ("2026-03-10T00:00:00Z", "b")
    assert shop.books.invoice_orders() == ["0000000214"]


def test_an_invoice_needs_a_period_that_takes_it(shop: SageCompany) -> None:
    shop.sell(shop.goods("1"))
    shop.books.despatch(NUMBER, day=date(2026, 2, 27))
    shop.books.close_period(date(2026, 2, 1))
    shop.books.close_period(date(2026, 1, 1))
    with pytest.raises(Refused, match="closed accounting period"):
        shop.books.invoice_orders()
    assert (shop.books.documents(), shop.books.sop_orders()[0]["invoiced"]) == ([], "None")
    shop.books.invoice_orders(day=DAY)
    assert shop.books.sop_orders()[0]["invoiced"] == "Full"


def test_stock_may_fall_with_the_invoice_instead(make_shop: Any) -> None:
    shop = make_shop(update_stock_on_despatch=False)
    shop.sell(shop.goods("1", 2))
    shop.books.despatch(NUMBER)
    assert in_stock(shop) == (40, 0)
    shop.books.invoice_orders()
    assert in_stock(shop) == (38, 0)


def test_an_order_in_euro_is_invoiced_at_its_own_rate(shop: SageCompany) -> None:
    shop.sell(shop.goods("10.00"), customer_id=shop.customer("WEB002"), exchange_rate=D("1.2"))
    shop.books.despatch(NUMBER)
    shop.books.invoice_orders()
    [invoice] = shop.get("sales_posted_transactions")
    assert (invoice["document_gross_value"], invoice["base_gross_value"]) == (12, 10)
    assert shop.ledger() == {"1100": "10.00", "4000": "-8.33", "2200": "-1.67"}


# Returns


def test_a_return_comes_back_into_stock_and_is_credited(shop: SageCompany) -> None:
    back = shop.sell(shop.goods("12.50", 2), path="sop_returns", number="RMA-1")
    assert (back["document_no"], back["total_gross_value"], "sop_return_id" in back["lines"][0]) == (
        "0000000041", 30, True,
    )  # fmt: skip
    assert (shop.get("sop_orders"), shop.get("sop_order_line_views"), in_stock(shop)) == ([], [], (40, 0))
    shop.books.receive_return("RMA-1", DAY, {"KETTLE": D(1)})
    [view] = shop.get("sop_return_line_views", filter="sop_return_customer_document_no eq 'RMA-1'")
    quantities = [view[f"sop_return_line_{name}_quantity"] for name in ("despatch_receipt", "invoice_credit")]
    assert (quantities, in_stock(shop)) == ([1, 0], (41, 0))
    assert shop.books.credit_returns() == ["0000000031"]
    assert shop.ledger() == {"1100": "-15.00", "4000": "12.50", "2200": "2.50"}
    [note] = shop.get("sales_posted_transactions")
    assert (note["document_gross_value"], note["second_reference"]) == (-15, "RMA-1")
    assert note["trader_transaction_type"] == "TradingAccountEntryTypeCreditNote"
    assert shop.get("sop_order_return_invoice_credit_views")[0]["sop_order_return_document_type_id"] == 1
    shop.send("POST", "/_sandbox/receive_return", json={"sales_return": "0000000041"})
    told = shop.send("POST", "/_sandbox/credit_returns", json={"return_ids": [back["id"]]}).json()
    assert told == {"document_nos": ["0000000032"]}
    assert shop.send("GET", "/_sandbox/sop_returns").json()[0]["status"] == "Complete"
    assert shop.get("sop_order_despatch_views") == shop.get("sop_order_despatch_line_views") == []


def test_orders_and_returns_do_not_meet(shop: SageCompany) -> None:
    shop.sell(shop.goods("1"), path="sop_returns")
    order = shop.sell(shop.goods("1"))
    with pytest.raises(Refused, match="0 sales returns"):
        shop.books.receive_return(order["document_no"])
    back = shop.get("sop_returns")[0]
    wrong = {"sop_order_return_id": back["id"], "items": [{"id": 1, "quantity": 1}]}
    assert "sales order with the id" in shop.refuses("sop_confirm_despatch", wrong)
    assert shop.ask(f"sop_orders/{back['id']}").status_code == 404
    assert shop.get(f"sop_returns/{back['id']}")["document_no"] == "0000000041"
    shop.books.despatch(NUMBER)
    shop.books.receive_return(NUMBER)
    assert (shop.books.credit_returns(), shop.books.invoice_orders()) == (["0000000031"], ["0000000213"])


def test_an_older_site_has_no_returns(make_shop: Any) -> None:
    shop = make_shop(has_sop_returns=False)
    assert shop.post("sop_returns", shop.order(shop.goods("1"))).status_code == 404
    assert [shop.ask(path).status_code for path in ("sop_returns", "sop_returns/1", "sop_return_line_views")] == [
        404
    ] * 3
    assert shop.books.sop_orders("return") == []


# Allocation


@pytest.mark.parametrize("wanted", ["positive", "negative", "either"])
def test_the_credit_side_of_an_allocation_may_want_a_sign(make_shop: Any, wanted: str) -> None:
    shop = make_shop(allocation_credit_sign=wanted)
    shop.sell(shop.goods("10.00"))
    shop.books.despatch(NUMBER)
    shop.books.invoice_orders()
    cash = {"customer_id": shop.customer(), "bank_id": shop.bank("WALLET"), "cheque_value": 12}
    shop.book("sales_receipts", cash)
    invoice, receipt = (row["id"] for row in shop.get("sales_posted_transactions", orderby="id"))

    def allocation(debit: int, credit: int) -> dict[str, Any]:
        lines = [(invoice, debit), (receipt, credit)]
        return {
            "customer_id": shop.customer(),
            "allocation_lines": [{"posted_tran_id": number, "value_to_allocate": value} for number, value in lines],
        }

    assert "must be positive" in shop.refuses("sales_allocations", allocation(-6, 6))
    for sign, name in ((1, "positive"), (-1, "negative")):
        if wanted in (name, "either"):
            assert shop.post("sales_allocations", allocation(6, sign * 6)).status_code == 200
        else:
            assert f"must be {wanted}" in shop.refuses("sales_allocations", allocation(6, sign * 6))
    left = [row["document_outstanding_value"] for row in shop.get("sales_posted_transactions", orderby="id")]
    assert left == ([0, 0] if wanted == "either" else [6, -6])


def test_another_customers_invoice_cannot_be_allocated(shop: SageCompany) -> None:
    cash = {"bank_id": shop.bank("WALLET"), "cheque_value": 12}
    for customer in ("WEB001", "WEB002"):
        shop.book("sales_receipts", {**cash, "customer_id": shop.customer(customer)})
        shop.book("sales_invoices", {"customer_id": shop.customer(customer), "document_goods_value": 12})
    entries = shop.get("sales_posted_transactions", orderby="id")
    lines = [{"posted_tran_id": entries[n]["id"], "value_to_allocate": 12} for n in (0, 3)]
    words = shop.refuses("sales_allocations", {"customer_id": shop.customer(), "allocation_lines": lines})
    assert f"'WEB001' has no transaction with the id {entries[3]['id']}" in words
    assert {row["document_allocated_value"] for row in shop.get("sales_posted_transactions")} == {0}


# The back door and the file


def test_the_desk_is_reached_through_the_back_door(shop: SageCompany) -> None:
    for number in "ab":
        shop.sell(shop.goods("10.00", 2), number=number)
    body = {"order": "a", "courier": "Royal Mail", "consignment_no": "RM1", "day": "2026-03-04", "lines": {"KETTLE": 1}}
    assert shop.send("POST", "/_sandbox/despatch", json=body).json() == {"document_no": "0000000154"}
    assert shop.send("POST", "/_sandbox/cancel_order", json={"order": "b"}).status_code == 200
    told = shop.send("GET", "/_sandbox/sop_orders").json()
    assert [(row["status"], row["despatched"]) for row in told] == [("Live", "Part"), ("Cancelled", "None")]
    wrong = shop.send("POST", "/_sandbox/despatch", json={"order": "b"})
    assert (wrong.status_code, wrong.json()) == (400, {"Message": "The sales order 0000000188 is cancelled."})
    assert shop.send("POST", "/_sandbox/despatch", json={"colour": "red"}).status_code == 400


def test_a_killed_desk_leaves_orders_stock_and_ledger_that_agree(shop: SageCompany) -> None:
    known = [str(number) for number in (shop.product(), shop.warehouse(), shop.customer())]
    arguments = [sys.executable, "-c", SELL_UNTIL_KILLED, str(shop.path), *known]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(5)]
        os.kill(process.pid, signal.SIGKILL)
        said += [int(line) for line in process.stdout if line.endswith("\n")]
    shop.reopen()
    orders = shop.books.sop_orders()
    finished = [order for order in orders if order["status"] == "Complete"]
    assert {order["customer_document_no"] for order in finished} >= {str(number) for number in said}
    assert len(orders) - len(finished) <= 1
    despatched = sum(order["despatched"] == "Full" for order in orders)
    assert in_stock(shop)[0] == 40 - 2 * despatched
    total = 24 * len(finished)
    assert shop.ledger()["1100"] == f"{total}.00"
    assert [order["document_no"] for order in orders] == [f"{n:010d}" for n in range(187, 187 + len(orders))]
