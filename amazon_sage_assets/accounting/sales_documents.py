"""A document of the sales side as it is planned: an order, its despatch, a credit note, a return, an allocation."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class SalesDocument:
    """`amount` is positive, in `currency`, VAT inside; `payload` is the exact content as JSON, decimals as text."""

    message_key: str
    kind: str
    document: str
    document_date: date
    remote_reference: str
    amount: Decimal
    currency: str
    payload: str
    order_id: str | None = None

    @property
    def payload_hash(self) -> str:
        return hashlib.sha256(self.payload.encode()).hexdigest()


def as_payload(content: Mapping[str, Any]) -> str:
    """The same content is the same text, so that its hash says whether anything changed."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
