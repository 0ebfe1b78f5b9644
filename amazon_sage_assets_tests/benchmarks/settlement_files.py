"""Large settlement files for measuring, made from a seed: the same seed gives the same bytes.

A file has Amazon's shape: a summary row with the total, then one row per amount. The amounts are invented.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from amazon_sage_assets.amazon.settlement_report import V2_COLUMNS
from amazon_sage_assets.money import from_pence, round_half_up

SKUS = (("CK-KETTLE-1L", 2499), ("CK-KETTLE-2L", 3999), ("CK-TEAPOT", 1850), ("CK-FILTER-6", 799), ("CK-LID", 450))
TOTAL_WIDTH = 20  # Amazon leaves blanks behind amounts; room to write the total once it is known

# (transaction type, amount type, description, pence, order, item code, sku, quantity, fulfilment, moment)
Line = tuple[str, str, str, int, str, str, str, str, str, datetime]


@dataclass(frozen=True)
class SampleSettlement:
    """What to generate. `orders` is how many; amounts of `extra` rows are pence by description."""

    settlement_id: str
    start: datetime
    seed: int
    orders: int = 40
    days: int = 14
    marketplace: str = "Amazon.co.uk"
    currency: str = "GBP"
    fulfilments: tuple[str, ...] = ("AFN", "MFN")
    vat_shown: bool = True
    withheld: bool = False
    reserve_before: int = 0
    reserve_after: int = 0
    debt_before: int = 0
    advertising: int = 18000
    extra: tuple[tuple[str, str, str, int], ...] = ()
    total_error: int = 0
    filename: str = field(default="")

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)


def lines(spec: SampleSettlement) -> Iterator[Line]:
    """Every row of a settlement in Amazon's order: what was taken over, the orders, the account's own rows."""
    source = random.Random(spec.seed)
    if spec.reserve_before:
        yield _account_row("Previous Reserve Amount Balance", spec.reserve_before, spec.start)
    if spec.debt_before:
        yield _account_row("Payable to Amazon", -spec.debt_before, spec.start)
        yield _account_row("Successful charge", spec.debt_before, spec.start + timedelta(hours=2))
    for number in range(spec.orders):
        yield from _order(spec, source, number)
    when = spec.end - timedelta(hours=5)
    if spec.advertising:
        yield "ServiceFee", "Cost of Advertising", "TransactionTotalAmount", -spec.advertising, "", "", "", "", "", when
    yield _account_row("Storage Fee", -source.randrange(900, 4000), when)
    yield _account_row("Subscription Fee", -3000, when)
    sku = SKUS[spec.seed % len(SKUS)][0]
    found = ("FBA Inventory Reimbursement", "WAREHOUSE_LOST", 850)
    yield "other-transaction", found[0], found[1], found[2], "", "", sku, "1", "", when
    for transaction_type, amount_type, description, pence in spec.extra:
        yield transaction_type, amount_type, description, pence, "", "", "", "", "", when
    if spec.reserve_after:
        yield _account_row("Current Reserve Amount", -spec.reserve_after, spec.end + timedelta(seconds=8))


def _account_row(description: str, pence: int, when: datetime) -> Line:
    return "other-transaction", "other-transaction", description, pence, "", "", "", "", "", when


def _order(spec: SampleSettlement, source: random.Random, number: int) -> Iterator[Line]:
    sku, gross = SKUS[source.randrange(len(SKUS))]
    fulfilment = spec.fulfilments[number % len(spec.fulfilments)]
    order_id = f"{202 + spec.seed % 3}-{spec.seed % 10_000_000:07d}-{number:07d}"
    item = f"{spec.seed % 1000:04d}{number:010d}"
    when = spec.start + timedelta(seconds=(number + 1) * (spec.days * 86_400 - 60) // (spec.orders + 1))
    postage = 0 if fulfilment == "AFN" else 399
    common = (order_id, item, sku, "1", fulfilment, when)
    for description, tax_label, amount in (("Principal", "Tax", gross), ("Shipping", "ShippingTax", postage)):
        if not amount:
            continue
        vat = round_half_up(amount * 2000, 12_000) if spec.vat_shown else 0
        yield "Order", "ItemPrice", description, amount - vat, *common
        if vat:
            yield "Order", "ItemPrice", tax_label, vat, *common
            if spec.withheld:
                kept = f"MarketplaceFacilitatorVAT-{description}"
                yield "Order", "ItemWithheldTax", kept, -vat, *common
    yield "Order", "ItemFees", "Commission", -round_half_up((gross + postage) * 18, 100), *common
    if fulfilment == "AFN":
        yield "Order", "ItemFees", "FBAPerUnitFulfillmentFee", -314, *common
    if number % 25 == 24:
        later = (order_id, item, sku, "1", fulfilment, min(when + timedelta(days=1), spec.end - timedelta(minutes=1)))
        vat = round_half_up(gross * 2000, 12_000) if spec.vat_shown else 0
        yield "Refund", "ItemPrice", "Principal", -(gross - vat), *later
        if vat:
            yield "Refund", "ItemPrice", "Tax", -vat, *later
            if spec.withheld:
                yield "Refund", "ItemWithheldTax", "MarketplaceFacilitatorVAT-Principal", vat, *later
        commission = round_half_up(gross * 18, 100)
        yield "Refund", "ItemFees", "Commission", commission, *later
        yield "Refund", "ItemFees", "RefundCommission", -round_half_up(commission * 20, 100), *later


def write(spec: SampleSettlement, path: Path) -> int:
    """Write a settlement as a V2 flat file. Returns how many lines follow the summary row."""
    stamp = "%d.%m.%Y %H:%M:%S UTC"
    blanks = "\t" * 18
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write("\t".join(V2_COLUMNS) + "\n")
        dates = "\t".join(moment.strftime(stamp) for moment in (spec.start, spec.end, spec.end + timedelta(days=2)))
        out.write(f"{spec.settlement_id}\t{dates}\t")
        total_at = out.tell()
        out.write(f"{'':{TOTAL_WIDTH}}\t{spec.currency}{blanks}\n")
        total, count = 0, 0
        for line in lines(spec):
            count += 1
            transaction_type, amount_type, description, pence, order_id, item, sku, quantity, fulfilment, when = line
            total += pence
            site = spec.marketplace if order_id else ""
            day = when.strftime("%d.%m.%Y")
            out.write(
                f"{spec.settlement_id}\t\t\t\t\t\t{transaction_type}\t{order_id}\t{order_id}\t\t\t{site}\t"
                f"{amount_type}\t{description}\t{_text(pence)}\t{fulfilment}\t{day}\t{day} {when:%H:%M:%S} UTC\t"
                f"{item}\t\t\t{sku}\t{quantity}\t\n"
            )
        out.seek(total_at)
        out.write(f"{_text(total + spec.total_error):{TOTAL_WIDTH}}")
    return count


def _text(pence: int) -> str:
    return str(from_pence(pence))


def large(line_target: int, seed: int = 1) -> SampleSettlement:
    """A settlement of about this many lines, for benchmarks."""
    sample = SampleSettlement(
        "25900000001", datetime(2026, 8, 22, 6, 10, 11), seed=seed, orders=1000, filename="large.txt"
    )
    per_thousand = sum(1 for _ in lines(sample))
    return replace(sample, orders=line_target * 1000 // per_thousand)
