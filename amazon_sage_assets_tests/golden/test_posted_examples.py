"""The worked examples posted: settled, approved, sent to the sandbox Sage, and read from the ledger that Sage keeps."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from amazon_sage_assets.settings import PACKAGED_RULES
from amazon_sage_assets.settlements.derivation import attempt, derive
from amazon_sage_assets.settlements.flow import conclude, refresh
from amazon_sage_assets.settlements.queue import refresh_queue
from amazon_sage_assets_tests.golden.settled import (
    ZERO,
    Amounts,
    Books,
    Settled,
    land,
    last_day_of,
    profile_of,
    stated,
    without_nil,
)
from amazon_sage_assets_tests.golden.worked_examples import (
    CASES,
    MARCH,
    NEW_FEE_LABELS,
    NEW_FEE_MAPPED,
    RELEASED_TO_SUSPENSE,
    Case,
    File,
)
from amazon_sage_assets_tests.posting_world import PostingWorld, posting_world

WALLET, MAIN, CARD, RESERVE, SUSPENSE = "1250", "1200", "1210", "1255", "2250"
OUTPUT_VAT, INPUT_VAT = "2200", "2201"
OTHER_FEES = "5150"

# Sage books the VAT of every bank receipt as output VAT and that of every bank payment as input VAT. Of a refund's VAT
# and of a fee given back the journal says otherwise: there both accounts together are the journal's.
VAT_ON_THE_OTHER_SIDE = {
    ("E04", "sop"): {OUTPUT_VAT: "-0.73", INPUT_VAT: "0.15"},
    ("E04", "settlement"): {OUTPUT_VAT: "-0.73", INPUT_VAT: "4.15"},
}


@cache
def nominal_codes() -> dict[str, str]:
    lines = (PACKAGED_RULES / "accounts.csv").read_text(encoding="utf-8").splitlines()
    return dict(line.split(",")[:2] for line in lines[1:])


@contextmanager
def sage_of(folder: Path, settled: Settled, **profile: str) -> Iterator[PostingWorld]:
    """A Sage of its own for a settled company, whose state is copied and otherwise untouched."""
    number = int(settled.account.removeprefix("case"))
    country = CASES[number].established_in
    mine = [(place, case) for place, case in enumerate(CASES) if case.established_in == country]
    with posting_world(folder, established_in=country, bottom=profile_of(mine), **profile) as world:
        shutil.rmtree(world.seller.home)
        shutil.copytree(settled.books.seller.home, world.seller.home)
        yield world


def open_july_and_august_2024(world: PostingWorld) -> None:
    """Sage keeps twenty periods open at most: those, and the year of nearly all the examples."""
    for year in (2024, 2025):
        world.books.add_year(date(year, 1, 1))
        for month in range(1, 13):
            if (year, month) not in ((2024, 7), (2024, 8)):
                world.books.close_period(date(year, month, 1))
    for setting in ("previous_year", "future_year"):
        world.books.change_setting(setting, "Normal")


def posts(case: Case, file: File) -> bool:
    """Whether it has documents for Sage, in pounds."""
    return case.currency == "GBP" and file.status == "ready" and bool(file.documents or file.payout)


def ledger_of(world: PostingWorld) -> dict[str, Amounts]:
    """Sage's nominal ledger by settlement and nominal code, as its own interface shows it: debit less credit."""
    ledger: dict[str, Amounts] = defaultdict(lambda: defaultdict(lambda: ZERO))
    with world.client() as client:
        codes = {row["id"]: row["reference"] for row in client.read_all("/nominal_codes", select=("id", "reference"))}
        for row in client.read_all("/nominal_transaction_enquiry_views"):
            settlement_id = row["reference"].split("-")[0]
            ledger[settlement_id][codes[row["nominal_code_id"]]] += row["debit"] - row["credit"]
    return {settlement_id: without_nil(amounts) for settlement_id, amounts in ledger.items()}


def moved(entries: Amounts) -> Amounts:
    """Entries by period and account key, put together by nominal code."""
    amounts: Amounts = defaultdict(lambda: ZERO)
    for (_, key), amount in entries.items():
        amounts[nominal_codes()[key]] += amount
    return amounts


def expected_of(case: Case, file: File) -> Amounts:
    """What a settlement moves in Sage: its journal, and its payout from the wallet to the main bank."""
    amounts = moved(stated(file.entries))
    for code, amount in VAT_ON_THE_OTHER_SIDE.get((case.example, case.owner), {}).items():
        amounts[code] = Decimal(amount)
    if file.payout:
        amounts[WALLET] -= Decimal(file.payout)
        amounts[MAIN] += Decimal(file.payout)
    return without_nil(amounts)


@dataclass(frozen=True)
class Posted:
    """Every example of a country in one Sage, and what its ledger showed afterwards."""

    world: PostingWorld
    ledger: dict[str, Amounts]

    def of(self, relation: str, settlement_id: str) -> list[dict[str, Any]]:
        return self.world.seller.query(f"select * from {relation} where settlement_id = $1", [settlement_id])


@pytest.fixture(scope="module")
def posted_cases(
    settled_cases: dict[int, list[Settled]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Posted]]:
    """Every example in pounds approved and posted, by the company's country."""
    with ExitStack() as stack:
        posted = {}
        for country in sorted({case.established_in for case in CASES}):
            mine = {number: case for number, case in enumerate(CASES) if case.established_in == country}
            one = settled_cases[next(iter(mine))][0]
            world = stack.enter_context(sage_of(tmp_path_factory.mktemp(f"sage_{country}"), one))
            open_july_and_august_2024(world)
            ready = [
                settled.settlement_id
                for number, case in mine.items()
                for settled in settled_cases[number]
                if posts(case, settled.file)
            ]
            world.approve(*ready)
            report = world.post().report
            assert (report.rejected, report.held, report.stopped) == ([], [], "")
            conclude(world.company, datetime.now(UTC))
            posted[country] = Posted(world, ledger_of(world))
        yield posted


IN_POUNDS = [
    pytest.param(number, place, id=f"{case.example}: {case.title}" + (f", file {place + 1}" if place else ""))
    for number, case in enumerate(CASES)
    for place, file in enumerate(case.files)
    if posts(case, file)
]
each_posted = pytest.mark.parametrize(("number", "place"), IN_POUNDS)
Fixtures = dict[int, list[Settled]]


@each_posted
def test_sage_s_nominal_ledger_shows_the_journal_and_the_payout(
    settled_cases: Fixtures, posted_cases: dict[str, Posted], number: int, place: int
) -> None:
    case, settled = CASES[number], settled_cases[number][place]
    shown = posted_cases[case.established_in].ledger[settled.settlement_id]
    assert shown == expected_of(case, settled.file)
    journal = moved(stated(settled.file.entries))
    assert sum(shown.get(code, ZERO) for code in (OUTPUT_VAT, INPUT_VAT)) == journal[OUTPUT_VAT] + journal[INPUT_VAT]


@each_posted
def test_every_document_is_dated_at_its_month_end_or_the_settlements_end(
    settled_cases: Fixtures, posted_cases: dict[str, Posted], number: int, place: int
) -> None:
    """The payout is dated at its deposit; what closes the debt of the settlement before, at this one's start."""
    settled = settled_cases[number][place]
    dated = defaultdict(list)
    for document in posted_cases[CASES[number].established_in].world.books.documents():
        settlement_id, _, rest = document["reference"].partition("-")
        if settlement_id == settled.settlement_id:
            period, _, letter = rest.partition("-")
            dated[letter[0]].append((f"20{period[:2]}-{period[2:]}", date.fromisoformat(document["date"])))
    file = settled.file
    assert dated.pop("Y", []) == ([(f"{file.deposit:%Y-%m}", file.deposit)] if file.payout else [])
    assert {day for _, day in dated.pop("E", [])} <= {file.start}
    assert dated or not file.documents
    for period, day in (pair for pairs in dated.values() for pair in pairs):
        assert day == min(file.end, last_day_of(period))


@each_posted
def test_finance_reads_that_it_is_posted_and_that_sage_moved_the_wallet_by_the_header_total(
    settled_cases: Fixtures, posted_cases: dict[str, Posted], number: int, place: int
) -> None:
    settled, posted = settled_cases[number][place], posted_cases[CASES[number].established_in]
    [row] = posted.of("finance.payout_reconciliation", settled.settlement_id)
    total = Decimal(settled.file.total)
    assert (row["header_total"], row["wallet_movement"], row["posted_total"]) == (total, total, total)
    assert (row["bank_amount"] or ZERO, row["difference"]) == (Decimal(settled.file.payout or 0), ZERO)
    [standing] = posted.of("finance.settlements", settled.settlement_id)
    assert standing["status"] == "posted"


@each_posted
def test_finance_is_told_nothing_more_about_it(
    settled_cases: Fixtures, posted_cases: dict[str, Posted], number: int, place: int
) -> None:
    """But that a settlement which ended in debt has no payout, until the next one takes the debt over."""
    settled = settled_cases[number][place]
    found = posted_cases[CASES[number].established_in].of("finance.exceptions", settled.settlement_id)
    notices = {"NEGATIVE_PAYOUT"} if Decimal(settled.file.total) < 0 else set()
    assert {row["code"] for row in found} <= settled.file.raises | notices


def test_nothing_else_is_in_sage(settled_cases: Fixtures, posted_cases: dict[str, Posted]) -> None:
    """Nothing of what is held, and nothing that no settlement knows."""
    for country, posted in posted_cases.items():
        everything: Amounts = defaultdict(lambda: ZERO)
        for number, case in enumerate(CASES):
            for settled in settled_cases[number] if case.established_in == country else ():
                if posts(case, settled.file):
                    for code, amount in expected_of(case, settled.file).items():
                        everything[code] += amount
                else:
                    assert settled.settlement_id not in posted.ledger
        trial = {code: amount for (code, _, _), amount in posted.world.books.trial_balance().items()}
        assert without_nil(trial) == without_nil(everything)
        banks = posted.world.books.bank_balances()
        assert (banks["AMZGBP"], banks["MAIN"], banks["CARD"]) == tuple(
            everything[code] for code in (WALLET, MAIN, CARD)
        )


def test_posting_again_sends_nothing(posted_cases: dict[str, Posted]) -> None:
    for posted in posted_cases.values():
        before = posted.world.ledger()
        assert posted.world.post().report.sent == 0
        assert posted.world.ledger() == before


def test_the_checks_of_the_product_find_nothing_wrong_in_what_was_posted(posted_cases: dict[str, Posted]) -> None:
    assert [fault for posted in posted_cases.values() for fault in posted.world.seller.failed_checks()] == []


WITH_A_CLOSING = [
    pytest.param(number, id=f"{case.example}: {case.title}")
    for number, case in enumerate(CASES)
    if case.agrees_with is not None and all(posts(case, file) and not file.beyond for file in case.files)
]


@pytest.mark.parametrize("number", WITH_A_CLOSING)
def test_wallet_reserve_and_bank_end_as_agreed(
    settled_cases: Fixtures, posted_cases: dict[str, Posted], agreed: dict[str, dict[str, Any]], number: int
) -> None:
    """Examples that end before the payout are compared as they were before it."""
    case = CASES[number]
    example = agreed[case.example]
    shown: Amounts = defaultdict(lambda: ZERO)
    pays_out = any("ayout" in document["document"] for document in example["postings"])
    for settled in settled_cases[number]:
        for code, amount in posted_cases[case.established_in].ledger[settled.settlement_id].items():
            shown[code] += amount
        if not pays_out:
            shown[WALLET] += Decimal(settled.file.payout or 0)
            shown[MAIN] -= Decimal(settled.file.payout or 0)
    closing = {name[:4]: Decimal(amount) for name, amount in example["closing"].items()}
    for code in {WALLET, MAIN, RESERVE} & closing.keys():
        assert shown[code] == closing[code], code


# --- what one example is about ----------------------------------------------------------------------------------------


def of_example(settled_cases: Fixtures, example: str) -> list[Settled]:
    """The settlements of an example's first case."""
    return settled_cases[next(number for number, case in enumerate(CASES) if case.example == example)]


def approved(world: PostingWorld, *settlements: Settled) -> None:
    world.approve(*(settled.settlement_id for settled in settlements))


def documents(world: PostingWorld, **wanted: str) -> list[dict[str, Any]]:
    """Sage's documents that have these values."""
    return [d for d in world.books.documents() if wanted.items() <= d.items()]


def raised(world: PostingWorld, code: str, now: datetime) -> set[str]:
    """The settlements that finance is told about under a code, as of a moment."""
    with world.company.warehouse.transaction() as connection:
        connection.execute("update control.as_of set moment = $1", [now.replace(tzinfo=None)])
        rows = connection.execute(
            f"select split_part(settlement_key, '-', 2) from exceptions.{code.lower()}"
        ).fetchall()
    return {settlement_id for (settlement_id,) in rows}


def statuses(world: PostingWorld, *settlements: Settled) -> list[str]:
    """Where settlements stand, before anything is published."""
    rows = world.rows(
        "select s.settlement_id, u.status from core.core__settlement_status as u"
        " inner join core.core__settlements as s on u.settlement_key = s.settlement_key"
    )
    return [dict(rows)[settled.settlement_id] for settled in settlements]


def failed_checks(world: PostingWorld) -> list[str]:
    company = world.company
    company.warehouse.publish(company.environment.published_path)
    return world.seller.failed_checks()


def at_noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def bank_id(world: PostingWorld, code: str) -> int:
    with world.client() as client:
        [row] = client.read_all("/banks", f"code eq '{code}'")
    return int(row["id"])


def test_a_card_charge_is_posted_from_the_card_once(settled_cases: Fixtures, posted_cases: dict[str, Posted]) -> None:
    debt, charge = of_example(settled_cases, "E06a")
    world = posted_cases["GB"].world
    [document] = documents(world, bank="CARD")
    assert document["reference"].startswith(f"{charge.settlement_id}-")
    assert (document["kind"], document["value"], document["date"]) == ("bank_transfer", Decimal("130.00"), "2026-03-16")
    shown = [posted_cases["GB"].ledger[settled.settlement_id] for settled in (debt, charge)]
    assert {key: sum(one.get(key, ZERO) for one in shown) for key in (WALLET, CARD)} == {
        WALLET: ZERO,
        CARD: Decimal("-130.00"),
    }


@pytest.mark.parametrize(
    ("day", "ours"),
    [
        pytest.param("2026-03-17", 0, id="in the window it is the charge"),
        pytest.param("2026-04-17", 1, id="a month later it is another one"),
    ],
)
def test_a_card_charge_that_finance_entered_by_hand_is_not_posted_again(
    settled_cases: Fixtures, tmp_path: Path, day: str, ours: int
) -> None:
    debt, charge = of_example(settled_cases, "E06a")
    with sage_of(tmp_path, charge) as world:
        by_hand = {
            "bank_from_id": bank_id(world, "CARD"),
            "bank_to_id": bank_id(world, "AMZGBP"),
            "payment_value": Decimal("130.00"),
            "transaction_date": f"{day}T00:00:00Z",
            "reference": "AMEX MARCH",
        }
        world.books.enter_by_hand("bank_transfer", by_hand)
        approved(world, debt, charge)
        assert world.post().report.held == []
        assert len(documents(world, bank="CARD", user_name="api")) == ours
        assert world.books.bank_balances()["AMZGBP"] == 130 * ours
        assert statuses(world, debt, charge) == ["posted", "posted"]
        totals = world.rows(
            "select header_total = posted_total, difference from finance.payout_reconciliation"
            " where list_contains($1, settlement_id)",
            [[debt.settlement_id, charge.settlement_id]],
        )
        assert totals == [(True, ZERO), (True, ZERO)]


def march_is_closed(world: PostingWorld) -> None:
    for month in (1, 2, 3):
        world.books.close_period(date(2026, month, 1))


def dated(world: PostingWorld, settled: Settled) -> dict[str, list[str]]:
    """Days of a settlement's documents in Sage, by the month in their reference."""
    days = defaultdict(list)
    for document in world.books.documents():
        settlement_id, month, _ = document["reference"].split("-")
        assert settlement_id == settled.settlement_id
        days[month].append(document["date"])
    return dict(days)


def test_rows_of_a_closed_month_fall_on_the_first_open_day_and_keep_their_month_in_the_reference(
    settled_cases: Fixtures, tmp_path: Path
) -> None:
    [settled] = of_example(settled_cases, "E07b")
    with sage_of(tmp_path, settled, top='closed_period = "next_open"') as world:
        march_is_closed(world)
        approved(world, settled)
        assert world.post().report.held == []
        assert dated(world, settled) == {
            "2603": ["2026-04-01", "2026-04-01"],
            "2604": ["2026-04-07", "2026-04-07", "2026-04-09"],
        }
        shown = ledger_of(world)[settled.settlement_id]
        assert (shown.get(WALLET, ZERO), shown[MAIN], shown["5100"]) == (ZERO, Decimal("1200.00"), Decimal("250.00"))
        rows = world.rows(
            "select distinct document_date, posted_date from finance.postings where settlement_id = $1 and period = $2",
            [settled.settlement_id, MARCH],
        )
        assert rows == [(date(2026, 3, 31), date(2026, 4, 1))]


def test_held_at_a_closed_month_the_open_month_goes_on_and_the_rest_follows_when_it_is_opened(
    settled_cases: Fixtures, tmp_path: Path
) -> None:
    [settled] = of_example(settled_cases, "E07b")
    with sage_of(tmp_path, settled, top='closed_period = "hold"') as world:
        march_is_closed(world)
        approved(world, settled)
        assert len(world.post().report.held) == 2
        assert dated(world, settled) == {"2604": ["2026-04-07", "2026-04-07", "2026-04-09"]}
        assert raised(world, "PERIOD_CLOSED", datetime.now(UTC)) == {settled.settlement_id}
        assert statuses(world, settled) == ["posting"]

        world.books.open_period(date(2026, 3, 1))
        approved(world, settled)
        assert world.post().report.held == []
        assert dated(world, settled)["2603"] == ["2026-03-31", "2026-03-31"]
        assert world.books.bank_balances()["AMZGBP"] == ZERO
        assert raised(world, "PERIOD_CLOSED", datetime.now(UTC)) == set()
        assert statuses(world, settled) == ["posted"]


def test_a_payout_that_comes_back_fills_the_wallet_again_and_opens_the_first_match(
    settled_cases: Fixtures, tmp_path: Path
) -> None:
    paid, returned = of_example(settled_cases, "E22")
    with sage_of(tmp_path, paid) as world:
        approved(world, paid)
        world.post(now=lambda: at_noon(paid.file.deposit))
        balances = world.books.bank_balances()
        assert (balances["AMZGBP"], balances["MAIN"]) == (ZERO, Decimal("350.00"))

        approved(world, returned)
        two_days_later = at_noon(date(2026, 3, 18))
        world.post(now=lambda: two_days_later)
        balances = world.books.bank_balances()
        assert (balances["AMZGBP"], balances["MAIN"]) == (Decimal("350.00"), ZERO)
        row = world.rows(
            "select status, difference from finance.payout_reconciliation where settlement_id = $1",
            [paid.settlement_id],
        )
        assert row == [("payout_returned", ZERO)]

        # Long after, the money that came back is not late; what has become of it, the second payout, is.
        assert raised(world, "PAYOUT_LATE", at_noon(date(2026, 4, 30))) == {returned.settlement_id}
        world.post()
        balances = world.books.bank_balances()
        assert (balances["AMZGBP"], balances["MAIN"]) == (ZERO, Decimal("350.00"))


def test_a_payout_that_never_reached_the_bank_is_not_late_once_it_has_come_back(
    settled_cases: Fixtures, tmp_path: Path
) -> None:
    """Amazon had said that it failed, so finance let no payout be posted."""
    paid, returned = of_example(settled_cases, "E22")
    with sage_of(tmp_path, paid) as world:
        approved(world, paid)
        world.post(now=lambda: at_noon(paid.file.end))  # before its deposit
        approved(world, returned)
        assert world.books.bank_balances()["MAIN"] == ZERO
        assert raised(world, "PAYOUT_LATE", at_noon(date(2026, 4, 30))) == set()


def worked_out(world: PostingWorld) -> None:
    """What `settle` does, without the file for finance."""
    company = world.company
    for key in refresh(company):
        attempt(company, key, partial(derive, company=company, key=key))
    with company.warehouse.transaction() as connection:
        refresh_queue(connection, company.profile, datetime.now(UTC))


def with_rule(world: PostingWorld, account_key: str, treatment: str) -> None:
    """Finance's own settlement_rows.csv: the packaged one and the unseen row."""
    rules = world.folder / "rules"
    rules.mkdir(exist_ok=True)
    packaged = (PACKAGED_RULES / "settlement_rows.csv").read_text(encoding="utf-8").rstrip("\n")
    mapping = ",".join((*NEW_FEE_LABELS, "exact", "other_fee", account_key, treatment, "known", ""))
    (rules / "settlement_rows.csv").write_text(f"{packaged}\n{mapping}\n", encoding="utf-8")


def test_an_unseen_row_goes_to_suspense_gross_and_is_corrected_once_it_is_mapped(tmp_path: Path) -> None:
    number, case = next((n, c) for n, c in enumerate(CASES) if c.example == "E14a")
    with posting_world(tmp_path, bottom=profile_of([(number, case)])) as world:
        [settled] = land(Books(world.seller), number, case)
        with_rule(world, "suspense", "no_vat")
        worked_out(world)
        approved(world, settled)
        assert world.post().report.rejected == []
        released = RELEASED_TO_SUSPENSE.files[0]
        assert ledger_of(world)[settled.settlement_id] == expected_of(RELEASED_TO_SUSPENSE, released)
        assert world.books.trial_balance().get((INPUT_VAT, "", ""), ZERO) == ZERO
        before = world.books.documents()
        delivered = world.rows("select * from outbox.messages where status = 'delivered' order by message_key")

        with_rule(world, "fees_other", "fee_uk")
        worked_out(world)
        assert statuses(world, settled) == ["posting"]
        assert world.post().report.sent == 0  # nobody has approved the correction
        march_is_closed(world)  # finance has closed the month meanwhile
        approved(world, settled)
        report = world.post().report
        assert (report.rejected, report.held) == ([], [])

        shown = ledger_of(world)[settled.settlement_id]
        assert shown == expected_of(case, NEW_FEE_MAPPED)
        assert (shown[OTHER_FEES], shown[INPUT_VAT], shown.get(SUSPENSE, ZERO)) == (
            Decimal("3.00"),
            Decimal("0.60"),
            ZERO,
        )
        assert world.books.documents()[: len(before)] == before
        kept = world.rows(
            "select * from outbox.messages where list_contains($1, message_key) order by message_key",
            [[row[0] for row in delivered]],
        )
        assert kept == delivered
        corrections = world.books.documents()[len(before) :]
        assert Counter((d["kind"], d["value"], d["date"]) for d in corrections) == Counter(
            {
                ("bank_receipt", Decimal("3.60"), "2026-04-01"): 1,
                ("bank_payment", Decimal("3.60"), "2026-04-01"): 1,
            }
        )
        references = [d["reference"] for d in world.books.documents()]
        assert len(set(references)) == len(references)
        assert statuses(world, settled) == ["posted"]
        assert failed_checks(world) == []
