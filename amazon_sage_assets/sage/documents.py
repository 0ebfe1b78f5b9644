"""Sage's documents with Sage's limits. What does not fit is refused here, by the field's name, before it is sent.

Amounts are positive, two decimals; dates travel as full UTC date-times, because Sage refuses bare dates.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from amazon_sage_assets.sage.outcomes import SageRefused

Reference = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Narrative = Annotated[str, StringConstraints(max_length=6000)]
NominalCode = Annotated[str, StringConstraints(min_length=1, max_length=8)]
Part = Annotated[str, StringConstraints(max_length=3)]
Money = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=2)]
Positive = Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=2)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Document(_Body):
    path: ClassVar[str]
    ledger: ClassVar[str]

    transaction_date: date
    reference: Reference
    second_reference: Annotated[str, StringConstraints(max_length=20)] = ""

    def body(self) -> dict[str, Any]:
        """What is sent: None left out, dates as Sage wants them, amounts as Decimal."""
        return _with_moments(self.model_dump(exclude_none=True))


class NominalItem(_Body):
    """A line of a bank document. In a bank of the base currency it carries its own VAT."""

    code: NominalCode
    cost_centre: Part = ""
    department: Part = ""
    narrative: Narrative = ""
    gross_value: Positive
    goods_value: Money | None = None
    tax_value: Money | None = None
    tax_code_id: int | None = None


class BankPayment(_Document):
    """Money out of a bank against nominal codes. `cheque_*` and the header's tax code are for foreign banks only."""

    path = "/bank_payment"
    ledger = "LedgerCashBook"

    bank_id: int
    narrative: Narrative = ""
    tax_code_id: int | None = None
    cheque_value: Positive | None = None
    cheque_goods_value: Money | None = None
    cheque_tax_value: Money | None = None
    nominal_analysis_items: Annotated[tuple[NominalItem, ...], Field(min_length=1)]


class BankReceipt(BankPayment):
    """Money into a bank against nominal codes."""

    path = "/bank_receipt"


class BankTransfer(_Document):
    """Money from one bank to another of the same currency."""

    path = "/bank_transfer"
    ledger = "LedgerCashBook"

    bank_from_id: int
    bank_to_id: int
    narrative: Narrative = ""
    payment_value: Positive


class SalesReceipt(_Document):
    """Money from a customer into a bank."""

    path = "/sales_receipts"
    ledger = "LedgerSales"

    customer_id: int
    bank_id: int
    cheque_value: Positive


class SalesPayment(SalesReceipt):
    """Money back to a customer out of a bank."""

    path = "/sales_payments"


class SalesLine(_Body):
    """A nominal line of a credit note or invoice; Sage adds VAT and debtors itself."""

    code: NominalCode
    cost_centre: Part = ""
    department: Part = ""
    narrative: Narrative = ""
    value: Money


class TaxLine(_Body):
    """`id` is the record id of the tax code, not the code."""

    id: int
    goods_amount: Money
    discount_amount: Money = Decimal("0.00")
    tax_amount: Money
    tax_discount_amount: Money = Decimal("0.00")


class SalesCreditNote(_Document):
    """What a customer owes less. Values are positive; both analyses add up to the headline values."""

    path = "/sales_credit_notes"
    ledger = "LedgerSales"

    customer_id: int
    document_goods_value: Money
    document_tax_value: Money
    document_discount_value: Money = Decimal("0.00")
    document_tax_discount_value: Money = Decimal("0.00")
    tax_analysis_items: Annotated[tuple[TaxLine, ...], Field(min_length=1)]
    nominal_analysis_items: Annotated[tuple[SalesLine, ...], Field(min_length=1)]


class SalesInvoice(SalesCreditNote):
    """What a customer owes more."""

    path = "/sales_invoices"


Address = Annotated[str, StringConstraints(max_length=60)]


class DeliveryAddress(_Body):
    postal_name: Address = ""
    address_1: Address = ""
    address_2: Address = ""
    address_3: Address = ""
    address_4: Address = ""
    city: Address = ""
    county: Address = ""
    country: Address = ""
    postcode: Annotated[str, StringConstraints(max_length=10)] = ""
    contact: Annotated[str, StringConstraints(max_length=235)] = ""
    telephone_number: Annotated[str, StringConstraints(max_length=30)] = ""


class SopLine(_Body):
    """A line of a sales order. Stock lines name a product and a warehouse, the others only say something."""

    line_type: Literal["EnumLineTypeStandard", "EnumLineTypeFreeText", "EnumLineTypeComment"]
    product_id: int | None = None
    warehouse_id: int | None = None
    code: Annotated[str, StringConstraints(max_length=30)] | None = None
    description: Annotated[str, StringConstraints(max_length=6000)] | None = None
    line_quantity: Annotated[Decimal, Field(ge=0, decimal_places=5)] | None = None
    selling_unit_price: Annotated[Decimal, Field(max_digits=15, decimal_places=5)] | None = None
    selling_unit_price_overridden: bool | None = None
    tax_code_id: int | None = None
    nominal_reference: NominalCode | None = None
    nominal_cost_centre: Part | None = None
    nominal_department: Part | None = None
    show_on_customer_docs: bool | None = None
    show_on_picking_list_type: Annotated[str, StringConstraints(max_length=20)] | None = None


class SopOrder(_Body):
    """A sales order. Posting it without `is_editing` confirms it."""

    path: ClassVar[str] = "/sop_orders"

    customer_id: int
    document_no: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = None
    document_date: date
    customer_document_no: Annotated[str, StringConstraints(min_length=1, max_length=30)]
    requested_delivery_date: date | None = None
    promised_delivery_date: date | None = None
    use_invoice_address: bool
    delivery_address: DeliveryAddress | None = None
    lines: Annotated[tuple[SopLine, ...], Field(min_length=1)]

    def body(self) -> dict[str, Any]:
        return _with_moments(self.model_dump(exclude_none=True))


class SopReturn(SopOrder):
    """A sales return, which has the shape of an order; its quantities are positive too."""

    path: ClassVar[str] = "/sop_returns"


class DespatchItem(_Body):
    id: int
    quantity: Annotated[Decimal, Field(gt=0)]


class SopDespatch(_Body):
    """The despatch of a sales order's lines; `items[].id` is the line's."""

    path: ClassVar[str] = "/sop_confirm_despatch"

    sop_order_return_id: int
    despatch_receipt_date: date
    items: Annotated[tuple[DespatchItem, ...], Field(min_length=1)]

    def body(self) -> dict[str, Any]:
        return _with_moments(self.model_dump(exclude_none=True))


class AllocationLine(_Body):
    posted_tran_id: int
    value_to_allocate: Annotated[Decimal, Field(max_digits=15, decimal_places=2)]


class SalesAllocation(_Body):
    """Receipts set against invoices, or payments against credit notes."""

    path: ClassVar[str] = "/sales_allocations"

    customer_id: int
    allocation_date: date
    allocation_lines: Annotated[tuple[AllocationLine, ...], Field(min_length=2)]

    def body(self) -> dict[str, Any]:
        return _with_moments(self.model_dump(exclude_none=True))


def _with_moments(content: dict[str, Any]) -> dict[str, Any]:
    """Days as Sage wants them: it refuses bare dates."""
    return {
        name: f"{value.isoformat()}T00:00:00Z" if isinstance(value, date) else value for name, value in content.items()
    }


Dated = BankPayment | BankReceipt | BankTransfer | SalesReceipt | SalesPayment | SalesCreditNote | SalesInvoice
Undated = SopOrder | SopDespatch | SalesAllocation
Document = Dated | Undated
_KINDS: dict[str, type[Document]] = {
    "bank_payment": BankPayment,
    "bank_receipt": BankReceipt,
    "bank_transfer": BankTransfer,
    "sales_receipt": SalesReceipt,
    "sales_payment": SalesPayment,
    "sop_return": SopReturn,
    "sales_credit_note": SalesCreditNote,
    "sales_invoice": SalesInvoice,
    "sop_order": SopOrder,
    "sop_despatch": SopDespatch,
    "sales_allocation": SalesAllocation,
}


def document(kind: str, content: dict[str, Any]) -> Document:
    """A document of a kind. Raises SageRefused with each field that does not fit, never with what stands in it."""
    try:
        return _KINDS[kind].model_validate(content)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(step) for step in problem['loc'])}: {problem['msg']}" for problem in error.errors()
        )
        raise SageRefused(f"Sage would not take it, so it was not sent. {problems}.") from None
