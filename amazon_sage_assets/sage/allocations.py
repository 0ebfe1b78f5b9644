"""Money set against invoices and credit notes in Sage's sales ledger.

An allocation has no reference. It can be proven all the same: the plan says what was outstanding on each entry before,
and Sage says what is now.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from amazon_sage_assets.outbox.delivery import Found
from amazon_sage_assets.outbox.messages import Message
from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.documents import Document, document
from amazon_sage_assets.sage.outcomes import SageRefused
from amazon_sage_assets.sage.reference_data import ReferenceData

KIND = "sales_allocation"
TOGETHER = 40  # ids in one filter


@dataclass
class Allocations:
    client: SageClient
    records: ReferenceData

    def render(self, message: Message, *, credits_below_zero: bool = False) -> Document:
        """`credits_below_zero`: how this Sage wants the side that lowers a debt is not documented."""
        payload = json.loads(message.payload)
        lines = [
            {
                "posted_tran_id": int(line["entry"]),
                "value_to_allocate": Decimal(line["value"]) * (line["sign"] if credits_below_zero else 1),
            }
            for line in payload["lines"]
        ]
        return document(
            KIND,
            {
                "customer_id": self.records.customer(payload["customer"]["marketplace"]),
                "allocation_date": payload["allocated_on"],
                "allocation_lines": lines,
            },
        )

    def send(self, message: Message, day_body: Mapping[str, Any]) -> None:
        """Send once; where Sage refuses the signs, which books nothing, once more with the other ones."""
        try:
            self.client.post("/sales_allocations", day_body)
        except SageRefused as refusal:
            other = self.render(message, credits_below_zero=True)
            try:
                self.client.post("/sales_allocations", other.body())
            except SageRefused:
                raise refusal from None

    def find(self, messages: Sequence[Message]) -> dict[str, Found]:
        """Allocated when every entry has less outstanding by its value; not when every entry is as before."""
        payloads = {m.message_key: json.loads(m.payload) for m in messages}
        entries = sorted({int(line["entry"]) for payload in payloads.values() for line in payload["lines"]})
        outstanding: dict[int, Decimal] = {}
        for start in range(0, len(entries), TOGETHER):
            wanted = " or ".join(f"id eq {entry}" for entry in entries[start : start + TOGETHER])
            for row in self.client.read_all(
                "/sales_posted_transactions", wanted, select=("id", "document_outstanding_value")
            ):
                outstanding[int(row["id"])] = abs(Decimal(str(row["document_outstanding_value"])))
        found = {}
        for key, payload in payloads.items():
            done = [
                outstanding.get(int(line["entry"])) == Decimal(line["outstanding"]) - Decimal(line["value"])
                for line in payload["lines"]
            ]
            untouched = [
                outstanding.get(int(line["entry"])) == Decimal(line["outstanding"]) for line in payload["lines"]
            ]
            if all(done):
                found[key] = Found(str(payload["lines"][0]["entry"]))
            elif not all(untouched):
                found[key] = Found(str(payload["lines"][0]["entry"]), same_content=False)
        return found
