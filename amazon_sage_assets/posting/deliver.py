"""One posting run: look into Sage, send what is approved, prove it, allocate, look again.

One run posts at a time. No warehouse connection is open while Sage is asked.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from amazon_sage_assets.company import Company
from amazon_sage_assets.orders.sending import plan_more, read_sage, sop_records
from amazon_sage_assets.outbox.delivery import Report, deliver
from amazon_sage_assets.outbox.messages import SAGE
from amazon_sage_assets.outbox.store import Outbox
from amazon_sage_assets.payouts.bank_entries import read_bank_entries
from amazon_sage_assets.payouts.guard import PayoutGuard
from amazon_sage_assets.posting.approval import approve_all
from amazon_sage_assets.posting.journal_files import confirm_journals, write_journals
from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.outcomes import SageError
from amazon_sage_assets.sage.reference_data import ReferenceData
from amazon_sage_assets.sage.remote import SageRemote
from amazon_sage_assets.settings import BY_PROFILE
from amazon_sage_assets.settlements.queue import refresh_queue
from amazon_sage_assets.turn import alone, limits, utc_now


@dataclass(frozen=True)
class Posted:
    """What a run did: the deliveries, journal files written, and how many requests Sage was asked."""

    report: Report
    journal_files: list[str]
    requests: int


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
        progress("reading Sage's banks and ledger")
        records = ReferenceData.read(client, company.profile.sage.customers)
        read_sage(company, client, records, now())
        plan_more(company, now())
        with warehouse.transaction() as connection:
            # What was read may speak against a settlement: then nothing of it goes out.
            refresh_queue(connection, company.profile, now())
            if company.profile.posting == "auto":
                approve_all(connection, BY_PROFILE, now())
        read_bank_entries(warehouse, client, records, now())
        with warehouse.read() as connection:
            guard = PayoutGuard.read(connection)
        remote = SageRemote(
            client, records, company.no_vat_code, company.profile.closed_period, guard, sop_records(company, client)
        )
        confirm_journals(warehouse, client, now())  # what is in Sage already is not written again
        files = write_journals(warehouse, company.environment.journals, company.profile.base_currency, now())
        outbox = Outbox(warehouse, SAGE, skip=guard.under_way)
        report = Report()
        try:
            while True:
                latest = deliver(outbox, remote, limits(company), now=now, sleep=sleep, progress=progress)
                report.add(latest)
                if report.stopped or not latest.changed_remote:
                    break
                progress("reading Sage's ledger")
                if not read_sage(company, client, records, now()) or not plan_more(company, now()):
                    break
            confirm_journals(warehouse, client, now())
            if report.changed_remote:
                progress("reading Sage's banks again")
                read_bank_entries(warehouse, client, records, now())
        except SageError as error:
            report.stopped = report.stopped or str(error)
    return Posted(report, files, client.requests)


def read_banks(company: Company, client: SageClient, now: datetime) -> int:
    """Look into Sage without sending anything: bank entries, orders and ledger, journals that a person imported."""
    records = ReferenceData.read(client, company.profile.sage.customers)
    confirm_journals(company.warehouse, client, now)
    read_sage(company, client, records, now)
    return read_bank_entries(company.warehouse, client, records, now)
