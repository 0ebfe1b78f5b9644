"""The protocol of delivery, against a small ledger whose answers are lost, late or refused, and a clock that jumps."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amazon_sage_assets.outbox.delivery import (
    TOGETHER,
    AlreadyThere,
    Found,
    Holding,
    Limits,
    NotSent,
    Refused,
    Report,
    Sent,
    Uncertain,
    Unreachable,
    deliver,
)
from amazon_sage_assets.outbox.messages import Message, Outcome, Status
from amazon_sage_assets.outbox.store import Outbox, put, supersede
from amazon_sage_assets.warehouse import Warehouse
from amazon_sage_assets_tests.posting_world import message_of, planned

START = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
GRACE = timedelta(minutes=5)
LIMITS = Limits(grace=GRACE)


class Killed(BaseException):
    """The worker's process is gone."""


class Clock:
    """The time, which moves when somebody sleeps or waits for an answer."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Fate:
    """What happens to one sending: how long it takes until it leaves, and what comes of it.

    `lost`: booked `after` seconds, no answer. `swallowed`: never booked, no answer. `killed` and `killed_early` are the
    same for a worker that dies on the way.
    """

    what: str = "answered"
    before: float = 0.0
    after: float = 0.0


class Ledger:
    """An honest remote system. `fates` are those of the next sendings.

    After `light` looks that succeed, the next `dark` ones fail.
    """

    def __init__(self, clock: Clock, *fates: Fate | str, light: int = 0, dark: int = 0) -> None:
        self.clock = clock
        self.fates = [fate if isinstance(fate, Fate) else Fate(fate) for fate in fates]
        self.light, self.dark = light, dark
        self.booked: list[tuple[str, Decimal]] = []
        self.coming: list[tuple[datetime, Message]] = []
        self.asked: list[str] = []
        self.looks = 0

    def send(self, message: Message) -> Sent:
        fate = self.fates.pop(0) if self.fates else Fate()
        self.clock.now += timedelta(seconds=fate.before)
        self.asked.append(message.message_key)
        match fate.what:
            case "refused":
                raise Refused("The nominal code 5100 does not exist.")
            case "held":
                raise Holding("PERIOD_CLOSED", "Sage calls 05 Mar 2026 Unacceptable.")
            case "by_hand":
                raise AlreadyThere("70401", "bank line 70401 is this fees")
            case "not_sent":
                raise NotSent("Sage cannot be reached.")
            case "swallowed":
                raise Uncertain("Sage's answer was lost.")
            case "killed_early":
                raise Killed
        self.coming.append((self.clock.now + timedelta(seconds=fate.after), message))
        if fate.what == "killed":
            raise Killed
        if fate.what == "lost":
            raise Uncertain("Sage's answer was lost.")
        return Sent(self.urn(message))

    def find(self, messages: Sequence[Message]) -> dict[str, Found]:
        self.looks += 1
        if self.dark and self.looks > self.light:
            self.dark -= 1
            raise Unreachable("Reading Sage failed.")
        there = self.references()
        return {
            m.message_key: Found(self.urn(m), dict(self.booked)[m.remote_reference] == m.amount)
            for m in messages
            if m.remote_reference in there
        }

    def references(self) -> Counter[str]:
        """How often each reference stands in the books now."""
        for one in [one for one in self.coming if one[0] <= self.clock.now]:
            self.coming.remove(one)
            self.booked.append((one[1].remote_reference, one[1].amount))
        return Counter(reference for reference, _ in self.booked)

    @staticmethod
    def urn(message: Message) -> str:
        return f"urn of {message.remote_reference}"


class Desk:
    """The outbox in a warehouse file, and a worker for it."""

    def __init__(self, warehouse: Any) -> None:
        self.warehouse = warehouse
        self.clock = Clock()

    def put(self, messages: Sequence[Message], *, approved: bool = True) -> None:
        with self.warehouse.transaction() as connection:
            put(connection, messages, START, "planning")
            if approved:
                self.approve(connection)

    @staticmethod
    def approve(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(
            "update outbox.messages set status = 'approved', approved_hash = payload_hash"
            " where status in ('planned', 'rejected', 'held')"
        )

    def again(self) -> None:
        """A person approves what was stopped."""
        with self.warehouse.transaction() as connection:
            self.approve(connection)

    def run(self, remote: Any, limits: Limits = LIMITS, skip: Sequence[str] = ()) -> Report:
        outbox = Outbox(self.warehouse, "sage", skip)
        return deliver(outbox, remote, limits, now=self.clock, sleep=self.clock.sleep)

    def outbox(self) -> Outbox:
        return Outbox(self.warehouse, "sage")

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.warehouse.read() as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def statuses(self) -> list[str]:
        return [status for (status,) in self.query("select status from outbox.messages order by message_key")]

    def events(self, key: str) -> list[str]:
        rows = self.query("select event from outbox.events where message_key = $1 order by rowid", key)
        return [event for (event,) in rows]


class OpenWarehouse:
    """A warehouse file that stays open: the same transactions, thousands of them in the time of a few."""

    def __init__(self, path: Path) -> None:
        self.file = duckdb.connect(str(path))

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        yield self.file

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        self.file.begin()
        try:
            yield self.file
            self.file.commit()
        except BaseException:
            self.file.rollback()
            raise

    def clear(self) -> None:
        for table in ("messages", "events"):
            self.file.execute(f"delete from outbox.{table}")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    warehouse = Warehouse(database=str(tmp_path_factory.mktemp("new") / "new.duckdb"))
    warehouse.migrate()
    return warehouse.path.read_bytes()


@pytest.fixture(scope="module")
def open_file(tmp_path_factory: pytest.TempPathFactory, migrated: bytes) -> Iterator[OpenWarehouse]:
    path = tmp_path_factory.mktemp("open") / "working.duckdb"
    path.write_bytes(migrated)
    warehouse = OpenWarehouse(path)
    yield warehouse
    warehouse.file.close()
    del warehouse.file


@pytest.fixture
def desk(open_file: OpenWarehouse) -> Desk:
    open_file.clear()
    return Desk(open_file)


@pytest.fixture
def closing_desk(tmp_path: Path, migrated: bytes) -> Desk:
    """A desk whose warehouse is opened for each transaction, as it is outside tests."""
    path = tmp_path / "working.duckdb"
    path.write_bytes(migrated)
    return Desk(Warehouse(database=str(path)))


def messages(count: int) -> list[Message]:
    return [message_of(document) for document in planned(count)]


# What is sent


def test_what_is_approved_is_sent_once_and_delivered(desk: Desk) -> None:
    some = messages(3)
    desk.put(some)
    ledger = Ledger(desk.clock)
    report = desk.run(ledger)
    assert ledger.references() == Counter(m.remote_reference for m in some)
    assert sorted(report.delivered) == sorted(m.message_key for m in some)
    assert (report.sent, report.unproven, report.stopped) == (3, [], "")
    assert desk.query("select distinct status, remote_id is not null, attempts, last_error from outbox.messages") == [
        ("delivered", True, 1, None)
    ]
    assert desk.events(some[0].message_key) == ["planned", "sending", "delivered"]


def test_a_second_run_sends_nothing(desk: Desk) -> None:
    desk.put(messages(2))
    desk.run(Ledger(desk.clock))
    again = Ledger(desk.clock)
    assert desk.run(again).sent == 0
    assert (again.asked, again.looks) == ([], 0)


def test_sending_is_committed_before_anything_leaves(closing_desk: Desk) -> None:
    desk = closing_desk
    desk.put(messages(1))

    class Looking(Ledger):
        def send(self, message: Message) -> Sent:
            assert desk.statuses() == ["sending"]  # as another process would see it
            return super().send(message)

    assert desk.run(Looking(desk.clock)).sent == 1


def test_only_what_is_approved_is_sent(desk: Desk) -> None:
    desk.put(messages(1), approved=False)
    ledger = Ledger(desk.clock)
    desk.run(ledger)
    assert ledger.asked == []
    assert desk.statuses() == ["planned"]


def test_what_changed_after_its_approval_is_not_sent(desk: Desk) -> None:
    [message] = messages(1)
    desk.put([message])
    desk.put([replace(message, payload="{}", payload_hash="other")], approved=False)
    ledger = Ledger(desk.clock)
    desk.run(ledger)
    assert ledger.asked == []
    assert desk.events(message.message_key)[-1] == "planned anew"


def test_a_payload_that_changes_under_an_approval_is_not_sent(desk: Desk) -> None:
    desk.put(messages(1))
    with desk.warehouse.transaction() as connection:
        connection.execute("update outbox.messages set payload = '{}', payload_hash = 'other'")
    ledger = Ledger(desk.clock)
    desk.run(ledger)
    assert ledger.asked == []


def test_what_changes_while_the_run_is_on_its_way_is_not_sent(desk: Desk) -> None:
    queue = messages(TOGETHER + 2)
    desk.put(queue)

    class Meddling(Ledger):
        def send(self, message: Message) -> Sent:
            if not self.asked:  # some are marked as on their way by now, the others are not
                with desk.warehouse.transaction() as connection:
                    waiting = connection.execute("select message_key from outbox.messages where status = 'approved'")
                    gone = [key for (key,) in waiting.fetchall()]
                    supersede(connection, gone, START, "no longer in the posting plan")
            return super().send(message)

    ledger = Meddling(desk.clock)
    desk.run(ledger)
    assert len(ledger.asked) == TOGETHER
    assert sorted(desk.statuses()) == ["delivered"] * TOGETHER + ["superseded"] * 2


def test_what_was_sent_is_never_replaced(desk: Desk) -> None:
    [message] = messages(1)
    desk.put([message])
    desk.run(Ledger(desk.clock))
    with pytest.raises(ValueError, match="what was sent is never replaced"):
        desk.put([replace(message, payload="{}", payload_hash="other")])


def test_the_most_urgent_goes_first_and_nothing_before_its_day(desk: Desk) -> None:
    a, b, c, d = messages(4)
    today = START - timedelta(days=1)
    desk.put(
        [
            replace(a, priority=9, due_at=today),
            replace(b, priority=5, due_at=today),
            replace(c, priority=5, due_at=today - timedelta(days=1)),
            replace(d, priority=1, due_at=START + timedelta(hours=1)),
        ]
    )
    ledger = Ledger(desk.clock)
    desk.run(ledger)
    assert ledger.asked == [m.message_key for m in (c, b, a)]
    desk.clock.sleep(3600)
    desk.run(ledger)
    assert ledger.asked[3:] == [d.message_key]


def test_what_must_wait_for_something_else_is_left_out(desk: Desk) -> None:
    first, second = messages(2)
    desk.put([first, second])
    ledger = Ledger(desk.clock)
    desk.run(ledger, skip=[first.message_key])
    assert ledger.asked == [second.message_key]
    assert desk.query("select status from outbox.messages where message_key = $1", first.message_key) == [("approved",)]


def test_two_workers_never_hold_one_message(closing_desk: Desk) -> None:
    desk = closing_desk
    [message] = messages(1)
    desk.put([message])
    one, other = desk.outbox(), desk.outbox()
    queues = one.approved(START), other.approved(START)
    assert [len(queue) for queue in queues] == [1, 1]
    assert one.step(START, (), [message.message_key]) == [
        replace(message, status=Status.SENDING, attempts=1, sent_at=START)
    ]
    assert other.step(START, (), [message.message_key]) == []
    assert desk.query("select attempts from outbox.messages") == [(1,)]


# What the remote side says


def test_a_refusal_keeps_the_remote_words_and_stops_nothing_else(desk: Desk) -> None:
    desk.put(messages(3))
    ledger = Ledger(desk.clock, "answered", "refused")
    report = desk.run(ledger)
    assert sorted(desk.statuses()) == ["delivered", "delivered", "rejected"]
    assert report.rejected == [ledger.asked[1]]
    assert desk.query("select last_error, delivered_at from outbox.messages where status = 'rejected'") == [
        ("The nominal code 5100 does not exist.", None)
    ]
    assert len(ledger.asked) == 3  # and is not tried again until a person approves it again


def test_a_refused_document_can_be_approved_again(desk: Desk) -> None:
    desk.put(messages(1))
    ledger = Ledger(desk.clock, "refused")
    desk.run(ledger)
    desk.again()
    desk.run(ledger)
    assert desk.statuses() == ["delivered"]
    assert set(ledger.references().values()) == {1}


def test_what_must_not_go_out_is_held_with_the_code_for_people(desk: Desk) -> None:
    desk.put(messages(2))
    report = desk.run(Ledger(desk.clock, "held"))
    assert sorted(desk.statuses()) == ["delivered", "held"]
    assert len(report.held) == 1
    assert report.sent == 1
    assert desk.query("select hold_code, last_error from outbox.messages where status = 'held'") == [
        ("PERIOD_CLOSED", "Sage calls 05 Mar 2026 Unacceptable.")
    ]


def test_what_somebody_entered_by_hand_is_superseded_with_their_id(desk: Desk) -> None:
    desk.put(messages(1))
    ledger = Ledger(desk.clock, "by_hand")
    report = desk.run(ledger)
    assert report.superseded
    assert ledger.references() == Counter()
    assert desk.query("select status, remote_id, last_error from outbox.messages") == [("superseded", "70401", None)]


def test_another_day_is_kept_with_the_delivery(desk: Desk) -> None:
    desk.put(messages(1))

    class Moving(Ledger):
        def send(self, message: Message) -> Sent:
            moved = START.date()
            return replace(super().send(message), note="posted on 01 Apr 2026", day=moved)

    desk.run(Moving(desk.clock))
    assert desk.query("select status, remote_date from outbox.messages") == [("delivered", START.date())]
    [(detail,)] = desk.query("select detail from outbox.events where event = 'delivered'")
    assert "posted on 01 Apr 2026" in detail


# Lost answers


def test_a_lost_answer_is_looked_up_and_not_sent_again(desk: Desk) -> None:
    desk.put(messages(1))
    ledger = Ledger(desk.clock, "lost")
    report = desk.run(ledger)
    assert len(ledger.asked) == 1
    assert (report.delivered, len(report.proven)) == ([], 1)
    assert desk.query("select status, remote_id from outbox.messages") == [
        ("delivered", f"urn of {messages(1)[0].remote_reference}")
    ]
    assert desk.clock.slept == []  # what is found needs no waiting


def test_what_never_arrived_is_sent_again_only_after_the_grace(desk: Desk) -> None:
    desk.put(messages(1))
    ledger = Ledger(desk.clock, "swallowed")
    desk.run(ledger)
    assert len(ledger.asked) == 2
    assert sum(desk.clock.slept) >= GRACE.total_seconds()
    assert desk.events(messages(1)[0].message_key) == [
        "planned", "sending", "answer lost", "absent", "sending", "delivered",
    ]  # fmt: skip


@pytest.mark.parametrize("after", [1, 60, 299])
def test_a_late_commit_within_the_grace_is_waited_for(desk: Desk, after: float) -> None:
    desk.put(messages(1))
    ledger = Ledger(desk.clock, Fate("lost", after=after))
    desk.run(ledger)
    assert len(ledger.asked) == 1
    assert set(ledger.references().values()) == {1}
    assert desk.statuses() == ["delivered"]


@pytest.mark.parametrize("before", [30, 600])
@pytest.mark.parametrize("what", ["lost", "killed"])
def test_the_grace_begins_when_the_document_left_and_not_when_it_was_claimed(
    desk: Desk, what: str, before: float
) -> None:
    """Between the two come questions to Sage and waits for a turn, and they can take minutes."""
    desk.put(messages(1))
    ledger = Ledger(desk.clock, Fate(what, before=before, after=290))
    for _ in range(2):
        with may_be_killed():
            desk.run(ledger)
    assert len(ledger.asked) == 1
    assert set(ledger.references().values()) == {1}


def test_a_commit_that_comes_after_the_grace_is_still_seen_before_the_next_sending(desk: Desk) -> None:
    desk.put(messages(1))
    ledger = Ledger(desk.clock, Fate("lost", after=302))
    desk.run(ledger, replace(LIMITS, attempts=2))
    assert len(ledger.asked) == 1
    assert desk.statuses() == ["delivered"]


def test_another_document_under_our_reference_is_held_and_nothing_is_sent_again(desk: Desk) -> None:
    [message] = messages(1)
    desk.put([message])
    ledger = Ledger(desk.clock, "swallowed")
    ledger.booked.append((message.remote_reference, message.amount + 1))
    report = desk.run(ledger)
    assert ledger.asked == []
    assert report.held == [message.message_key]
    [(status, code, why)] = desk.query("select status, hold_code, last_error from outbox.messages")
    assert (status, code) == ("held", "REFERENCE_TAKEN")
    assert str(message.amount) in why


def test_many_lost_answers_in_a_row_end_the_run(desk: Desk) -> None:
    desk.put(messages(6))
    ledger = Ledger(desk.clock, *["not_sent"] * 3)
    report = desk.run(ledger, replace(LIMITS, in_a_row=3))
    assert len(ledger.asked) == 3
    assert "3 documents in a row had no answer" in report.stopped
    assert desk.statuses() == ["approved"] * 6
    assert desk.run(ledger).stopped == ""
    assert desk.statuses() == ["delivered"] * 6


def test_what_could_not_be_sent_is_tried_again_with_longer_waits(desk: Desk) -> None:
    desk.put(messages(1))
    ledger = Ledger(desk.clock, *["not_sent"] * 10)
    report = desk.run(ledger, replace(LIMITS, attempts=4, longest_wait=5))
    assert desk.clock.slept == [2, 4, 5]
    assert len(ledger.asked) == 4
    assert (report.stopped, report.unproven) == ("", [])
    assert desk.statuses() == ["approved"]
    assert desk.query("select last_error from outbox.messages") == [("Sage cannot be reached.",)]


def test_nothing_is_decided_while_the_remote_side_cannot_be_looked_at(desk: Desk) -> None:
    desk.put(messages(2))
    ledger = Ledger(desk.clock, "lost", "swallowed", light=1, dark=1)
    report = desk.run(ledger)
    assert report.stopped == "Reading Sage failed."
    assert sorted(report.unproven) == sorted(ledger.asked)
    assert desk.statuses() == ["sending", "sending"]
    desk.run(ledger)
    assert desk.statuses() == ["delivered", "delivered"]
    assert set(ledger.references().values()) == {1}


def test_nothing_new_is_sent_before_what_a_dead_worker_left_is_settled(desk: Desk) -> None:
    desk.put(messages(2))
    ledger = Ledger(desk.clock, "killed")
    with may_be_killed():
        desk.run(ledger)
    ledger.dark = 1
    report = desk.run(ledger)
    assert report.stopped == "Reading Sage failed."
    assert len(ledger.asked) == 1


@pytest.mark.parametrize(("what", "sendings"), [("killed", 1), ("killed_early", 2)])
def test_a_dead_worker_s_message_is_settled_by_the_next(desk: Desk, what: str, sendings: int) -> None:
    desk.put(messages(1))
    ledger = Ledger(desk.clock, what)
    with may_be_killed():
        desk.run(ledger)
    assert desk.statuses() == ["sending"]
    desk.run(ledger)
    assert len(ledger.asked) == sendings
    assert desk.statuses() == ["delivered"]
    assert set(ledger.references().values()) == {1}


def test_a_worker_that_dies_while_keeping_an_outcome_loses_nothing(
    closing_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = closing_desk
    desk.put(messages(2))
    ledger = Ledger(desk.clock)
    step = Outbox.step

    def dying(self: Outbox, now: datetime, outcomes: Sequence[Outcome] = (), *more: Any, **named: Any) -> Any:
        if outcomes:
            raise Killed
        return step(self, now, outcomes, *more, **named)

    with monkeypatch.context() as patch, may_be_killed():
        patch.setattr(Outbox, "step", dying)
        desk.run(ledger)
    desk.run(ledger)
    assert desk.statuses() == ["delivered", "delivered"]
    assert set(ledger.references().values()) == {1}
    assert len(ledger.asked) == 2


def test_an_outcome_never_takes_a_delivery_back(desk: Desk) -> None:
    [message] = messages(1)
    desk.put([message])
    desk.run(Ledger(desk.clock))
    outcome = Outcome(message.message_key, Status.APPROVED, "absent", "not found")
    desk.outbox().step(START, [outcome])
    assert desk.statuses() == ["delivered"]


@contextmanager
def may_be_killed() -> Iterator[None]:
    """The worker may die in here."""
    with suppress(Killed):
        yield


# Whatever happens

SECONDS = st.sampled_from((0, 30, 3600))
LATE = st.sampled_from((0, 60, 299))
IN_DOUBT = st.builds(Fate, st.sampled_from(("lost", "killed", "swallowed", "killed_early")), SECONDS, LATE)
CERTAIN = st.builds(Fate, st.sampled_from(("answered", "not_sent", "refused", "held", "by_hand")))
FATES = st.lists(st.one_of(IN_DOUBT, IN_DOUBT, CERTAIN), min_size=1, max_size=8)


class Suspicious(Outbox):
    """An outbox that does not believe that something is delivered: it looks into the ledger itself."""

    def __init__(self, desk: Desk, ledger: Ledger) -> None:
        super().__init__(desk.warehouse, "sage")
        self._ledger = ledger

    def step(self, now: datetime, outcomes: Sequence[Outcome] = (), *more: Any, **named: Any) -> list[Message]:
        there = self._ledger.references()
        for outcome in outcomes:
            if outcome.status == Status.DELIVERED:
                assert (outcome.remote_id or "").removeprefix("urn of ") in there, outcome
        return super().step(now, outcomes, *more, **named)


class Stormy(Ledger):
    """A ledger that sometimes cannot be looked at."""

    def __init__(self, clock: Clock, fates: Sequence[Fate], looks: Sequence[bool]) -> None:
        super().__init__(clock, *fates)
        self._looks = list(looks)

    def find(self, messages: Sequence[Message]) -> dict[str, Found]:
        self.dark = int(not self._looks.pop(0)) if self._looks else 0
        return super().find(messages)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 3),
    fates=FATES,
    looks=st.lists(st.booleans(), max_size=8),
    pauses=st.lists(SECONDS, max_size=4),
    in_a_row=st.integers(1, 4),
)
@example(count=1, fates=[Fate("lost", 3600, 299)], looks=[], pauses=[], in_a_row=4)
@example(count=1, fates=[Fate("killed", 3600, 299)], looks=[False], pauses=[], in_a_row=4)
def test_whatever_happens_each_message_is_there_once_or_was_stopped(
    open_file: OpenWarehouse, count: int, fates: list[Fate], looks: list[bool], pauses: list[float], in_a_row: int
) -> None:
    open_file.clear()
    desk = Desk(open_file)
    some = messages(count)
    desk.put(some)
    ledger = Stormy(desk.clock, fates, looks)
    limits = replace(LIMITS, in_a_row=in_a_row, attempts=2)
    pauses = list(pauses)
    for _ in range(60):
        if not set(desk.statuses()) & {"approved", "sending"}:
            break
        with may_be_killed():
            deliver(Suspicious(desk, ledger), ledger, limits, now=desk.clock, sleep=desk.clock.sleep)
        desk.clock.sleep(pauses.pop() if pauses else 1)
    desk.clock.sleep(GRACE.total_seconds())  # nothing may come after
    there = ledger.references()
    for reference, status in desk.query("select remote_reference, status from outbox.messages"):
        assert status in ("delivered", "rejected", "held", "superseded")
        assert there[reference] == int(status == "delivered"), (reference, status)
    assert there.total() == desk.statuses().count("delivered")
