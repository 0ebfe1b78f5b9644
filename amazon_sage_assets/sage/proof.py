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


def prove(client: SageClient, postings: Iterable[Posting]) -> list[str]:
    """One sentence per document that Sage does not show exactly once with its amount."""
    wanted = list(postings)
    failures = []
    for start in range(0, len(wanted), LOOK_UP_TOGETHER):
        some = wanted[start : start + LOOK_UP_TOGETHER]
        condition = " or ".join(f"reference eq {quoted(p.remote_reference)}" for p in some)
        rows = client.read_all("/bank_posted_transactions", condition)
        failures += [said for posting in some if (said := _wrong(posting, rows))]
    return failures


def _wrong(posting: Posting, rows: Sequence[dict[str, Any]]) -> str:
    same = [row for row in rows if str(row["reference"]).casefold() == posting.remote_reference.casefold()]
    entries = 2 if posting.kind == "bank_transfer" else 1  # a transfer shows in both banks
    if len(same) != entries or len({row["bank_id"] for row in same}) != entries:
        return f"{posting.remote_reference}: Sage's banks show {len(same)} entries instead of {entries}"
    amounts = {abs(Decimal(str(row["cheque_value"]))) for row in same}
    if amounts != {posting.amount}:
        shown = ", ".join(sorted(map(str, amounts)))
        return f"{posting.remote_reference}: Sage shows {shown} instead of {posting.amount} {posting.currency}"
    return ""
