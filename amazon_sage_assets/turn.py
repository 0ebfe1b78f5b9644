"""Who may send to Sage now, and with how much patience: one run at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from filelock import FileLock, Timeout

from amazon_sage_assets.company import Company
from amazon_sage_assets.outbox.delivery import Limits


class AlreadyPosting(Exception):  # noqa: N818
    """Another run is posting."""


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


def limits(company: Company) -> Limits:
    """After the longest wait for an answer a document may still appear for the late-commit time."""
    sage = company.profile.sage
    return Limits(grace=timedelta(seconds=sage.answer_within_seconds + sage.late_commit_seconds))
