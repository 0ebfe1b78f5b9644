"""The commands about orders, against the served sample world: reading and sending, one order's way, erasing."""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from amazon_sage_assets import verification
from amazon_sage_assets.money import from_pence
from amazon_sage_assets.orders.intake import personal_data
from amazon_sage_assets.sandbox.sample_seller import SampleOrder
from amazon_sage_assets_tests.integration.test_cli import ABOUT_ORDERS, no_floats, sentence_of
from amazon_sage_assets_tests.sample_town import APPROVER, Town, copied, ordered_town

LONDON = ZoneInfo("Europe/London")


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ordered_town(tmp_path_factory)


@pytest.fixture(scope="module")
def ordered(tmp_path_factory: pytest.TempPathFactory, at_rest: Path) -> Iterator[Town]:
    """A town after `amazon-sage orders`, for tests that only look."""
    with copied(at_rest, tmp_path_factory.mktemp("looked_at") / "town") as place:
        yield place


@pytest.fixture
def own(tmp_path: Path, at_rest: Path) -> Iterator[Town]:
    """The same as one's own."""
    with copied(at_rest, tmp_path / "town") as place:
        yield place


def uk_orders(place: Town) -> list[SampleOrder]:
    return list(place.world.seller.orders("uk"))


def sent_by_us(place: Town) -> list[SampleOrder]:
    """Orders that are due to Sage each by itself."""
    seller = place.world.seller
    out = {order.order_id for order in (*seller.pending_orders(), *seller.cancelled_orders())}
    out |= {order.order_id for _, order in seller.held_orders()}
    return [order for order in uk_orders(place) if order.fulfilment == "MFN" and order.order_id not in out]


def fba_days(place: Town) -> set[date]:
    sent = [order.shipped_at for order in uk_orders(place) if order.fulfilment == "AFN" and order.shipped_at]
    return {moment.replace(tzinfo=UTC).astimezone(LONDON).date() for moment in sent}


def in_outbox(place: Town, document: str) -> Counter[str]:
    """How many documents of a kind are how far."""
    with place.company.warehouse.read() as connection:
        sql = "select status, count(*) from outbox.messages where document = $1 group by status"
        return Counter(dict(connection.execute(sql, [document]).fetchall()))


# --- orders ---------------------------------------------------------------------------------------------------------


def test_orders_says_what_it_read_and_sent(ordered: Town) -> None:
    said = no_floats((ordered.folder / "orders.json").read_text(encoding="utf-8"))
    german = list(ordered.world.seller.orders("de"))
    due, days = len(sent_by_us(ordered)), len(fba_days(ordered))
    assert said["changed orders"] == len(uk_orders(ordered)) + len(german)
    assert said["orders to send"] == due + days
    assert said["delivered"] == due + 2 * days  # each daily order and its despatch
    assert (said["found in Sage"], said["rejected"], said["held"], said["not yet proven"]) == (0, 0, 0, 0)
    assert (said["unreadable"], said["stopped"]) == (0, "")
    assert len(ordered.world.books.sop_orders()) == due + days


def test_orders_again_sends_nothing_and_names_what_waits(own: Town) -> None:
    before = own.world.books.sop_orders()
    said = own.run("orders").stdout
    for words in ("0 changed orders", "0 orders to send", "0 delivered", "0 rejected"):
        assert words in said
    for code in {code for code, order_id in own.world.seller.expected_order_exceptions if order_id}:
        waiting = {row["code"] for row in own.query("from finance.exceptions where order_id is not null")}
        assert (code in said) == (code in waiting)
    assert "SKU_UNMATCHED" in said
    assert own.world.books.sop_orders() == before


def test_orders_without_a_connected_account_is_one_sentence(ordered: Town) -> None:
    missing = {"LWA_APP_ID": "", "SP_API_REFRESH_TOKEN_UK": "", "SP_API_REFRESH_TOKEN_DE": ""}
    sentence = sentence_of(ordered.run("orders", code=1, **missing))
    assert sentence.startswith("Stopped. No seller account is connected")


# --- passport -------------------------------------------------------------------------------------------------------


def test_the_passport_of_an_unknown_order_says_so_and_ends_with_1(ordered: Town) -> None:
    said = " ".join(ordered.run("passport", "202-0000000-0000000", code=1).stdout.split())
    assert said == "No order 202-0000000-0000000 is known. `amazon-sage orders` reads new ones."
    told = no_floats(ordered.run("passport", "202-0000000-0000000", "--json", code=1).stdout)
    assert told == {"legs": [], "exceptions": []}


def test_the_passport_of_an_order_shows_it_at_amazon_and_in_sage_with_what_the_buyer_paid(ordered: Town) -> None:
    order = sent_by_us(ordered)[-1]  # one whose money nobody expects yet
    told = no_floats(ordered.run("passport", order.order_id, "--json").stdout)
    (standing,) = [o for o in ordered.world.books.sop_orders() if o["customer_document_no"] == order.order_id]
    assert standing["gross"] == from_pence(order.total_pence)
    assert {leg["order_id"] for leg in told["legs"]} == {order.order_id}
    amounts = {leg["amount"] for leg in told["legs"] if leg["leg"] in ("ordered", "in Sage")}
    assert amounts == {str(standing["gross"])}
    assert told["exceptions"] == []
    said = ordered.run("passport", order.order_id).stdout
    assert f"Order {order.order_id}" in said
    assert str(standing["gross"]) in said


def test_the_passport_of_a_held_order_says_what_it_waits_for(ordered: Town) -> None:
    order_id = next(order.order_id for reason, order in ordered.world.seller.held_orders() if reason == "multi_pack")
    told = no_floats(ordered.run("passport", order_id, "--json").stdout)
    assert [problem["code"] for problem in told["exceptions"]] == ["SKU_UNMATCHED"]


def test_a_passport_names_no_buyer(ordered: Town) -> None:
    order = next(o for o in sent_by_us(ordered) if not o.shipped_at)
    assert personal_data(ordered.company).of([order.order_id])  # it is known whom it goes to
    for said in (ordered.run("passport", order.order_id), ordered.run("passport", order.order_id, "--json")):
        for word in (order.buyer.name, order.buyer.phone, *order.buyer.lines):
            assert word not in said.stdout


# --- purge ----------------------------------------------------------------------------------------------------------


def test_purge_erases_whom_sent_orders_went_to_and_nobody_else(own: Town) -> None:
    waiting = [order.order_id for order in sent_by_us(own) if not order.shipped_at]
    known = personal_data(own.company).of(waiting)
    assert len(known) == len(waiting) > 1
    gone, *left = waiting
    with own.company.warehouse.transaction() as connection:
        connection.execute(
            "update raw.amazon_orders set status = 'SHIPPED', shipped_at = $2, updated_at = $2 where order_id = $1",
            [gone, datetime.now(UTC).replace(tzinfo=None)],
        )
    assert no_floats(own.run("purge", "--json").stdout) == {"recipients": 0, "documents": 0}  # 30 days have not passed
    assert personal_data(own.company).of(waiting) == known
    said = own.run("purge", "--days", "0").stdout
    assert said.startswith("1 recipients and ")
    assert personal_data(own.company).of(waiting).keys() == set(left)
    assert no_floats(own.run("purge", "--days", "0", "--json").stdout)["recipients"] == 0
    assert no_floats(own.run("passport", gone, "--json").stdout)["legs"]


def test_purge_refuses_days_in_the_future(ordered: Town) -> None:
    assert "--days" in ordered.run("purge", "--days", "-1", code=2).stderr


# --- approve --------------------------------------------------------------------------------------------------------


def test_refunds_are_approved_together_and_nothing_else_is(own: Town) -> None:
    waiting = in_outbox(own, "credit_note")
    assert waiting.keys() == {"planned"}
    (line, *_) = own.run("approve", "refunds", "--by", APPROVER).stdout.splitlines()
    assert line.startswith(f"refunds: {waiting['planned']} documents, ")
    assert f"approved by {APPROVER}" in line
    assert in_outbox(own, "credit_note") == {"approved": waiting["planned"]}
    again = sentence_of(own.run("approve", "refunds", "--by", APPROVER, code=1))
    assert again == "Stopped. Nothing of refunds waits for approval."
    assert not [d for d in own.documents if d["kind"] == "sales_credit_notes"]  # approving sends nothing


def test_one_order_is_approved_by_its_number_and_no_other_with_it(own: Town) -> None:
    before = in_outbox(own, "credit_note")["planned"]
    with own.company.warehouse.read() as connection:
        rows = connection.execute(
            "select order_id, count(*), sum(amount) from outbox.messages where document = 'credit_note'"
            " group by order_id order by order_id limit 1"
        ).fetchall()
    ((order_id, documents, amount),) = rows
    refunds = [refund for order in uk_orders(own) if order.order_id == order_id for refund in order.refunds]
    assert (documents, amount) == (len(refunds), from_pence(sum(refund.amount_pence for refund in refunds)))
    (line, *_) = own.run("approve", order_id, "--by", APPROVER).stdout.splitlines()
    assert line.startswith(f"{order_id}: {documents} documents, {amount:,.2f} GBP, approved by {APPROVER}")
    assert in_outbox(own, "credit_note") == {"approved": documents, "planned": before - documents}


def test_an_order_that_waits_for_nothing_is_not_approved(ordered: Town) -> None:
    order_id = next(order.order_id for order in sent_by_us(ordered) if not order.refunds)
    assert sentence_of(ordered.run("approve", order_id, "--by", APPROVER, code=1)) == (
        f"Stopped. Nothing of {order_id} waits for approval."
    )


# --- doctor ---------------------------------------------------------------------------------------------------------


def warehouses(place: Town, code: int) -> list[dict[str, Any]]:
    findings = no_floats(place.run("doctor", "--json", code=code).stdout)
    return [finding for finding in findings if finding["area"] == "warehouses"]


def test_the_doctor_names_a_warehouse_that_sage_has_not(own: Town) -> None:
    assert {finding["level"] for finding in warehouses(own, 0)} == {"ok"}
    text = own.profile.read_text(encoding="utf-8")
    assert '"AMAZONFBA"' in text
    own.profile.write_text(text.replace('"AMAZONFBA"', '"ATTIC"'), encoding="utf-8")
    (problem,) = [finding["says"] for finding in warehouses(own, 1) if finding["level"] == "problem"]
    assert problem == "Sage has no warehouse 'ATTIC', which [sage.warehouses] names for AFN orders."


# --- verify ---------------------------------------------------------------------------------------------------------

# What must not be of an order that was sent.
TAMPERINGS = {
    "entered again": (
        "insert into finance.sage_orders select * from finance.sage_orders where customer_document_no = '{order_id}'"
    ),
    "gone": "delete from finance.sage_orders where customer_document_no = '{order_id}'",
    "another total": ("update finance.sage_orders set gross = gross + 0.01 where customer_document_no = '{order_id}'"),
}


@pytest.mark.parametrize("tampering", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_verify_notices_an_order_that_does_not_stand_once_in_sage(
    ordered: Town, tmp_path: Path, tampering: str
) -> None:
    company, order_id = ordered.company, sent_by_us(ordered)[0].order_id
    published = company.environment.published_path
    assert not [r for r in verification.verify(published, company.landing) if r.failures]
    copy = tmp_path / "tampered.duckdb"
    shutil.copyfile(published, copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(tampering.format(order_id=order_id))
    failed = {r.name: r.failures for r in verification.verify(copy, company.landing) if r.failures}
    assert failed.keys() == ABOUT_ORDERS
    ((sentence,),) = failed.values()
    assert order_id in sentence
