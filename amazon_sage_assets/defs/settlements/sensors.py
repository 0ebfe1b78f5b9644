"""Which settlements to work out: what has landed, and what the rules have changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from amazon_sage_assets.company import Company
from amazon_sage_assets.landing import SETTLEMENT_REPORT
from amazon_sage_assets.settlements.arrivals import settlement_key, take_inbox


@dataclass(frozen=True)
class Found:
    """`new` partitions to add, `again` known ones to work out anew; `unreadable` counts documents without a key."""

    new: tuple[str, ...]
    again: tuple[str, ...]
    unreadable: int
    cursor: str

    @property
    def anything(self) -> bool:
        return bool(self.new or self.again or self.unreadable)


def look(company: Company, known: Sequence[str], cursor: str | None, now: datetime) -> Found:
    """Take the inbox in and compare what has landed with the cursor. Does not open the warehouse."""
    take_inbox(company, now)
    seen: Mapping[str, str] = json.loads(cursor)["seen"] if cursor else {}
    rules = company.rules_fingerprint[:16]
    keys: dict[str, str] = {}
    for document in company.landing.documents(SETTLEMENT_REPORT):
        short = document.sha256[:16]
        keys[short] = seen[short] if short in seen else settlement_key(company, document) or ""
    fresh = {keys[short] for short in keys.keys() - seen.keys()}
    rules_changed = bool(cursor) and json.loads(cursor or "{}")["rules"] != rules
    if rules_changed:
        # Another profile can give a settlement to another account, and every settlement is worked out with new rules.
        for document in company.landing.documents(SETTLEMENT_REPORT):
            keys[document.sha256[:16]] = settlement_key(company, document) or ""
        fresh = set(keys.values())
    readable = sorted(key for key in fresh if key)
    return Found(
        new=tuple(key for key in readable if key not in known),
        again=tuple(key for key in readable if key in known),
        unreadable=len([key for key in fresh if not key]),
        cursor=json.dumps({"rules": rules, "seen": keys}),
    )
