"""What each order is to the books: its owner, its stock items, its VAT, and why it may have to wait.

Orders are told through the door that Amazon's answers come in by. Each test is undone at its end.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from amazon_sage_assets.amazon.orders_api import Order, OrderItem, Recipient, Told
from amazon_sage_assets.company import Company
from amazon_sage_assets.control import control_rows, load_control
from amazon_sage_assets.money import money
from amazon_sage_assets.orders.intake import keep
from amazon_sage_assets.orders.planning import Planned, plan_orders
from amazon_sage_assets.refunds.planning import plan_refunds
from amazon_sage_assets.sqlfiles import create_relations, migrations
from amazon_sage_assets_tests.conftest import Seller

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
NIL = Decimal("0.00")
# Sage's tax codes of the packaged rules.
STANDARD, REDUCED, ZERO, EXEMPT, NO_SUPPLY = "1", "95", "2", "0", "99"
# FBM in the UK becomes Sage orders until April, FBA one a day, FBM in Germany Sage orders from stock in Germany.
ROUTES = """
[[routes]]
account = "uk"
marketplace = "Amazon.co.uk"
fulfilment = "MFN"
owner = "settlement"
vat_treatment = "uk_standard"
valid_from = 2026-04-01

[[routes]]
account = "de"
marketplace = "Amazon.de"
fulfilment = "MFN"
owner = "sop"
vat_treatment = "eu_local_sale"
valid_from = 2024-01-01

[orders]
tolerance = "{tolerance}"
"""
PROFILE = {"uk_afn": "sop_daily", "bottom": ROUTES.format(tolerance="0.02")}
COMPANIES: Mapping[str, Mapping[str, str]] = {
    "a UK company": PROFILE,
    "without tolerance": PROFILE | {"bottom": ROUTES.format(tolerance="0.00")},
    "not registered for VAT": PROFILE | {"vat_registered": "false"},
    "importing small consignments": PROFILE | {"uk_vat": "marketplace_outside"},
    "selling at the zero rate": PROFILE | {"uk_vat": "uk_zero"},
}

# What orders can raise before Sage has them; all exceptions at once take a second to read.
RAISED = (
    "address_incomplete", "currency_unexpected", "field_too_long", "order_incomplete", "order_route_unknown",
    "order_unreadable", "order_vat_difference", "order_vat_unresolved", "sku_unmatched", "tax_mismatch",
    "vat_category_missing",
)  # fmt: skip
OPEN = " union all by name ".join(f"select * from exceptions.{name}" for name in RAISED)


@dataclass
class Shop:
    """Orders of one company, and what the relations make of them."""

    connection: duckdb.DuckDBPyConnection
    company: Company
    next_product: int = 1

    def product(self, code: str, tax_code: str = STANDARD) -> None:
        self.connection.execute(
            "insert into raw.sage_products values ($1, $2, $3, $4, null)",
            [self.next_product, code, f"Test {code}", tax_code],
        )
        self.next_product += 1

    def alias(
        self, seller_sku: str, code: str, units: int = 1, site: str = "Amazon.co.uk", account: str = "uk"
    ) -> None:
        self.connection.execute(
            "insert into control.sku_aliases values ($1, $2, $3, $4, $5)", [account, site, seller_sku, code, units]
        )

    def told(self, *items: OrderItem, account: str = "uk", country: str | None = "GB", **different: Any) -> str:
        """Take in an order; its id. Known to have gone to `country` where that is said."""
        usual: dict[str, Any] = {
            "order_id": f"202-0000001-{len(self.ids()) + 1:07}",
            "marketplace": "Amazon.co.uk",
            "fulfilment": "MFN",
            "status": "SHIPPED",
            "purchased_at": NOON,
            "updated_at": NOON + timedelta(hours=2),
            "ship_by_at": NOON + timedelta(days=2),
            "shipped_at": NOON + timedelta(hours=2),
            "currency": "GBP",
            "total": sum((item.gross for item in items if item.gross is not None), NIL),
            "is_business": False,
            "is_incomplete": False,
            "items": items,
        }
        order = Order(**{**usual, **different})
        assert keep(self.connection, account, Told((order,), (), NOW), NOW) == 0
        if country is not None:
            self.connection.execute(
                "update raw.amazon_orders set ship_country = $2 where order_id = $1", [order.order_id, country]
            )
        return order.order_id

    def ids(self) -> list[str]:
        return [
            order_id for (order_id,) in self.connection.execute("select order_id from raw.amazon_orders").fetchall()
        ]

    def rows(self, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
        cursor = self.connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def order(self, order_id: str) -> dict[str, Any]:
        (row,) = self.rows("select * from core.core__orders where order_id = $1", [order_id])
        return row

    def items(self, order_id: str) -> list[dict[str, Any]]:
        return self.rows("select * from core.core__order_items where order_id = $1 order by order_item_id", [order_id])

    def item(self, order_id: str) -> dict[str, Any]:
        (row,) = self.items(order_id)
        return row

    def vat(self, order_id: str) -> list[tuple[str, Decimal, str, str]]:
        """Treatment, VAT, tax code in Sage and sales account of each item."""
        return [
            (row["vat_treatment"], row["vat"], row["sage_tax_code"], row["account_key"]) for row in self.items(order_id)
        ]

    def problems(self, order_id: str) -> list[str]:
        rows = self.rows("select code from core.core__order_problems where order_id = $1 order by code", [order_id])
        return [row["code"] for row in rows]

    def detail(self, order_id: str) -> str:
        (row,) = self.rows("select detail from core.core__order_problems where order_id = $1", [order_id])
        return str(row["detail"])

    def exceptions(self) -> list[tuple[str, str | None]]:
        rows = self.rows(f"select code, order_id from ({OPEN}) order by all")
        return [(row["code"], row["order_id"]) for row in rows]

    def plan(self, recipients: Mapping[str, Recipient] | None = None) -> Planned:
        return plan_orders(self.connection, self.company, recipients or {}, NOW)

    def outbox(self) -> dict[str, dict[str, Any]]:
        """Payloads of what waits in the outbox, by Amazon's number or the day's."""
        rows = self.rows("select remote_reference, payload from outbox.messages where status <> 'superseded'")
        return {row["remote_reference"]: json.loads(row["payload"]) for row in rows}

    def delivered(self) -> None:
        """Everything in the outbox is in Sage now."""
        self.connection.execute("update outbox.messages set status = 'delivered', remote_id = '1'")


def item(gross: str | None, vat: str | None = None, sku: str = "LAMP", **different: Any) -> OrderItem:
    """An item as Amazon tells it: what the buyer paid, and Amazon's own VAT where it shows any."""
    usual: dict[str, Any] = {
        "order_item_id": f"6-{sku}",
        "seller_sku": sku,
        "title": f"Test {sku}",
        "quantity": 1,
        "currency": None if gross is None else "GBP",
        "gross": None if gross is None else money(gross),
        "vat": None if vat is None else money(vat),
    }
    return OrderItem(**{**usual, **different})


def euros(gross: str, vat: str | None = None, **different: Any) -> OrderItem:
    return item(gross, vat, currency="EUR", **different)


GERMANY: Mapping[str, Any] = {"account": "de", "marketplace": "Amazon.de", "currency": "EUR", "country": "DE"}


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Shop]]:
    """A warehouse in memory for each company that a test asks for."""
    made: dict[str, Shop] = {}

    def of(name: str) -> Shop:
        if name not in made:
            company = Seller(tmp_path_factory.mktemp("seller"), **COMPANIES[name]).company
            connection = duckdb.connect()
            connection.execute("set TimeZone = 'UTC'")
            for _, sql in migrations():
                connection.execute(sql)
            create_relations(connection)
            load_control(connection, control_rows(company.profile, company.rules))
            made[name] = Shop(connection, company)
        return made[name]

    yield of
    for shop in made.values():
        shop.connection.close()


@pytest.fixture
def shop_of(warehouses: Callable[[str], Shop]) -> Iterator[Callable[[str], Shop]]:
    """The shop of a company, as it was again when the test is over."""
    opened: list[Shop] = []

    def opens(name: str) -> Shop:
        opened.append(warehouses(name))
        opened[-1].connection.begin()
        return opened[-1]

    yield opens
    for shop in opened:
        shop.connection.rollback()


@pytest.fixture
def shop(shop_of: Callable[[str], Shop]) -> Shop:
    """The UK company, which has a lamp at the standard rate."""
    shop = shop_of("a UK company")
    shop.product("LAMP")
    return shop


# --- whose an order is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purchased", "owner"),
    [
        ("2026-03-31T22:59:59", "sop"),
        ("2026-03-31T23:00:00", "settlement"),
        ("2026-04-01T12:00:00", "settlement"),
        ("2023-12-31T23:59:59", None),
    ],
)
def test_the_route_of_the_day_of_purchase_in_london_says_who_owns_an_order(
    shop: Shop, purchased: str, owner: str | None
) -> None:
    """British Summer Time has begun: 23:00 UTC on 31 March is the first of April."""
    moment = datetime.fromisoformat(purchased).replace(tzinfo=UTC)
    order = shop.order(shop.told(item("24.00"), purchased_at=moment))
    assert (order["owner"], order["is_due"]) == (owner, owner == "sop")


@pytest.mark.parametrize(
    ("fulfilment", "status", "is_due"),
    [
        ("MFN", "PENDING", False),
        ("MFN", "UNSHIPPED", True),
        ("MFN", "PARTIALLY_SHIPPED", True),
        ("MFN", "SHIPPED", True),
        ("MFN", "CANCELLED", False),
        ("AFN", "PENDING", False),
        ("AFN", "UNSHIPPED", False),
        ("AFN", "SHIPPED", True),
        ("AFN", "CANCELLED", False),
    ],
)
def test_what_we_send_is_due_when_it_is_paid_and_what_amazon_sends_when_it_is_gone(
    shop: Shop, fulfilment: str, status: str, is_due: bool
) -> None:
    assert shop.order(shop.told(item("24.00"), fulfilment=fulfilment, status=status))["is_due"] is is_due


def test_days_of_an_order_are_londons(shop: Shop) -> None:
    night = datetime(2026, 3, 30, 23, 30, tzinfo=UTC)
    order = shop.order(shop.told(item("24.00"), purchased_at=night - timedelta(days=2), shipped_at=night))
    assert (order["purchased_day"], order["shipped_day"]) == (date(2026, 3, 28), date(2026, 3, 31))


def test_an_old_order_was_sent_when_its_money_was_booked_and_not_when_we_first_read_it(shop: Shop) -> None:
    order = shop.told(item("24.00"), fulfilment="AFN", shipped_at=NOON + timedelta(days=17))
    Refunds(shop).told(order, "24.00", day=4)
    assert shop.order(order)["shipped_day"] == date(2026, 3, 20)
    shop.connection.execute("update raw.amazon_transactions set kind = 'Shipment'")
    assert shop.order(order)["shipped_day"] == date(2026, 3, 4)


def test_an_order_that_no_route_covers_is_told_to_finance_and_one_that_is_not_paid_is_not(shop: Shop) -> None:
    lost = shop.told(item("24.00"), purchased_at=datetime(2023, 12, 1, tzinfo=UTC))
    shop.told(item("24.00"), purchased_at=datetime(2023, 12, 1, tzinfo=UTC), status="PENDING")
    assert shop.exceptions() == [("ORDER_ROUTE_UNKNOWN", lost)]


# --- which stock items it holds -------------------------------------------------------------------------------------


def matches(shop: Shop, sku: str) -> list[tuple[str, int, bool]]:
    rows = shop.rows("select * from core.core__sku_matches where seller_sku = $1 order by stock_code", [sku])
    return [(row["stock_code"], row["units"], row["is_in_sage"]) for row in rows]


def test_a_seller_sku_is_the_stock_item_of_the_same_code_whatever_an_alias_says(shop: Shop) -> None:
    shop.product("OTHER")
    shop.alias("LAMP", "OTHER", 6)
    assert shop.problems(shop.told(item("24.00"))) == []
    assert matches(shop, "LAMP") == [("LAMP", 1, True)]


def test_a_seller_sku_that_sage_has_not_is_what_its_alias_says(shop: Shop) -> None:
    shop.alias("LAMP-6PACK", "LAMP", 6)
    assert shop.problems(shop.told(item("24.00", sku="LAMP-6PACK"))) == []
    assert matches(shop, "LAMP-6PACK") == [("LAMP", 6, True)]


def test_an_alias_of_another_site_or_account_does_not_count(shop: Shop) -> None:
    shop.alias("UK-LAMP", "LAMP", site="Amazon.de")
    shop.alias("UK-LAMP", "LAMP", account="de")
    assert shop.problems(shop.told(item("24.00", sku="UK-LAMP"))) == ["SKU_UNMATCHED"]


def test_a_bundle_is_each_of_its_stock_items(shop: Shop) -> None:
    shop.product("BULB")
    shop.alias("SET", "LAMP")
    shop.alias("SET", "BULB", 3)
    assert shop.problems(shop.told(item("36.00", sku="SET"))) == []
    assert matches(shop, "SET") == [("BULB", 3, True), ("LAMP", 1, True)]


def test_a_bundle_of_which_sage_lacks_an_item_waits_and_says_which_it_is_made_of(shop: Shop) -> None:
    shop.alias("SET", "LAMP")
    shop.alias("SET", "BULB", 3)
    order = shop.told(item("36.00", sku="SET"))
    assert shop.problems(order) == ["SKU_UNMATCHED"]
    assert shop.detail(order) == "BULB, LAMP"


def test_an_order_with_one_unknown_sku_waits_whole_and_once_per_sku(shop: Shop) -> None:
    two = (item("24.00", sku="NEW", order_item_id="1"), item("12.00", sku="NEW", order_item_id="2"))
    shop.told(item("24.00"), *two)
    (row,) = shop.rows("select * from exceptions.sku_unmatched")
    assert (row["entity_id"], row["owner"], row["amount_at_risk"]) == (
        "uk/Amazon.co.uk/NEW",
        "product data",
        Decimal("36.00"),
    )


# --- its VAT: Amazon's own figure -----------------------------------------------------------------------------------


def test_e01_the_vat_that_amazon_shows_is_the_vat(shop: Shop) -> None:
    assert shop.vat(shop.told(item("24.00", "4.00"))) == [("uk_standard", Decimal("4.00"), STANDARD, "sales")]


def test_amazons_figure_stands_also_a_penny_from_ours(shop: Shop) -> None:
    """3 at 9.99: 1.67 each is 5.01 at Amazon, a sixth of 29.97 is 5.00."""
    order = shop.told(item("29.97", "5.01", quantity=3))
    assert shop.vat(order) == [("uk_standard", Decimal("5.01"), STANDARD, "sales")]
    assert shop.exceptions() == []


def test_e18a_amazons_figure_says_which_rate_it_is(shop: Shop) -> None:
    shop.product("SEAT", REDUCED)
    order = shop.told(item("88.20", "4.20", sku="SEAT", postage=money("4.20"), postage_vat=money("0.20")))
    assert shop.vat(order) == [("uk_reduced", Decimal("4.20"), REDUCED, "sales_reduced")]


def test_e15_the_vat_of_a_discounted_order_is_that_of_what_was_paid(shop: Shop) -> None:
    assert shop.vat(shop.told(item("30.00", "5.00")))[0][1] == Decimal("5.00")


def test_amazons_vat_on_goods_to_jersey_is_declared_all_the_same(shop: Shop) -> None:
    """Doubt never lowers the VAT that is owed."""
    assert shop.vat(shop.told(item("24.00", "4.00"), country="JE"))[0][:2] == ("uk_standard", Decimal("4.00"))


# --- its VAT: the product's category --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tax_code", "treatment", "gross", "vat", "account"),
    [
        (STANDARD, "uk_standard", "29.97", "5.00", "sales"),
        (REDUCED, "uk_reduced", "88.20", "4.20", "sales_reduced"),
        (ZERO, "uk_zero", "16.00", "0.00", "sales_zero"),
        (EXEMPT, "exempt", "16.00", "0.00", "sales_exempt"),
    ],
)
@pytest.mark.parametrize("shown", [None, "0.00"])
def test_e03_where_amazon_shows_no_vat_the_stock_items_tax_code_decides(
    shop: Shop, tax_code: str, treatment: str, gross: str, vat: str, account: str, shown: str | None
) -> None:
    shop.product("THING", tax_code)
    order = shop.told(item(gross, shown, sku="THING"))
    assert shop.vat(order) == [(treatment, Decimal(vat), tax_code, account)]
    assert (shop.problems(order), shop.exceptions()) == ([], [])


def test_e18b_each_item_of_a_mixed_basket_has_the_rate_of_its_product_with_its_postage(shop: Shop) -> None:
    shop.product("BOOK", ZERO)
    order = shop.told(
        item("27.00", postage=money("3.00")), item("18.00", sku="BOOK", postage=money("2.00"))
    )  # fmt: skip
    assert {row["seller_sku"]: (row["vat_treatment"], row["vat"]) for row in shop.items(order)} == {
        "LAMP": ("uk_standard", Decimal("4.50")),
        "BOOK": ("uk_zero", NIL),
    }


@pytest.mark.parametrize(
    ("tax_code", "why"),
    [("", "the stock item has no tax code"), ("77", "the tax code 77 of the stock item is no UK rate")],
)
def test_e21_a_product_without_a_vat_category_waits_and_is_never_taken_for_standard(
    shop: Shop, tax_code: str, why: str
) -> None:
    shop.product("THING", tax_code)
    order = shop.told(item("24.00", sku="THING"))
    assert shop.problems(order) == ["VAT_CATEGORY_MISSING"]
    assert shop.detail(order).startswith(why)
    (raised,) = shop.rows(f"select * from ({OPEN})")
    assert (raised["code"], raised["owner"], raised["order_id"]) == ("VAT_CATEGORY_MISSING", "product data", order)


def test_a_bundle_of_two_rates_has_no_category_of_its_own(shop: Shop) -> None:
    shop.product("BOOK", ZERO)
    shop.alias("SET", "LAMP")
    shop.alias("SET", "BOOK")
    order = shop.told(item("36.00", sku="SET"))
    assert shop.problems(order) == ["VAT_CATEGORY_MISSING"]
    assert shop.detail(order) == "its stock items have different tax codes"


def test_an_order_goes_on_by_itself_when_its_product_gets_a_tax_code(shop: Shop) -> None:
    shop.product("THING", "")
    order = shop.told(item("24.00", sku="THING"))
    shop.connection.execute("update raw.sage_products set tax_code = '1' where code = 'THING'")
    assert (shop.problems(order), shop.exceptions()) == ([], [])


def test_the_route_says_that_goods_are_sold_in_the_uk_and_the_product_at_which_rate(
    shop_of: Callable[[str], Shop],
) -> None:
    shop = shop_of("selling at the zero rate")
    shop.product("LAMP")
    assert shop.vat(shop.told(item("24.00")))[0][:2] == ("uk_standard", Decimal("4.00"))


# --- its VAT: where the goods go ------------------------------------------------------------------------------------


@pytest.mark.parametrize("country", ["CH", "US", "DE", "IE", "JE", "GG"])
def test_e17_what_leaves_the_uk_without_vat_is_an_export(shop: Shop, country: str) -> None:
    order = shop.told(item("150.00"), country=country)
    assert shop.vat(order) == [("export_zero", NIL, ZERO, "sales_export")]
    assert shop.exceptions() == []


@pytest.mark.parametrize("country", ["GB", "IM"])
def test_northern_ireland_and_the_isle_of_man_are_no_export(shop: Shop, country: str) -> None:
    """Amazon writes GB for Northern Ireland; VAT there is the UK's, and so it is on the Isle of Man."""
    assert shop.vat(shop.told(item("24.00"), country=country))[0][:2] == ("uk_standard", Decimal("4.00"))


@pytest.mark.parametrize("country", [None, ""])
def test_goods_whose_destination_is_not_known_are_no_export(shop: Shop, country: str | None) -> None:
    order = shop.told(item("24.00"), country=country)
    assert shop.vat(order)[0][:2] == ("uk_standard", Decimal("4.00"))


@pytest.mark.parametrize(("reported", "treatment"), [("CH", "export_zero"), ("GB", "uk_standard"), ("", "uk_standard")])
def test_the_daily_report_says_where_an_order_went_that_amazon_sent(shop: Shop, reported: str, treatment: str) -> None:
    order = shop.told(item("24.00"), fulfilment="AFN", country=None)
    shop.connection.execute(
        "insert into raw.reported_orders values ($1, 'uk', 'Shipped', $2, $3, $3, 'a-hash')",
        [order, reported, NOON.replace(tzinfo=None)],
    )
    assert shop.vat(order)[0][0] == treatment


# --- its VAT: what Amazon keeps, and stock abroad -------------------------------------------------------------------


def test_e10_what_amazon_accounts_for_is_a_supply_to_amazon_without_the_vat_that_it_keeps(shop: Shop) -> None:
    order = shop.told(
        item("19.95", "3.33", is_withheld=True, postage=money("2.40"), postage_vat=money("0.40"))
    )  # fmt: skip
    assert shop.vat(order) == [("marketplace_zero", NIL, ZERO, "sales_marketplace")]
    row = shop.item(order)
    assert (row["due_gross"], row["postage"]) == (Decimal("16.62"), Decimal("2.00"))
    assert shop.exceptions() == []


def test_small_consignments_from_abroad_are_outside_the_scope(shop_of: Callable[[str], Shop]) -> None:
    shop = shop_of("importing small consignments")
    shop.product("LAMP")
    order = shop.told(item("19.95", "3.33", is_withheld=True))
    assert shop.vat(order) == [("marketplace_outside", NIL, NO_SUPPLY, "sales_marketplace")]


def test_what_amazon_accounts_for_needs_no_category_of_the_product(shop: Shop) -> None:
    shop.product("THING", "")
    assert shop.problems(shop.told(item("19.95", "3.33", sku="THING", is_withheld=True))) == []


def test_e12_a_sale_from_stock_in_the_eu_bears_no_uk_vat_and_needs_no_category(shop: Shop) -> None:
    shop.product("THING", "")
    order = shop.told(euros("24.00", sku="THING"), **GERMANY)
    assert shop.vat(order) == [("eu_local_sale", NIL, NO_SUPPLY, "sales_eu")]
    assert shop.problems(order) == []


def test_e13_german_vat_that_amazon_keeps_is_not_the_sellers_money(shop: Shop) -> None:
    order = shop.told(euros("23.80", "3.80", is_withheld=True), **GERMANY)
    assert shop.vat(order)[0][0] == "eu_local_sale"
    assert shop.item(order)["due_gross"] == Decimal("20.00")


def test_german_vat_that_the_seller_is_to_declare_has_no_home_in_uk_books(shop: Shop) -> None:
    order = shop.told(euros("23.80", "3.80"), **GERMANY)
    assert shop.problems(order) == ["ORDER_VAT_UNRESOLVED"]


def test_a_company_that_is_not_registered_sends_sage_no_vat_at_all(shop_of: Callable[[str], Shop]) -> None:
    """With the code of 20 % Sage would work out VAT by itself."""
    shop = shop_of("not registered for VAT")
    shop.product("LAMP")
    order = shop.told(item("24.00"))
    row = shop.item(order)
    assert (row["vat"], row["rate_bp"], row["sage_tax_code"]) == (NIL, 0, NO_SUPPLY)
    shop.plan()
    (line,) = shop.outbox()[order]["lines"]
    assert (line["net"], line["tax_code"], shop.outbox()[order]["vat"]) == ("24.00", NO_SUPPLY, "0.00")


# --- TAX_MISMATCH ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gross", "vat", "tax_code", "is_told"),
    [
        ("24.00", "4.01", STANDARD, False),
        ("24.00", "3.99", STANDARD, False),
        ("24.00", "4.02", STANDARD, True),
        ("24.00", "4.00", REDUCED, True),
        ("21.00", "1.00", STANDARD, True),
        ("24.00", "4.00", ZERO, True),
    ],
)
def test_amazons_vat_that_is_not_the_products_is_told_to_tax_and_stops_nothing(
    shop: Shop, gross: str, vat: str, tax_code: str, is_told: bool
) -> None:
    shop.product("THING", tax_code)
    order = shop.told(item(gross, vat, sku="THING"))
    assert [code for code, _ in shop.exceptions()] == ["TAX_MISMATCH"] * is_told
    assert shop.item(order)["vat"] == Decimal(vat)
    assert shop.problems(order) == []
    shop.plan()
    assert order in shop.outbox()


def test_an_item_without_vat_beside_one_with_vat_is_told_where_its_product_bears_some(shop: Shop) -> None:
    order = shop.told(item("24.00", "4.00"), item("12.00", "0.00", order_item_id="7"))
    assert [row["is_tax_doubtful"] for row in shop.items(order)] == [False, True]
    assert sum(row["vat"] for row in shop.items(order)) == Decimal("6.00")
    assert shop.exceptions() == [("TAX_MISMATCH", order)]


def test_a_book_without_vat_beside_a_lamp_with_vat_is_as_it_should_be(shop: Shop) -> None:
    shop.product("BOOK", ZERO)
    shop.told(item("24.00", "4.00"), item("16.00", "0.00", sku="BOOK"))
    assert shop.exceptions() == []


# --- orders that cannot go on stop no other -------------------------------------------------------------------------


def test_an_order_that_waits_for_something_stops_no_other(shop: Shop) -> None:
    shop.product("THING", "")
    waiting = {
        shop.told(item("24.00", sku="UNKNOWN")): ["SKU_UNMATCHED"],
        shop.told(item("24.00", sku="THING")): ["VAT_CATEGORY_MISSING"],
        shop.told(euros("23.80", "3.80"), **GERMANY): ["ORDER_VAT_UNRESOLVED"],
        shop.told(item(None)): ["ORDER_INCOMPLETE"],
        shop.told(item("3.00", postage=money("5.00"))): ["ORDER_INCOMPLETE"],
        shop.told(item("24.00"), is_incomplete=True): ["ORDER_INCOMPLETE"],
        shop.told(): ["ORDER_INCOMPLETE"],
        shop.told(euros("24.00")): ["CURRENCY_UNEXPECTED"],
        shop.told(item("24.00"), purchased_at=datetime(2023, 12, 1, tzinfo=UTC)): ["ORDER_ROUTE_UNKNOWN"],
    }
    good = shop.told(item("24.00", "4.00"))
    assert {order: shop.problems(order) for order in waiting} == waiting
    assert shop.plan() == Planned(orders=1, daily_orders=0, unfit=0)
    assert list(shop.outbox()) == [good]
    assert {order for _, order in shop.exceptions()} == set(waiting)


def test_an_order_of_which_amazon_leaves_out_how_it_is_sent_is_incomplete_and_not_without_route(shop: Shop) -> None:
    order = shop.told(item("24.00"), status="UNKNOWN", fulfilment="", is_incomplete=True)
    assert shop.problems(order) == ["ORDER_INCOMPLETE"]
    assert shop.exceptions() == [("ORDER_INCOMPLETE", order)]


def test_an_order_that_settlements_own_may_be_incomplete(shop: Shop) -> None:
    april = datetime(2026, 4, 2, tzinfo=UTC)
    shop.told(item("24.00"), status="UNKNOWN", is_incomplete=True, purchased_at=april)
    assert shop.exceptions() == []


def test_an_order_that_was_not_paid_when_last_heard_of_is_not_taken_for_it_any_more(shop: Shop) -> None:
    order = shop.told(item(None), status="PENDING")
    shop.told(item("24.00"), order_id=order, updated_at=NOON + timedelta(hours=3), status="UNKNOWN", is_incomplete=True)
    assert shop.problems(order) == ["ORDER_INCOMPLETE"]


def test_what_a_short_answer_leaves_out_is_kept_from_the_whole_one_before(shop: Shop) -> None:
    order = shop.told(item("24.00"), status="UNSHIPPED")
    short: dict[str, Any] = {
        "order_id": order,
        "status": "UNKNOWN",
        "fulfilment": "",
        "is_incomplete": True,
        "ship_by_at": None,
    }
    shop.told(item("24.00"), updated_at=NOON + timedelta(hours=3), **short)
    row = shop.order(order)
    assert (row["fulfilment"], row["status"], row["ship_by_at"]) == ("MFN", "UNSHIPPED", datetime(2026, 3, 5, 12))
    assert shop.problems(order) == ["ORDER_INCOMPLETE"]
    shop.told(item("24.00"), order_id=order, updated_at=NOON + timedelta(hours=3), status="UNSHIPPED")
    assert shop.problems(order) == []


def test_a_short_answer_that_is_no_news_does_not_replace_the_whole_one(shop: Shop) -> None:
    order = shop.told(item("24.00"), status="UNSHIPPED")
    shop.told(item("24.00"), order_id=order, status="UNKNOWN", fulfilment="", is_incomplete=True)
    assert shop.problems(order) == []


def test_a_cancelled_item_of_an_order_that_goes_on_is_no_part_of_it(shop: Shop) -> None:
    order = shop.told(item("24.00"), item("0.00", sku="GONE", quantity=0), item(None, sku="GONE2", quantity=0))
    assert [row["seller_sku"] for row in shop.items(order)] == ["LAMP"]
    assert shop.problems(order) == []


def test_money_without_units_waits_for_a_person(shop: Shop) -> None:
    assert shop.problems(shop.told(item("24.00", quantity=0))) == ["ORDER_INCOMPLETE"]


def test_an_older_word_on_an_order_changes_nothing(shop: Shop) -> None:
    order = shop.told(item("24.00"))
    shop.told(item("12.00"), order_id=order, updated_at=NOON, status="UNSHIPPED")
    assert shop.order(order)["status"] == "SHIPPED"
    assert shop.item(order)["due_gross"] == Decimal("24.00")


# --- the orders that are built --------------------------------------------------------------------------------------


def lines(payload: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return [(line.get("stock_code"), line["quantity"], line["net"], line["tax_code"]) for line in payload["lines"]]


def test_e18b_a_mixed_basket_reaches_the_outbox_with_both_tax_codes(shop: Shop) -> None:
    shop.product("BOOK", ZERO)
    order = shop.told(item("27.00", postage=money("3.00")), item("18.00", sku="BOOK", postage=money("2.00")))
    shop.plan()
    payload = shop.outbox()[order]
    assert sorted(lines(payload), key=str) == [
        ("BOOK", 1, "16.00", ZERO),
        ("LAMP", 1, "20.00", STANDARD),
        (None, 1, "2.00", ZERO),
        (None, 1, "2.50", STANDARD),
    ]
    assert (payload["gross"], payload["vat"]) == ("45.00", "4.50")


def test_a_bundle_in_several_packs_reaches_the_outbox_in_its_stock_items(shop: Shop) -> None:
    shop.product("BULB")
    shop.alias("SET", "LAMP")
    shop.alias("SET", "BULB", 3)
    order = shop.told(item("96.00", sku="SET", quantity=2))
    shop.plan()
    assert lines(shop.outbox()[order]) == [("BULB", 6, "60.00", STANDARD), ("LAMP", 2, "20.00", STANDARD)]


def test_two_items_that_are_alike_are_both_sent(shop: Shop) -> None:
    order = shop.told(item("24.00", order_item_id="1"), item("24.00", order_item_id="2"))
    shop.plan()
    assert lines(shop.outbox()[order]) == [("LAMP", 1, "20.00", STANDARD)] * 2


def test_an_order_that_is_cancelled_before_it_is_sent_leaves_the_outbox(shop: Shop) -> None:
    order = shop.told(item("24.00"))
    shop.plan()
    assert list(shop.outbox()) == [order]
    shop.told(item("24.00"), order_id=order, updated_at=NOON + timedelta(hours=5), status="CANCELLED")
    shop.plan()
    assert shop.outbox() == {}


def test_an_order_that_sage_has_is_never_planned_again(shop: Shop) -> None:
    order = shop.told(item("24.00"))
    shop.plan()
    shop.delivered()
    before = shop.rows("select * from outbox.messages")
    shop.told(item("12.00"), order_id=order, updated_at=NOON + timedelta(hours=5))
    assert shop.plan() == Planned(0, 0, 0)
    assert shop.rows("select * from outbox.messages") == before


def waiting_for(shop: Shop, recipient: Recipient | None) -> str:
    """An order that we still have to send, to whom Amazon told."""
    order = shop.told(item("24.00"), status="UNSHIPPED", shipped_at=None)
    told_hash = "a-hash" if recipient else None
    shop.connection.execute(
        "insert into raw.recipients values ($1, $2, $3, null)", [order, told_hash, NOW.replace(tzinfo=None)]
    )
    return order


def recipient(order_id: str, **different: Any) -> Recipient:
    usual: dict[str, Any] = {
        "name": "Vera Lightfoot", "company": "", "lines": ("9 Lantern Row",), "city": "Leeds", "county": "",
        "postcode": "LS1 1AA", "country": "GB", "phone": "",
    }  # fmt: skip
    return Recipient(order_id=order_id, **{**usual, **different})


def test_an_order_to_send_waits_until_amazon_says_whom_it_goes_to(shop: Shop) -> None:
    nobody = waiting_for(shop, None)
    assert shop.problems(nobody) == ["ADDRESS_INCOMPLETE"]
    somebody = waiting_for(shop, recipient(""))
    assert shop.plan() == Planned(0, 0, 0)
    assert shop.plan({somebody: recipient(somebody)}) == Planned(1, 0, 0)
    assert shop.outbox()[somebody]["recipient"] == "a-hash"
    assert "Lightfoot" not in json.dumps(shop.outbox())


def test_an_address_that_does_not_fit_is_told_without_its_words_and_stops_no_other(shop: Shop) -> None:
    long, other = waiting_for(shop, recipient("")), shop.told(item("24.00"))
    shop.plan({long: recipient(long, city="Llanfairpwllgwyngyll" * 4)})
    assert list(shop.outbox()) == [other]
    (raised,) = shop.rows(f"select * from ({OPEN})")
    assert (raised["code"], raised["order_id"]) == ("FIELD_TOO_LONG", long)
    assert "town" in raised["message"]
    assert "Llan" not in str(shop.rows("select * from core.document_problems")) + str(raised)
    assert shop.plan({long: recipient(long)}) == Planned(2, 0, 0)
    assert shop.exceptions() == []


# --- daily orders ---------------------------------------------------------------------------------------------------


def test_a_day_of_fba_is_one_order_per_vat_treatment_with_the_same_goods_together(shop: Shop) -> None:
    shop.product("BOOK", ZERO)
    fba = {"fulfilment": "AFN"}
    covered = {
        shop.told(item("24.00"), item("16.00", sku="BOOK"), **fba),
        shop.told(item("48.00", quantity=2), **fba),
    }
    shop.told(item("24.00"), fulfilment="AFN", shipped_at=NOON + timedelta(days=17))
    assert shop.plan() == Planned(orders=0, daily_orders=2, unfit=0)
    standard, zero = (shop.outbox()[f"UK-AFN-260303-{letters}1"] for letters in ("US", "UZ"))
    assert lines(standard) == [("LAMP", 3, "60.00", STANDARD)]
    assert lines(zero) == [("BOOK", 1, "16.00", ZERO)]
    rows = shop.rows("select order_id, sum(gross) as gross from outbox.covered_orders group by order_id order by gross")
    assert {row["order_id"] for row in rows} == covered
    assert [row["gross"] for row in rows] == [Decimal("40.00"), Decimal("48.00")]


def test_an_order_that_becomes_known_after_its_day_is_in_sage_makes_another_order_of_that_day(shop: Shop) -> None:
    first = shop.told(item("24.00"), fulfilment="AFN")
    shop.plan()
    shop.delivered()
    late = shop.told(item("12.00"), fulfilment="AFN")
    assert shop.plan() == Planned(orders=0, daily_orders=1, unfit=0)
    assert lines(shop.outbox()["UK-AFN-260303-US2"]) == [("LAMP", 1, "10.00", STANDARD)]
    rows = shop.rows("select order_id, count(*) as times from outbox.covered_orders group by order_id")
    assert {row["order_id"]: row["times"] for row in rows} == {first: 1, late: 1}


def test_a_price_that_sages_vat_cannot_make_is_told_at_every_planning_and_stops_no_other(
    shop_of: Callable[[str], Shop],
) -> None:
    """Without tolerance there is no order of 3p at 20 %: neither alone nor as a day."""
    shop = shop_of("without tolerance")
    shop.product("LAMP")
    single = shop.told(item("0.03"))
    daily = shop.told(item("0.03"), fulfilment="AFN")
    good = shop.told(item("24.00"))
    for _ in range(2):
        assert shop.plan() == Planned(orders=1, daily_orders=0, unfit=2)
        assert list(shop.outbox()) == [good]
        assert shop.exceptions() == [("ORDER_VAT_DIFFERENCE", single), ("ORDER_VAT_DIFFERENCE", daily)]


# --- refunds --------------------------------------------------------------------------------------------------------


@dataclass
class Refunds:
    """Money events of refunds, as they are kept."""

    shop: Shop
    count: int = 0

    def told(
        self, order_id: str, gross: str, vat: str = "0.00", *, refund_id: str = "crow:1", status: str = "RELEASED",
        sku: str = "LAMP", adjustment: str = "adj-1", day: int = 10,
    ) -> None:  # fmt: skip
        self.count += 1
        key = f"t-{self.count}"
        self.shop.connection.execute(
            "insert into raw.amazon_transactions values ('uk', $1, 'Refund', $2, $3, $4, '', $5, null, $6, 'GBP', $5)",
            [key, status, order_id, refund_id, datetime(2026, 3, day, 12), -money(gross)],
        )
        self.shop.connection.execute(
            "insert into raw.amazon_refund_items values ('uk', $1, 1, $2, $3, $4, $5)",
            [key, adjustment, sku, -money(gross), -money(vat)],
        )

    def plan(self) -> list[tuple[Decimal, list[tuple[str, str, str]]]]:
        plan_refunds(self.shop.connection, self.shop.company, NOW)
        rows = self.shop.rows(
            "select amount, payload from outbox.messages where document = 'credit_note' and status <> 'superseded'"
            " order by message_key"
        )
        return [
            (
                row["amount"],
                [(i["goods_value"], i["tax_value"], i["tax_code"]) for i in json.loads(row["payload"])["items"]],
            )
            for row in rows
        ]


@pytest.fixture
def refunds(shop: Shop) -> Refunds:
    return Refunds(shop)


def in_sage(shop: Shop, *items: OrderItem, **different: Any) -> str:
    order = shop.told(*items, **different)
    shop.plan()
    shop.delivered()
    return order


def test_a_refund_has_the_rate_at_which_its_order_was_sent_whatever_the_product_says_later(
    shop: Shop, refunds: Refunds
) -> None:
    order = in_sage(shop, item("24.00"))
    shop.connection.execute("update raw.sage_products set tax_code = $1 where code = 'LAMP'", [ZERO])
    refunds.told(order, "24.00")
    assert refunds.plan() == [(Decimal("24.00"), [("20.00", "4.00", STANDARD)])]


def test_a_refund_of_what_sage_has_not_got_yet_of_an_order_keeps_its_own_rate(shop: Shop, refunds: Refunds) -> None:
    """A day is one Sage order per VAT treatment: here that of the lamp has arrived, and that of the book has not."""
    shop.product("BOOK", ZERO)
    order = shop.told(item("24.00"), item("16.00", sku="BOOK"), fulfilment="AFN")
    shop.plan()
    shop.connection.execute(
        "update outbox.messages set status = 'delivered', remote_id = '1' where remote_reference like '%-US1'"
    )
    refunds.told(order, "16.00", sku="BOOK")
    assert refunds.plan() == [(Decimal("16.00"), [("16.00", "0.00", ZERO)])]


def test_a_refund_that_changes_after_it_went_to_sage_is_told_and_goes_no_second_time(
    shop: Shop, refunds: Refunds
) -> None:
    order = in_sage(shop, item("24.00", "4.00"))
    refunds.told(order, "6.00", "1.00")
    refunds.plan()
    shop.delivered()
    refunds.told(order, "3.00", "0.50", adjustment="adj-2")
    assert [amount for amount, _ in refunds.plan()] == [Decimal("6.00")]
    (row,) = shop.rows("select order_id, amount_at_risk, message from exceptions.refund_changed")
    assert (row["order_id"], row["amount_at_risk"]) == (order, Decimal("3.00"))
    assert "Amazon tells 9.00 GBP now, and 6.00 went to Sage" in row["message"]


def test_e04_a_refund_of_an_order_in_sage_is_a_credit_note_at_its_rate(shop: Shop, refunds: Refunds) -> None:
    refunds.told(in_sage(shop, item("24.00", "4.00")), "24.00", "4.00")
    assert refunds.plan() == [(Decimal("24.00"), [("20.00", "4.00", STANDARD)])]


def test_a_refund_of_an_order_that_sage_has_not_waits(shop: Shop, refunds: Refunds) -> None:
    order = shop.told(item("24.00", "4.00"))
    refunds.told(order, "24.00", "4.00")
    shop.plan()
    assert refunds.plan() == []
    shop.delivered()
    assert len(refunds.plan()) == 1


def test_a_partial_refund_of_one_item_has_that_items_rate(shop: Shop, refunds: Refunds) -> None:
    shop.product("BOOK", ZERO)
    order = in_sage(shop, item("24.00"), item("160.00", sku="BOOK"))
    refunds.told(order, "6.00", sku="LAMP")
    assert refunds.plan() == [(Decimal("6.00"), [("5.00", "1.00", STANDARD)])]


def test_a_refund_of_an_export_gives_no_vat_back(shop: Shop, refunds: Refunds) -> None:
    refunds.told(in_sage(shop, item("150.00"), country="CH"), "150.00")
    assert refunds.plan() == [(Decimal("150.00"), [("150.00", "0.00", ZERO)])]


def test_each_refund_of_an_order_is_a_credit_note_whose_number_stays(shop: Shop, refunds: Refunds) -> None:
    order = in_sage(shop, item("24.00", "4.00"))
    refunds.told(order, "6.00", "1.00", refund_id="crow:2", adjustment="adj-2", day=11)
    refunds.plan()
    refunds.told(order, "12.00", "2.00", refund_id="crow:1", day=10)
    assert [amount for amount, _ in refunds.plan()] == [Decimal("12.00"), Decimal("6.00")]
    rows = shop.rows(
        "select message_key, remote_reference from outbox.messages where document = 'credit_note' order by message_key"
    )
    assert [(row["message_key"][-6:], row["remote_reference"][-2:]) for row in rows] == [
        ("crow:1", "-2"),
        ("crow:2", "-1"),
    ]


@pytest.mark.parametrize("released", ["DEFERRED_RELEASED", "DEFERRED"])
def test_a_refund_that_amazon_held_back_and_then_released_is_credited_once(
    shop: Shop, refunds: Refunds, released: str
) -> None:
    """The held record stays beside the released one; its own change of status may come after we last looked."""
    order = in_sage(shop, item("24.00", "4.00"))
    refunds.told(order, "24.00", "4.00", status=released, day=10)
    refunds.told(order, "24.00", "4.00", status="RELEASED", day=18)
    assert [amount for amount, _ in refunds.plan()] == [Decimal("24.00")]


def test_a_refund_that_amazon_still_holds_back_is_credited(shop: Shop, refunds: Refunds) -> None:
    refunds.told(in_sage(shop, item("24.00", "4.00")), "24.00", "4.00", status="DEFERRED")
    assert [amount for amount, _ in refunds.plan()] == [Decimal("24.00")]


def test_a_refund_that_gives_nothing_back_is_told_and_stops_no_other(shop: Shop, refunds: Refunds) -> None:
    odd, good = in_sage(shop, item("24.00", "4.00")), in_sage(shop, item("24.00", "4.00"))
    refunds.told(odd, "-6.00")
    refunds.told(good, "6.00")
    for _ in range(2):
        assert [amount for amount, _ in refunds.plan()] == [Decimal("6.00")]
        assert [row["order_id"] for row in shop.rows("select * from exceptions.refund_odd")] == [odd]
