"""One posting run: look into the banks, send what is approved, prove it, look again.

One run posts at a time. No warehouse connection is open while Sage is asked.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from filelock import FileLock, Timeout

from amazon_sage_assets.company import Company
from amazon_sage_assets.outbox.delivery import Limits, Report, deliver
from amazon_sage_assets.outbox.store import Outbox
from amazon_sage_assets.payouts.bank_entries import read_bank_entries
from amazon_sage_assets.payouts.guard import PayoutGuard
from amazon_sage_assets.posting.approval import BY_PROFILE, approve_all
from amazon_sage_assets.posting.journal_files import confirm_journals, write_journals
from amazon_sage_assets.posting.queue import SYSTEM, refresh_queue
from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.outcomes import SageError
from amazon_sage_assets.sage.reference_data import ReferenceData
from amazon_sage_assets.sage.remote import SageRemote


class AlreadyPosting(Exception):  # noqa: N818
    """Another run is posting."""


@dataclass(frozen=True)
class Posted:
    """What a run did: the deliveries, journal files written, and how many requests Sage was asked."""

    report: Report
    journal_files: list[str]
    requests: int


def utc_now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def alone(company: Company) -> Iterator[None]:
    """The system's lock goes with its process, so a killed run leaves nothing locked."""
    folder = company.environment.connections
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(folder / "posting.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise AlreadyPosting("Another run is posting to Sage just now. Wait for it to end.") from None
    try:
        yield
    finally:
        lock.release()


def post(
    company: Company,
    client: SageClient,
    *,
    now: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[str], None] = lambda _: None,
) -> Posted:
    """Post everything that is approved and due. Raises AlreadyPosting, or SageError where Sage cannot be read."""
    warehouse = company.warehouse
    with alone(company):
        if company.profile.posting == "auto":
            with warehouse.transaction() as connection:
                refresh_queue(connection, company.profile, now())
                approve_all(connection, BY_PROFILE, now())
        progress("reading Sage's banks")
        records = ReferenceData.read(client, company.profile.sage.customers)
        read_bank_entries(warehouse, client, records, now())
        with warehouse.read() as connection:
            guard = PayoutGuard.read(connection)
        remote = SageRemote(client, records, company.no_vat_code, company.profile.closed_period, guard)
        confirm_journals(warehouse, client, now())  # what is in Sage already is not written again
        files = write_journals(warehouse, company.environment.journals, company.profile.base_currency, now())
        outbox = Outbox(warehouse, SYSTEM, skip=guard.under_way)
        report = deliver(outbox, remote, limits(company), now=now, sleep=sleep, progress=progress)
        progress("reading Sage's banks again")
        try:
            confirm_journals(warehouse, client, now())
            read_bank_entries(warehouse, client, records, now())
        except SageError as error:
            report.stopped = report.stopped or str(error)
    return Posted(report, files, client.requests)


def read_banks(company: Company, client: SageClient, now: datetime) -> int:
    """Look into Sage without sending anything: bank entries, and journals that a person imported."""
    records = ReferenceData.read(client, company.profile.sage.customers)
    confirm_journals(company.warehouse, client, now)
    return read_bank_entries(company.warehouse, client, records, now)


def limits(company: Company) -> Limits:
    """After the longest wait for an answer a document may still appear for the late-commit time."""
    sage = company.profile.sage
    return Limits(grace=timedelta(seconds=sage.answer_within_seconds + sage.late_commit_seconds))
