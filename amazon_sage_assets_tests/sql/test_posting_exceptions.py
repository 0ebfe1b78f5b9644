"""What can go wrong on the way to Sage and to the bank, and that it goes by itself when it is mended.

Settlements of one seller are worked out once. Each case says in a transaction of its own what the outbox, Sage and
Amazon show, and then what they show once a person has seen to it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from amazon_sage_assets.settlements import flow
from amazon_sage_assets.sqlfiles import sql_folder
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.outside import CARD, Line, Outside, deliver_all, kept, nothing_kept
from amazon_sage_assets_tests.reports import account_row, commission, principal, row
from amazon_sage_assets_tests.sql import test_exceptions, test_order_exceptions, test_orders

NOW = datetime(2026, 4, 20, 9, tzinfo=UTC)
DE = {"marketplace_name": "Amazon.de"}
FEBRUARY = {
    "settlement_start_date": "15.02.2026 06:00:00 UTC",
    "settlement_end_date": "01.03.2026 06:00:00 UTC",
    "deposit_date": "03.03.2026 06:00:00 UTC",
}

PAID = "24000000201"  # 100.00 of sales, 12.00 of fees: 88.00 on Monday, 16 March
BOUNCED = "24000000202"  # 40.00 EUR that came back in the settlement after it
CHARGED = "24000000203"  # 30.00 from the card
UNKNOWN = "24000000204"  # held: 70.00 with a row that no rule knows
MONDAY = date(2026, 3, 16)
FEES, SALES, PAYOUT = (f"uk/settlement/{PAID}/2026-03/{name}" for name in ("fees", "sales", "payout"))
KEY = f"uk-{PAID}"


@pytest.fixture(scope="module")
def seller(tmp_path_factory: pytest.TempPathFactory) -> Seller:
    seller = Seller(tmp_path_factory.mktemp("seller"))
    reports: list[tuple[str, list[dict[str, str]], dict[str, str]]] = [
        (PAID, [principal("100.00"), commission("-12.00")], {}),
        (CHARGED, [commission("-30.00"), account_row("Successful charge", "30.00")], next_fortnight(1)),
        (UNKNOWN, [principal("75.00"), row("Order", "ItemFees", "NewFee", "-5.00")], next_fortnight(2)),
        (BOUNCED, [principal("40.00", **DE)], {"currency": "EUR"} | FEBRUARY),
        (
            "24000000205",
            [principal("1.00", **DE), account_row("Transfer of funds unsuccessful: closed", "40.00")],
            {"currency": "EUR", "settlement_start_date": FEBRUARY["settlement_end_date"]},
        ),
    ]
    seller.settle(*(seller.file(f"{number}.txt", rows, settlement_id=number, **h) for number, rows, h in reports))
    return seller


def next_fortnight(number: int) -> dict[str, str]:
    begin = datetime(2026, 3, 14, 6) + timedelta(days=14 * (number - 1))
    form = "%d.%m.%Y %H:%M:%S UTC"
    return {
        "settlement_start_date": begin.strftime(form),
        "settlement_end_date": (begin + timedelta(days=14)).strftime(form),
        "deposit_date": (begin + timedelta(days=16)).strftime(form),
    }


@pytest.fixture
def world(seller: Seller) -> Iterator[Outside]:
    with nothing_kept(seller.company) as outside:
        outside.it_is(NOW)
        yield outside


def raised(world: Outside, code: str) -> list[dict[str, Any]]:
    return world.rows(f"select * from exceptions.{code.lower()}")


Says = Callable[[Outside], None]


@dataclass(frozen=True)
class Case:
    """`broken` is what raises the exception, `mended` what makes it go."""

    code: str
    broken: Says
    mended: Says
    amount: str
    entity: tuple[str, str]
    says: tuple[str, ...]
    advises: str
    currency: str = "GBP"
    settlement_key: str | None = KEY
    severity: str = "high"
    due_days: int = 1


def delivered(world: Outside, *keys: str, at: datetime = NOW - timedelta(days=9)) -> None:
    for key in keys:
        world.message(
            key, status="delivered", remote_id="URN77", delivered_at=at.replace(tzinfo=None), last_error=None,
            hold_code=None,
        )  # fmt: skip


def fees_delivered(world: Outside) -> None:
    delivered(world, FEES)


def sent(world: Outside, key: str, ago: timedelta) -> None:
    world.message(key, status="sending", sent_at=(NOW - ago).replace(tzinfo=None), attempts=1)


def late(world: Outside) -> None:
    delivered(world, FEES, SALES)
    world.banks_were_read(NOW)
    world.it_is(datetime(2026, 3, 24, 0, 0, tzinfo=UTC))


def missing(world: Outside) -> None:
    delivered(world, FEES)
    world.banks_were_read(NOW)


def held(code: str, why: str) -> Says:
    return lambda world: world.message(FEES, status="held", hold_code=code, last_error=why)


def approved(world: Outside) -> None:
    world.message(FEES, status="approved", hold_code=None, last_error=None)


def a_file_waits(world: Outside) -> None:
    world.message(FEES, system="sage_import", kind="journal_file")
    sent(world, FEES, timedelta(days=1, minutes=1))


OUR_FEES = Line(1, "-12.00", MONDAY, nominal="1250", kind="Payment", reference=f"{PAID}-2603-F1")
OUR_PAYOUT = (
    Line(2, "-88.00", MONDAY, nominal="1250", kind="Payment", reference=f"{PAID}-2603-Y1"),
    Line(3, "88.00", MONDAY, reference=f"{PAID}-2603-Y1"),
)
AGAIN = tuple(Line(line.id + 10, **{k: v for k, v in line.__dict__.items() if k != "id"}) for line in OUR_PAYOUT)

CASES = (
    Case(
        "AMBIGUOUS_PAYOUT",
        lambda world: world.bank_shows(Line(1, "88.00", MONDAY), Line(2, "88.00", MONDAY)),
        lambda world: world.somebody_chose(KEY, 2),
        "88.00", ("settlement", PAYOUT), (PAID, "payout 88.00 GBP", "2 bank lines"), "amazon-sage match",
        due_days=2,
    ),
    Case(
        "AMBIGUOUS_PAYOUT",
        lambda world: world.bank_shows(
            *(Line(n, "-30.00", date(2026, 3, 28), nominal=CARD, kind="Payment") for n in (1, 2))
        ),
        lambda world: world.bank_shows_no_more(2),
        "30.00", ("settlement", f"uk/settlement/{CHARGED}/2026-03/card_charge"),
        (CHARGED, "card_charge 30.00 GBP", "2 bank lines"), "correct the lines in Sage",
        settlement_key=f"uk-{CHARGED}", due_days=2,
    ),
    Case(
        "BANK_WITHOUT_SETTLEMENT",
        lambda world: world.bank_shows(
            Line(7, "61.40", MONDAY, contra=("4000",), description="AMAZON PAYMENTS UK", reference="AMZ1")
        ),
        lambda world: world.bank_shows_no_more(7),
        "61.40", ("bank_line", "7"), ("BANK1200", "61.40 GBP", "16 Mar 2026", "AMZ1"), "land its report",
        settlement_key=None, due_days=5,
    ),
    Case(
        "DUPLICATE_IN_SAGE",
        lambda world: world.bank_shows(*OUR_PAYOUT, *AGAIN),
        lambda world: world.bank_shows_no_more(12, 13),
        "88.00", ("document", PAYOUT), (f"{PAID}-2603-Y1 (88.00 GBP)", "2 times", "BANK1200 and BANK1250"), "Reverse",
    ),
    Case(
        "JOURNAL_DIFFERS",
        held("JOURNAL_DIFFERS", "5100: 9.00 instead of 10.00"),
        approved,
        "12.00", ("document", FEES), (f"{PAID}-2603-F1 (12.00 GBP)", "5100: 9.00 instead of 10.00"), "approve",
    ),
    Case(
        "JOURNAL_CURRENCY",
        held("JOURNAL_CURRENCY", "this journal is in EUR."),
        approved,
        "12.00", ("document", FEES), (f"{PAID}-2603-F1 (12.00 GBP)", "in EUR"), 'posting_route = "cashbook"',
        due_days=5,
    ),
    Case(
        "JOURNAL_NOT_IMPORTED",
        a_file_waits,
        fees_delivered,
        "12.00", ("document", FEES), (f"{PAID}-2603-F1 (12.00 GBP", "19 Apr 2026"),
        f"outgoing/journals/{PAID}-2603-F1.csv",
        severity="medium", due_days=3,
    ),
    Case(
        "MISSING_IN_SAGE",
        missing,
        lambda world: world.bank_shows(OUR_FEES),
        "12.00", ("document", FEES), (f"{PAID}-2603-F1 (12.00 GBP)", "URN77"), "Nothing is sent again",
    ),
    Case(
        "PAYOUT_ELSEWHERE",
        lambda world: world.bank_shows(Line(4, "88.00", MONDAY, contra=("4000", "4001"))),
        lambda world: world.connection.execute(
            "update raw.sage_bank_transactions set contra_nominals = ['1250'] where id = 4"
        ),
        "88.00", ("settlement", PAYOUT), (PAID, "payout of 88.00 GBP", "against 4000, 4001", "wallet 1250"), "Move it",
        due_days=5,
    ),
    Case(
        "PAYOUT_FAILED",
        lambda world: world.amazon_says("uk", PAID, "FAILED"),
        lambda world: world.amazon_says("uk", PAID, "SUCCEEDED", payout_id="P2", hour=9),
        "88.00", ("settlement", KEY), (PAID, "88.00 GBP", "failed"), "bank details",
        severity="medium", due_days=3,
    ),
    Case(
        "PAYOUT_LATE",
        late,
        lambda world: world.bank_shows(OUR_PAYOUT[1]),
        "88.00", ("settlement", KEY), (PAID, "88.00 GBP", "16 Mar 2026"), "Disbursements",
    ),
    Case(
        "PERIOD_CLOSED",
        held("PERIOD_CLOSED", "Sage calls 14 Mar 2026 Closed."),
        approved,
        "12.00", ("document", FEES), (f"{PAID}-2603-F1 (12.00 GBP of settlement {PAID})", "14 Mar 2026 Closed"),
        'closed_period = "next_open"',
        due_days=5,
    ),
    Case(
        "POSTING_REJECTED",
        lambda world: world.message(FEES, status="rejected", last_error="Sage has no nominal code 5100."),
        approved,
        "12.00", ("document", FEES), (f"{PAID}-2603-F1 (12.00 GBP of settlement {PAID})", "no nominal code 5100"),
        "then approve it again and post",
    ),
    Case(
        "POSTING_UNPROVEN",
        lambda world: sent(world, FEES, timedelta(minutes=61)),
        fees_delivered,
        "12.00", ("document", FEES), (f"{PAID}-2603-F1 (12.00 GBP)", "20 Apr 2026 07:59 UTC"), "amazon-sage post",
    ),
    Case(
        "REFERENCE_TAKEN",
        held("REFERENCE_TAKEN", "It stands there with another amount."),
        approved,
        "12.00", ("document", FEES), (f"{PAID}-2603-F1 (12.00 GBP)", "another amount"), "Look at that reference",
    ),
)  # fmt: skip
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.entity[1]}")


@each_case
def test_an_exception_says_what_whose_how_much_by_when_and_what_to_do(world: Outside, case: Case) -> None:
    assert raised(world, case.code) == []
    case.broken(world)
    (found,) = raised(world, case.code)
    assert (found["code"], found["severity"], found["owner"]) == (case.code, case.severity, "finance")
    assert (found["amount_at_risk"], found["currency"]) == (Decimal(case.amount), case.currency)
    assert (found["entity_type"], found["entity_id"]) == case.entity
    assert (found["settlement_key"], found["due_days"]) == (case.settlement_key, case.due_days)
    assert [part for part in case.says if part not in found["message"]] == []
    assert case.advises in found["action"]


@each_case
def test_an_exception_goes_by_itself_when_its_cause_is_gone(world: Outside, case: Case) -> None:
    case.broken(world)
    case.mended(world)
    assert raised(world, case.code) == []


@each_case
def test_nothing_that_happens_on_the_way_to_sage_takes_back_that_a_settlement_is_proven(
    world: Outside, case: Case
) -> None:
    case.broken(world)
    ((is_proven,),) = world.connection.execute(
        "select is_proven from core.core__settlement_status where settlement_key = $1", [KEY]
    ).fetchall()
    assert is_proven


def test_every_exception_code_has_a_case() -> None:
    codes = {path.stem.upper() for path in (sql_folder() / "exceptions").glob("*.sql")}
    before_posting = {case.code for case in test_exceptions.CASES} | {"SETTLEMENT_CONFLICT"}
    of_orders = {name.upper() for name in test_orders.RAISED} | {case.code for case in test_order_exceptions.CASES}
    assert codes == before_posting | {case.code for case in CASES} | of_orders


# --- where each one begins ------------------------------------------------------------------------------------------


def test_a_payout_is_late_from_the_day_after_its_window(world: Outside) -> None:
    late(world)
    world.it_is(datetime(2026, 3, 23, 23, 59, tzinfo=UTC))
    assert raised(world, "PAYOUT_LATE") == []


def test_a_late_payout_names_what_amazon_says_of_it(world: Outside) -> None:
    late(world)
    world.amazon_says("uk", PAID, "IN_TRANSIT")
    (found,) = raised(world, "PAYOUT_LATE")
    assert "Amazon says IN_TRANSIT" in found["message"]


def test_a_payout_is_not_late_while_nobody_has_looked_into_the_banks(world: Outside) -> None:
    late(world)
    world.connection.execute("delete from control.watermarks")
    assert raised(world, "PAYOUT_LATE") == []


def test_a_payout_is_not_late_while_none_of_its_documents_is_in_sage(world: Outside) -> None:
    late(world)
    world.message(FEES, status="approved")
    world.message(SALES, status="approved")
    delivered(world, PAYOUT)
    assert raised(world, "PAYOUT_LATE") == []


def test_a_payout_that_several_lines_fit_is_asked_about_and_not_late(world: Outside) -> None:
    late(world)
    world.bank_shows(Line(1, "88.00", MONDAY), Line(2, "88.00", MONDAY))
    assert raised(world, "PAYOUT_LATE") == []


def test_a_payout_that_came_back_is_neither_late_nor_failed(world: Outside) -> None:
    sales = f"de/settlement/{BOUNCED}/2026-03/sales"
    delivered(world, sales)
    world.banks_were_read(NOW)
    world.amazon_says("de", BOUNCED, "FAILED")
    assert raised(world, "PAYOUT_LATE") == []
    assert raised(world, "PAYOUT_FAILED") == []
    # Without the settlement after it, the money has not come back.
    world.connection.execute("delete from core.planned_documents where document = 'payout_returned'")
    assert [e["settlement_key"] for e in raised(world, "PAYOUT_LATE")] == [f"de-{BOUNCED}"]
    assert [e["settlement_key"] for e in raised(world, "PAYOUT_FAILED")] == [f"de-{BOUNCED}"]


@pytest.mark.parametrize(
    ("line", "is_amazons"),
    [
        (Line(7, "61.40", MONDAY, reference="amazon eu"), True),
        (Line(7, "61.40", MONDAY, second_reference="AMAZON"), True),
        (Line(7, "61.40", MONDAY, contra=("1250",)), True),
        (Line(7, "61.40", MONDAY, contra=("4000",), description="eBay"), False),
        (Line(7, "-61.40", MONDAY, kind="Payment", description="AMAZON PRIME"), False),
        (Line(7, "61.40", MONDAY, nominal=CARD, description="AMAZON"), False),
        (Line(7, "61.40", date(2026, 3, 2), description="AMAZON"), True),
        (Line(7, "61.40", date(2026, 3, 1), description="AMAZON"), False),  # before the first settlement's window
    ],
    ids=["reference", "second reference", "wallet", "another shop", "money out", "card", "first day", "before"],
)
def test_a_credit_of_amazon_is_known_by_its_text_or_by_the_wallet(world: Outside, line: Line, is_amazons: bool) -> None:
    world.bank_shows(line)
    assert len(raised(world, "BANK_WITHOUT_SETTLEMENT")) == is_amazons


@pytest.mark.parametrize(
    "lines",
    [
        (Line(7, "88.00", MONDAY, description="AMAZON"),),
        (Line(7, "88.00", MONDAY, description="AMAZON"), Line(8, "88.00", MONDAY, description="AMAZON")),
        (Line(7, "70.00", date(2026, 4, 14), description="AMAZON"),),
    ],
    ids=["matched", "asked about", "settlement held"],
)
def test_a_credit_that_a_settlement_explains_is_not_asked_about_twice(world: Outside, lines: tuple[Line, ...]) -> None:
    world.bank_shows(*lines)
    assert raised(world, "BANK_WITHOUT_SETTLEMENT") == []


def test_a_credit_before_the_held_settlements_window_is_still_unexplained(world: Outside) -> None:
    world.bank_shows(Line(7, "70.00", date(2026, 4, 1), description="AMAZON"))
    assert len(raised(world, "BANK_WITHOUT_SETTLEMENT")) == 1


def test_a_document_that_stands_three_times_is_twice_too_much(world: Outside) -> None:
    world.bank_shows(OUR_FEES, *(Line(**{**OUR_FEES.__dict__, "id": number}) for number in (21, 22)))
    (found,) = raised(world, "DUPLICATE_IN_SAGE")
    assert found["amount_at_risk"] == Decimal("24.00")


def test_a_transfer_that_stands_once_in_each_of_its_banks_is_no_duplicate(world: Outside) -> None:
    world.bank_shows(*OUR_PAYOUT)
    assert raised(world, "DUPLICATE_IN_SAGE") == []


def test_what_was_delivered_after_the_banks_were_read_is_not_missing(world: Outside) -> None:
    delivered(world, FEES, at=NOW)
    world.banks_were_read(NOW)
    assert raised(world, "MISSING_IN_SAGE") == []


def test_a_journal_file_is_not_looked_for_among_bank_entries(world: Outside) -> None:
    missing(world)
    world.message(FEES, kind="journal_file")
    assert raised(world, "MISSING_IN_SAGE") == []


def test_a_payout_elsewhere_is_never_our_own_and_never_without_a_contra_account(world: Outside) -> None:
    world.bank_shows(Line(**{**OUR_PAYOUT[1].__dict__, "contra": ("4000",)}))
    assert raised(world, "PAYOUT_ELSEWHERE") == []
    world.bank_shows_no_more(3)
    world.bank_shows(Line(4, "88.00", MONDAY, contra=()))
    assert raised(world, "PAYOUT_ELSEWHERE") == []


@pytest.mark.parametrize("code", ["POSTING_UNPROVEN", "JOURNAL_NOT_IMPORTED"])
def test_what_was_sent_a_moment_ago_is_waited_for(world: Outside, code: str) -> None:
    a_file_waits(world)
    sent(world, FEES, timedelta(days=1) if code == "JOURNAL_NOT_IMPORTED" else timedelta(hours=1))
    assert raised(world, code) == []


def test_a_journal_file_that_waits_is_not_unproven(world: Outside) -> None:
    a_file_waits(world)
    assert raised(world, "POSTING_UNPROVEN") == []


@pytest.mark.parametrize(
    "code", ["PERIOD_CLOSED", "REFERENCE_TAKEN", "JOURNAL_DIFFERS", "JOURNAL_CURRENCY", "POSTING_REJECTED"]
)
def test_a_document_raises_what_holds_it_and_nothing_else(world: Outside, code: str) -> None:
    status = "rejected" if code == "POSTING_REJECTED" else "held"
    world.message(FEES, status=status, hold_code=None if status == "rejected" else code, last_error="because")
    codes = ("PERIOD_CLOSED", "REFERENCE_TAKEN", "JOURNAL_DIFFERS", "JOURNAL_CURRENCY", "POSTING_REJECTED")
    assert [other for other in codes if raised(world, other)] == [code]


# --- from the header total to the bank ------------------------------------------------------------------------------


def reconciled(world: Outside, settlement_id: str) -> dict[str, Any]:
    (found,) = world.rows("select * from finance.payout_reconciliation where settlement_id = $1", settlement_id)
    return found


def test_a_card_charge_that_was_entered_by_hand_is_part_of_what_sage_shows(world: Outside) -> None:
    """Fees of 30.00 took the wallet down, and somebody's own entry brought it back from the card."""
    charge, fees = (f"uk/settlement/{CHARGED}/2026-03/{name}" for name in ("card_charge", "fees"))
    delivered(world, fees)
    world.message(charge, status="superseded", remote_id="9")
    world.bank_shows(
        Line(8, "-30.00", date(2026, 3, 28), nominal="1250", kind="Payment", reference=f"{CHARGED}-2603-F1"),
        Line(9, "-30.00", date(2026, 3, 28), nominal=CARD, kind="Payment"),
    )
    found = reconciled(world, CHARGED)
    assert (found["header_total"], found["posted_total"], found["difference"]) == (Decimal("0.00"),) * 3
    # Entered against a cost account, it brought nothing into the wallet.
    world.connection.execute("update raw.sage_bank_transactions set contra_nominals = ['5100'] where id = 9")
    assert reconciled(world, CHARGED)["posted_total"] == Decimal("-30.00")
    assert reconciled(world, CHARGED)["difference"] == Decimal("30.00")


def test_what_stands_twice_in_sage_is_a_difference(world: Outside) -> None:
    delivered(world, FEES, SALES)
    world.bank_shows(
        OUR_FEES,
        Line(**{**OUR_FEES.__dict__, "id": 21}),
        Line(22, "100.00", date(2026, 3, 14), nominal="1250", reference=f"{PAID}-2603-S1"),
    )
    found = reconciled(world, PAID)
    assert (found["posted_total"], found["difference"]) == (Decimal("76.00"), Decimal("12.00"))


def test_a_payout_goes_from_expected_to_posted_to_reconciled(world: Outside) -> None:
    assert reconciled(world, PAID)["status"] == "payout_expected"
    world.bank_shows(*OUR_PAYOUT)
    assert reconciled(world, PAID)["status"] == "payout_posted"
    world.connection.execute("update raw.sage_bank_transactions set statement_date = date '2026-03-31'")
    found = reconciled(world, PAID)
    assert (found["status"], found["bank_reconciled_on"]) == ("payout_reconciled", date(2026, 3, 31))


def test_a_settlement_that_is_held_or_came_back_or_pays_nothing_says_so(world: Outside) -> None:
    found = {number: reconciled(world, number)["status"] for number in (UNKNOWN, BOUNCED, CHARGED)}
    assert found == {UNKNOWN: "held", BOUNCED: "payout_returned", CHARGED: "no_payout"}


# --- as finance reads it --------------------------------------------------------------------------------------------


def test_finance_sees_the_way_from_the_settlement_to_the_bank(tmp_path: Path) -> None:
    """A settlement is posted, its payout is late, comes, and is found at two places before a person decides."""
    seller = Seller(tmp_path)
    seller.settle(seller.file("a.txt", [principal("100.00"), commission("-12.00")], settlement_id=PAID))
    keys = deliver_all(seller.company, PAID, NOW, "payout")
    assert sorted(keys) == [FEES, SALES]
    with kept(seller.company) as world:
        world.bank_shows(
            OUR_FEES,
            Line(5, "100.00", date(2026, 3, 14), nominal="1250", reference=f"{PAID}-2603-S1", contra=("4000",)),
        )
        world.banks_were_read(NOW + timedelta(minutes=5))
    flow.conclude(seller.company, NOW + timedelta(minutes=6))
    (late_one,) = seller.exceptions().values()
    assert (late_one["code"], late_one["settlement_id"]) == ("PAYOUT_LATE", PAID)
    assert late_one["due_at"] - late_one["first_seen_at"] == timedelta(days=1)
    (before,) = seller.query("select * from finance.payout_reconciliation")
    assert (before["status"], before["posted_total"], before["difference"]) == (
        "payout_expected", Decimal("88.00"), Decimal("0.00"),
    )  # fmt: skip
    assert seller.statuses() == {PAID: "posted"}

    with kept(seller.company) as world:
        world.bank_shows(Line(6, "88.00", MONDAY), Line(7, "88.00", MONDAY))
    flow.conclude(seller.company, NOW + timedelta(days=1))
    assert list(seller.exceptions()) == ["AMBIGUOUS_PAYOUT"]
    (asked,) = seller.query("select * from finance.payout_reconciliation")
    assert (asked["status"], asked["bank_transaction_id"]) == ("payout_ambiguous", None)

    with kept(seller.company) as world:
        world.somebody_chose(KEY, 6)
        world.bank_shows_no_more(7)
    flow.conclude(seller.company, NOW + timedelta(days=2))
    assert seller.exceptions() == {}
    (after,) = seller.query("select * from finance.payout_reconciliation")
    assert (after["status"], after["bank_transaction_id"], after["bank_amount"], after["difference"]) == (
        "payout_matched", "6", Decimal("88.00"), Decimal("0.00"),
    )  # fmt: skip
    lines = {r["bank_transaction_id"]: r for r in seller.query("select * from finance.bank_lines")}
    assert (lines["6"]["settlement_id"], lines["6"]["matched_how"], lines["6"]["message_key"]) == (PAID, "chosen", None)
    assert (lines["1"]["message_key"], lines["1"]["amount"], lines["1"]["settlement_id"]) == (
        FEES, Decimal("-12.00"), None,
    )  # fmt: skip
    assert seller.failed_checks() == []
