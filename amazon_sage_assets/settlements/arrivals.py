"""Settlement reports as they arrive: landed, laid out in the scratch folder, and read for what they say of themselves.

Nothing here opens the warehouse.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import uuid4

import psutil

from amazon_sage_assets.amazon.inspection import Inspection, inspect
from amazon_sage_assets.amazon.settlement_report import UnreadableReport, normalise
from amazon_sage_assets.company import Company
from amazon_sage_assets.landing import SETTLEMENT_REPORT, LandedDocument


@dataclass(frozen=True)
class Examined:
    """A landed report after a first look: what it says of itself, or why it cannot be read."""

    document: LandedDocument
    inspection: Inspection | None
    unreadable_reason: str | None


def land_report(company: Company, path: Path, source: str, account: str | None = None) -> LandedDocument:
    """Keep a settlement report's bytes. The same bytes again are the same document."""
    return company.landing.land_file(path, SETTLEMENT_REPORT, source, datetime.now(UTC), account)


def take_inbox(company: Company, now: datetime, settle_seconds: float = 5.0) -> list[LandedDocument]:
    """Land every finished file of the inbox and move it to `landed/` beside it. A file still being written waits."""
    inbox = company.environment.inbox
    inbox.mkdir(parents=True, exist_ok=True)
    landed = []
    for path in sorted(inbox.iterdir()):
        if not path.is_file() or path.name.startswith(".") or path.suffix in (".part", ".tmp", ".crdownload"):
            continue
        if now.timestamp() - path.stat().st_mtime < settle_seconds:
            continue
        landed.append(land_report(company, path, "inbox"))
        done = inbox / "landed"
        done.mkdir(exist_ok=True)
        path.replace(done / path.name)
    return landed


def settlement_key(company: Company, document: LandedDocument) -> str | None:
    """The key of a landed document's settlement, without the warehouse; None where it cannot be read."""
    inspection = examine(company, document).inspection
    forget_canonical(company, document.sha256)
    if inspection is None:
        return None
    account, _ = company.whose(document.given_account, inspection.currency, inspection.marketplaces)
    return f"{account}-{inspection.settlement_id}"


def examine(company: Company, document: LandedDocument) -> Examined:
    """Lay the report out and read its header. The canonical file stays in the scratch folder until it is staged."""
    target = canonical_path(company, document.sha256)
    inspection, reason = _lay_out(
        lambda: company.landing.open(SETTLEMENT_REPORT, document.sha256), target, document.first.charset
    )
    return Examined(document, inspection, reason)


def land_and_examine(company: Company, path: Path, source: str, account: str | None = None) -> Examined:
    """Land a file and read it at the same time: packing the bytes and laying out the lines use a core each."""
    draft = canonical_path(company, uuid4().hex)
    before = path.stat()
    with ThreadPoolExecutor(max_workers=1) as packing:
        landing = packing.submit(land_report, company, path, source, account)
        inspection, reason = _lay_out(lambda: path.open("rb"), draft, None)
        document = landing.result()
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        draft.unlink(missing_ok=True)
        return examine(company, document)  # the file changed meanwhile: only the landed bytes count
    if inspection:
        draft.replace(canonical_path(company, document.sha256))
    return Examined(document, inspection, reason)


def _lay_out(
    open_source: Callable[[], AbstractContextManager[IO[bytes]]], target: Path, charset: str | None
) -> tuple[Inspection | None, str | None]:
    """The report's statements, or the reason why it cannot be read."""
    try:
        return inspect(target, normalise(open_source, target, charset)), None
    except UnreadableReport as error:
        target.unlink(missing_ok=True)
        return None, str(error)


def canonical_path(company: Company, sha256: str) -> Path:
    company.environment.scratch.mkdir(parents=True, exist_ok=True)
    return company.environment.scratch / f"{sha256}.{os.getpid()}.tsv"


def clear_scratch(company: Company) -> None:
    """Remove canonical files that runs which no longer live left behind."""
    for path in company.environment.scratch.glob("*.[0-9]*.tsv"):
        if not psutil.pid_exists(int(path.name.split(".")[1])):
            path.unlink(missing_ok=True)


def forget_canonical(company: Company, sha256: str) -> None:
    canonical_path(company, sha256).unlink(missing_ok=True)
