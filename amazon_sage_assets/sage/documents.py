"""Sage's documents with Sage's limits. What does not fit is refused here, by the field's name, before it is sent.

Amounts are positive, two decimals; dates travel as full UTC date-times, because Sage refuses bare dates.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar

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
        content = self.model_dump(exclude_none=True)
        content["transaction_date"] = f"{self.transaction_date.isoformat()}T00:00:00Z"
        return content


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


Document = BankPayment | BankReceipt | BankTransfer | SalesReceipt | SalesPayment
_KINDS: dict[str, type[Document]] = {
    "bank_payment": BankPayment,
    "bank_receipt": BankReceipt,
    "bank_transfer": BankTransfer,
    "sales_receipt": SalesReceipt,
    "sales_payment": SalesPayment,
}


def document(kind: str, content: dict[str, Any]) -> Document:
    """A document of a kind. Raises SageRefused with each field that does not fit."""
    try:
        return _KINDS[kind].model_validate(content)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(step) for step in problem['loc'])}: {problem['msg']}" for problem in error.errors()
        )
        raise SageRefused(f"Sage would not take it, so it was not sent. {problems}.") from None
