"""The sample seller's orders and returns, as Amazon tells them, say what its history says."""

import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_sage_assets.money import from_pence
from amazon_sage_assets.sandbox.sample_seller import SampleOrder, SampleSeller

ANCHOR = date(2026, 9, 1)
Told = list[tuple[SampleOrder, dict[str, Any]]]


@pytest.fixture(scope="module")
def sample() -> SampleSeller:
    return SampleSeller(ANCHOR)


@pytest.fixture(scope="module")
def told(sample: SampleSeller) -> Told:
    """Every order beside what Amazon says of it."""
    pairs = [
        pair
        for account in sample.accounts
        for pair in zip(sample.orders(account), sample.amazon_orders(account), strict=True)
    ]
    assert all(order.order_id == record["orderId"] for order, record in pairs)
    return pairs


def amount(money: dict[str, str]) -> Decimal:
    return Decimal(money["amount"])


def test_an_order_s_parts_add_up_to_what_the_buyer_paid_and_its_vat_is_said_by_part(told: Told) -> None:
    kinds: set[str] = set()
    for order, record in told:
        for item, said in zip(order.items, record["orderItems"], strict=True):
            parts = {part["type"]: part for part in said["proceeds"]["breakdowns"]}
            kinds |= parts.keys()
            assert amount(said["proceeds"]["proceedsTotal"]) == from_pence(item.paid)
            assert sum(amount(part["subtotal"]) for part in parts.values()) == from_pence(item.paid)
            details = {d["subtype"]: amount(d["value"]) for d in parts.get("TAX", {}).get("detailedBreakdowns", ())}
            assert sum(details.values()) == from_pence(item.vat_paid)
            assert amount(parts["ITEM"]["subtotal"]) + details.get("ITEM", 0) == from_pence(item.price)
        assert amount(record["proceeds"]["grandTotal"]) == from_pence(order.total_pence)
        assert sum(amount(part["subtotal"]) for part in record["proceeds"]["breakdowns"]) == from_pence(
            order.total_pence
        )
    assert kinds == {"ITEM", "SHIPPING", "DISCOUNT", "TAX"}


def test_one_order_is_unpaid_one_is_called_off_and_the_rest_is_sent_or_waits(sample: SampleSeller, told: Told) -> None:
    (unpaid,), (cancelled,) = sample.pending_orders(), sample.cancelled_orders()
    for order, record in told:
        expected = "SHIPPED" if order.shipped_at else "UNSHIPPED"
        expected = {unpaid.order_id: "PENDING", cancelled.order_id: "CANCELLED"}.get(order.order_id, expected)
        fulfilment = record["fulfillment"]
        assert fulfilment["fulfillmentStatus"] == expected
        assert fulfilment["fulfilledBy"] == {"AFN": "AMAZON", "MFN": "MERCHANT"}[order.fulfilment]
        assert expected == "SHIPPED" or order.fulfilment == "MFN"
        assert ("packages" in record) == (expected == "SHIPPED" and order.fulfilment == "MFN")
        for item in record["orderItems"]:
            sent, open_ = item["fulfillment"]["quantityFulfilled"], item["fulfillment"]["quantityUnfulfilled"]
            assert (sent > 0, open_ > 0) == (expected == "SHIPPED", expected in ("PENDING", "UNSHIPPED"))
            assert ("cancellation" in item) == (expected == "CANCELLED")
    assert {order.held_for for order in (unpaid, cancelled)} == {None}


def test_an_order_last_changed_when_it_was_sent_or_soon_after_it_was_bought(told: Told) -> None:
    for order, record in told:
        changed = datetime.fromisoformat(record["lastUpdatedTime"])
        if order.shipped_at:
            assert changed == order.shipped_at.replace(tzinfo=UTC)
        else:
            assert 0 < (changed - datetime.fromisoformat(record["createdTime"])).total_seconds() <= 2 * 3600


def test_the_whole_address_is_told_in_three_lines_and_nowhere_else(told: Told) -> None:
    for order, record in told:
        address = record["recipient"]["deliveryAddress"]
        lines = [address[f"addressLine{number}"] for number in (1, 2, 3) if f"addressLine{number}" in address]
        assert ", ".join(lines) == ", ".join(order.buyer.lines)
        assert (address["countryCode"], address.get("postalCode", "")) == (order.buyer.country, order.buyer.postcode)
        rest = json.dumps({k: v for k, v in record.items() if k not in ("buyer", "recipient")}, ensure_ascii=False)
        assert order.buyer.name not in rest
        assert order.buyer.lines[0] not in rest


def test_amazon_passes_on_no_way_to_reach_the_buyers_of_what_it_sends_itself(told: Told) -> None:
    for order, record in told:
        reachable = ("phone" in record["recipient"]["deliveryAddress"], "buyerEmail" in record["buyer"])
        assert reachable == ((order.fulfilment == "MFN",) * 2)


def test_amazon_says_of_which_items_it_pays_the_vat_itself(told: Told) -> None:
    for order, record in told:
        for item in record["orderItems"]:
            models = [collection["model"] for collection in item.get("tax", {}).get("taxCollections", ())]
            assert models == (["MARKETPLACE_FACILITATOR"] if order.account == "de" else [])


def came_back(sample: SampleSeller, account: str) -> dict[str, tuple[date, dict[str, int]]]:
    """By order: the day, and how many of each SKU."""
    found: dict[str, tuple[date, dict[str, int]]] = {}
    for row in sample.returns(account):
        if "return-date" in row:
            order_id, sku, count = row["order-id"], row["sku"], row["quantity"]
            day = datetime.fromisoformat(row["return-date"]).date()
        else:
            order_id, sku, count = row["Order ID"], row["Merchant SKU"], row["Return quantity"]
            day = datetime.strptime(row["Return delivery date"], "%d-%b-%Y").date()  # noqa: DTZ007
        skus = found.setdefault(order_id, (day, {}))[1]
        skus[sku] = skus.get(sku, 0) + int(count)
    return found


def test_what_was_refunded_in_full_comes_back_whole_some_days_later(sample: SampleSeller) -> None:
    for account in sample.accounts:
        orders = {order.order_id: order for order in sample.orders(account)}
        for order_id, (day, skus) in came_back(sample, account).items():
            (refund,) = orders[order_id].refunds
            assert refund.is_full
            assert refund.moment.date() < day <= sample.until.date()
            assert skus == {item.sku: item.quantity for item in refund.items}


def test_some_buyers_keep_the_goods_that_were_refunded(sample: SampleSeller) -> None:
    long_ago = sample.until - timedelta(days=14)
    full = {
        order.order_id
        for account in sample.accounts
        for order in sample.orders(account)
        for refund in order.refunds
        if refund.is_full and refund.moment < long_ago
    }
    back = {order_id for account in sample.accounts for order_id in came_back(sample, account)}
    assert 0 < len(full - back) < len(full & back)


def test_what_amazon_takes_back_is_mostly_sellable_and_each_unit_has_a_plate(sample: SampleSeller) -> None:
    rows = [row for account in sample.accounts for row in sample.returns(account) if "return-date" in row]
    conditions = Counter(row["detailed-disposition"] for row in rows)
    assert conditions["SELLABLE"] > conditions["CUSTOMER_DAMAGED"] > 0
    assert conditions.keys() == {"SELLABLE", "CUSTOMER_DAMAGED"}
    assert len({row["license-plate-number"] for row in rows}) == len(rows)
    assert {row["quantity"] for row in rows} == {"1"}


def test_what_the_company_takes_back_says_what_was_refunded_for_it(sample: SampleSeller) -> None:
    orders = {order.order_id: order for order in sample.orders("uk")}
    refunded: dict[str, Decimal] = defaultdict(Decimal)
    for row in (row for row in sample.returns("uk") if "Order ID" in row):
        assert orders[row["Order ID"]].fulfilment == "MFN"
        refunded[row["Order ID"]] += Decimal(row["Refunded Amount"])
    assert refunded
    assert all(amount == from_pence(orders[o].refunds[0].amount_pence) for o, amount in refunded.items())


@pytest.mark.parametrize("anchor", [date(2026, 1, 1), date(2026, 12, 1)])
@pytest.mark.parametrize("seed", [1, 8])
def test_every_history_has_the_same_planted_orders(anchor: date, seed: int) -> None:
    sample = SampleSeller(anchor, seed)
    statuses = Counter(
        record["fulfillment"]["fulfillmentStatus"]
        for account in sample.accounts
        for record in sample.amazon_orders(account)
    )
    assert (statuses["PENDING"], statuses["CANCELLED"]) == (1, 1)
    assert [reason for reason, _ in sample.held_orders()] == [
        "unmatched_sku", "long_postcode", "vat_category", "no_postcode", "multi_pack",
    ]  # fmt: skip
    last_day = max(order.purchased_at.date() for order in sample.orders("uk"))
    planted = [*sample.held_orders(), *sample.awkward_orders()]
    assert {order.purchased_at.date() for _, order in planted} == {last_day}
