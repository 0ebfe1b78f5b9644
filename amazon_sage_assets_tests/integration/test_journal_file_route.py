"""The second way into Sage, from end to end: the journal is written as a file, a person imports it, Sage proves it."""

import csv
import io
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from amazon_sage_assets.settlements.queue import refresh_queue, wanted_of
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.posting_world import PostingWorld, posting_world
from amazon_sage_assets_tests.reports import commission, principal

BY_FILE = 'posting_route = "journal_file"'
SETTLEMENT = "24000000701"
MARCH, APRIL = f"{SETTLEMENT}-2603-X1", f"{SETTLEMENT}-2604-X1"
ZERO = Decimal("0.00")


def settle(seller: Seller) -> None:
    """A sale of 120.00 with the VAT inside in March, its fee of 12.00 with the VAT inside in April."""
    report = seller.file(
        "settlement.txt",
        [
            principal("120.00", posted_date_time="27.03.2026 10:00:00 UTC"),
            commission("-12.00", posted_date_time="03.04.2026 10:00:00 UTC"),
        ],
        settlement_id=SETTLEMENT,
        settlement_start_date="24.03.2026 06:00:00 UTC",
        settlement_end_date="07.04.2026 06:00:00 UTC",
        deposit_date="09.04.2026 06:00:00 UTC",
    )
    seller.settle(report)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a company that has settled once and posts by journal file."""
    seller = Seller(tmp_path_factory.mktemp("settled"), top=BY_FILE)
    settle(seller)
    return seller.home


@pytest.fixture
def world(settled: Path, tmp_path: Path) -> Iterator[PostingWorld]:
    """The same company with a Sage of its own, and its settlement approved."""
    with posting_world(tmp_path, top=BY_FILE) as made:
        shutil.rmtree(made.seller.home)
        shutil.copytree(settled, made.seller.home)
        made.approve(SETTLEMENT)
        yield made


def path_of(world: PostingWorld, reference: str) -> Path:
    return world.seller.home / "outgoing" / "journals" / f"{reference}.csv"


def text_of(world: PostingWorld, reference: str) -> str:
    """The file as a person would open it."""
    return path_of(world, reference).read_bytes().decode()


def imported(world: PostingWorld, *references: str) -> None:
    for reference in references:
        world.books.import_journal(text_of(world, reference))


def standing(world: PostingWorld) -> str:
    [(status,)] = world.rows("select status from core.core__settlement_status")
    return str(status)


def journals(world: PostingWorld) -> dict[str, tuple[str, str | None]]:
    """Status and hold of each journal, by its reference."""
    rows = world.rows("select remote_reference, status, hold_code from outbox.messages where kind = 'journal_file'")
    return {reference: (status, hold) for reference, status, hold in rows}


def raised(world: PostingWorld, code: str, now: datetime) -> list[tuple[Any, ...]]:
    """Amount, message and action of what finance is told under a code, as of a moment."""
    with world.company.warehouse.transaction() as connection:
        connection.execute("update control.as_of set moment = $1", [now.replace(tzinfo=None)])
        return connection.execute(
            f"select amount_at_risk, message, action from exceptions.{code.lower()} order by all"
        ).fetchall()


def test_post_writes_the_double_entry_of_each_month_as_a_file(world: PostingWorld) -> None:
    assert sorted(world.post().journal_files) == [MARCH, APRIL]
    lines = {reference: list(csv.DictReader(io.StringIO(text_of(world, reference)))) for reference in (MARCH, APRIL)}
    assert [
        (line["date"], line["nominal_code"], line["debit"], line["credit"], line["vat_code"]) for line in lines[MARCH]
    ] == [
        ("2026-03-31", "1250", "120.00", "0.00", ""),
        ("2026-03-31", "2200", "0.00", "20.00", "1"),
        ("2026-03-31", "4000", "0.00", "100.00", "1"),
    ]
    assert [
        (line["date"], line["nominal_code"], line["debit"], line["credit"], line["vat_code"]) for line in lines[APRIL]
    ] == [
        ("2026-04-07", "1250", "0.00", "12.00", ""),
        ("2026-04-07", "2201", "2.00", "0.00", "1"),
        ("2026-04-07", "5100", "10.00", "0.00", "1"),
    ]
    assert {line["reference"] for line in lines[MARCH]} == {MARCH}
    assert {path.name for path in path_of(world, MARCH).parent.iterdir()} == {f"{MARCH}.csv", f"{APRIL}.csv"}


def test_only_the_payout_is_sent_as_a_receipt_of_the_main_bank_against_the_wallet(world: PostingWorld) -> None:
    world.post()
    assert world.watch.documents == 1
    [payout] = world.books.documents()
    assert (payout["kind"], payout["bank"], payout["value"], payout["date"]) == (
        "bank_receipt",
        "MAIN",
        Decimal("108.00"),
        "2026-04-09",
    )
    trial = {code: amount for (code, _, _), amount in world.books.trial_balance().items() if amount}
    assert trial == {"1200": Decimal("108.00"), "1250": Decimal("-108.00")}
    assert standing(world) == "posting"


def test_what_a_person_imported_is_proven_by_the_next_run_and_the_settlement_is_posted(world: PostingWorld) -> None:
    world.post()
    imported(world, MARCH, APRIL)
    again = world.post()
    assert (again.journal_files, again.report.sent) == ([], 0)
    assert journals(world) == {MARCH: ("delivered", None), APRIL: ("delivered", None)}
    assert standing(world) == "posted"
    trial = {code: amount for (code, _, _), amount in world.books.trial_balance().items() if amount}
    assert trial == {
        "1200": Decimal("108.00"),
        "2200": Decimal("-20.00"),
        "2201": Decimal("2.00"),
        "4000": Decimal("-100.00"),
        "5100": Decimal("10.00"),
    }
    company = world.company
    company.warehouse.publish(company.environment.published_path)
    [row] = world.seller.query("select * from finance.payout_reconciliation")
    total = Decimal("108.00")
    assert (row["header_total"], row["wallet_movement"], row["posted_total"]) == (total, total, total)
    assert (row["bank_amount"], row["difference"], row["status"]) == (total, ZERO, "payout_posted")
    assert world.seller.failed_checks() == []


def test_one_month_imported_is_half_of_it(world: PostingWorld) -> None:
    world.post()
    imported(world, MARCH)
    world.post()
    assert journals(world) == {MARCH: ("delivered", None), APRIL: ("sending", None)}
    assert standing(world) == "posting"


def test_a_changed_amount_holds_the_journal_until_sage_shows_what_the_file_said(world: PostingWorld) -> None:
    world.post()
    text = text_of(world, MARCH)
    world.books.import_journal(text.replace("120.00", "210.00").replace("100.00", "190.00"))
    imported(world, APRIL)
    world.post()
    assert journals(world) == {MARCH: ("held", "JOURNAL_DIFFERS"), APRIL: ("delivered", None)}
    [(amount, message, action)] = raised(world, "JOURNAL_DIFFERS", datetime.now(UTC))
    assert amount == Decimal("120.00")
    assert "1250: 210.00 instead of 120.00" in message
    assert "4000: -190.00 instead of -100.00" in message
    assert "approve" in action

    # The person takes the surplus out under the same reference, and lets it be looked at again.
    world.books.import_journal(
        "date,reference,nominal_code,cost_centre,department,debit,credit,vat_code,narrative\r\n"
        f"2026-03-31,{MARCH},1250,,,0.00,90.00,,Typed wrong\r\n"
        f"2026-03-31,{MARCH},4000,,,90.00,0.00,1,Typed wrong\r\n"
    )
    world.approve(SETTLEMENT)
    world.post()
    assert journals(world)[MARCH] == ("delivered", None)
    assert standing(world) == "posted"
    assert raised(world, "JOURNAL_DIFFERS", datetime.now(UTC)) == []


def test_a_file_that_was_imported_twice_differs(world: PostingWorld) -> None:
    world.post()
    imported(world, MARCH, MARCH)
    world.post()
    assert journals(world)[MARCH] == ("held", "JOURNAL_DIFFERS")
    [(_, message, _)] = raised(world, "JOURNAL_DIFFERS", datetime.now(UTC))
    assert "1250: 240.00 instead of 120.00" in message


def test_a_line_that_went_to_suspense_at_the_import_differs(world: PostingWorld) -> None:
    """Sage books a cost centre that the code does not have to suspense, without a word."""
    world.post()
    world.books.import_journal(text_of(world, APRIL).replace(",5100,,", ",5100,LON,"))
    world.post()
    assert journals(world)[APRIL] == ("held", "JOURNAL_DIFFERS")
    [(_, message, _)] = raised(world, "JOURNAL_DIFFERS", datetime.now(UTC))
    assert "2250: 10.00 instead of 0" in message


def test_what_nobody_imports_is_asked_for_after_a_day(world: PostingWorld) -> None:
    world.post()
    now = datetime.now(UTC)
    assert raised(world, "JOURNAL_NOT_IMPORTED", now + timedelta(hours=20)) == []
    found = raised(world, "JOURNAL_NOT_IMPORTED", now + timedelta(hours=30))
    assert [amount for amount, _, _ in found] == [Decimal("12.00"), Decimal("120.00")]
    assert f"outgoing/journals/{MARCH}.csv" in " ".join(action for *_, action in found)


def test_another_run_before_the_import_writes_a_lost_file_again_and_nothing_else(world: PostingWorld) -> None:
    world.post()
    before = text_of(world, MARCH)
    path_of(world, MARCH).unlink()
    assert world.post().journal_files == [MARCH]
    assert text_of(world, MARCH) == before
    assert world.post().journal_files == []
    assert world.watch.documents == 1


def test_nothing_is_written_before_its_day(settled: Path, tmp_path: Path) -> None:
    with posting_world(tmp_path, top=BY_FILE) as world:
        shutil.rmtree(world.seller.home)
        shutil.copytree(settled, world.seller.home)
        world.approve(SETTLEMENT)
        first_of_april = datetime(2026, 4, 1, 12, tzinfo=UTC)
        assert world.post(now=lambda: first_of_april).journal_files == [MARCH]
        assert world.books.documents() == []


def change_route(world: PostingWorld, route: str) -> None:
    """Another route in the profile, and the outbox brought in step with it."""
    text = world.seller.profile_path.read_text(encoding="utf-8")
    world.seller.profile_path.write_text(
        f'posting_route = "{route}"\n' + text.replace(BY_FILE, "").replace('posting_route = "cashbook"', ""),
        encoding="utf-8",
    )
    company = world.company
    assert company.profile.posting_route == route
    with company.warehouse.transaction() as connection:
        refresh_queue(connection, company.profile, datetime.now(UTC))


def wanted(world: PostingWorld) -> list[str]:
    """What the settlement still had to send if it were looked at now."""
    company = world.company
    with company.warehouse.read() as connection:
        queued = wanted_of(connection, company.profile, f"uk-{SETTLEMENT}", is_proven=True)
    assert queued is not None
    return [document.message_key for document in queued.documents]


def contents(world: PostingWorld) -> set[tuple[Any, ...]]:
    return set(
        world.rows("select remote_reference, kind, payload_hash from outbox.messages where status <> 'superseded'")
    )


@pytest.mark.parametrize("is_imported", [True, False], ids=["imported", "not imported yet"])
def test_a_settlement_that_went_by_file_does_not_go_again_when_the_profile_takes_the_other_route(
    world: PostingWorld, is_imported: bool
) -> None:
    world.post()
    if is_imported:
        imported(world, MARCH, APRIL)
        world.post()
    before = contents(world)
    change_route(world, "cashbook")
    assert contents(world) == before
    assert wanted(world) == []


def test_a_settlement_that_was_posted_does_not_go_again_as_a_file(settled: Path, tmp_path: Path) -> None:
    with posting_world(tmp_path, top=BY_FILE) as world:
        shutil.rmtree(world.seller.home)
        shutil.copytree(settled, world.seller.home)
        change_route(world, "cashbook")
        assert {kind for _, kind, _ in contents(world)} == {"bank_receipt", "bank_payment", "bank_transfer"}
        world.approve(SETTLEMENT)
        assert len(world.post().report.delivered) == 3
        assert [d["date"] for d in world.books.documents()] == [
            str(date(2026, m, d)) for m, d in ((3, 31), (4, 7), (4, 9))
        ]
        before = contents(world)
        change_route(world, "journal_file")
        assert contents(world) == before
        assert wanted(world) == []
        assert standing(world) == "posted"
