"""Orders in one go: read what changed at Amazon and in Sage, plan, send what may go, look what became of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from amazon_sage_assets.accounting.order_plan import DAILY_ORDER, ORDER
from amazon_sage_assets.amazon.orders_api import Recipient
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import has_sage, sage_client
from amazon_sage_assets.orders import sage_reading
from amazon_sage_assets.orders.despatches import DESPATCH_DOCUMENT, plan_despatches
from amazon_sage_assets.orders.intake import Taken, personal_data, take_orders
from amazon_sage_assets.orders.planning import Planned, plan_orders, waiting_recipients
from amazon_sage_assets.outbox.delivery import Report, deliver
from amazon_sage_assets.outbox.store import Outbox
from amazon_sage_assets.posting.deliver import alone, limits, utc_now
from amazon_sage_assets.posting.queue import SYSTEM
from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.reference_data import ReferenceData
from amazon_sage_assets.sage.remote import SageRemote
from amazon_sage_assets.sage.sop_records import SopRecords
from amazon_sage_assets.settings import Secrets

DOCUMENTS = (ORDER, DAILY_ORDER, DESPATCH_DOCUMENT)


@dataclass
class Ordered:
    """What a run did."""

    taken: dict[str, Taken] = field(default_factory=dict)
    planned: Planned | None = None
    reports: list[Report] = field(default_factory=list)
    requests: int = 0

    @property
    def stopped(self) -> str:
        return next((report.stopped for report in self.reports if report.stopped), "")


def run_orders(
    company: Company,
    secrets: Secrets | None = None,
    *,
    now: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[str], None] = lambda _: None,
) -> Ordered:
    """Take orders in, plan them and send what is approved. Without Sage they are only read and planned."""
    secrets = secrets or Secrets()
    done = Ordered(take_orders(company, now(), secrets, progress))
    if not has_sage(secrets):
        done.planned = plan(company, now())
        return done
    with sage_client(company, secrets) as client:
        send(company, client, done, now=now, sleep=sleep, progress=progress)
        done.requests = client.requests
    return done


def send(
    company: Company,
    client: SageClient,
    done: Ordered,
    *,
    now: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Read Sage's stock items, plan, send, and read what became of the orders."""
    with alone(company):
        progress("reading Sage's stock items and orders")
        records = ReferenceData.read(client, company.profile.sage.customers)
        sage_reading.read_products(company.warehouse, client, records, now())
        sage_reading.read_orders(company.warehouse, client, records, now())
        done.planned = plan(company, now())
        remote = SageRemote(
            client,
            records,
            company.no_vat_code,
            company.profile.closed_period,
            sop=sop_records(company, client),
        )
        outbox = Outbox(company.warehouse, SYSTEM, documents=DOCUMENTS)
        while True:
            report = deliver(outbox, remote, limits(company), now=now, sleep=sleep, progress=progress)
            done.reports.append(report)
            if report.stopped or not plan_more(company, now()):
                break
        sage_reading.read_orders(company.warehouse, client, records, now())
        sage_reading.read_ledger(company.warehouse, client, records, now())


def plan(company: Company, now: datetime) -> Planned:
    """The outbox in step with the orders. Personal data is read first, so that no two files are open at once."""
    with company.warehouse.read() as connection:
        wanted = waiting_recipients(connection)
    recipients = personal_data(company).of(wanted)
    with company.warehouse.transaction() as connection:
        return plan_orders(connection, company, recipients, now)


def plan_more(company: Company, now: datetime) -> int:
    """What follows from orders that Sage has now. Returns how many documents are new."""
    with company.warehouse.transaction() as connection:
        return plan_despatches(connection, now)


def sop_records(company: Company, client: SageClient) -> SopRecords:
    with company.warehouse.read() as connection:
        products = dict(connection.execute("select code, id from raw.sage_products").fetchall())
    personal = personal_data(company)

    def recipient(order_id: str) -> Recipient | None:
        return personal.of([order_id]).get(order_id)

    sage = company.profile.sage
    return SopRecords.read(
        client,
        products,
        sage.warehouses,
        windows_1252=sage.characters == "windows-1252",
        recipient=recipient,
    )
