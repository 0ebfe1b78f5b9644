"""Posting through the simulated Sage: what its reader sees afterwards, however that Sage behaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from amazon_sage_assets.accounting.posting_plan import PlannedDocument
from amazon_sage_assets.connections import NotConnected, sage_client
from amazon_sage_assets.sandbox.faults import Fault
from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets.settings import Secrets
from amazon_sage_assets.settlements.flow import conclude
from amazon_sage_assets.turn import AlreadyPosting
from amazon_sage_assets_tests.posting_world import PostingWorld, planned, posting_world, undisturbed
from amazon_sage_assets_tests.reports import commission, principal

MARCH = date(2026, 3, 1)
SETTLEMENT = "24000000001"
HOLD_THE_LOCK = """
import sys
from filelock import FileLock
lock = FileLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
sys.stdin.readline()
"""
# Each question about Sage that nobody can look up, answered in every way.
BEHAVIOURS: list[dict[str, Any]] = [
    {"post_status": 201},
    {"urn_as_text": True},
    {"transfer_answer": "urn"},
    {"transfer_answer": "empty"},
    {"payments_negative": True},
    {"reference_case_sensitive": True},
    {"refuse_duplicate_reference": True},
    {"over_length": "cut"},
    {"refuse_negative_lines": False},
    {"one_at_a_time": False},
    {"busy_answer": "504"},
    *({"error_shape": shape} for shape in ("message_list", "text", "html", "model_state")),
]


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., PostingWorld]]:
    """A world whose Sage behaves by `options`; the rest are places of the profile."""
    with ExitStack() as stack:

        def make(options: dict[str, Any] | None = None, **profile: Any) -> PostingWorld:
            folder = tmp_path / f"world_{len(list(tmp_path.iterdir()))}"
            behaviour = Options(**{"latency_seconds": 0, **(options or {})})
            return stack.enter_context(posting_world(folder, behaviour, **profile))

        yield make


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The ledger after eight documents that nothing disturbed."""
    return undisturbed(tmp_path_factory.mktemp("undisturbed"), planned(8))


def refusable() -> PlannedDocument:
    """A document that only Sage itself refuses: VAT under a code of the reverse charge."""
    document = planned(1, first=100)[0]
    payload = json.loads(document.payload)
    payload["nominal_analysis_items"][0]["tax_code"] = "16"
    return replace(document, payload=json.dumps(payload))


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda b: "-".join(map(str, *b.items())))
def test_every_behaviour_of_sage_ends_in_the_same_ledger(
    make_world: Callable[..., PostingWorld], expected: dict[str, Any], behaviour: dict[str, Any]
) -> None:
    world = make_world(behaviour)
    world.queue([*planned(8), refusable()])
    paths = ("/bank_payment", "/bank_receipt", "/bank_transfer", "/sales_receipts")
    world.strike(*(Fault("drop_after", method="POST", path=path, times=1) for path in paths))
    posted = world.post()
    assert world.ledger() == expected
    assert (len(posted.report.delivered), len(posted.report.proven)) == (4, 4)
    assert world.statuses() == {"delivered": 8, "rejected": 1}
    [(words,)] = world.rows("select last_error from outbox.messages where status = 'rejected'")
    assert "notional" in words or behaviour == {"error_shape": "html"}
    urns = {document["reference"]: str(document["urn"]) for document in world.books.documents()}
    assert dict(world.rows("select remote_reference, remote_id from outbox.messages where remote_id <> ''")) == urns


def test_a_late_commit_is_waited_for_in_real_time(
    make_world: Callable[..., PostingWorld], expected: dict[str, Any]
) -> None:
    world = make_world({"busy_answer": "504"}, answer_within=1.5, late_commit=0.5)
    world.queue(planned(8))
    world.strike(
        Fault("late", method="POST", path="/bank_payment", seconds=0.4, times=1),
        Fault("late_504", method="POST", path="/bank_receipt", seconds=0.2, times=1),
        Fault("drop_before", method="POST", path="/sales_receipts", times=1),
    )
    world.post()
    assert world.ledger() == expected
    assert world.statuses() == {"delivered": 8}
    assert world.watch.seen["POST /sales_receipts"] >= 3  # two documents, and the one that never arrived again


def test_an_empty_answer_that_is_none_of_sage_s_proves_nothing(make_world: Callable[..., PostingWorld]) -> None:
    """A gateway that says 200 and has asked nobody."""
    world = make_world()
    [message] = world.queue(planned(1))
    world.strike(Fault("status", method="POST", path="/bank_payment", status=200, body="empty", times=1))
    world.post(now=(clock := Clock()).now, sleep=clock.sleep)
    assert [document["reference"] for document in world.books.documents()] == [message.remote_reference]
    assert world.events(message.message_key)[1:] == ["sending", "answer lost", "absent", "sending", "delivered"]


def test_a_second_run_sends_nothing(make_world: Callable[..., PostingWorld]) -> None:
    world = make_world()
    world.queue(planned(4))
    assert world.post().report.sent == 4
    before = world.watch.documents
    assert world.post().report.sent == 0
    assert world.watch.documents == before


def test_only_one_run_posts_at_a_time(make_world: Callable[..., PostingWorld]) -> None:
    world = make_world()
    world.queue(planned(1))
    lock = world.company.environment.connections / "posting.lock"
    lock.parent.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(AlreadyPosting, match="Another run is posting"):
            world.post()
        assert world.watch.documents == 0
        os.kill(other.pid, signal.SIGKILL)  # its lock goes with it
        other.wait()
    assert world.post().report.sent == 1


def test_without_credentials_the_variables_are_named(make_world: Callable[..., PostingWorld]) -> None:
    world = make_world()
    with (
        pytest.raises(NotConnected, match="SAGE_CLIENT_ID, SAGE_CLIENT_SECRET"),
        sage_client(world.company, Secrets(sage_client_id="")),
    ):
        raise AssertionError("it must not get here")


class Clock:
    """A clock that jumps over waits."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(datetime.now(UTC).timestamp() + self._ahead, UTC)

    def sleep(self, seconds: float) -> None:
        self._ahead += seconds


# A settlement from its file to the bank

HEADER_TOTAL = Decimal("102.00")
DOCUMENTS = {"sales", "fees", "payout"}


@pytest.fixture(scope="module")
def settled_homes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[PostingWorld], None]:
    """Gives a world the home in which the settlement is worked out, once for each posting route."""
    kept: dict[str, Path] = {}

    def move_in(world: PostingWorld) -> None:
        route = world.company.profile.posting_route
        if route not in kept:
            world.seller.settle(world.seller.file("report.txt", [principal("120.00"), commission("-18.00")]))
            kept[route] = tmp_path_factory.mktemp(route) / "home"
            shutil.copytree(world.seller.home, kept[route])
        else:
            shutil.rmtree(world.seller.home)
            shutil.copytree(kept[route], world.seller.home)

    return move_in


@pytest.fixture
def settled(
    make_world: Callable[..., PostingWorld], settled_homes: Callable[[PostingWorld], None]
) -> Callable[..., PostingWorld]:
    """A world with one settlement of 102.00: sales of 120.00, fees of 18.00. Approved, unless the profile posts."""

    def make(options: dict[str, Any] | None = None, *, approved: bool = True, **profile: Any) -> PostingWorld:
        world = make_world(options, **profile)
        settled_homes(world)
        if approved:
            world.approve(SETTLEMENT)
        return world

    return make


def standing(world: PostingWorld) -> dict[str, str]:
    return dict(world.rows("select document, status from outbox.messages"))


def run(world: PostingWorld) -> dict[str, dict[str, Any]]:
    """Post, conclude, and say which exceptions are open, by the document that they are about."""
    world.post()
    conclude(world.company, datetime.now(UTC))
    rows = world.seller.query("select * from finance.exceptions where entity_type = 'document'")
    return {row["entity_id"].rsplit("/", maxsplit=1)[-1]: row for row in rows}


def test_the_money_in_sage_is_the_money_of_the_header(settled: Callable[..., PostingWorld]) -> None:
    world = settled()
    assert run(world) == {}
    assert standing(world) == dict.fromkeys(DOCUMENTS, "delivered")
    assert world.books.bank_balances()["AMZGBP"] == 0  # everything that came in was paid out
    assert world.books.bank_balances()["MAIN"] == HEADER_TOTAL
    trial = world.books.trial_balance()
    assert sum(trial.values()) == 0
    assert (trial["4000", "", ""], trial["2200", "", ""]) == (Decimal("-100.00"), Decimal("-20.00"))
    assert (trial["5100", "", ""], trial["2201", "", ""]) == (Decimal("15.00"), Decimal("3.00"))
    [row] = world.seller.query("select * from finance.payout_reconciliation")
    assert (row["header_total"], row["wallet_movement"], row["posted_total"], row["bank_amount"]) == (HEADER_TOTAL,) * 4
    assert (row["difference"], row["status"]) == (0, "payout_posted")
    assert world.seller.statuses() == {SETTLEMENT: "posted"}
    assert world.seller.failed_checks() == []
    assert world.post().report.sent == 0


def test_a_refused_document_raises_its_exception_and_the_rest_goes_on(settled: Callable[..., PostingWorld]) -> None:
    world = settled()
    with world.books.store.writing() as db:
        db.execute("update nominal_codes set reference = '5199' where reference = '5100'")
    exceptions = run(world)
    assert standing(world) == {"sales": "delivered", "payout": "delivered", "fees": "rejected"}
    assert exceptions.keys() == {"fees"}
    assert exceptions["fees"]["code"] == "POSTING_REJECTED"
    assert exceptions["fees"]["amount_at_risk"] == Decimal("18.00")
    assert "Sage has no nominal code 5100" in exceptions["fees"]["message"]
    assert world.post().report.rejected == []  # nobody has done anything about it, so it is not tried again
    world.books.add_nominal("5100", "Referral fees")
    world.approve(SETTLEMENT)
    assert run(world) == {}
    assert world.books.bank_balances()["AMZGBP"] == 0


def test_a_closed_period_holds_documents_until_somebody_opens_it(settled: Callable[..., PostingWorld]) -> None:
    world = settled()
    world.books.close_period(MARCH)
    exceptions = run(world)
    assert standing(world) == dict.fromkeys(DOCUMENTS, "held")
    assert {row["code"] for row in exceptions.values()} == {"PERIOD_CLOSED"}
    assert "Unacceptable" in exceptions["sales"]["message"]
    assert world.watch.documents == 0  # Sage was asked for its opinion, not sent a document
    world.books.open_period(MARCH)
    world.approve(SETTLEMENT)
    world.post()
    assert standing(world) == dict.fromkeys(DOCUMENTS, "delivered")


def test_a_closed_period_moves_documents_where_the_profile_says_so(settled: Callable[..., PostingWorld]) -> None:
    world = settled(top='closed_period = "next_open"')
    world.books.close_period(MARCH)
    world.post()
    assert {document["date"] for document in world.books.documents()} == {"2026-04-01"}
    assert world.rows("select distinct remote_date from outbox.messages") == [(date(2026, 4, 1),)]
    details = [d for (d,) in world.rows("select detail from outbox.events where event = 'delivered'")]
    assert all("posted on 01 Apr 2026, because Sage calls" in detail for detail in details)


def test_a_closed_period_without_a_later_open_one_holds(settled: Callable[..., PostingWorld]) -> None:
    world = settled(top='closed_period = "next_open"')
    for month in range(3, 13):
        world.books.close_period(date(2026, month, 1))
    world.post()
    assert {code for (code,) in world.rows("select hold_code from outbox.messages")} == {"PERIOD_CLOSED"}
    assert "no later period is open" in world.rows("select last_error from outbox.messages")[0][0]
    assert world.books.documents() == []


def by_hand(world: PostingWorld, amount: str = "102.00", source: str = "") -> int:
    """Somebody moves the payout from the wallet to the bank."""
    with world.books.store.reading() as db:
        banks = {row["code"]: row["id"] for row in db.execute("select * from banks")}
    body = {
        "transaction_date": "2026-03-17T00:00:00Z",
        "reference": "AMAZON PAYMENTS",
        "bank_from_id": banks["AMZGBP"],
        "bank_to_id": banks["MAIN"],
        "payment_value": Decimal(amount),
    }
    return world.books.enter_by_hand("bank_transfer", body, source=source)


def test_a_payout_that_somebody_entered_is_not_entered_again(settled: Callable[..., PostingWorld]) -> None:
    world = settled()
    urn = by_hand(world)
    run(world)
    assert standing(world) == {"sales": "delivered", "fees": "delivered", "payout": "superseded"}
    assert world.books.bank_balances()["MAIN"] == HEADER_TOTAL
    kinds = Counter(document["kind"] for document in world.books.documents())
    assert kinds == {"bank_transfer": 1, "bank_receipt": 1, "bank_payment": 1}
    [row] = world.seller.query("select * from finance.payout_reconciliation")
    assert (row["status"], row["bank_amount"], row["difference"]) == ("payout_matched", HEADER_TOTAL, 0)
    assert urn
    assert world.seller.failed_checks() == []


def test_two_bank_lines_that_could_be_the_payout_are_left_to_a_person(settled: Callable[..., PostingWorld]) -> None:
    world = settled()
    by_hand(world)
    by_hand(world)
    world.post()
    assert standing(world)["payout"] == "held"
    assert world.rows("select hold_code from outbox.messages where document = 'payout'") == [("AMBIGUOUS_PAYOUT",)]
    assert standing(world)["sales"] == "delivered"


def test_a_payout_waits_until_amazon_has_paid_it(settled: Callable[..., PostingWorld]) -> None:
    world = settled()
    with world.company.warehouse.transaction() as connection:
        connection.execute(
            "insert into raw.amazon_payouts values ('uk', 'P1', $1, 'IN_TRANSIT', 102.00, 'GBP', '', '', $2, $2)",
            [SETTLEMENT, datetime(2026, 3, 16)],
        )
    world.post()
    assert standing(world) == {"sales": "delivered", "fees": "delivered", "payout": "approved"}
    assert world.books.bank_balances()["AMZGBP"] == HEADER_TOTAL
    with world.company.warehouse.transaction() as connection:
        connection.execute("update raw.amazon_payouts set status = 'PAID'")
    world.post()
    assert standing(world)["payout"] == "delivered"
    assert world.books.bank_balances()["MAIN"] == HEADER_TOTAL


def test_a_journal_file_is_written_imported_by_a_person_and_found_in_sage(settled: Callable[..., PostingWorld]) -> None:
    world = settled(top='posting_route = "journal_file"')
    [reference] = world.post().journal_files
    [path] = world.company.environment.journals.iterdir()
    assert path.name == f"{reference}.csv"
    assert standing(world) == {"journal": "sending", "payout": "delivered"}
    written = path.read_bytes()
    path.unlink()
    assert world.post().journal_files == [reference]  # the same file again, for whoever lost it
    assert path.read_bytes() == written
    world.books.import_journal(written.decode())
    path.unlink()
    assert world.post().journal_files == []  # what is in Sage is not offered a second time
    assert standing(world) == {"journal": "delivered", "payout": "delivered"}
    conclude(world.company, datetime.now(UTC))
    assert world.books.trial_balance()["1250", "", ""] == 0
    assert world.books.bank_balances()["MAIN"] == HEADER_TOTAL
    [row] = world.seller.query("select * from finance.payout_reconciliation")
    assert (row["posted_total"], row["difference"]) == (HEADER_TOTAL, 0)
    assert world.seller.statuses() == {SETTLEMENT: "posted"}


def test_a_journal_that_was_imported_otherwise_is_held(settled: Callable[..., PostingWorld]) -> None:
    world = settled(top='posting_route = "journal_file"')
    world.post()
    [path] = world.company.environment.journals.iterdir()
    text = path.read_text().replace("15.00", "14.00").replace("3.00,0.00", "4.00,0.00")
    world.books.import_journal(text)
    exceptions = run(world)
    assert exceptions["journal"]["code"] == "JOURNAL_DIFFERS"
    assert "5100: 14.00 instead of 15.00" in exceptions["journal"]["message"]


@pytest.mark.parametrize(("posting", "sent"), [("approve", 0), ("auto", 3)])
def test_what_is_posted_by_itself_is_only_what_the_profile_allows(
    settled: Callable[..., PostingWorld], posting: str, sent: int
) -> None:
    world = settled(approved=False, top=f'posting = "{posting}"')
    assert world.post().report.sent == sent
    assert len(world.books.documents()) == sent
