"""What a busy day costs: many orders read from Amazon and planned as Sage orders, in time, calls and memory.

The orders go through the simulated Seller Central, a page of a hundred at a time, into the warehouse, are matched with
Sage's stock items and planned. Nothing is sent. Calls are counted by the servers; seconds depend on the machine.

Run it: `python -m amazon_sage_assets_tests.benchmarks.order_scale --orders 10000`.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import sage_client
from amazon_sage_assets.orders.intake import take_orders
from amazon_sage_assets.orders.sending import plan, read_sage
from amazon_sage_assets.sage.reference_data import ReferenceData
from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets.sandbox.servers import serving
from amazon_sage_assets.sandbox.world import open_world
from amazon_sage_assets.settings import SAMPLE_PROFILE
from amazon_sage_assets.settlements.flow import load_profile

SKUS = ("CK-KETTLE-1L", "CK-TEAPOT", "CK-MUG-4", "CK-FILTER-6", "CK-LID", "CK-DESCALER", "CK-COSY")
PRICES = ("24.99", "18.50", "22.50", "7.99", "4.50", "6.25", "12.95")
LINES = 3
Json = dict[str, Any]


@dataclass(frozen=True)
class Scale:
    """One measurement. `amazon_calls` are requests to searchOrders, `changed` the orders they brought."""

    changed: int
    planned: int
    amazon_calls: int
    sage_calls: int
    take_seconds: float
    plan_seconds: float
    peak_mb: int

    def __str__(self) -> str:
        return (
            f"{self.changed:,} orders, most of {LINES} lines: read in {self.take_seconds:.1f} s with"
            f" {self.amazon_calls} calls to Amazon ({100 * self.amazon_calls / self.changed:.2f} per 100 changed"
            f" orders), planned as {self.planned:,} Sage orders in {self.plan_seconds:.1f} s after {self.sage_calls}"
            f" calls to Sage; peak memory {self.peak_mb:,} MB"
        )


def measure(folder: Path, count: int) -> Scale:
    """The world in a folder with so many more orders of today, read and planned."""
    now = datetime.now(UTC)
    world = open_world(folder / "world", now.date(), rate_scale=1_000_000, options=Options(latency_seconds=0))
    world.central.add_orders("uk", _orders(count, now))
    state = {"AMAZON_SAGE_HOME": str(folder / "home"), "AMAZON_SAGE_PROFILE": str(SAMPLE_PROFILE)}
    environment = {**world.secrets, **state}
    try:
        with serving(world) as addresses, patch.dict(os.environ, {**environment, **addresses.environment}):
            company = Company.load()
            company.warehouse.migrate()
            load_profile(company)
            begun = time.perf_counter()
            taken = take_orders(company, now)
            read = time.perf_counter()
            asked = httpx.get(f"{addresses.amazon}/_sandbox/requests").json()["requests"]
            with sage_client(company) as client:
                read_sage(company, client, ReferenceData.read(client, company.profile.sage.customers), now)
                sage_calls = client.requests
            start = time.perf_counter()
            planned = plan(company, now)
            end = time.perf_counter()
    finally:
        world.close()
    return Scale(
        changed=sum(one.orders for one in taken.values()),
        planned=planned.orders + planned.daily_orders,
        amazon_calls=asked["searchOrders"],
        sage_calls=sage_calls,
        take_seconds=read - begun,
        plan_seconds=end - start,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def _orders(count: int, now: datetime) -> Iterator[Json]:
    """Orders of the last hours that the company sends itself, three lines each."""
    for number in range(count):
        moment = now - timedelta(minutes=10, seconds=number % 20_000)
        items = [_item(number, line) for line in range(LINES)]
        total = sum((Decimal(item["proceeds"]["proceedsTotal"]["amount"]) for item in items), Decimal(0))
        said = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        yield {
            "orderId": f"701-{number // 10_000_000:07d}-{number % 10_000_000:07d}",
            "createdTime": said,
            "lastUpdatedTime": said,
            "salesChannel": {
                "channelName": "AMAZON",
                "marketplaceId": "A1F83G8C2ARO7P",
                "marketplaceName": "Amazon.co.uk",
            },
            "recipient": {
                "deliveryAddress": {
                    "name": f"Buyer {number}",
                    "addressLine1": f"{number} Kettle Yard",
                    "city": "Leeds",
                    "postalCode": "LS1 1AA",
                    "countryCode": "GB",
                }
            },
            "proceeds": {"grandTotal": {"amount": str(total), "currencyCode": "GBP"}},
            "fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT"},
            "orderItems": items,
        }


def _item(number: int, line: int) -> Json:
    place = (number + line) % len(SKUS)
    gross = Decimal(PRICES[place])
    vat = (gross / 6).quantize(Decimal("0.01"))

    def money(amount: Decimal) -> Json:
        return {"amount": str(amount), "currencyCode": "GBP"}

    return {
        "orderItemId": f"7{number:010d}{line}",
        "quantityOrdered": 1,
        "product": {"sellerSku": SKUS[place], "title": SKUS[place]},
        "proceeds": {
            "proceedsTotal": money(gross),
            "breakdowns": [
                {"type": "ITEM", "subtotal": money(gross - vat)},
                {
                    "type": "TAX",
                    "subtotal": money(vat),
                    "detailedBreakdowns": [{"subtype": "ITEM", "value": money(vat)}],
                },
            ],
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(f"{measure(Path(folder), wanted.orders)}\n")


if __name__ == "__main__":
    main()
