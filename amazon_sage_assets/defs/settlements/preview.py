"""What a person sees of a settlement in the UI: the journal as a table, and how gross sales become the payout."""

import base64
from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import Any

STEPS = (
    ("Sales", ("sales", "customer_receipts", "liquidations")),
    ("Refunds", ("refunds", "customer_refunds", "chargebacks", "customer_chargebacks")),
    ("Fees", ("fees",)),
    ("Credits", ("credits",)),
    ("Reserve, debt, card", ("reserve_held", "reserve_released", "debt", "card_charge", "account_transfer")),
    ("Returned payouts", ("payout_returned",)),
)
_UP, _DOWN, _TOTAL = "#2f855a", "#c05621", "#2b6cb0"
_WIDTH, _ROW, _LABEL, _AMOUNT = 720, 30, 170, 110


def journal_markdown(lines: Sequence[dict[str, Any]]) -> str:
    """The journal as a table: one row per line, debits and credits added up below."""
    if not lines:
        return "No journal: the settlement is quarantined, or a line waits for a decision."
    head = "| period | document | nominal | account | VAT code | debit | credit |\n|---|---|---|---|---|---:|---:|\n"
    body = "".join(
        f"| {row['period']} | {row['document']} | {row['nominal_code'] or '?'} | {row['account_key']} "
        f"| {row['vat_code']} | {_amount(row['debit'])} | {_amount(row['credit'])} |\n"
        for row in lines
    )
    debit = sum((row["debit"] for row in lines), Decimal(0))
    credit = sum((row["credit"] for row in lines), Decimal(0))
    return head + body + f"| | | | **total** | | **{debit:,.2f}** | **{credit:,.2f}** |\n"


def _amount(value: Decimal) -> str:
    return f"{value:,.2f}" if value else ""


def waterfall_steps(movements: dict[str, Decimal]) -> list[tuple[str, Decimal]]:
    """Wallet movements by document, added up to the steps that people think in. Every document belongs to one step."""
    known = {document for _, documents in STEPS for document in documents}
    unknown = set(movements) - known
    if unknown:
        raise ValueError(f"no step of the picture shows {', '.join(sorted(unknown))}")
    return [
        (name, total)
        for name, documents in STEPS
        if (total := sum((movements.get(document, Decimal(0)) for document in documents), Decimal(0)))
    ]


def waterfall_svg(steps: Sequence[tuple[str, Decimal]], currency: str) -> str:
    """A bar per step, each starting where the last one ended, and the total that Amazon pays out."""
    ends, level = [], Decimal(0)
    for _, value in steps:
        level += value
        ends.append(level)
    bars = [(name, start, end) for (name, _), start, end in zip(steps, [Decimal(0), *ends], ends, strict=False)]
    bars.append(("Payout" if level >= 0 else "Debt", Decimal(0), level))
    low, high = min(Decimal(0), *ends, Decimal(0)), max(Decimal(0), *ends, Decimal(0))
    span = (high - low) or Decimal(1)
    room = _WIDTH - _LABEL - _AMOUNT

    def place(value: Decimal) -> float:
        return _LABEL + float((value - low) / span) * room

    rows = []
    for number, (name, start, end) in enumerate(bars):
        top = number * _ROW + 6
        is_total = number == len(bars) - 1
        colour = _TOTAL if is_total else _UP if end >= start else _DOWN
        left, right = sorted((place(start), place(end)))
        rows.append(
            f'<text x="{_LABEL - 10}" y="{top + 14}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{left:.1f}" y="{top}" width="{max(right - left, 1):.1f}" height="18" rx="2" fill="{colour}"/>'
            f'<text x="{_WIDTH - 8}" y="{top + 14}" text-anchor="end">{end - start:,.2f}</text>'
        )
    height = len(bars) * _ROW + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="sans-serif" font-size="13" fill="#2d3748">'
        f"<title>From sales to payout, {escape(currency)}</title>"
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>{"".join(rows)}</svg>'
    )


def picture_markdown(svg: str, title: str) -> str:
    return f"![{title}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
