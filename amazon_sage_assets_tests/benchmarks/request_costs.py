"""What a close costs in requests, and what a posted document costs beside the server's own time.

The sample seller's two months go from the simulated Seller Central to the simulated Sage, orders first, then
settlements with a Sage of their own. Requests are counted by the servers. Then the same documents are posted once to a
Sage that answers at once and once to one that takes its time: what a document takes beyond that time is ours.

Run it: `python -m amazon_sage_assets_tests.benchmarks.request_costs`. Seconds depend on the machine and on what else it
does; counts of requests do not.
"""

import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import httpx

from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import sage_client, selling_partner
from amazon_sage_assets.orders.flow import run_orders
from amazon_sage_assets.payouts.amazon_payouts import read_amazon_payouts
from amazon_sage_assets.posting.approval import approve
from amazon_sage_assets.posting.deliver import post
from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets.sandbox.servers import Addresses, serving
from amazon_sage_assets.sandbox.world import World, open_world
from amazon_sage_assets.settings import SAMPLE_PROFILE
from amazon_sage_assets.settlements import discovery, flow

LATENCIES = (0.0, 0.05)
SIGN_IN = ("POST /oauth/token", "token")


@dataclass(frozen=True)
class Posting:
    """One posting run: the server's latency, what was sent, what was asked, how long it took."""

    latency: float
    documents: int
    requests: Counter[str]
    seconds: float

    @property
    def asked(self) -> int:
        """Requests to Sage's interface, which serves one at a time; signing in goes elsewhere."""
        return sum(count for name, count in self.requests.items() if name not in SIGN_IN)

    @property
    def overhead(self) -> float:
        """Seconds per document that are not the server's waiting."""
        return (self.seconds - self.asked * self.latency) / self.documents


@dataclass(frozen=True)
class Costs:
    """What the servers counted, for so many settlements."""

    settlements: int
    posted: int
    amazon: Counter[str]
    postings: list[Posting]


@dataclass(frozen=True)
class OrderCosts:
    """What orders cost: how many changed at Amazon, how many documents were sent for them, what the servers counted."""

    changed: int
    documents: int
    amazon: Counter[str]
    sage: Counter[str]

    @property
    def per_hundred(self) -> float:
        """Requests for orders, and for whom they go to, per hundred changed orders."""
        return (self.amazon["searchOrders"] + self.amazon["getOrder"]) * 100 / self.changed

    @property
    def asked(self) -> int:
        return sum(count for name, count in self.sage.items() if name not in SIGN_IN)


@contextmanager
def opened(home: Path, latency: float = 0.0) -> Iterator[tuple[World, Addresses, Company]]:
    """The sample seller's world in a home, served, and the company that uses it."""
    world = open_world(home / "sandbox", datetime.now(UTC).date(), options=Options(latency_seconds=latency))
    try:
        with serving(world) as addresses:
            environment = {
                **world.secrets,
                **addresses.environment,
                "AMAZON_SAGE_HOME": str(home),
                "AMAZON_SAGE_PROFILE": str(SAMPLE_PROFILE),
            }
            with patch.dict(os.environ, environment):
                yield world, addresses, Company.load()
    finally:
        world.close()


def counted(address: str) -> Counter[str]:
    with httpx.Client(trust_env=False) as client:
        said = client.get(f"{address}/_sandbox/requests").json()
    return Counter(said.get("requests", said))


def settle(home: Path, accounts: Sequence[str] = (), reports: int | None = None) -> tuple[int, Counter[str]]:
    """Fetch, settle and approve. Returns how many settlements, and Amazon's requests by operation."""
    with opened(home) as (_, addresses, company):
        before = counted(addresses.amazon)
        for account in company.profile.accounts:
            if not accounts or account.name in accounts:
                with selling_partner(company, account) as partner:
                    found = discovery.discover(company, account, partner, datetime.now(UTC))
                    discovery.fetch(company, replace(found, reports=found.reports[:reports]), partner)
        flow.settle(company, [])
        read_amazon_payouts(company, datetime.now(UTC))
        asked = counted(addresses.amazon) - before
        with company.warehouse.transaction() as connection:
            rows = connection.execute("select settlement_key, status from core.core__settlement_status").fetchall()
            approve(connection, [key for key, status in rows if status == "ready"], "Ann", datetime.now(UTC))
    return len(rows), asked


def post_all(home: Path, latency: float) -> tuple[int, Posting]:
    """Post what is approved. Returns how many settlements it was for."""
    with opened(home, latency) as (_, addresses, company):
        before = counted(addresses.sage)
        start = time.perf_counter()
        with sage_client(company) as client:
            report = post(company, client).report
        seconds = time.perf_counter() - start
        asked = counted(addresses.sage) - before
        if report.rejected or report.held or report.unproven or not report.delivered:
            raise SystemExit(f"not everything was posted, so nothing was measured: {report}")
    settlements = {key.split("/")[2] for key in report.delivered}
    return len(settlements), Posting(latency, len(report.delivered), asked, seconds)


def send_orders(home: Path) -> OrderCosts:
    """Read all orders and send what is due."""
    with opened(home) as (_, addresses, company):
        before = counted(addresses.amazon), counted(addresses.sage)
        company.warehouse.migrate()
        flow.load_profile(company)
        done = run_orders(company)
        if done.report.stopped or not done.report.delivered:
            raise SystemExit(f"not every order was sent, so nothing was measured: {done.report}")
        amazon, sage = counted(addresses.amazon) - before[0], counted(addresses.sage) - before[1]
    changed = sum(taken.orders for taken in done.taken.values())
    return OrderCosts(changed, len(done.report.delivered), amazon, sage)


def measure(folder: Path, accounts: Sequence[str] = (), reports: int | None = None) -> Costs:
    """Every posting starts from a copy of the same state."""
    settlements, amazon = settle(folder / "settled", accounts, reports)
    postings, posted = [], 0
    for number, latency in enumerate(LATENCIES):
        home = folder / f"posted_{number}"
        shutil.copytree(folder / "settled", home)
        posted, posting = post_all(home, latency)
        postings.append(posting)
    return Costs(settlements, posted, amazon, postings)


def table(costs: Costs) -> Iterator[str]:
    yield f"Amazon: {costs.amazon.total()} requests for {costs.settlements} settlements"
    yield from (f"  {count:5}  {name}" for name, count in costs.amazon.most_common())
    yield f"  {costs.amazon.total() / costs.settlements:5.1f}  per settlement"
    first = costs.postings[0]
    yield f"Sage: {first.asked} requests for {first.documents} documents of {costs.posted} settlements"
    yield from (f"  {count:5}  {name}" for name, count in first.requests.most_common())
    yield f"  {first.asked / costs.posted:5.1f}  per settlement"
    yield f"  {first.asked / first.documents:5.2f}  per document"
    yield "Posting, one run each"
    for run in costs.postings:
        yield (
            f"  a request takes {run.latency * 1000:3.0f} ms: {run.seconds:5.1f} s,"
            f" {run.seconds / run.documents * 1000:4.0f} ms a document,"
            f" of which {run.overhead * 1000:4.0f} ms are not the server's wait"
        )


def order_table(costs: OrderCosts) -> Iterator[str]:
    yield f"Amazon: {costs.amazon.total()} requests for {costs.changed} changed orders"
    yield from (f"  {count:5}  {name}" for name, count in costs.amazon.most_common())
    yield f"  {costs.per_hundred:5.2f}  per hundred orders, for the orders themselves"
    yield f"Sage: {costs.asked} requests for {costs.documents} sales orders and despatches"
    yield from (f"  {count:5}  {name}" for name, count in costs.sage.most_common())
    yield f"  {costs.asked / costs.documents:5.2f}  per document"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for line in order_table(send_orders(Path(folder) / "orders")):
            sys.stdout.write(line + "\n")
        for line in table(measure(Path(folder))):
            sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
