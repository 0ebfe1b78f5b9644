"""Sales orders, their despatches and returns for Sage: built from messages, and found again by their number."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from amazon_sage_assets.outbox.delivery import AlreadyThere, Found
from amazon_sage_assets.outbox.messages import Message
from amazon_sage_assets.sage.client import SageClient, quoted
from amazon_sage_assets.sage.delivery_address import AddressDoesNotFit, FittedAddress, fit
from amazon_sage_assets.sage.documents import Document, document
from amazon_sage_assets.sage.outcomes import SageRefused
from amazon_sage_assets.sage.reference_data import ReferenceData
from amazon_sage_assets.sage.sop_records import SopRecords

ORDER, RETURN = "sop_order", "sop_return"
DESPATCH = "sop_despatch"
STOCK, TEXT, COMMENT = "EnumLineTypeStandard", "EnumLineTypeFreeText", "EnumLineTypeComment"
HIDDEN, LEAST = "…", 3  # what stands for personal data, and how short a word of it may be


@dataclass
class SopDocuments:
    """`sop` is what sales order processing knows, `records` the rest of Sage's records."""

    client: SageClient
    records: ReferenceData
    sop: SopRecords

    def render(self, message: Message) -> Document:
        """An order or a return. Raises SageRefused with what does not exist or does not fit, without personal data."""
        payload = json.loads(message.payload)
        customer, fulfilment = payload["customer"], payload["fulfilment"]
        address = self._address(message, payload["recipient"])
        lines = [line for said in payload["lines"] if (line := self._line(said, customer["marketplace"], fulfilment))]
        if address and address.comment:
            lines.append({
                "line_type": COMMENT,
                "description": f"Delivery address, continued: {address.comment}",
                "show_on_customer_docs": True,
                "show_on_picking_list_type": "Show",
            })  # fmt: skip
        content = {
            "customer_id": self.records.customer(customer["marketplace"]),
            # A company may have switched automatic numbers off: then the sender gives one.
            "document_no": None if self.sop.numbers_itself else message.remote_reference,
            "document_date": payload["document_date"],
            "customer_document_no": payload["customer_document_no"],
            "requested_delivery_date": payload.get("deliver_by") or None,
            "promised_delivery_date": payload.get("deliver_by") or None,
            "use_invoice_address": address is None,
            "delivery_address": address.fields if address else None,
            "lines": lines,
        }
        return document(message.kind, content)

    def _address(self, message: Message, recipient_hash: str) -> FittedAddress | None:
        if not recipient_hash:
            return None
        recipient = self.sop.recipient(str(message.order_id))
        if recipient is None:
            raise SageRefused("The address of this order was erased, so it cannot be sent any more.")
        try:
            return fit(recipient, windows_1252=self.sop.windows_1252)
        except AddressDoesNotFit as error:
            raise SageRefused(f"The address does not fit into Sage: {error}.") from None

    def _line(self, said: dict[str, Any], marketplace: str, fulfilment: str) -> dict[str, Any] | None:
        value = Decimal(said["gross" if self.sop.prices_hold_vat else "net"])
        quantity = Decimal(said["quantity"])
        if said["line"] == "text" and value == 0:
            return None  # the rounding line, where prices hold the VAT
        line: dict[str, Any] = {
            "line_quantity": quantity,
            "selling_unit_price": (value / quantity).quantize(Decimal("0.00001"), rounding=ROUND_HALF_UP),
            "tax_code_id": self.records.tax_code(said["tax_code"]),
        }
        if self.sop.may_set_nominal and said["nominal_code"]:
            line |= {
                "nominal_reference": said["nominal_code"],
                "nominal_cost_centre": said["cost_centre"],
                "nominal_department": said["department"],
            }
        if said["line"] == "text":
            return line | {"line_type": TEXT, "description": said["description"]}
        return line | {
            "line_type": STOCK,
            "product_id": self.sop.product(said["stock_code"]),
            "warehouse_id": self.sop.warehouse(marketplace, fulfilment),
            "code": said["stock_code"],
            "selling_unit_price_overridden": True,
        }

    def without_personal_data(self, message: Message, words: str) -> str:
        """What Sage says of this message, without what it may say back: as Amazon tells it, or as it was sent.

        Sage's words may have been cut short in the middle of it.
        """
        said, status, _ = re.split(r"( \(HTTP \d+\)\.$|$)", words, maxsplit=1)
        for personal in self._personal_of(message):
            said = re.sub(re.escape(personal), HIDDEN, said, flags=re.IGNORECASE)
            begun = next((n for n in range(len(personal), LEAST, -1) if said.endswith(personal[:n])), 0)
            said = said[: len(said) - begun] + (HIDDEN if begun else "")
        return said + status

    def _personal_of(self, message: Message) -> list[str]:
        """The longest first; also as JSON writes it."""
        recipient = self.sop.recipient(str(message.order_id)) if message.order_id else None
        if recipient is None:
            return []
        words = {recipient.name, recipient.company, *recipient.lines, recipient.city, recipient.county}
        words |= {recipient.postcode, recipient.phone}
        with suppress(AddressDoesNotFit):
            fitted = fit(recipient, windows_1252=self.sop.windows_1252)
            words |= {text for field, text in fitted.fields.items() if field != "country"} | {fitted.comment}
        words |= {json.dumps(word)[1:-1] for word in words}
        return sorted((word for word in words if len(word) >= LEAST), key=len, reverse=True)

    def render_despatch(self, message: Message) -> Document:
        """Everything of the order that is not despatched yet. Raises AlreadyThere, SageRefused."""
        payload = json.loads(message.payload)
        lines = self._despatch_lines([payload["customer_document_no"]])
        left = [
            {"id": int(line["sop_order_line_id"]), "quantity": open_quantity}
            for line in lines
            if (open_quantity := _number(line, "quantity") - _number(line, "despatch_receipt_quantity")) > 0
        ]
        if not lines:
            raise SageRefused(f"Sage shows no order {payload['customer_document_no']} with lines to despatch.")
        order_id = str(lines[0]["sop_order_id"])
        if not left:
            raise AlreadyThere(order_id, "Somebody confirmed the despatch in Sage already.")
        return document(
            DESPATCH,
            {
                "sop_order_return_id": int(order_id),
                "despatch_receipt_date": payload["despatched_on"],
                "items": left,
            },
        )

    def _despatch_lines(self, numbers: Sequence[str]) -> list[dict[str, Any]]:
        wanted = " or ".join(f"sop_order_customer_document_no eq {quoted(number)}" for number in numbers)
        rows = self.client.read_all("/sop_order_line_views", wanted, key="sop_order_line_id")
        # Nothing of a comment is despatched, and nothing of a charge that a person added.
        return [row for row in rows if row["sop_order_line_type"] in (STOCK, TEXT)]

    def find(self, path: str, messages: Sequence[Message]) -> dict[str, Found]:
        """Orders or returns by the customer's number, of this customer. The value must be the one that was sent."""
        wanted = " or ".join(f"customer_document_no eq {quoted(m.remote_reference)}" for m in messages)
        rows = self.client.read_all(
            path, wanted, select=("id", "customer_id", "customer_document_no", "total_gross_value")
        )
        found = {}
        for message in messages:
            customer = self.records.customer(json.loads(message.payload)["customer"]["marketplace"])
            same = [
                row
                for row in rows
                if int(row["customer_id"]) == customer
                and str(row["customer_document_no"]).casefold() == message.remote_reference.casefold()
            ]
            if same:
                fits = all(abs(Decimal(str(row["total_gross_value"]))) == message.amount for row in same)
                found[message.message_key] = Found(str(same[0]["id"]), fits, len(same))
        return found

    def find_despatches(self, messages: Sequence[Message]) -> dict[str, Found]:
        """An order is despatched when nothing of its lines is left."""
        numbers = {m.message_key: json.loads(m.payload)["customer_document_no"] for m in messages}
        lines = self._despatch_lines(list(numbers.values()))
        found = {}
        for key, number in numbers.items():
            own = [row for row in lines if row["sop_order_customer_document_no"] == number]
            if own and all(_number(row, "quantity") <= _number(row, "despatch_receipt_quantity") for row in own):
                found[key] = Found(str(own[0]["sop_order_id"]))
        return found


def _number(line: dict[str, Any], what: str) -> Decimal:
    return Decimal(str(line[f"sop_order_line_{what}"]))
