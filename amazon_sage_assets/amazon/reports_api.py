"""Reports. Settlement reports Amazon makes by itself and they can only be found and fetched; others are asked for."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO
from urllib.parse import quote

from amazon_sage_assets.amazon import documents
from amazon_sage_assets.amazon.answers import Fields, listed, moment, optional_moment, optional_text, rows, stamp, text
from amazon_sage_assets.amazon.client import SellingPartner
from amazon_sage_assets.amazon.connection import secure_address
from amazon_sage_assets.amazon.errors import AmazonUnreadable, LinkExpired

SETTLEMENT_REPORT_TYPE = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
REPORTS = "/reports/2021-06-30/reports"
DOCUMENTS = "/reports/2021-06-30/documents"
PAGE_SIZE = 100
MARKETPLACES_PER_REQUEST = 10


@dataclass(frozen=True)
class ReportInfo:
    """A report that is ready. The same settlement may come under two report ids."""

    report_id: str
    document_id: str
    report_type: str
    created_at: datetime
    data_start: datetime | None
    data_end: datetime | None
    marketplace_ids: tuple[str, ...]


@dataclass(frozen=True)
class AskedReport:
    """A report that was asked for. `document_id` is there when it is DONE; CANCELLED means that it would be empty."""

    report_id: str
    status: str
    document_id: str | None

    @property
    def is_under_way(self) -> bool:
        return self.status in ("IN_QUEUE", "IN_PROGRESS")


@dataclass(frozen=True)
class Download:
    """A whole document as a stream from its first byte; `charset` is what its server called it, if it did."""

    stream: IO[bytes]
    charset: str | None


def list_settlement_reports(
    partner: SellingPartner, created_since: datetime, marketplace_ids: Sequence[str]
) -> Iterator[ReportInfo]:
    """Every finished settlement report made since a moment, each once, in Amazon's order. Amazon keeps 90 days."""
    seen: set[str] = set()
    wanted = {
        "reportTypes": SETTLEMENT_REPORT_TYPE,
        "processingStatuses": "DONE",
        "pageSize": str(PAGE_SIZE),
        "createdSince": stamp(created_since),
    }
    for start in range(0, max(len(marketplace_ids), 1), MARKETPLACES_PER_REQUEST):
        group = marketplace_ids[start : start + MARKETPLACES_PER_REQUEST]
        where = {"marketplaceIds": listed(group)} if group else {}
        for page in partner.pages("getReports", REPORTS, {**wanted, **where}, token_alone=True):
            for fields in rows(page, "reports"):
                report_id = text(fields, "reportId")
                is_ready = fields.get("processingStatus") == "DONE" and fields.get("reportDocumentId")
                if is_ready and report_id not in seen:
                    seen.add(report_id)
                    yield _report(fields)


def ask_for_report(
    partner: SellingPartner, report_type: str, start: datetime, end: datetime, marketplace_ids: Sequence[str]
) -> str:
    """Ask Amazon to make a report; returns its id. It takes Amazon minutes, sometimes an hour."""
    wanted = {
        "reportType": report_type,
        "dataStartTime": stamp(start),
        "dataEndTime": stamp(end),
        "marketplaceIds": list(marketplace_ids),
    }
    return text(partner.order_report(wanted).payload, "reportId")


def asked_report(partner: SellingPartner, report_id: str) -> AskedReport:
    """How far a report is."""
    fields = partner.get("getReport", f"{REPORTS}/{quote(report_id, safe='')}").payload
    return AskedReport(
        text(fields, "reportId"), text(fields, "processingStatus"), optional_text(fields, "reportDocumentId")
    )


@contextmanager
def download(partner: SellingPartner, document_id: str, *, scratch: Path | None = None) -> Iterator[Download]:
    """The bytes as Amazon made them, checked to be whole, in a file without a name in `scratch`, gone afterwards.

    A link is kept over attempts, because Amazon gives one a minute; one that has expired is asked for once more.
    """
    with tempfile.TemporaryFile(dir=scratch) as spool:
        try:
            charset = _fetch(partner, document_id, spool)
        except LinkExpired:
            charset = _fetch(partner, document_id, spool)
        spool.seek(0)
        yield Download(spool, charset)


def _fetch(partner: SellingPartner, document_id: str, spool: IO[bytes]) -> str | None:
    link, gzipped = _link(partner, document_id)
    return partner.retrying(documents.fetch, partner.http, link, gzipped=gzipped, into=spool)


def _link(partner: SellingPartner, document_id: str) -> tuple[str, bool]:
    document = partner.get("getReportDocument", f"{DOCUMENTS}/{quote(document_id, safe='')}").payload
    link, compression = text(document, "url"), document.get("compressionAlgorithm")
    if compression not in (None, "GZIP"):
        raise AmazonUnreadable(f"Amazon compressed a document with {compression!r}, which is not known here.")
    try:
        secure_address(link)
    except ValueError as error:
        raise AmazonUnreadable(f"Amazon's link to a document is not safe: {error}.") from None
    return link, compression == "GZIP"


def _report(fields: Fields) -> ReportInfo:
    return ReportInfo(
        report_id=text(fields, "reportId"),
        document_id=text(fields, "reportDocumentId"),
        report_type=text(fields, "reportType"),
        created_at=moment(fields, "createdTime"),
        data_start=optional_moment(fields, "dataStartTime"),
        data_end=optional_moment(fields, "dataEndTime"),
        marketplace_ids=tuple(fields.get("marketplaceIds") or ()),
    )
