"""Asks Sage itself whether each delivered document is there: once, and with its amount."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from amazon_sage_assets.sage.client import SageClient, quoted
from amazon_sage_assets.sage.remote import LOOK_UP_TOGETHER


@dataclass(frozen=True)
class Posting:
    """A document as our published file has it. `amount` is positive."""

    remote_reference: str
    kind: str
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class _Place:
    """Where Sage shows documents of a kind: what they are found by there, and where their amount stands."""

    path: str
    found_by: str
    amount: str
    key: str = "id"


_BANK = _Place("/bank_posted_transactions", "reference", "cheque_value")
_LEDGER = _Place("/sales_posted_transactions", "reference", "document_gross_value")
_DESPATCHES = _Place("/sop_order_despatch_views", "sop_order_customer_document_no", "", "sop_despatch_id")
_PLACES = {
    **dict.fromkeys(("bank_payment", "bank_receipt", "bank_transfer", "sales_receipt", "sales_payment"), _BANK),
    **dict.fromkeys(("sales_credit_note", "sales_invoice"), _LEDGER),
    "sop_order": _Place("/sop_orders", "customer_document_no", "total_gross_value"),
    "sop_return": _Place("/sop_returns", "customer_document_no", "total_gross_value"),
    "sop_despatch": _DESPATCHES,
}


def can_be_shown(kind: str) -> bool:
    """An allocation is no document of its own: what it did shows in what is outstanding."""
    return kind in _PLACES


def prove(client: SageClient, postings: Iterable[Posting]) -> list[str]:
    """One sentence per document that Sage does not show exactly once with its amount."""
    by_place: dict[_Place, list[Posting]] = {}
    for posting in postings:
        by_place.setdefault(_PLACES[posting.kind], []).append(posting)
    failures = []
    for place, wanted in by_place.items():
        for start in range(0, len(wanted), LOOK_UP_TOGETHER):
            some = wanted[start : start + LOOK_UP_TOGETHER]
            condition = " or ".join(f"{place.found_by} eq {quoted(_name(p))}" for p in some)
            rows = client.read_all(place.path, condition, key=place.key)
            failures += [said for posting in some if (said := _wrong(posting, place, rows))]
    return failures


def _name(posting: Posting) -> str:
    """A despatch is found by its order."""
    return posting.remote_reference.removesuffix("/despatch")


def _wrong(posting: Posting, place: _Place, rows: Sequence[dict[str, Any]]) -> str:
    same = [row for row in rows if str(row[place.found_by]).casefold() == _name(posting).casefold()]
    is_transfer = posting.kind == "bank_transfer"  # which shows in both banks
    entries = 2 if is_transfer else 1
    if len(same) != entries or (is_transfer and len({row["bank_id"] for row in same}) != entries):
        return f"{posting.remote_reference}: Sage shows {len(same)} entries instead of {entries}"
    amounts = {abs(Decimal(str(row[place.amount]))) for row in same} if place.amount else {posting.amount}
    if amounts != {posting.amount}:
        shown = ", ".join(sorted(map(str, amounts)))
        return f"{posting.remote_reference}: Sage shows {shown} instead of {posting.amount} {posting.currency}"
    return ""
