"""The sample seller's world: Seller Central tells its orders and returns, and Sage has what they need."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from amazon_sage_assets.sandbox import sage200
from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets.sandbox.sample_seller import Product
from amazon_sage_assets.sandbox.seller_central.store import FBA_RETURN, MFN_RETURN
from amazon_sage_assets.sandbox.world import World, open_world

# Of a sale in the UK by its rate in basis points, as Sage's tax codes count in per cent.
PER_CENT = {2000: 20, 0: 0}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    today = datetime.now(UTC).date()
    world = open_world(tmp_path_factory.mktemp("world"), today, options=Options(latency_seconds=0.0))
    yield world
    world.close()


@pytest.fixture(scope="module")
def sage(world: World) -> dict[str, list[dict[str, Any]]]:
    """What Sage answers, by resource."""

    async def asked() -> dict[str, list[dict[str, Any]]]:
        transport = httpx.ASGITransport(app=sage200.create_app(world.books))
        async with httpx.AsyncClient(transport=transport, base_url="http://sage.test") as http:
            form = {
                "grant_type": "refresh_token",
                "client_id": world.secrets["SAGE_CLIENT_ID"],
                "client_secret": world.secrets["SAGE_CLIENT_SECRET"],
                "refresh_token": world.secrets["SAGE_REFRESH_TOKEN"],
            }
            token = (await http.post("/oauth/token", data=form)).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}", "X-Site": "5b0c2f4e-0000-4000-8000-0a1b2c3d4e5f"}
            headers["X-Company"] = "2"
            names = ("products", "warehouses", "warehouse_holdings", "customers", "currencies", "tax_codes")
            return {name: (await http.get(f"{sage200.BASE}/{name}", headers=headers)).json() for name in names}

    return asyncio.run(asked())


def stocked(world: World) -> dict[str, Product]:
    """What is sold under its stock code."""
    return {product.sku: product for product in world.seller.products() if product.stock_code == product.sku}


def test_seller_central_knows_every_order_and_every_return(world: World) -> None:
    end = datetime.now(UTC)
    for account in world.seller.accounts:
        told = world.central.updated_orders(account, end - timedelta(days=300), end)
        assert {order["orderId"] for order in told} == {order.order_id for order in world.seller.orders(account)}
        returned = [row for kind in (FBA_RETURN, MFN_RETURN) for _, row in world.central.records(kind, account)]
        assert sorted(map(str, returned)) == sorted(map(str, world.seller.returns(account)))


def test_sage_has_each_stock_item_with_the_tax_code_of_its_rate(
    world: World, sage: dict[str, list[dict[str, Any]]]
) -> None:
    rates = {code["id"]: code["tax_rate"] for code in sage["tax_codes"]}
    found = {product["code"]: product["tax_code_id"] for product in sage["products"]}
    assert found.keys() == stocked(world).keys()
    for sku, product in stocked(world).items():
        if product.vat_category_known:
            assert rates[found[sku]] == PER_CENT[product.vat_bp["uk"]]
        else:
            assert found[sku] not in rates


def test_a_sku_that_nobody_matched_has_no_stock_item_and_an_alias_has_one_under_another_code(
    world: World, sage: dict[str, list[dict[str, Any]]]
) -> None:
    codes = {product["code"] for product in sage["products"]}
    orders = {
        reason: order.items[0].sku for reason, order in (*world.seller.held_orders(), *world.seller.awkward_orders())
    }
    assert orders["unmatched_sku"] not in codes
    assert orders["multi_pack"] not in codes
    (pack,) = (product for product in world.seller.products() if product.sku == orders["multi_pack"])
    assert pack.stock_code in codes


def test_there_is_more_in_stock_than_the_whole_history_sold(
    world: World, sage: dict[str, list[dict[str, Any]]]
) -> None:
    places = {place["id"]: place["name"] for place in sage["warehouses"]}
    assert set(places.values()) == {"HOME", "AMAZONFBA"}
    codes = {product["id"]: product["code"] for product in sage["products"]}
    held = {(codes[h["product_id"]], places[h["warehouse_id"]]): h for h in sage["warehouse_holdings"]}
    sold: dict[tuple[str, str], int] = {}
    for account in world.seller.accounts:
        for order in world.seller.orders(account):
            place = "AMAZONFBA" if order.fulfilment == "AFN" else "HOME"
            for item in (item for item in order.items if item.sku in stocked(world)):
                sold[item.sku, place] = sold.get((item.sku, place), 0) + item.quantity
    assert sold.keys() <= held.keys()
    assert all(held[key]["confirmed_qty_in_stock"] > 2 * count for key, count in sold.items())


def test_each_marketplace_has_a_customer_in_its_currency(sage: dict[str, list[dict[str, Any]]]) -> None:
    currencies = {currency["id"]: currency["name"] for currency in sage["currencies"]}
    customers = {customer["reference"]: currencies[customer["currency_id"]] for customer in sage["customers"]}
    assert customers == {"AMZUK": "Pound Sterling", "AMZDE": "Euro"}
