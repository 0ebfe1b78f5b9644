"""Orders on their way to Sage: what its reader sees afterwards, however Sage behaves and whatever people do in it."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from amazon_sage_assets.sandbox.faults import Fault
from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets.settlements.flow import load_profile, note_exceptions
from amazon_sage_assets.turn import utc_now
from amazon_sage_assets_tests.drills.launcher import JumpingClock
from amazon_sage_assets_tests.order_world import (
    BOOK,
    CUP,
    HALF,
    KETTLE,
    STOCK,
    Wave,
    bring,
    desk,
    facts,
    item,
    order,
    order_world,
    recipient,
    run_until_still,
    send_orders,
    settle_files,
    settlement_file,
    tell,
    totals,
)
from amazon_sage_assets_tests.posting_world import PostingWorld
from amazon_sage_assets_tests.reports import principal

DAY = date(2026, 3, 2)
ORDER, OTHER = "202-7000001-7000001", "202-7000002-7000002"
NEVER_ARRIVES = 10**6  # times that a fault may strike
# Each question about Sage's order processing that nobody can look up, answered in every way, several in one world.
BEHAVIOURS: dict[str, dict[str, Any]] = {
    "strict": {
        "post_status": 201, "urn_as_text": True, "allocation_credit_sign": "positive", "reference_case_sensitive": True,
        "invoice_second_reference": "order_number", "refuse_duplicate_customer_document_no": True,
        "refuse_duplicate_reference": True, "despatch_without_stock": "refuse",
    },
    "prices-with-vat": {
        "are_prices_tax_inclusive": True, "allocation_credit_sign": "negative", "invoice_second_reference": "blank",
        "credit_notes_negative": False, "has_sop_returns": False,
    },
    "accounts-of-its-own": {
        "amend_nominal_codes": False, "allocate_stock_on_order_entry": False, "update_stock_on_despatch": False,
        "invoice_second_reference": "customer_order", "credit_notes_negative": True, "over_length": "cut",
        "auto_generate_order_return_numbers": False,
    },
}  # fmt: skip

MakeWorld = Callable[..., PostingWorld]


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[MakeWorld]:
    """A world whose Sage behaves by `options`; `orders` are lines of [orders] in the profile."""
    with ExitStack() as stack:

        def make(options: dict[str, Any] | None = None, **profile: Any) -> PostingWorld:
            folder = tmp_path / f"world_{len(list(tmp_path.iterdir()))}"
            behaviour = Options(**{"latency_seconds": 0, **(options or {})})
            return stack.enter_context(order_world(folder, behaviour, **profile))

        yield make


def patient(world: PostingWorld) -> dict[str, Any]:
    """A clock that waits only for what the server still does."""
    clock = JumpingClock(world.address)
    return {"now": clock.now, "sleep": clock.sleep}


def amounts(world: PostingWorld) -> dict[str, Decimal]:
    return {one["customer_document_no"]: one["gross"] for one in world.books.sop_orders()}


def despatches(world: PostingWorld) -> Counter[str]:
    return Counter(one["customer_document_no"] for one in world.books.despatches())


def standing(world: PostingWorld) -> list[tuple[Any, ...]]:
    return world.rows("select document, status, coalesce(hold_code, '') from outbox.messages order by all")


def exceptions(world: PostingWorld) -> dict[str, tuple[str, Decimal]]:
    """Open exceptions: whose order, and how much is at risk."""
    with world.company.warehouse.transaction() as connection:
        note_exceptions(connection, utc_now())
    rows = world.rows("select code, order_id, amount_at_risk from exceptions.open_exceptions")
    return {code: (order_id, amount) for code, order_id, amount in rows}


def outstanding(world: PostingWorld) -> list[Decimal]:
    """What is open on the customer's account, entry by entry."""
    return [entry["outstanding"] for entry in world.books.sales_entries() if entry["outstanding"]]


def enter_by_hand(world: PostingWorld, order_id: str, price: str, *more: dict[str, Any]) -> int:
    """A person enters an order in Sage: a kettle at a price with VAT inside, and more lines."""
    with world.books.store.reading() as db:
        [[customer]] = db.execute("select id from customers where reference = 'AMZUK'").fetchall()
        [[product]] = db.execute("select id from products where code = ?", (KETTLE,)).fetchall()
        [[warehouse]] = db.execute("select id from warehouses where name = 'AMAZONFBA'").fetchall()
    kettle = {
        "line_type": "EnumLineTypeStandard",
        "product_id": product,
        "warehouse_id": warehouse,
        "line_quantity": 1,
        "selling_unit_price": Decimal(price) * 5 / 6,
    }
    body = {"customer_id": customer, "customer_document_no": order_id, "lines": [kettle, *more]}
    return world.books.enter_sop("order", body)


def sold_by_fba(order_id: str, price: str, quantity: int = 1) -> Any:
    """An order of its own that Amazon has sent."""
    return order(order_id, date(2026, 2, 20), item(1, KETTLE, price, quantity), fulfilment="AFN", shipped=DAY)


def pay(world: PostingWorld, *paid: tuple[str, str], settlement_id: str = "24000000900") -> None:
    """A settlement brings money for orders."""
    rows = [principal(amount, order_id=number, sku=KETTLE) for number, amount in paid]
    settle_files(world, settlement_file(world, settlement_id, DAY + timedelta(days=4), rows))


# However Sage behaves


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_every_behaviour_of_sage_ends_in_the_same_orders_stock_and_debts(make_world: MakeWorld, behaviour: str) -> None:
    """Also when the answer to the first document of each kind is lost, so that it must be found again."""
    world, wave = make_world(BEHAVIOURS[behaviour]), Wave(0)
    paths = ("/sop_orders", "/sop_confirm", "/sales_credit_notes", "/sales_receipts", "/sales_payments",
             "/sales_allocations", "/sales_invoices")  # fmt: skip
    world.strike(*(Fault("drop_after", method="POST", path=path, times=1) for path in paths))
    bring(world, [wave])
    run_until_still(world)
    sold = {o.order_id: sum((i.gross or Decimal(0) for i in o.items), Decimal("0.00")) for o in wave.orders}
    alone = {wave.id_of(place): sold[wave.id_of(place)] for place in (1, 2, 3, 4)}
    daily = {"UK-AFN-260302-US1": wave.price(5) + wave.price(6) + wave.price(7), "UK-AFN-260302-UZ1": Decimal("4.20")}
    assert amounts(world) == alone | daily
    assert despatches(world) == dict.fromkeys([*alone, *daily], 1)
    assert outstanding(world) == [HALF]
    assert world.books.trial_balance()[("1100", "", "")] == HALF
    assert world.books.stock() == {
        (KETTLE, "HOME"): STOCK - 3, (CUP, "HOME"): STOCK - 3, (BOOK, "HOME"): STOCK - 1,
        (KETTLE, "AMAZONFBA"): STOCK - 2, (CUP, "AMAZONFBA"): STOCK - 2, (BOOK, "AMAZONFBA"): STOCK - 1,
    }  # fmt: skip
    assert {status for _, status, _ in standing(world)} <= {"delivered", "superseded"}


@pytest.mark.parametrize("shape", ["Message", "message_list", "text", "html", "model_state"])
def test_what_sage_refuses_is_told_in_its_words_and_the_others_go_on(make_world: MakeWorld, shape: str) -> None:
    """The stock item was removed after the order was planned, so only Sage itself can say so."""
    world = make_world({"error_shape": shape}, orders='send = "approve"')
    tell(
        world,
        [
            order(ORDER, DAY, item(1, CUP, "9.60"), shipped=DAY),
            order(OTHER, DAY, item(1, KETTLE, "24.00"), shipped=DAY),
        ],
    )
    send_orders(world)
    with world.books.together() as db:
        db.execute("delete from warehouse_holdings where product_id = (select id from products where code = ?)", (CUP,))
        db.execute("delete from products where code = ?", (CUP,))
    world.approve("orders")
    report = send_orders(world).report
    assert (len(report.rejected), len(report.delivered)) == (1, 1)
    assert amounts(world) == {OTHER: Decimal("24.00")}
    [(words,)] = world.rows("select last_error from outbox.messages where status = 'rejected'")
    assert "product" in words or shape == "html"
    assert exceptions(world)["POSTING_REJECTED"] == (ORDER, Decimal("9.60"))


def test_a_sage_that_takes_its_own_prices_is_found_out_at_the_next_reading(make_world: MakeWorld) -> None:
    world = make_world({"price_permission": "ignored"})
    with world.books.store.reading() as db:
        [[tax_id]] = db.execute("select id from tax_codes where code = 1").fetchall()
    world.books.add_product("LISTED-01", "Listed", tax_code_id=tax_id, list_price=Decimal("15.00"))
    tell(world, [order(ORDER, DAY, item(1, "LISTED-01", "24.00"), shipped=DAY)])
    send_orders(world)
    assert amounts(world) == {ORDER: Decimal("18.00")}  # 15.00 and the VAT
    assert exceptions(world)["ORDER_TOTAL_DIFFERS"] == (ORDER, Decimal("6.00"))


def test_a_sage_that_refuses_prices_gets_no_order(make_world: MakeWorld) -> None:
    world = make_world({"price_permission": "refused"})
    tell(world, [order(ORDER, DAY, item(1, KETTLE, "24.00"), shipped=DAY)])
    send_orders(world)
    assert world.books.sop_orders() == []
    [(words,)] = world.rows("select last_error from outbox.messages where status = 'rejected'")
    assert "permission" in words


def test_a_sage_without_negative_lines_gets_the_penny_as_a_positive_one(make_world: MakeWorld) -> None:
    """20.07 at 20% is 16.73 and 3.35, a penny too much; or 16.72 and 3.34, a penny too little."""
    world = make_world({"negative_lines": "refuse"}, orders="negative_rounding = false")
    tell(world, [order(ORDER, DAY, item(1, KETTLE, "20.07"), shipped=DAY)])
    send_orders(world)
    assert amounts(world) == {ORDER: Decimal("20.07")}
    assert [one["vat"] for one in world.books.sop_orders()] == [Decimal("3.34")]


def test_a_sage_without_negative_lines_refuses_a_penny_less(make_world: MakeWorld) -> None:
    """Why the profile has a word for it."""
    world = make_world({"negative_lines": "refuse"})
    tell(world, [order(ORDER, DAY, item(1, KETTLE, "20.07"), shipped=DAY)])
    assert len(send_orders(world).report.rejected) == 1


def test_an_allocation_or_a_rounding_that_sage_refuses_does_not_keep_the_run_going(make_world: MakeWorld) -> None:
    world = make_world()
    tell(world, [sold_by_fba(ORDER, "24.00"), sold_by_fba(OTHER, "12.00")])
    pay(world, (ORDER, "24.00"), (OTHER, "11.99"))
    send_orders(world)
    desk(world)
    refusals = [
        Fault("status", method="POST", path=path, status=400) for path in ("/sales_allocations", "/sales_credit_notes")
    ]
    world.strike(*refusals)
    world.post()
    assert Counter(status for document, status, _ in standing(world) if document in ("allocation", "rounding")) == {
        "rejected": 2
    }
    assert world.watch.seen["POST /sales_allocations"] == 2  # once with each sign
    world.post()
    assert world.watch.seen["POST /sales_allocations"] == 2  # what was refused as it stands is not sent again
    assert world.watch.seen["POST /sales_credit_notes"] == 1


# Whatever people do


def test_an_order_that_was_entered_by_hand_is_found_and_not_sent_again(make_world: MakeWorld) -> None:
    world = make_world()
    number = enter_by_hand(world, ORDER, "24.00")
    tell(world, [sold_by_fba(ORDER, "24.00")])
    report = send_orders(world).report
    assert amounts(world) == {ORDER: Decimal("24.00")}
    assert world.rows("select status, remote_id from outbox.messages where document = 'order'") == [
        ("delivered", str(number))
    ]
    assert world.watch.seen["POST /sop_orders"] == 0
    assert f"uk/order/{ORDER}" in report.proven
    assert despatches(world) == {ORDER: 1}


def test_an_order_that_was_entered_by_hand_with_another_total_waits_for_a_person(make_world: MakeWorld) -> None:
    world = make_world()
    enter_by_hand(world, ORDER, "30.00")
    tell(world, [sold_by_fba(ORDER, "24.00")])
    send_orders(world)
    send_orders(world)
    assert amounts(world) == {ORDER: Decimal("30.00")}
    assert standing(world) == [("order", "held", "REFERENCE_TAKEN")]
    assert despatches(world) == {}


def test_the_goods_of_an_order_entered_by_hand_are_confirmed_beside_its_charges(make_world: MakeWorld) -> None:
    """A charge such as carriage is invoiced, and never despatched."""
    world = make_world()
    carriage = {"line_type": "EnumLineTypeCharge", "description": "Carriage", "selling_unit_price": Decimal("5.00")}
    with world.books.store.reading() as db:
        [[tax_id]] = db.execute("select id from tax_codes where code = 1").fetchall()
    enter_by_hand(world, ORDER, "18.00", {**carriage, "tax_code_id": tax_id})
    tell(world, [sold_by_fba(ORDER, "24.00")])
    send_orders(world)
    assert despatches(world) == {ORDER: 1}
    assert standing(world) == [("despatch", "delivered", ""), ("order", "delivered", "")]


def test_what_a_person_despatched_before_us_is_not_despatched_again(make_world: MakeWorld) -> None:
    world = make_world()
    world.strike(Fault("drop_before", method="POST", path="/sop_confirm_despatch", times=NEVER_ARRIVES))
    tell(world, [sold_by_fba(ORDER, "24.00"), sold_by_fba(OTHER, "72.00", 3)])
    send_orders(world, **patient(world))
    world.books.despatch(ORDER)
    world.books.despatch(OTHER, lines={KETTLE: Decimal(1)})
    world.strike()
    send_orders(world, **patient(world))
    assert despatches(world) == {ORDER: 1, OTHER: 2}  # the other two kettles went with ours
    assert world.books.stock()[KETTLE, "AMAZONFBA"] == STOCK - 4
    assert {status for document, status, _ in standing(world) if document == "despatch"} <= {"delivered", "superseded"}


def test_what_a_person_allocated_before_us_is_not_allocated_again(make_world: MakeWorld) -> None:
    world = make_world()
    tell(world, [sold_by_fba(ORDER, "24.00"), sold_by_fba(OTHER, "36.00")])
    pay(world, (ORDER, "24.00"), (OTHER, "36.00"))
    send_orders(world)
    world.post()
    desk(world)
    world.strike(Fault("drop_before", method="POST", path="/sales_allocations", times=NEVER_ARRIVES))
    world.post(**patient(world))
    allocate_by_hand(world, ORDER, Decimal("24.00"))
    world.strike()
    world.post(**patient(world))
    world.post(**patient(world))  # the first saw that the plan no longer fits the ledger, and made a new one
    assert outstanding(world) == []
    assert world.books.trial_balance()[("1100", "", "")] == 0


def test_allocations_that_build_on_each_other_all_arrive_after_requests_were_lost(make_world: MakeWorld) -> None:
    """A penny's rounding and the receipt go against one invoice; the second supposes that the first has been done."""
    world = make_world()
    tell(world, [sold_by_fba(ORDER, "24.00")])
    pay(world, (ORDER, "23.99"))
    send_orders(world)
    world.post()
    desk(world)
    world.strike(Fault("drop_before", method="POST", path="/sales_allocations", times=NEVER_ARRIVES))
    world.post(**patient(world))
    assert outstanding(world) != []
    world.strike()
    world.post(**patient(world))
    world.post(**patient(world))
    assert outstanding(world) == []
    assert {status for _, status, _ in standing(world)} <= {"delivered", "superseded"}


def allocate_by_hand(world: PostingWorld, order_id: str, value: Decimal) -> None:
    """A person sets a part of the receipt against an order's invoice."""
    entries = world.books.sales_entries()
    [invoice] = [e for e in entries if e["second_reference"] == order_id]
    [receipt] = [e for e in entries if e["value"] < 0]
    with world.books.store.reading() as db:
        [[customer]] = db.execute("select id from customers where reference = 'AMZUK'").fetchall()
    lines = [{"posted_tran_id": entry["id"], "value_to_allocate": value} for entry in (receipt, invoice)]
    world.books.allocate({"customer_id": customer, "allocation_lines": lines})


@pytest.mark.parametrize("late", [False, True], ids=["whole", "with-a-late-order"])
def test_a_lost_warehouse_sends_nothing_twice(make_world: MakeWorld, late: bool) -> None:
    """The working file is gone, orders and settlements are read again. A day's order may then hold more than it did."""
    world, wave = make_world(), Wave(0)
    bring(world, [wave])
    run_until_still(world)
    latecomer = order("202-8-8", wave.day, item(1, CUP, "6.00"), fulfilment="AFN", shipped=wave.day)
    if late:
        tell(world, [latecomer])
        run_until_still(world)
        assert amounts(world)["UK-AFN-260302-US2"] == Decimal("6.00")
    before, worth = facts(world), totals(world)
    world.company.environment.warehouse_path.unlink()
    load_profile(world.company)
    bring(world, [wave])
    tell(world, [latecomer] if late else [])
    run_until_still(world)
    assert facts(world) == before
    assert totals(world) == worth
    held = [one for one in standing(world) if one[1] == "held"]
    assert held == ([("daily_order", "held", "REFERENCE_TAKEN")] if late else [])


# Money that is not quite what the order said


def test_the_money_of_one_order_never_pays_for_another_one(make_world: MakeWorld) -> None:
    """The first is paid half a pound short; the second is invoiced a day later, out of the same receipt."""
    world = make_world()
    tell(world, [sold_by_fba(ORDER, "24.00"), sold_by_fba(OTHER, "36.00")])
    pay(world, (ORDER, "23.50"), (OTHER, "36.00"))
    send_orders(world)
    first = next(o["id"] for o in world.books.sop_orders() if o["customer_document_no"] == ORDER)
    world.books.invoice_orders(order_ids=[first])
    world.post()
    world.post()
    assert open_by_order(world) == {ORDER: HALF}
    desk(world)
    world.post()
    assert open_by_order(world) == {ORDER: HALF}


def open_by_order(world: PostingWorld) -> dict[str, Decimal]:
    """Invoices that are not paid whole."""
    entries = world.books.sales_entries()
    return {e["second_reference"]: e["outstanding"] for e in entries if e["outstanding"] > 0}


def test_pennies_between_order_and_money_become_roundings_and_half_a_pound_stays_open(make_world: MakeWorld) -> None:
    """accounting.md B6 and E23: each sold for 24.00; what misses within the tolerance is rounding, the rest is owed."""
    world = make_world()
    paid = {f"202-700000{n}-7000000": amount for n, amount in enumerate(("23.99", "24.01", "23.98", "23.50"))}
    tell(world, [sold_by_fba(number, "24.00") for number in paid])
    pay(world, *paid.items())
    run_until_still(world)
    short = next(number for number, amount in paid.items() if amount == "23.50")
    assert open_by_order(world) == {short: HALF}
    assert outstanding(world) == [HALF]
    balance = world.books.trial_balance()
    assert balance[("1100", "", "")] == HALF
    assert balance[("7910", "", "")] == Decimal("0.01") - Decimal("0.01") + Decimal("0.02")
    assert balance[("4000", "", "")] == 4 * Decimal("-20.00")
    assert balance[("2200", "", "")] == 4 * Decimal("-4.00")
    roundings = world.rows("select order_id, kind, amount from outbox.messages where document = 'rounding' order by 1")
    assert [(kind, amount) for _, kind, amount in roundings] == [
        ("sales_credit_note", Decimal("0.01")), ("sales_invoice", Decimal("0.01")),
        ("sales_credit_note", Decimal("0.02")),
    ]  # fmt: skip
    assert exceptions(world)["ORDER_AMOUNT_DIFF"] == (short, HALF)


# What Sage says back


class SaysItBack:
    """A Sage that refuses orders and quotes what it was sent: each field, or the whole body for those in `whole`."""

    def __init__(self, app: ASGIApp, status: int, *whole: str) -> None:
        self.app, self.status, self.whole = app, status, whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST" or not scope["path"].endswith("/sop_orders"):
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message.get("more_body", False)
        sent = json.loads(body)
        parts = [f"'{name}' cannot be '{text}'" for name, text in sent["delivery_address"].items()]
        parts += [line["description"] for line in sent["lines"] if line["line_type"].endswith("Comment")]
        words = body.decode() if sent["customer_document_no"] in self.whole else "; ".join(parts)
        answer = json.dumps({"Message": words}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


ODD = recipient(
    ORDER,
    name="Zoë   Ångström-Featherstonehaugh",
    company="Harbour  Masters & Daughters (Retired) Limited",
    lines=("The Old Corn Exchange, behind the second courtyard on the left", "c/o " + "Quartermaine " * 20),
    city="Blaenau  Ffestiniog",
)


@pytest.mark.parametrize("status", [400, 500], ids=["refused", "broken"])
def test_nothing_personal_is_kept_of_what_sage_says_back(make_world: MakeWorld, status: int) -> None:
    """A plain and an odd recipient, quoted field by field and in a whole body."""
    world = make_world()
    whom = {f"202-700000{n}-7000000": person for n, person in enumerate((recipient(ORDER), ODD, recipient(ORDER), ODD))}
    in_fields, in_body = list(whom)[:2], list(whom)[2:]
    world.watch.app = SaysItBack(world.watch.app, status, *in_body)
    tell(
        world,
        [order(number, DAY, item(1, KETTLE, "24.00")) for number in whom],
        [replace(person, order_id=number) for number, person in whom.items()],
    )
    send_orders(world, **patient(world))
    rows = world.rows(
        "select m.order_id, concat_ws(' ', m.last_error, e.detail) from outbox.messages as m inner join outbox.events"
        " as e on m.message_key = e.message_key"
    )
    for number, person in whom.items():
        kept = " ".join(words for order_id, words in rows if order_id == number).casefold()
        assert ("cannot be" if number in in_fields else "customer_document_no") in kept  # Sage's own words are there
        said = " ".join((person.name, person.company, *person.lines, person.city, person.postcode, person.phone))
        told = [word for word in said.casefold().replace(",", " ").split() if len(word) > 4 and word in kept]
        assert told == []
