"""What a refund becomes, a credit note or a sales return at the VAT of the original sale; and documents of a penny.

Nothing is sent here. All amounts are positive, as Sage wants them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from amazon_sage_assets.accounting.order_plan import RoundingRule, SoldItem, StockPart, priced_lines
from amazon_sage_assets.accounting.posting_plan import Ledger
from amazon_sage_assets.accounting.sales_documents import SalesDocument, as_payload
from amazon_sage_assets.money import to_pence, vat_inside

CREDIT_NOTE, SALES_RETURN, ROUNDING = "credit_note", "sales_return", "rounding"
CREDIT_KIND, RETURN_KIND, INVOICE_KIND = "sales_credit_note", "sop_return", "sales_invoice"
MARKS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # one character numbers an order's credit notes
DIGITS = 17


@dataclass(frozen=True)
class RefundedItem:
    """What goes back for one item, VAT inside. `shown_vat` is what Amazon shows in it, nil where it shows none.

    `rate_bp` and `tax_code` are the original sale's. `units` came back fit for sale, as `parts` in Sage's stock.
    """

    gross: Decimal
    shown_vat: Decimal
    rate_bp: int
    tax_code: str
    ledger: Ledger
    narrative: str
    seller_sku: str = ""
    parts: tuple[StockPart, ...] = ()
    units: int = 0

    @property
    def vat(self) -> Decimal:
        """At the original rate; Amazon's figure where it is that rate, give or take a penny."""
        due = vat_inside(self.gross, self.rate_bp)
        is_near = self.shown_vat > 0 and abs(to_pence(self.shown_vat - due)) <= 1
        return self.shown_vat if self.rate_bp and is_near else due


def reference(letter: str, order_id: str, number: int) -> str:
    """At most 20 characters: the digits of the order, and which of its documents it is."""
    digits = order_id.replace("-", "")[:DIGITS]
    return f"{letter}{digits}-{MARKS[number - 1]}"


def credit_note(
    key: str, order_id: str, marketplace: str, currency: str, day: date, number: int, items: Sequence[RefundedItem]
) -> SalesDocument:
    """The credit note of one refund; `number` counts the order's credit notes from 1."""
    lines = [
        {
            "code": item.ledger.nominal_code,
            "cost_centre": item.ledger.cost_centre,
            "department": item.ledger.department,
            "narrative": item.narrative,
            "goods_value": str(item.gross - item.vat),
            "tax_value": str(item.vat),
            "tax_code": item.tax_code,
        }
        for item in items
    ]
    gross = sum((item.gross for item in items), Decimal("0.00"))
    said = reference("C", order_id, number)
    return _bill(key, CREDIT_KIND, CREDIT_NOTE, order_id, marketplace, currency, day, said, gross, lines)


def sales_return(
    key: str, order_id: str, marketplace: str, currency: str, day: date, number: int, items: Sequence[RefundedItem],
    fulfilment: str, rule: RoundingRule,
) -> SalesDocument:  # fmt: skip
    """The sales return of one refund, from which people in Sage take the goods back and print the credit note.

    Goods that are back are lines of stock, any other money is a line of text: no stock moves for it. Raises DoesNotFit.
    """
    lines, vat = priced_lines([_taken_back(item) for item in items], rule)
    gross = sum((item.gross for item in items), Decimal("0.00"))
    said = reference("C", order_id, number)
    units: dict[str, int] = {}
    for item in items:
        if item.units:
            units[item.seller_sku] = units.get(item.seller_sku, 0) + item.units
    payload: dict[str, Any] = {
        "kind": RETURN_KIND,
        "document_date": day.isoformat(),
        "customer_document_no": said,
        "customer": {"marketplace": marketplace, "currency": currency},
        "fulfilment": fulfilment,
        "recipient": "",
        "lines": lines,
        "units": units,
        "gross": str(gross),
        "vat": str(vat),
    }
    return SalesDocument(key, RETURN_KIND, SALES_RETURN, day, said, gross, currency, as_payload(payload), order_id)


def _taken_back(item: RefundedItem) -> SoldItem:
    parts = item.parts if item.units else ()
    return SoldItem(
        parts, item.units or 1, item.gross, item.vat, item.rate_bp, item.tax_code, item.ledger, text=item.narrative
    )


def rounding(
    key: str, order_id: str, marketplace: str, currency: str, day: date, owed: Decimal, account: Ledger, tax_code: str
) -> SalesDocument:
    """The document that takes a penny off what is owed (`owed` above nil), or adds one that was paid too much."""
    line = {
        "code": account.nominal_code,
        "cost_centre": account.cost_centre,
        "department": account.department,
        "narrative": f"Rounding, Amazon order {order_id}",
        "goods_value": str(abs(owed)),
        "tax_value": "0.00",
        "tax_code": tax_code,
    }
    kind = CREDIT_KIND if owed > 0 else INVOICE_KIND
    said = reference("D", order_id, 1)
    return _bill(key, kind, ROUNDING, order_id, marketplace, currency, day, said, abs(owed), [line])


def _bill(
    key: str, kind: str, document: str, order_id: str, marketplace: str, currency: str, day: date, said: str,
    gross: Decimal, lines: list[dict[str, str]],
) -> SalesDocument:  # fmt: skip
    payload = {
        "kind": kind,
        "transaction_date": day.isoformat(),
        "reference": said,
        "second_reference": order_id[:20],
        "customer": {"marketplace": marketplace, "currency": currency},
        "items": lines,
    }
    return SalesDocument(key, kind, document, day, said, gross, currency, as_payload(payload), order_id)
