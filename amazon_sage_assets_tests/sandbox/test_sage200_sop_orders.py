"""Sales orders in the simulated Sage: what it takes, what it makes of it, and what it refuses."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest

from amazon_sage_assets_tests.sandbox.sage_company import SageCompany, parsed

NOBODY = 9


def text(price: str, description: str = "Gift wrap", quantity: int = 1, **more: Any) -> dict[str, Any]:
    line = {"line_type": "EnumLineTypeFreeText", "description": description, "line_quantity": quantity}
    return {**line, "selling_unit_price": D(price), **more}


@pytest.fixture
def make_shop(make_sage: Callable[..., SageCompany]) -> Callable[..., SageCompany]:
    return lambda **options: make_sage(**options).open_shop()


@pytest.fixture
def shop(make_shop: Callable[..., SageCompany]) -> SageCompany:
    return make_shop()


def test_an_order_is_numbered_valued_and_answered_with_its_lines(shop: SageCompany) -> None:
    comment = {"line_type": "EnumLineTypeComment", "description": "Leave with neighbour"}
    carriage = {"line_type": "EnumLineTypeCharge", "code": "CARRIAGE"}
    order = shop.sell(shop.goods("12.50", 2), text("3.00"), carriage, comment)
    assert (order["document_no"], order["document_status"]) == ("0000000187", "EnumDocumentStatusLive")
    assert (order["subtotal_goods_value"], order["subtotal_charge_net_value"]) == (28, D("4.95"))
    assert order["subtotal_charge_tax_value"] == D("0.99")
    totals = [order[f"total_{name}_value"] for name in ("net", "tax", "gross")]
    assert totals == [D("32.95"), D("6.59"), D("39.54")]
    assert [line["line_number"] for line in order["lines"]] == [1, 2, 3, 4]
    assert [line["line_total_value"] for line in order["lines"]] == [25, 3, D("4.95"), 0]
    assert [line["code"] for line in order["lines"]] == ["KETTLE", "", "CARRIAGE", ""]
    assert {line["sop_order_id"] for line in order["lines"]} == {order["id"]}
    assert "date_time_updated" not in order
    assert shop.sell(shop.goods("1.00"), number="next")["document_no"] == "0000000188"


def test_vat_is_worked_out_for_each_rate_and_not_for_each_line(shop: SageCompany) -> None:
    order = shop.sell(shop.goods("10.43"), shop.goods("0.83"), shop.goods("5.00", code="BOOK"))
    assert [line["line_tax_value"] for line in order["lines"]] == [D("2.09"), D("0.17"), 0]
    assert (order["total_net_value"], order["total_tax_value"]) == (D("16.26"), D("2.25"))


def test_prices_may_include_vat(make_shop: Any) -> None:
    shop = make_shop(are_prices_tax_inclusive=True)
    order = shop.sell(shop.goods("10.00", 3), shop.goods("4.00", code="BOOK"))
    assert (order["total_gross_value"], order["total_tax_value"], order["total_net_value"]) == (34, 5, 29)
    assert shop.get("sop_settings")[0]["are_prices_tax_inclusive"] is True


def test_a_price_has_five_decimals_and_a_line_is_rounded_once(shop: SageCompany) -> None:
    order = shop.sell(shop.goods("3.33335", 3))  # 10.00005
    assert order["lines"][0]["selling_unit_price"] == D("3.33335")
    assert order["total_net_value"] == 10
    assert shop.sell(shop.goods("0.33501", 3), number="2")["total_net_value"] == D("1.01")  # 1.00503
    assert "more than 5 decimals" in shop.refuses("sop_orders", shop.order(shop.goods("1.000001")))


def test_a_tax_code_is_the_lines_the_products_the_customers_or_the_companys(shop: SageCompany) -> None:
    lines = [
        shop.goods("1", code="BOOK", tax_code_id=shop.tax(0)),
        shop.goods("1", code="BOOK"),
        shop.goods("1", code="MYSTERY"),
        text("1"),
    ]

    def codes(**more: Any) -> list[int]:
        order = shop.sell(*lines, **more)
        return [line["tax_code_id"] for line in order["lines"]]

    assert codes() == [shop.tax(0), shop.tax(2), shop.tax(1), shop.tax(1)]
    shop.books.add_customer("EXEMPT", "Exempt", "GBP", tax_code_id=shop.tax(0))
    exempt = shop.customer("EXEMPT")
    assert codes(customer_id=exempt) == [shop.tax(0), shop.tax(2), shop.tax(0), shop.tax(0)]


def test_the_rate_of_a_product_can_be_changed_at_the_desk(shop: SageCompany) -> None:
    shop.books.change_product_tax_code("MYSTERY", shop.tax(2))
    assert shop.sell(shop.goods("10", code="MYSTERY"))["total_tax_value"] == 0
    shop.books.change_product_tax_code("MYSTERY", None)
    assert shop.get("products", filter="code eq 'MYSTERY'")[0]["tax_code_id"] == 0
    assert shop.sell(shop.goods("10", code="MYSTERY"), number="2")["total_tax_value"] == 2


def test_a_notional_rate_puts_no_vat_on_a_sale(shop: SageCompany) -> None:
    assert shop.sell(shop.goods("10", tax_code_id=shop.tax(16)))["total_tax_value"] == 0


def test_a_nominal_code_of_a_line_counts_only_where_the_company_allows_it(make_shop: Any) -> None:
    lines = {"nominal_reference": "5100", "nominal_cost_centre": "LON", "nominal_department": "WEB"}
    for allowed, found in ((True, ("5100", "LON", "WEB")), (False, ("4010", "", ""))):
        shop = make_shop(amend_nominal_codes=allowed)
        assert shop.get("sop_settings")[0]["amend_nominal_codes"] is allowed
        [line] = shop.sell(shop.goods("1", code="BOOK", **lines))["lines"]
        assert tuple(line[f"nominal_{part}"] for part in ("reference", "cost_centre", "department")) == found
        wrong = shop.order(shop.goods("1", nominal_reference="4999"))
        if allowed:
            assert "'4999'" in shop.refuses("sop_orders", wrong)
        else:
            assert shop.post("sop_orders", wrong).status_code == 200


def test_a_draft_has_no_number_and_promises_no_stock(shop: SageCompany) -> None:
    draft = shop.sell(shop.goods("1", 3), is_editing=True)
    assert (draft["document_no"], draft["is_draft"]) == ("TBA", True)
    assert draft["document_status"] == "EnumDocumentStatusDraft"
    [held] = shop.get("warehouse_holdings", filter=f"product_id eq {shop.product()} and warehouse_name eq 'HOME'")
    assert held["quantity_allocated"] == 0
    assert shop.sell(shop.goods("1"), number="2")["document_no"] == "0000000187"


def test_an_order_promises_what_is_free_and_takes_what_is_not(shop: SageCompany) -> None:
    order = shop.sell(shop.goods("1", 5, code="BOOK"), shop.goods("1", 5, code="BOOK"))
    assert [line["allocated_quantity"] for line in order["lines"]] == [5, 2]
    assert [line["allocation_status"][-4:] for line in order["lines"]] == ["Full", "Part"]
    [held] = shop.get("warehouse_holdings", filter=f"product_id eq {shop.product('BOOK')}")
    assert (held["quantity_in_stock"], held["quantity_allocated_sop"], held["free_stock_available"]) == (7, 7, 0)
    assert shop.get("products", filter="code eq 'BOOK'")[0]["free_stock_quantity"] == 0


def test_stock_may_not_be_promised_on_entry(make_shop: Any) -> None:
    shop = make_shop(allocate_stock_on_order_entry=False)
    assert shop.sell(shop.goods("1", 3))["lines"][0]["allocated_quantity"] == 0
    assert shop.sell(shop.goods("1", 3), number="2")["lines"][0]["available_for_despatch"] == 0


def test_orders_are_found_by_the_customers_number_the_customer_and_the_time(shop: SageCompany) -> None:
    first = shop.sell(shop.goods("1"), number="202-1")
    shop.clock.later(hours=1)
    second = shop.sell(shop.goods("1"), number="O'Neil #2")

    def numbers(path: str, words: str, field: str = "id") -> list[int]:
        return [row[field] for row in shop.get(path, filter=words)]

    assert numbers("sop_orders", "customer_document_no eq '202-1'") == [first["id"]]
    assert numbers("sop_orders", f"customer_document_no eq 'O''Neil #2' and customer_id eq {shop.customer()}") == [
        second["id"]
    ]
    assert numbers("sop_orders", "date_time_updated gt 2026-03-12T10:30:00Z") == [second["id"]]
    assert numbers("sop_orders", f"customer_id eq {shop.customer('WEB002')}") == []
    assert numbers("sop_orders", "document_status eq '0' and id lt 1388181") == [first["id"]]
    views = numbers("sop_order_line_views", "sop_order_customer_document_no eq '202-1'", "sop_order_line_id")
    assert views == [first["lines"][0]["id"]]


def test_lines_are_children_of_an_order_and_have_an_address_of_their_own(shop: SageCompany) -> None:
    order = shop.sell(shop.goods("1"), text("2"))
    assert "lines" not in shop.get(f"sop_orders/{order['id']}")
    whole = shop.get(f"sop_orders/{order['id']}", expand="lines,delivery_address,customer")
    assert [line["id"] for line in whole["lines"]] == [line["id"] for line in order["lines"]]
    assert whole["customer"]["reference"] == "WEB001"
    assert len(shop.get(f"sop_orders/{order['id']}/sop_order_lines")) == 2
    assert shop.get(f"sop_order_lines/{order['lines'][1]['id']}")["description"] == "Gift wrap"
    assert len(shop.get(f"customers/{shop.customer()}/sop_orders")) == 1
    assert shop.ask("sop_order_lines").status_code == 404
    assert shop.ask("sop_orders/1").status_code == 404


def test_what_is_sent_along_is_kept(shop: SageCompany) -> None:
    address = {"postal_name": "Jane Ames", "address_1": "4 Mill Lane", "postcode": "LS1 4DT", "contact": "J" * 100}
    shop.sell(
        shop.goods("1", picking_list_comment="On top", spare_text_1="line"),
        delivery_address=address,
        use_invoice_address=False,
        analysis_code_1="AMAZON",
        spare_number_2=D("1.25"),
        spare_bool_1=True,
        spare_date_1="2026-03-05T10:00:00Z",
        requested_delivery_date="2026-03-04T00:00:00Z",
    )
    [order] = shop.get("sop_orders", expand="lines,delivery_address")
    assert {name: order["delivery_address"][name] for name in address} == address
    assert (order["analysis_code_1"], order["spare_number_2"], order["spare_bool_1"]) == ("AMAZON", D("1.25"), True)
    assert order["spare_date_1"] == "2026-03-05T10:00:00Z"
    assert order["requested_delivery_date"] == "2026-03-04T00:00:00Z"
    assert order["lines"][0]["picking_list_comment"] == "On top"
    [view] = shop.get("sop_order_line_views")
    assert (view["sop_delivery_addr_post_code"], view["sop_delivery_addr_contact"]) == ("LS1 4DT", "J" * 60)
    assert shop.get("sop_orders", filter="analysis_code_1 eq 'amazon'") == shop.get("sop_orders")


def test_the_customers_own_address_wins_where_it_is_asked_for(shop: SageCompany) -> None:
    order = shop.sell(shop.goods("1"), delivery_address={"postal_name": "Jane"}, use_invoice_address=True)
    assert order["delivery_address"]["postal_name"] == "Web shop customers"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"product_id": NOBODY}, "product with the id 9 given in 'lines[0].product_id' does not exist"),
        ({"warehouse_id": NOBODY}, "warehouse with the id 9 given in 'lines[0].warehouse_id'"),
        ({"product_id": None}, "'lines[0].product_id' is required on a standard line"),
        ({"warehouse_id": None}, "'lines[0].warehouse_id' is required"),
        ({"line_type": "Standard"}, "'Standard' given in 'lines[0].line_type' is not a type of line"),
        ({"line_type": None}, "'lines[0].line_type' is required"),
        ({"line_quantity": 0}, "'lines[0].line_quantity' must be greater than zero"),
        ({"line_quantity": None}, "'lines[0].line_quantity' must be greater than zero"),
        ({"line_quantity": -1}, "greater than zero"),
        ({"line_quantity": "1"}, "'lines[0].line_quantity' must be a number"),
        ({"selling_unit_price": D("-0.01")}, "must not be negative"),
        ({"tax_code_id": NOBODY}, "tax code with the id 9 given in 'lines[0].tax_code_id'"),
        ({"unit_discount_percent": 5}, "does not reckon with 'lines[0].unit_discount_percent'"),
        ({"description": "x" * 6001}, "6001 characters; the limit is 6000"),
        ({"colour": "red"}, "'lines[0].colour' is not a field"),
        ({"line_type": "EnumLineTypeFreeText"}, "'lines[0].description' is required"),
        ({"line_type": "EnumLineTypeComment"}, "'lines[0].description' is required"),
        ({"line_type": "EnumLineTypeComment", "description": "x"}, "cannot be set on a comment"),
        ({"line_type": "EnumLineTypeCharge"}, "'lines[0].description' is required"),
        ({"line_type": "EnumLineTypeCharge", "code": "GIFT"}, "additional charge 'GIFT' given in 'lines[0].code'"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_stand_is_refused(shop: SageCompany, change: dict[str, Any], words: str) -> None:
    assert words in shop.refuses("sop_orders", shop.order(shop.goods("1.00", 1) | change))
    assert shop.books.sop_orders() == []
    assert shop.sell(shop.goods("1"))["document_no"] == "0000000187"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"customer_id": NOBODY}, "customer with the id 9"),
        ({"customer_id": None}, "'customer_id' is required"),
        ({"lines": []}, "at least one line"),
        ({"document_date": "2026-03-02"}, "not a full date"),
        ({"customer_document_no": "x" * 31}, "31 characters; the limit is 30"),
        ({"delivery_address": {"postcode": "12345678901"}}, "'delivery_address.postcode' holds 11 characters"),
        ({"delivery_address": {"town": "Leeds"}}, "'delivery_address.town' is not a field"),
        ({"delivery_address": "Leeds"}, "'delivery_address' must be an object"),
        ({"document_discount_percent": 5}, "does not reckon with 'document_discount_percent'"),
        ({"payment_with_order": True}, "does not reckon with 'payment_with_order'"),
        ({"document_status": "EnumDocumentStatusLive"}, "'document_status' is not a field"),
    ],
)
def test_an_order_that_cannot_stand_is_refused(shop: SageCompany, change: dict[str, Any], words: str) -> None:
    assert words in shop.refuses("sop_orders", shop.order(shop.goods("1.00")) | change)
    assert shop.books.sop_orders() == []


def test_a_product_is_sold_only_from_a_warehouse_that_holds_it(shop: SageCompany) -> None:
    line = shop.goods("1", code="BOOK") | {"warehouse_id": shop.warehouse("AMAZONFBA")}
    assert "is not held in the warehouse" in shop.refuses("sop_orders", shop.order(line))
    shop.books.set_stock("BOOK", "AMAZONFBA", D(0))
    assert shop.sell(line)["lines"][0]["allocated_quantity"] == 0


def test_a_product_without_warehouses_is_held_in_all_of_them(shop: SageCompany) -> None:
    shop.books.add_product("CUP", "Cup", tax_code_id=None)
    assert {key: left for key, left in shop.books.stock().items() if key[0] == "CUP"} == {
        ("CUP", "AMAZONFBA"): 0, ("CUP", "HOME"): 0
    }  # fmt: skip
    assert shop.sell(shop.goods("1", code="CUP"))["total_net_value"] == 1


def test_a_long_text_may_be_cut_in_an_order_too(make_shop: Any) -> None:
    shop = make_shop(over_length="cut")
    order = shop.sell(shop.goods("1"), number="x" * 31, delivery_address={"city": "y" * 61})
    assert (order["customer_document_no"], order["delivery_address"]["city"]) == ("x" * 30, "y" * 60)


def test_a_discount_may_stand_as_a_negative_line(make_shop: Any) -> None:
    for negative_lines in ("accept", "refuse"):
        shop = make_shop(negative_lines=negative_lines)
        lines = (shop.goods("10.00"), text("-2.50", "Promotion"))
        if negative_lines == "accept":
            order = shop.sell(*lines)
            assert (order["total_net_value"], order["total_tax_value"]) == (D("7.50"), D("1.50"))
            assert "must not be negative" in shop.refuses("sop_orders", shop.order(text("-0.01")))
        else:
            assert "must not be negative" in shop.refuses("sop_orders", shop.order(*lines))


def test_a_user_may_have_no_permission_to_type_prices(make_shop: Any) -> None:
    free = text("3.00")
    for permission, allowed in (("ok", True), ("ignored", False), ("refused", False)):
        shop = make_shop(price_permission=permission)
        [rights] = shop.get("current_user_sop_user_permissions")
        assert rights["override_prices_discounts"] is allowed
        if permission == "refused":
            assert "no permission" in shop.refuses("sop_orders", shop.order(shop.goods("12.50"), free))
            listed = {k: v for k, v in shop.goods("1").items() if k != "selling_unit_price"}
            assert shop.sell(listed)["total_net_value"] == D("19.99")
        else:
            price = "12.50" if allowed else "19.99"
            assert shop.sell(shop.goods("12.50"), free)["total_net_value"] == D(price) + 3


def test_the_customers_number_may_have_to_be_new(make_shop: Any, shop: SageCompany) -> None:
    assert shop.sell(shop.goods("1"))["id"] != shop.sell(shop.goods("1"))["id"]
    strict = make_shop(refuse_duplicate_customer_document_no=True)
    strict.sell(strict.goods("1"), number="abc")
    assert "'ABC' already exists" in strict.refuses("sop_orders", strict.order(strict.goods("1"), number="ABC"))
    strict.sell(strict.goods("1"), number="abc", customer_id=strict.customer("WEB002"))
    strict.sell(strict.goods("1"), number="")
    strict.sell(strict.goods("1"), number="")


def test_orders_may_be_numbered_by_hand(make_shop: Any) -> None:
    shop = make_shop(auto_generate_order_return_numbers=False)
    assert "'document_no' is required" in shop.refuses("sop_orders", shop.order(shop.goods("1")))
    assert shop.sell(shop.goods("1"), document_no="WEB-1")["document_no"] == "WEB-1"
    again = shop.order(shop.goods("1"), document_no="web-1", number="2")
    assert "web-1 already exists" in shop.refuses("sop_orders", again)


def test_a_post_of_an_order_may_answer_created(make_shop: Any) -> None:
    shop = make_shop(post_status=201)
    assert shop.post("sop_orders", shop.order(shop.goods("1"))).status_code == 201


def test_an_order_in_euro_keeps_its_rate(shop: SageCompany) -> None:
    euro = shop.sell(shop.goods("10"), customer_id=shop.customer("WEB002"))
    assert (euro["currency_id"], euro["exchange_rate"]) == (shop.id("currencies", name="Euro"), D("1.25"))
    given = shop.sell(shop.goods("10"), customer_id=shop.customer("WEB002"), exchange_rate=D("1.1"), number="2")
    assert given["exchange_rate"] == D("1.1")


def test_a_drill_sees_all_orders_and_all_stock(shop: SageCompany) -> None:
    shop.sell(shop.goods("10.00", 2), number="202-1")
    [order] = shop.books.sop_orders()
    money = (order["net"], order["vat"], order["gross"])
    assert money == (20, 4, 24)
    assert (order["document_no"], order["customer_document_no"], order["date"]) == ("0000000187", "202-1", "2026-03-02")
    assert (order["status"], order["despatched"], order["invoiced"]) == ("Live", "None", "None")
    [told] = shop.send("GET", "/_sandbox/sop_orders").json()
    assert (told["gross"], told["customer"]) == ("24.00", "WEB001")
    assert shop.books.stock()["KETTLE", "HOME"] == 40
    shop.send("POST", "/_sandbox/set_stock", json={"code": "KETTLE", "warehouse": "HOME", "quantity": "39.5"})
    assert shop.send("GET", "/_sandbox/stock").json()["KETTLE/HOME"] == "39.50000"


def test_orders_survive_a_restart(shop: SageCompany) -> None:
    answer = shop.sell(shop.goods("10.00", 2), text("1.00"))
    orders, stock = shop.get("sop_orders", expand="lines"), shop.books.stock()
    shop.reopen()
    assert shop.get("sop_orders", expand="lines") == orders
    assert (orders[0]["id"], shop.books.stock()) == (answer["id"], stock)
    assert shop.sell(shop.goods("1"), number="2")["document_no"] == "0000000188"


def test_names_of_things_in_stock_have_their_lengths(shop: SageCompany) -> None:
    with pytest.raises(ValueError, match="1 to 20 characters"):
        shop.books.add_warehouse("W" * 21)
    with pytest.raises(ValueError, match="1 to 30 characters"):
        shop.books.add_product("C" * 31, "Long", tax_code_id=None)
    with pytest.raises(ValueError, match="1 to 60 characters"):
        shop.books.add_product("C", "", tax_code_id=None)


def test_the_steps_of_an_order_are_a_list(shop: SageCompany) -> None:
    statuses = {row["id"]: row["value"] for row in shop.get("sop_document_status_types")}
    assert statuses[2] == "EnumDocumentStatusComplete"
    steps = [row["value"] for row in shop.get("sop_document_process_status_types", orderby="id")]
    assert [steps[0][-4:], steps[2][-4:]] == ["None", "Full"]


def test_a_refused_order_says_so_in_any_shape(make_shop: Any) -> None:
    shop = make_shop(error_shape="model_state")
    answer = shop.post("sop_orders", shop.order(shop.goods("1") | {"product_id": NOBODY}))
    assert list(parsed(answer)["ModelState"]) == ["lines[0].product_id"]
