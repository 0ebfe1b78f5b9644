"""What must still be sent when a settlement is worked out anew after some of its documents are in Sage.

Nothing delivered is changed or deleted. Per period and document, what Sage has is taken from what is wanted, and the
difference becomes documents of its own.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from amazon_sage_assets.accounting.posting_plan import Movement, PlannedDocument, Settlement, read_back, render


@dataclass(frozen=True)
class Delivered:
    """A document that Sage has."""

    message_key: str
    document: str
    period: str
    document_date: date
    payload: str
    payload_hash: str


def outstanding(
    settlement: Settlement, wanted: Sequence[PlannedDocument], delivered: Sequence[Delivered]
) -> list[PlannedDocument]:
    """Planned documents that are not in Sage yet, as they are, and corrections of those that changed since.

    The same input gives the same keys and references, so asking again asks for nothing new.
    """
    in_sage = {d.message_key: d for d in delivered}
    documents = [w for w in wanted if w.message_key not in in_sage]
    places = sorted({(d.period, d.document) for d in delivered})
    for period, name in places:
        here = [d for d in delivered if (d.period, d.document) == (period, name)]
        again = [w for w in wanted if w.message_key in in_sage and (w.period, w.document) == (period, name)]
        difference = _difference(
            [m for w in again for m in read_back(w.payload)], [m for d in here for m in read_back(d.payload)]
        )
        if difference:
            number = 1 + max(_correction_number(d.message_key) for d in here)
            documents += render(
                settlement,
                period,
                name,
                max(d.document_date for d in here),
                difference,
                after=10 * number,
                part=f"correction-{number}",
            )
    return documents


def _correction_number(message_key: str) -> int:
    found = re.search(r"/correction-(\d+)", message_key)
    return int(found[1]) if found else 0


def _difference(wanted: Iterable[Movement], have: Iterable[Movement]) -> list[Movement]:
    """What must move so that what is there becomes what is wanted; empty when nothing must."""
    totals: dict[tuple[str, str, tuple[str, ...]], Movement] = {}
    for movement in (*wanted, *(m.turned() for m in have)):
        key = (movement.bank, movement.family, movement.target)
        known = totals.get(key)
        totals[key] = (
            movement
            if known is None
            else replace(
                known,
                goods=known.goods + movement.goods,
                tax=known.tax + movement.tax,
                notional=known.notional + movement.notional,
            )
        )
    return [m for _, m in sorted(totals.items()) if m.goods or m.tax]
