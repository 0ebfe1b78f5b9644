"""Which bank line a payout is: the real relations over small tables.

Settlements of one seller, worked out once; each test says in a transaction of its own what Sage and Amazon show.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.outside import CARD, MAIN_BANK, MAIN_BANK_EUR, Line, Outside, nothing_kept
from amazon_sage_assets_tests.reports import account_row, commission, principal

NOW = datetime(2026, 4, 20, 9, tzinfo=UTC)
DE = {"marketplace_name": "Amazon.de"}

# Settlement ids by what is peculiar about each. Deposit days: FRIDAY on the 20th, the others on Monday the 16th.
ALONE, FRIDAY = "24000000101", "24000000102"
TWIN, OTHER_TWIN = "24000000103", "24000000104"  # two payouts of one amount
CHARGED = "24000000105"  # paid from the card, nothing is left to pay out
UNCHARGED = "24000000106"  # a charge of the card that did not go through
EUROS = "24000000107"
MONDAY, THAT_FRIDAY = date(2026, 3, 16), date(2026, 3, 20)
POSTED = date(2026, 3, 5)  # the day of the rows, and so of the card charges


def write(seller: Seller, settlement_id: str, place: int, *rows: dict[str, str], **header: str) -> Path:
    begin = datetime(2026, 1, 1, 6) + timedelta(days=place)
    form = "%d.%m.%Y %H:%M:%S UTC"
    dates = {
        "settlement_start_date": begin.strftime(form),
        "settlement_end_date": (begin + timedelta(days=1)).strftime(form),
    }
    return seller.file(f"{settlement_id}.txt", rows, settlement_id=settlement_id, **dates, **header)


@pytest.fixture(scope="module")
def seller(tmp_path_factory: pytest.TempPathFactory) -> Seller:
    seller = Seller(tmp_path_factory.mktemp("seller"))
    seller.settle(
        write(seller, ALONE, 0, principal("500.00")),
        write(seller, FRIDAY, 1, principal("81.00"), deposit_date="20.03.2026 06:00:00 UTC"),
        write(seller, TWIN, 2, principal("230.00")),
        write(seller, OTHER_TWIN, 3, principal("230.00")),
        write(seller, CHARGED, 4, commission("-30.00"), account_row("Successful charge", "30.00")),
        write(seller, UNCHARGED, 5, principal("45.00"), account_row("Failed charge", "-45.00")),
        write(seller, EUROS, 0, principal("500.00", **DE), currency="EUR"),
    )
    return seller


@pytest.fixture
def world(seller: Seller) -> Iterator[Outside]:
    with nothing_kept(seller.company) as outside:
        yield outside


def payout_key(settlement_id: str) -> str:
    return f"uk/settlement/{settlement_id}/2026-03/payout"


def decided(world: Outside) -> dict[str, tuple[int, str]]:
    """Line and how it was found, by settlement id, of what is matched."""
    rows = world.rows("select * from core.core__bank_matches where bank_transaction_id is not null")
    found = {row["settlement_key"].split("-")[1]: (row["bank_transaction_id"], row["how"]) for row in rows}
    assert len(found) == len(rows)
    return found


def undecided(world: Outside) -> dict[str, int]:
    """Number of lines that fit, by settlement id, where nobody can tell which it is."""
    rows = world.rows("select * from core.core__bank_matches where is_ambiguous")
    return {row["settlement_key"].split("-")[1]: row["open_lines"] for row in rows}


# --- one line, one payout -------------------------------------------------------------------------------------------


def test_without_lines_nothing_is_matched_and_nothing_is_in_doubt(world: Outside) -> None:
    assert (decided(world), undecided(world)) == ({}, {})


def test_our_own_entry_is_the_payout_whatever_its_day(world: Outside) -> None:
    world.bank_shows(Line(1, "500.00", date(2026, 6, 1), reference=f"{ALONE}-2603-y1"))
    assert decided(world) == {ALONE: (1, "ours")}


def test_our_own_entry_in_the_wallet_is_not_the_one_in_the_bank(world: Outside) -> None:
    world.bank_shows(Line(1, "500.00", MONDAY, nominal="1250", kind="Payment", reference=f"{ALONE}-2603-Y1"))
    assert decided(world) == {}


def test_the_reference_of_a_document_that_was_never_sent_is_no_entry_of_ours(world: Outside) -> None:
    world.message(payout_key(ALONE), status="superseded")
    world.bank_shows(Line(1, "500.00", MONDAY, reference=f"{ALONE}-2603-Y1"))
    assert decided(world) == {ALONE: (1, "named")}


def test_the_only_line_of_that_amount_in_the_window_is_the_payout(world: Outside) -> None:
    world.bank_shows(Line(1, "500.00", MONDAY), Line(2, "499.99", MONDAY), Line(3, "500.01", MONDAY))
    assert decided(world) == {ALONE: (1, "only")}


@pytest.mark.parametrize(
    ("settlement_id", "amount", "day", "is_inside"),
    [
        (ALONE, "500.00", date(2026, 3, 14), False),
        (ALONE, "500.00", date(2026, 3, 15), True),
        (ALONE, "500.00", date(2026, 3, 23), True),  # Tuesday to Friday are four working days, Monday is the fifth
        (ALONE, "500.00", date(2026, 3, 24), False),
        (FRIDAY, "81.00", date(2026, 3, 18), False),
        (FRIDAY, "81.00", date(2026, 3, 19), True),
        (FRIDAY, "81.00", date(2026, 3, 22), True),  # a Sunday in between
        (FRIDAY, "81.00", date(2026, 3, 27), True),
        (FRIDAY, "81.00", date(2026, 3, 28), False),
        (FRIDAY, "81.00", date(2026, 3, 30), False),
    ],
)
def test_the_window_is_a_day_before_the_deposit_to_five_working_days_after(
    world: Outside, settlement_id: str, amount: str, day: date, is_inside: bool
) -> None:
    world.bank_shows(Line(1, amount, day))
    assert decided(world) == ({settlement_id: (1, "only")} if is_inside else {})


@pytest.mark.parametrize(("after", "last"), [(0, THAT_FRIDAY), (1, date(2026, 3, 23)), (2, date(2026, 3, 24))])
def test_the_profile_sets_the_window(world: Outside, after: int, last: date) -> None:
    world.connection.execute("update control.payout_rules set days_before = 0, working_days_after = $1", [after])
    ((first_day, last_day),) = world.connection.execute(
        "select first_day, last_day from core.core__bank_expectations where message_key = $1", [payout_key(FRIDAY)]
    ).fetchall()
    assert (first_day, last_day) == (THAT_FRIDAY, last)


def test_a_line_of_another_bank_or_currency_is_another_money(world: Outside) -> None:
    world.bank_shows(
        Line(1, "500.00", MONDAY, nominal=CARD),
        Line(2, "500.00", MONDAY, nominal=MAIN_BANK, currency="EUR"),
        Line(3, "500.00", MONDAY, nominal=MAIN_BANK_EUR, currency="EUR"),
    )
    assert decided(world) == {EUROS: (3, "only")}


def test_a_bank_whose_currency_sage_does_not_tell_is_taken_at_its_nominal_code(world: Outside) -> None:
    world.bank_shows(Line(1, "500.00", MONDAY, currency=""))
    assert decided(world) == {ALONE: (1, "only")}


# --- nobody guesses -------------------------------------------------------------------------------------------------


def test_between_two_lines_of_one_amount_nobody_chooses(world: Outside) -> None:
    world.bank_shows(Line(1, "500.00", MONDAY), Line(2, "500.00", date(2026, 3, 18)))
    assert (decided(world), undecided(world)) == ({}, {ALONE: 2})


def test_between_two_payouts_of_one_amount_nobody_chooses(world: Outside) -> None:
    world.bank_shows(Line(1, "230.00", MONDAY))
    assert (decided(world), undecided(world)) == ({}, {TWIN: 1, OTHER_TWIN: 1})


def test_two_payouts_and_two_lines_of_one_amount_are_left_to_a_person(world: Outside) -> None:
    world.bank_shows(Line(1, "230.00", MONDAY), Line(2, "230.00", MONDAY))
    assert (decided(world), undecided(world)) == ({}, {TWIN: 2, OTHER_TWIN: 2})


def test_our_own_entry_leaves_the_other_line_to_the_other_payout(world: Outside) -> None:
    world.bank_shows(Line(1, "230.00", MONDAY, reference=f"{TWIN}-2603-Y1"), Line(2, "230.00", MONDAY))
    assert decided(world) == {TWIN: (1, "ours"), OTHER_TWIN: (2, "only")}


# --- a line that says whose it is -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"reference": TWIN},
        {"second_reference": f"AMZN{TWIN}"},
        {"description": f"AMAZON PAYMENTS {TWIN}/GB"},
    ],
    ids=["reference", "second reference", "description"],
)
def test_a_line_that_names_the_settlement_wins_over_the_others(world: Outside, said: dict[str, str]) -> None:
    world.bank_shows(Line(1, "230.00", MONDAY), Line(2, "230.00", MONDAY, **said))
    assert decided(world) == {TWIN: (2, "named"), OTHER_TWIN: (1, "only")}


def test_a_line_that_names_amazons_trace_wins_over_the_others(world: Outside) -> None:
    world.amazon_says("uk", TWIN, "SUCCEEDED", trace_id="TRC-77A")
    world.bank_shows(Line(1, "230.00", MONDAY), Line(2, "230.00", MONDAY, description="AMZN TRC-77A"))
    assert decided(world) == {TWIN: (2, "named"), OTHER_TWIN: (1, "only")}


def test_a_payout_without_a_trace_is_named_by_no_line(world: Outside) -> None:
    world.amazon_says("uk", TWIN, "SUCCEEDED", trace_id="")
    world.bank_shows(Line(1, "230.00", MONDAY, reference=""))
    assert decided(world) == {}


def test_a_name_does_not_mend_another_amount_or_day(world: Outside) -> None:
    world.bank_shows(Line(1, "499.00", MONDAY, reference=ALONE), Line(2, "500.00", date(2026, 5, 4), reference=ALONE))
    assert (decided(world), undecided(world)) == ({}, {})


def test_two_lines_with_the_same_name_are_not_chosen_between(world: Outside) -> None:
    world.bank_shows(Line(1, "500.00", MONDAY, reference=ALONE), Line(2, "500.00", MONDAY, reference=ALONE))
    assert (decided(world), undecided(world)) == ({}, {ALONE: 2})


def test_a_line_that_names_two_payouts_is_neither(world: Outside) -> None:
    world.bank_shows(Line(1, "230.00", MONDAY, description=f"{TWIN} {OTHER_TWIN}"))
    assert (decided(world), undecided(world)) == ({}, {TWIN: 1, OTHER_TWIN: 1})


def test_a_longer_number_that_holds_the_settlements_is_another_number(world: Outside) -> None:
    world.bank_shows(Line(1, "230.00", MONDAY, reference=f"9{TWIN}"), Line(2, "230.00", MONDAY, reference=f"{TWIN}0"))
    assert decided(world) == {}


def test_the_bank_feeds_line_of_a_payout_we_posted_is_not_another_payout(world: Outside) -> None:
    """Somebody entered a payout that we had posted: it must not stand in for the other one of that amount."""
    world.bank_shows(
        Line(1, "230.00", MONDAY, reference=f"{TWIN}-2603-Y1"), Line(2, "230.00", MONDAY, description=f"AMZN {TWIN}")
    )
    assert decided(world) == {TWIN: (1, "ours")}


# --- a person's word ------------------------------------------------------------------------------------------------


def test_a_persons_choice_wins_over_everything_but_our_own_entry(world: Outside) -> None:
    world.bank_shows(Line(1, "230.00", MONDAY, reference=TWIN), Line(2, "230.00", date(2026, 5, 11)))
    world.somebody_chose(f"uk-{TWIN}", 2)
    assert decided(world) == {TWIN: (2, "chosen")}
    world.bank_shows(Line(3, "230.00", MONDAY, reference=f"{TWIN}-2603-Y1"))
    assert decided(world) == {TWIN: (3, "ours")}


def test_a_chosen_line_is_no_longer_there_for_others(world: Outside) -> None:
    world.bank_shows(Line(1, "230.00", MONDAY), Line(2, "230.00", MONDAY))
    world.somebody_chose(f"uk-{TWIN}", 1)
    assert decided(world) == {TWIN: (1, "chosen"), OTHER_TWIN: (2, "only")}


def test_a_choice_of_a_line_that_is_gone_counts_for_nothing(world: Outside) -> None:
    world.bank_shows(Line(1, "500.00", MONDAY))
    world.somebody_chose(f"uk-{ALONE}", 99)
    assert decided(world) == {ALONE: (1, "only")}


# --- the card -------------------------------------------------------------------------------------------------------


def test_a_card_charge_is_money_out_of_the_card_account(world: Outside) -> None:
    world.bank_shows(
        Line(1, "30.00", POSTED, nominal=CARD),
        Line(2, "-30.00", POSTED, nominal=CARD, kind="Payment"),
        Line(3, "-30.00", POSTED, kind="Payment"),
    )
    assert decided(world) == {CHARGED: (2, "only")}


def test_a_card_charge_that_failed_is_money_back_on_the_card_account(world: Outside) -> None:
    world.bank_shows(Line(1, "-45.00", POSTED, nominal=CARD, kind="Payment"), Line(2, "45.00", POSTED, nominal=CARD))
    assert decided(world) == {UNCHARGED: (2, "only")}


def test_a_choice_of_a_payouts_line_does_not_touch_the_card_charge(world: Outside) -> None:
    world.bank_shows(Line(1, "-30.00", POSTED, nominal=CARD, kind="Payment"))
    world.somebody_chose(f"uk-{CHARGED}", 1)
    assert decided(world) == {CHARGED: (1, "only")}


# --- how Sage signs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payment", ["30.00", "-30.00"], ids=["payments positive", "payments negative"])
def test_amounts_are_signed_from_the_banks_side_whichever_way_sage_shows_payments(world: Outside, payment: str) -> None:
    world.bank_shows(
        Line(1, "500.00", MONDAY),
        Line(2, payment, POSTED, nominal=CARD, kind="Bank Payment"),
        Line(3, payment, POSTED, nominal=CARD, kind="EnumPAYMENT", reference="X"),
    )
    rows = world.rows("select * from staging.stg_sage__bank_entries order by bank_transaction_id")
    assert [row["amount"] for row in rows] == [Decimal("500.00"), Decimal("-30.00"), Decimal("-30.00")]


# --- always one to one ----------------------------------------------------------------------------------------------

AMOUNTS = ("10.00", "20.00")
FIRST = date(2026, 3, 9)
IDS = tuple(f"2500000000{number}" for number in range(4))


@dataclass(frozen=True)
class Payout:
    amount: str
    currency: str
    day: date

    @property
    def nominal(self) -> str:
        return MAIN_BANK if self.currency == "GBP" else MAIN_BANK_EUR


days = st.integers(0, 16).map(lambda number: FIRST + timedelta(days=number))
currencies = st.sampled_from(("GBP", "GBP", "EUR"))
payouts = st.lists(st.builds(Payout, st.sampled_from(AMOUNTS), currencies, days), max_size=len(IDS))


def lines_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[Line]]:
    line = st.builds(
        lambda amount, currency, nominal, day, text: Line(
            0, amount, day, nominal=nominal, currency=currency, description=text
        ),
        st.sampled_from((*AMOUNTS, "10.01")),
        currencies,
        st.sampled_from((MAIN_BANK, MAIN_BANK, MAIN_BANK_EUR)),
        days,
        texts,
    )
    return st.lists(line, max_size=6).map(
        lambda lines: [Line(**{**line.__dict__, "id": number}) for number, line in enumerate(lines, start=1)]
    )


def fits(payout: Payout, line: Line) -> bool:
    """The rule of the contract, worked out day by day."""
    last, left = payout.day, 5
    while left:
        last += timedelta(days=1)
        left -= last.isoweekday() < 6
    return (
        (line.amount, line.currency, line.nominal) == (payout.amount, payout.currency, payout.nominal)
        and payout.day - timedelta(days=1) <= line.day <= last
    )  # fmt: skip


def matched(seller: Seller, known: list[Payout], lines: list[Line]) -> list[dict[str, Any]]:
    """The matches of these payouts, as if they were the planned ones of settlements IDS, in their order."""
    with nothing_kept(seller.company) as world:
        world.connection.execute("delete from core.planned_documents")
        for settlement_id, payout in zip(IDS, known, strict=False):
            key = f"{'uk' if payout.currency == 'GBP' else 'de'}-{settlement_id}"
            world.connection.execute(
                "insert into raw.settlement_documents by name select $1 as document_sha256, '' as file_name,"
                " '' as source, now() as landed_at, 1 as byte_count, $2 as settlement_key, $3 as settlement_id,"
                " $4 as currency, split_part($2, '-', 1) as account",
                [settlement_id, key, settlement_id, payout.currency],
            )
            body = {"bank_from": "1250", "bank_to": payout.nominal, "payment_value": payout.amount}
            world.connection.execute(
                "insert into core.planned_documents values"
                " ($1, $2, 'sage', 'bank_transfer', 'payout', '2026-03', $3, $2, $4, $5, $6, '')",
                [key, settlement_id, payout.day, Decimal(payout.amount), payout.currency, json.dumps(body)],
            )
        world.bank_shows(*lines)
        return world.rows("select * from core.core__bank_matches")


often = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@often
@given(known=payouts, lines=lines_of(st.just("Faster payment")))
def test_a_payout_is_matched_when_one_line_fits_it_and_that_line_fits_nothing_else(
    seller: Seller, known: list[Payout], lines: list[Line]
) -> None:
    expected = {}
    for number, payout in enumerate(known):
        fitting = [line for line in lines if fits(payout, line)]
        alone = len(fitting) == 1 and sum(fits(other, fitting[0]) for other in known) == 1
        expected[IDS[number]] = (fitting[0].id if alone else None, bool(fitting) and not alone)
    found = {
        row["message_key"]: (row["bank_transaction_id"], row["is_ambiguous"]) for row in matched(seller, known, lines)
    }
    assert found == expected


@often
@given(known=payouts, lines=lines_of(st.sampled_from(("", IDS[0], IDS[1], f"{IDS[0]} {IDS[1]}", "24000000101"))))
def test_with_names_too_every_line_is_used_at_most_once_and_always_rightly(
    seller: Seller, known: list[Payout], lines: list[Line]
) -> None:
    rows = matched(seller, known, lines)
    assert Counter(row["message_key"] for row in rows) == Counter(IDS[: len(known)])
    pairs = [(row["message_key"], row["bank_transaction_id"]) for row in rows if row["bank_transaction_id"]]
    assert not [line for line, times in Counter(line for _, line in pairs).items() if times > 1]
    by_id = {line.id: line for line in lines}
    for settlement_id, line_id in pairs:
        line = by_id[line_id]
        assert fits(known[IDS.index(settlement_id)], line)
        # A number in a line is a settlement's that we know, or says nothing.
        known_here = {"24000000101", *IDS[: len(known)]}
        named = set(line.description.split()) & known_here
        assert not named or settlement_id in named
    assert not [row for row in rows if row["is_ambiguous"] and row["bank_transaction_id"]]


# --- working days ---------------------------------------------------------------------------------------------------


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=st.dates(date(2020, 1, 1), date(2035, 12, 31)), count=st.integers(1, 30))
def test_working_days_are_counted_from_monday_to_friday(counting: Outside, day: date, count: int) -> None:
    expected, left = day, count
    while left:
        expected += timedelta(days=1)
        left -= expected.weekday() < 5
    ((found,),) = counting.connection.execute("select working_day_after($1, $2)", [day, count]).fetchall()
    assert found == expected


@pytest.fixture(scope="module")
def counting(seller: Seller) -> Iterator[Outside]:
    with nothing_kept(seller.company) as outside:
        yield outside
