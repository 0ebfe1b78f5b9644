"""Small settlement reports for tests, in Amazon's V2 layout."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from amazon_sage_assets.amazon.settlement_report import V2_COLUMNS

HEADER = {
    "settlement-id": "24000000001",
    "settlement-start-date": "01.03.2026 06:00:00 UTC",
    "settlement-end-date": "14.03.2026 06:00:00 UTC",
    "deposit-date": "16.03.2026 06:00:00 UTC",
    "currency": "GBP",
}
ORDER = {
    "order-id": "202-0000001-0000001",
    "marketplace-name": "Amazon.co.uk",
    "fulfillment-id": "AFN",
    "order-item-code": "60000000000001",
    "sku": "SKU-A",
    "quantity-purchased": "1",
}
# Rows of these transaction types belong to an order unless a test says otherwise.
ORDER_TYPES = (
    "Order",
    "Refund",
    "Chargeback Refund",
    "A-to-z Guarantee Refund",
    "Order_Retrocharge",
    "Refund_Retrocharge",
)


def row(transaction_type: str, amount_type: str, description: str, amount: str, **changes: str) -> dict[str, str]:
    """One line; `changes` are V2 columns with underscores for hyphens, such as `order_id="..."`."""
    base = dict(ORDER) if transaction_type in ORDER_TYPES else {}
    base |= {
        "transaction-type": transaction_type,
        "amount-type": amount_type,
        "amount-description": description,
        "amount": amount,
        "posted-date-time": "05.03.2026 10:00:00 UTC",
    }
    base |= {name.replace("_", "-"): value for name, value in changes.items()}
    base.setdefault("posted-date", base["posted-date-time"][:10])
    return base


def principal(amount: str, **changes: str) -> dict[str, str]:
    return row("Order", "ItemPrice", "Principal", amount, **changes)


def commission(amount: str, **changes: str) -> dict[str, str]:
    return row("Order", "ItemFees", "Commission", amount, **changes)


def account_row(description: str, amount: str, **changes: str) -> dict[str, str]:
    return row("other-transaction", "other-transaction", description, amount, **changes)


def report_text(rows: Iterable[Mapping[str, str]], total: str | None = None, **header: str) -> str:
    """The whole file as text. `total` defaults to the sum; `header` are columns of the summary row."""
    rows = list(rows)
    summary: dict[str, Any] = {**HEADER, **{name.replace("_", "-"): value for name, value in header.items()}}
    summary["total-amount"] = (
        total if total is not None else str(sum((Decimal(r["amount"]) for r in rows), Decimal("0.00")))
    )
    lines = [list(V2_COLUMNS), [summary.get(name, "") for name in V2_COLUMNS]]
    lines += [[{**r, "settlement-id": summary["settlement-id"]}.get(name, "") for name in V2_COLUMNS] for r in rows]
    return "".join("\t".join(line) + "\n" for line in lines)


def write_report(path: Path, rows: Iterable[Mapping[str, str]], total: str | None = None, **header: str) -> Path:
    path.write_text(report_text(rows, total, **header), encoding="utf-8")
    return path
