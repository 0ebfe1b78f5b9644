"""Refunds as sales returns of Sage: people take goods back and print the credit note, and the money is allocated."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from amazon_sage_assets.sage.proof import Posting, prove
from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets_tests.order_world import (
    KETTLE,
    STOCK,
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
from amazon_sage_assets_tests.reports import principal, row

SOLD, SETTLED, LATER = date(2026, 3, 2), date(2026, 3, 14), date(2026, 3, 20)
NUMBER = "202-0000001-0000001"


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Any]:
    """Worlds whose profile asks for sales returns, and whose Sage behaves by the given options."""
    with ExitStack() as stack:

        def make(**options: Any) -> PostingWorld:
            wants = 'refunds = "sop_return"'
            return stack.enter_context(order_world(tmp_path, Options(latency_seconds=0, **options), orders=wants))

        yield make


def sold_and_refunded(world: PostingWorld, *, goods_back: int = 0) -> None:
    """Two kettles sold for 48.00 and settled; one refunded with 24.00."""
    tell(world, [order(NUMBER, SOLD, item(1, KETTLE, "48.00", 2, vat="8.00"))], [recipient(NUMBER)])
    if goods_back:
        with world.company.warehouse.transaction() as connection:
            connection.execute(
                "insert into raw.amazon_returns values ('uk', 'RMA-1', $1, $2, $3, $4, 'RECEIVED', '', 's')",
                [NUMBER, KETTLE, goods_back, LATER],
            )
    refund = row(
        "Refund", "ItemPrice", "Principal", "-24.00", order_id=NUMBER, sku=KETTLE, fulfillment_id="MFN",
        adjustment_id="A1",
    )  # fmt: skip
    sale = principal("48.00", order_id=NUMBER, sku=KETTLE)
    settle_files(
        world,
        settlement_file(world, "24000000001", SETTLED, [sale]),
        settlement_file(world, "24000000002", LATER, [refund]),
    )
    run_until_still(world)


def returns(world: PostingWorld) -> list[dict[str, Any]]:
    return list(world.books.sop_orders("return"))


def credit_notes(world: PostingWorld) -> list[dict[str, Any]]:
    return [document for document in world.books.documents() if document["kind"] == "sales_credit_notes"]


def taken_back(world: PostingWorld) -> None:
    """People in Sage receive the goods of the return and print its credit note; then we look again."""
    world.books.receive_return(returns(world)[0]["customer_document_no"])
    world.books.credit_returns()
    run_until_still(world)


def outstanding(world: PostingWorld) -> list[Decimal]:
    return [entry["outstanding"] for entry in world.books.sales_entries() if entry["outstanding"]]


def kettles(world: PostingWorld) -> Decimal:
    return Decimal(world.books.stock()[KETTLE, "HOME"])


def test_goods_that_came_back_are_stock_again_once_people_received_them_and_the_debtor_is_nil(worlds: Any) -> None:
    world = worlds()
    sold_and_refunded(world, goods_back=1)
    [back] = returns(world)
    assert (back["gross"], back["vat"], kettles(world)) == (Decimal("24.00"), Decimal("4.00"), STOCK - 2)
    assert credit_notes(world) == []
    assert outstanding(world) == [Decimal("24.00")]  # Amazon has paid the buyer, and no credit note is printed
    assert world.rows("select sage_document, is_credited from finance.refunds") == [("sales return", False)]
    taken_back(world)
    assert kettles(world) == STOCK - 1
    [note] = credit_notes(world)
    assert note["value"] == Decimal("24.00")
    assert outstanding(world) == []
    assert world.rows("select sage_document, is_credited from finance.refunds") == [("sales return", True)]


def test_money_without_goods_moves_no_stock(worlds: Any) -> None:
    world = worlds(are_prices_tax_inclusive=True, auto_generate_order_return_numbers=False)
    sold_and_refunded(world)
    taken_back(world)
    assert kettles(world) == STOCK - 2
    assert [note["value"] for note in credit_notes(world)] == [Decimal("24.00")]
    assert outstanding(world) == []


def test_a_sage_without_sales_returns_gets_credit_notes(worlds: Any) -> None:
    world = worlds(has_sop_returns=False)
    sold_and_refunded(world, goods_back=1)
    assert [note["value"] for note in credit_notes(world)] == [Decimal("24.00")]
    assert outstanding(world) == []


def test_a_return_whose_answer_was_lost_is_found_in_sage_and_not_sent_again(worlds: Any) -> None:
    world = worlds()
    sold_and_refunded(world)
    with world.company.warehouse.transaction() as connection:  # as a run leaves it that was killed
        connection.execute(
            "update outbox.messages set status = 'sending', remote_id = null where document = 'sales_return'"
        )
    world.post()
    [(status, reference, amount)] = world.rows(
        "select status, remote_reference, amount from outbox.messages where document = 'sales_return'"
    )
    assert (status, len(returns(world))) == ("delivered", 1)
    with world.client() as client:
        assert prove(client, [Posting(reference, "sop_return", amount, "GBP")]) == []
        [said] = prove(client, [Posting(reference + "X", "sop_return", amount, "GBP")])
    assert "0 entries instead of 1" in said
