"""Starts posting processes quickly: everything is imported once, and each process is a fork of that.

Reads one task a line from its input, answers one result a line: how the process ended, and what it reported. Run by the
drills; the drill's server is in their process, so a killed posting process leaves it as it was.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from amazon_sage_assets.amazon.library_logs import keep_secrets_out
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import sage_client
from amazon_sage_assets.orders.flow import Ordered, run_orders
from amazon_sage_assets.outbox import store
from amazon_sage_assets.outbox.store import Outbox
from amazon_sage_assets.posting.deliver import Posted, post
from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.remote import SageRemote
from amazon_sage_assets.settings import Environment, Secrets
from amazon_sage_assets.settlements.flow import settle

# Where a posting process can be killed, in the order of the protocol.
POINTS = (
    "before_sending",  # the message is claimed, `sending` is not committed
    "sending_committed",  # `sending` is committed, the POST has not left
    "post_sent",  # the POST is on its way, its answer is not read
    "answered",  # the answer is read, the outcome is not begun
    "outcome_begun",  # the outcome is written, its transaction is not committed
    "outcome_commit",  # somewhere in the transaction that keeps the outcome
    "read_back",  # while it looks in Sage for what may be there
)
OUTSIDE = "outside"  # at any moment, by somebody else
DOCUMENT_PATHS = (
    "/bank_payment", "/bank_receipt", "/bank_transfer", "/sales_receipts", "/sales_payments", "/sales_credit_notes",
    "/sales_invoices", "/sales_allocations", "/sop_orders", "/sop_confirm_despatch",
)  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One process: what it does, where its company lives, and when it dies.

    `kill` is a point and `nth` how often it is passed before; for `outside` it dies `after` seconds. `patient` waits in
    real time; else waiting means: until the server has nothing left to do, then the clock jumps.
    """

    home: str
    profile: str
    server: str
    secrets: dict[str, str]
    what: str = "post"
    files: tuple[str, ...] = ()
    kill: str = ""
    nth: int = 1
    after: float = 0.0
    patient: bool = False


class JumpingClock:
    """Real time plus what was slept through. A wait ends as soon as nothing on the server can change any more."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def sleep(self, seconds: float) -> None:
        while self._busy():
            time.sleep(0.005)
        self._ahead += timedelta(seconds=seconds)

    def _busy(self) -> bool:
        with httpx.Client(base_url=self._server) as http:
            late = int(http.get("/_sandbox/faults").json()["late"])
            return late > 0 or int(http.get("/_sandbox/in_flight").json()) > 0


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _Fuse:
    """Kills this process when a point is passed for the n-th time."""

    def __init__(self, point: str, nth: int) -> None:
        self._point, self._left = point, nth

    def __call__(self, point: str, how: Callable[[], None] = _die) -> None:
        if point == self._point:
            self._left -= 1
            if not self._left:
                how()


def lay(point: str, nth: int) -> None:
    """Make this process die at a point of the protocol. Nothing in the product knows of it."""
    fuse = _Fuse(point, nth)
    looking = threading.local()
    note, step = store.note, Outbox.step
    post_one, get, find, send = SageClient.post, SageClient.get, SageRemote.find, httpx.Client.send

    def noting(connection: Any, key: str, now: datetime, event: str, *more: Any) -> None:
        note(connection, key, now, event, *more)
        fuse("before_sending" if event == "sending" else "outcome_begun")

    def stepping(self: Outbox, now: datetime, outcomes: Any = (), claims: Any = (), **more: Any) -> Any:
        if outcomes:
            soon = threading.Timer(random.Random(nth).uniform(0.0, 0.06), _die)
            soon.daemon = True
            fuse("outcome_commit", soon.start)
        return step(self, now, outcomes, claims, **more)

    def posting(self: SageClient, *request: Any) -> Any:
        fuse("sending_committed")
        answer = post_one(self, *request)
        fuse("answered")
        return answer

    def sending(self: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
        def passed(event: str, _: Any) -> None:
            if event == "http11.receive_response_headers.started":
                if request.method == "POST" and request.url.path.endswith(DOCUMENT_PATHS):
                    fuse("post_sent")
                elif getattr(looking, "now", False) and request.method == "GET":
                    fuse("read_back")

        request.extensions["trace"] = passed
        return send(self, request, **more)

    def finding(self: SageRemote, messages: Any) -> Any:
        looking.now = True
        try:
            return find(self, messages)
        finally:
            looking.now = False

    def getting(self: SageClient, *request: Any) -> Any:
        if getattr(looking, "now", False):
            fuse("read_back")
        return get(self, *request)

    store.note, Outbox.step, httpx.Client.send = noting, stepping, sending  # type: ignore[assignment, method-assign]
    SageClient.post, SageClient.get, SageRemote.find = posting, getting, finding  # type: ignore[method-assign]


def work(task: Task) -> dict[str, Any]:
    """Do the task in this process."""
    company = Company.load(Environment(home=Path(task.home), profile=Path(task.profile)))
    started = time.perf_counter()
    if task.what == "settle":
        settle(company, [Path(file) for file in task.files])
        return {"seconds": time.perf_counter() - started}
    clock = JumpingClock(task.server)
    how: dict[str, Any] = {} if task.patient else {"now": clock.now, "sleep": clock.sleep}
    if task.kill and task.kill != OUTSIDE:
        lay(task.kill, task.nth)
    secrets = Secrets(
        sage_client_id=task.secrets["client_id"],
        sage_client_secret=SecretStr(task.secrets["client_secret"]),
        sage_refresh_token=SecretStr(task.secrets["refresh_token"]),
    )
    done: Ordered | Posted
    if task.what == "orders":
        done = run_orders(company, secrets, **how)
    else:
        with sage_client(company, secrets) as client:
            done = post(company, client, **how)
    return {"seconds": time.perf_counter() - started, "requests": done.requests, "report": asdict(done.report)}


def _fork(task: Task) -> tuple[int, int]:
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    os.close(reading)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # standard output is the answer of the launcher
    code = 1
    try:
        said = work(task)
        code = 0
    except BaseException:
        said = {"error": traceback.format_exc()}
    with os.fdopen(writing, "w", encoding="utf-8") as out:
        json.dump(said, out)
    os._exit(code)


def _end(child: int, reading: int, task: Task) -> dict[str, Any]:
    """Wait for a process, or kill it from outside; and say how it ended."""
    deadline = time.monotonic() + task.after if task.kill == OUTSIDE else None
    with os.fdopen(reading, encoding="utf-8") as pipe:
        status = 0
        while deadline and not status:
            if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                break
            if time.monotonic() >= deadline:
                os.kill(child, signal.SIGKILL)
                break
            time.sleep(0.001)
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return {"killed": killed, **(json.loads(said) if said and not killed else {})}


def main() -> None:
    keep_secrets_out()  # as every command does first
    for line in sys.stdin:
        tasks = [Task(**{**task, "files": tuple(task.get("files", ()))}) for task in json.loads(line)]
        running = [(*_fork(task), task) for task in tasks]
        print(json.dumps([_end(*one) for one in running]), flush=True)  # noqa: T201 - this is its answer


@contextlib.contextmanager
def launcher() -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """A function that runs tasks at once, each in a process of its own, and returns how they ended."""
    command = [sys.executable, "-m", "amazon_sage_assets_tests.drills.launcher"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run(*tasks: Task) -> list[dict[str, Any]]:
            process.stdin.write(json.dumps([asdict(task) for task in tasks]) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield run
        process.stdin.close()
        process.wait(timeout=30)


if __name__ == "__main__":
    main()
