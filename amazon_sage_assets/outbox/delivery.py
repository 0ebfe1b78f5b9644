"""Delivery: each message reaches the remote system exactly once, through crashes, time-outs and lost answers.

1. `sending` is committed before anything is sent, for a few messages at a time.
2. Every message is looked for on the remote side, by its reference, before it is sent; and what may have been sent
   counts as absent only when the late-commit grace is over. The grace begins when the message has certainly left: when
   its answer was lost or, where its worker died, when the next worker began. Between `sending` and the sending itself
   come questions and waits that can take minutes.
3. The message is sent, once.
4. The outcomes are committed, together with the `sending` of the next messages.

A lost answer leaves `sending`: only a look at the remote side turns that into `delivered`, or back into `approved`.
One worker delivers for a system at a time; whoever calls `deliver` holds that system's lock, so a message that is found
`sending` at the start was left by a worker that died.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from amazon_sage_assets.outbox.messages import Message, Outcome, Status
from amazon_sage_assets.outbox.store import Outbox

LOOK_AHEAD = 100  # messages that are looked for at a time, just before they are sent
TOGETHER = 10  # messages that are marked as `sending` in one transaction; opening the warehouse costs more than sending


class Refused(Exception):  # noqa: N818
    """The remote system, or our own check before it, says no: nothing was done. The message says why."""


class NotSent(Exception):  # noqa: N818
    """The remote system could not be reached: nothing was done, and it can be tried later."""


class Uncertain(Exception):  # noqa: N818
    """The answer is lost: the remote system may have done it, or do it in a moment."""


class Unreachable(Exception):  # noqa: N818
    """Looking at the remote side failed, so nothing can be decided now."""


class Holding(Exception):  # noqa: N818
    """The message must not go out as things stand. `code` is the exception it raises for people."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


class AlreadyThere(Exception):  # noqa: N818
    """Somebody entered the same thing by hand: a second one would be a duplicate. `remote_id` is theirs."""

    def __init__(self, remote_id: str, why: str) -> None:
        super().__init__(why)
        self.remote_id = remote_id


@dataclass(frozen=True)
class Sent:
    """The remote system has it. `note` says what is other than planned, such as another day."""

    remote_id: str
    note: str = ""
    day: date | None = None


@dataclass(frozen=True)
class Found:
    """What stands on the remote side under a message's reference."""

    remote_id: str
    same_content: bool = True
    count: int = 1


class Remote(Protocol):
    """What delivery needs of a remote system."""

    def send(self, message: Message) -> Sent:
        """Send once. Raises Refused, NotSent, Uncertain, Holding or AlreadyThere.

        The last two, and checks that refuse, come before anything is sent.
        """

    def find(self, messages: Sequence[Message]) -> dict[str, Found]:
        """What stands there, by message key. Raises Unreachable."""


@dataclass
class Report:
    """How a delivery went: message keys by what became of them."""

    delivered: list[str] = field(default_factory=list)
    proven: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    sent: int = 0
    stopped: str = ""

    @property
    def changed_remote(self) -> bool:
        """Whether something is there now, as far as is proven, that may ask for more documents."""
        return bool(self.delivered or self.proven)

    def add(self, later: "Report") -> None:
        """Take in how a later delivery of the same run went."""
        for name in ("delivered", "proven", "rejected", "held", "superseded"):
            getattr(self, name).extend(getattr(later, name))
        self.unproven = later.unproven
        self.sent += later.sent
        self.stopped = self.stopped or later.stopped


@dataclass(frozen=True)
class Limits:
    """`grace` is how long after sending a document may still appear. After `in_a_row` lost answers it is no use.

    `attempts` are the tries of one run; between them it waits longer each time, up to `longest_wait` seconds.
    """

    grace: timedelta
    attempts: int = 6
    in_a_row: int = 8
    longest_wait: float = 30.0


def deliver(
    outbox: Outbox,
    remote: Remote,
    limits: Limits,
    *,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Send everything that is approved and due, and prove it. Returns when nothing more can be done now."""
    report = Report()
    waits = _Waits(limits.grace, now())
    try:
        _resolve(outbox, remote, waits, report, now, sleep)
        for attempt in range(limits.attempts):
            queue = outbox.approved(now())
            if not queue or report.stopped:
                break
            if attempt:
                sleep(min(2.0**attempt, limits.longest_wait))
            _send_all(outbox, remote, limits, waits, report, queue, now, progress)
            _resolve(outbox, remote, waits, report, now, sleep)
    except Unreachable as error:
        report.stopped = str(error)
    report.unproven = [message.message_key for message in outbox.sending()]
    return report


@dataclass
class _Waits:
    """Until when each message may still appear. What this run did not send itself had left before it began."""

    grace: timedelta
    begun: datetime
    lost: dict[str, datetime] = field(default_factory=dict)

    def end(self, message: Message) -> datetime:
        return self.lost.get(message.message_key, self.begun) + self.grace


def _send_all(
    outbox: Outbox,
    remote: Remote,
    limits: Limits,
    waits: _Waits,
    report: Report,
    queue: Sequence[Message],
    now: Callable[[], datetime],
    progress: Callable[[str], None],
) -> None:
    pending: list[Outcome] = []
    lost = 0
    for start in range(0, len(queue), LOOK_AHEAD):
        outbox.step(now(), pending)  # a look that fails must not lose what was just done
        ahead = queue[start : start + LOOK_AHEAD]
        pending = _found_already(remote, ahead, report)
        settled = {outcome.message_key for outcome in pending}
        left = [message.message_key for message in ahead if message.message_key not in settled]
        for first in range(0, len(left), TOGETHER):
            claimed = outbox.step(now(), pending, left[first : first + TOGETHER])
            pending = []
            for message in claimed:
                if lost >= limits.in_a_row:
                    pending.append(Outcome(message.message_key, Status.APPROVED, "not sent", "the run stopped before"))
                    continue
                progress(f"{start + first + 1} of {len(queue)}: {message.remote_reference}")
                outcome = _send(remote, message, report)
                lost = 0 if outcome.status == Status.DELIVERED else lost
                if outcome.event in ("answer lost", "not sent"):
                    lost += 1
                    waits.lost[outcome.message_key] = now()
                    report.stopped = _stopped(lost, limits, outcome)
                pending.append(outcome)
        if report.stopped:
            break
    outbox.step(now(), pending)


def _stopped(lost: int, limits: Limits, outcome: Outcome) -> str:
    return f"{lost} documents in a row had no answer. {outcome.detail}" if lost >= limits.in_a_row else ""


def _send(remote: Remote, message: Message, report: Report) -> Outcome:
    key = message.message_key
    try:
        sent = remote.send(message)
    except Refused as error:
        report.rejected.append(key)
        return Outcome(key, Status.REJECTED, "rejected", str(error))
    except Holding as error:
        report.held.append(key)
        return Outcome(key, Status.HELD, "held", str(error), hold_code=error.code)
    except AlreadyThere as error:
        report.superseded.append(key)
        return Outcome(key, Status.SUPERSEDED, "entered by hand", str(error), error.remote_id)
    except NotSent as error:
        return Outcome(key, Status.APPROVED, "not sent", str(error))
    except Uncertain as error:
        report.sent += 1
        return Outcome(key, Status.SENDING, "answer lost", str(error))
    report.sent += 1
    report.delivered.append(key)
    said = ", ".join(filter(None, (f"remote id {sent.remote_id}", sent.note)))
    return Outcome(key, Status.DELIVERED, "delivered", said, sent.remote_id, remote_date=sent.day)


def _resolve(
    outbox: Outbox,
    remote: Remote,
    waits: _Waits,
    report: Report,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> None:
    """Look for everything in `sending`. What is not there when the grace is over may be sent again."""
    while doubtful := outbox.sending():
        looked_at = now()
        found = remote.find(doubtful)
        outcomes = [
            _as_found(message, found[message.message_key]) for message in doubtful if message.message_key in found
        ]
        for outcome in outcomes:
            (report.proven if outcome.status == Status.DELIVERED else report.held).append(outcome.message_key)
        absent = [message for message in doubtful if message.message_key not in found]
        over = [message for message in absent if waits.end(message) <= looked_at]
        outcomes += [
            Outcome(m.message_key, Status.APPROVED, "absent", f"not found under {m.remote_reference} after the grace")
            for m in over
        ]
        if outcomes:
            outbox.step(now(), outcomes)
        waiting = [message for message in absent if message not in over]
        if not waiting:
            return
        sleep(max(0.0, (min(waits.end(m) for m in waiting) - now()).total_seconds()))


def _found_already(remote: Remote, queue: Sequence[Message], report: Report) -> list[Outcome]:
    """A last look before sending. Also what was never tried is looked for: our own records may be older than Sage's."""
    found = remote.find(queue)
    outcomes = [_as_found(message, found[message.message_key]) for message in queue if message.message_key in found]
    for outcome in outcomes:
        (report.proven if outcome.status == Status.DELIVERED else report.held).append(outcome.message_key)
    return outcomes


def _as_found(message: Message, found: Found) -> Outcome:
    key, reference = message.message_key, message.remote_reference
    if not found.same_content:
        why = f"The reference {reference} stands there with another amount than {message.amount} {message.currency}."
        return Outcome(key, Status.HELD, "another document", why, found.remote_id, "REFERENCE_TAKEN")
    return Outcome(
        key, Status.DELIVERED, "found", f"read back under {reference}, id {found.remote_id}", found.remote_id
    )
