"""Finds settlement reports in Seller Central and lands them. Nothing here opens the warehouse.

Amazon makes the reports by itself and keeps them for 90 days. Which ones were landed is told by the landed documents
themselves: a report's id is one of their origins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from amazon_sage_assets.amazon.client import SellingPartner
from amazon_sage_assets.amazon.reports_api import ReportInfo, download, list_settlement_reports
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import connected, marketplace_ids
from amazon_sage_assets.landing import SETTLEMENT_REPORT, LandedDocument, Origin
from amazon_sage_assets.settings import Account, Secrets

SOURCE = "report"
KEPT_BY_AMAZON = timedelta(days=89)  # a day less than it keeps them, so that no report expires under way
OVERLAP = timedelta(days=7)


@dataclass(frozen=True)
class Discovered:
    """Reports of one account that are not landed yet."""

    account: str
    reports: tuple[ReportInfo, ...]


def discover(company: Company, account: Account, partner: SellingPartner, now: datetime) -> Discovered:
    """Ask Amazon for reports since the last landed one, less a week."""
    landed = [
        origin
        for document in company.landing.documents(SETTLEMENT_REPORT)
        for origin in document.origins
        if origin.source == SOURCE and origin.account == account.name
    ]
    known = {origin.name for origin in landed}
    since = now - KEPT_BY_AMAZON
    if landed:
        newest = max(datetime.fromisoformat(origin.landed_at) for origin in landed)
        since = max(since, newest - OVERLAP)
    found = list_settlement_reports(partner, since, marketplace_ids(account))
    return Discovered(account.name, tuple(report for report in found if report.report_id not in known))


def fetch(
    company: Company,
    found: Discovered,
    partner: SellingPartner,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    progress: Callable[[str], None] = lambda _: None,
) -> list[LandedDocument]:
    """Land the reports. The same settlement under two report ids is one document with two origins."""
    landed = []
    scratch = company.environment.scratch
    scratch.mkdir(parents=True, exist_ok=True)
    for number, report in enumerate(found.reports, start=1):
        progress(f"report {report.report_id} of {found.account} ({number} of {len(found.reports)})")
        with download(partner, report.document_id, scratch=scratch) as document:
            origin = Origin(
                SOURCE,
                report.report_id,
                now().isoformat(timespec="microseconds"),
                found.account,
                document.charset,
            )
            landed.append(company.landing.land(document.stream, SETTLEMENT_REPORT, origin))
    return landed


def fetch_all(
    company: Company,
    now: datetime,
    secrets: Secrets | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, int]:
    """Land what is new for every connected account. Returns how many reports of each account."""
    return {
        account.name: len(fetch(company, discover(company, account, partner, now), partner, progress=progress))
        for account, partner in connected(company, secrets or Secrets())
    }


def waiting_reports(company: Company, now: datetime, secrets: Secrets | None = None) -> dict[str, tuple[str, ...]]:
    """The report ids that are not landed yet, by account, of every connected account."""
    return {
        account.name: tuple(sorted(report.report_id for report in discover(company, account, partner, now).reports))
        for account, partner in connected(company, secrets or Secrets())
    }
