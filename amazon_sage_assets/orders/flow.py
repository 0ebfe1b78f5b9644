"""Orders in one go: read what changed at Amazon and in Sage, plan, send what may go, look what became of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from amazon_sage_assets.accounting.credit_plan import CREDIT_NOTE, ROUNDING, SALES_RETURN
from amazon_sage_assets.accounting.order_plan import DAILY_ORDER, ORDER
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import has_sage, sage_client
from amazon_sage_assets.orders.allocations import ALLOCATION
from amazon_sage_assets.orders.despatches import DESPATCH_DOCUMENT
from amazon_sage_assets.orders.intake import Taken, take_orders
from amazon_sage_assets.orders.planning import Planned
from amazon_sage_assets.orders.reports import take_reports
from amazon_sage_assets.orders.sending import plan, plan_more, read_sage, sop_records
from amazon_sage_assets.outbox.delivery import Report, deliver
from amazon_sage_assets.outbox.messages import SAGE
from amazon_sage_assets.outbox.store import Outbox
from amazon_sage_assets.refunds.money_events import take_money_events
from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.outcomes import SageError
from amazon_sage_assets.sage.reference_data import ReferenceData
from amazon_sage_assets.sage.remote import SageRemote
from amazon_sage_assets.settings import Secrets
from amazon_sage_assets.turn import alone, limits, utc_now

DOCUMENTS = (ORDER, DAILY_ORDER, DESPATCH_DOCUMENT, CREDIT_NOTE, SALES_RETURN, ROUNDING, ALLOCATION)


@dataclass
class Ordered:
    """What a run did: orders, money events and reports read per account, documents planned and sent."""

    taken: dict[str, Taken] = field(default_factory=dict)
    money_events: dict[str, int] = field(default_factory=dict)
    reports: dict[str, int] = field(default_factory=dict)
    planned: Planned | None = None
    report: Report = field(default_factory=Report)
    requests: int = 0


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
    done = take(company, secrets, now(), progress)
    if not company.profile.orders_since:
        return done
    if not has_sage(secrets):
        done.planned = plan(company, now())
        plan_more(company, now())
        return done
    with sage_client(company, secrets) as client:
        send(company, client, done, now=now, sleep=sleep, progress=progress)
    return done


def take(
    company: Company, secrets: Secrets, now: datetime, progress: Callable[[str], None] = lambda _: None
) -> Ordered:
    """Read what changed at Amazon. Nothing is sent."""
    taken = take_orders(company, now, secrets, progress)
    events = take_money_events(company, now, secrets, progress)
    return Ordered(taken, events, take_reports(company, now, secrets, progress))


def send(
    company: Company,
    client: SageClient,
    done: Ordered,
    *,
    now: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Read Sage, plan, send, and read what became of it. Settlements and payouts stay for a posting run."""
    with alone(company):
        progress("reading Sage's stock items and orders")
        records = ReferenceData.read(client, company.profile.sage.customers)
        read_sage(company, client, records, now())
        done.planned = plan(company, now())
        plan_more(company, now())
        sop = sop_records(company, client)
        remote = SageRemote(client, records, company.no_vat_code, company.profile.closed_period, sop=sop)
        outbox = Outbox(company.warehouse, SAGE, documents=DOCUMENTS)
        try:
            while True:
                latest = deliver(outbox, remote, limits(company), now=now, sleep=sleep, progress=progress)
                done.report.add(latest)
                if not latest.changed_remote:
                    break
                read_sage(company, client, records, now())
                if done.report.stopped or not plan_more(company, now()):
                    break
        except SageError as error:
            done.report.stopped = done.report.stopped or str(error)
    done.requests = client.requests
