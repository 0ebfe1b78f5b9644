"""The bodies of documents: which fields there are, of what type and length, and a body checked against that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from amazon_sage_assets.sandbox.sage200 import moments
from amazon_sage_assets.sandbox.sage200.options import Options
from amazon_sage_assets.sandbox.sage200.refusals import Refused

ID_MAX = 2**63 - 1
LARGEST = Decimal(10) ** 10


@dataclass(frozen=True)
class Field:
    """One field. `size` is the length of a text, the decimals of a number."""

    kind: Literal["whole", "text", "number", "flag", "moment", "list", "object"]
    size: int = 0
    required: bool = False
    items: Mapping[str, "Field"] | None = None


Fields = Mapping[str, Field]
ID = Field("whole")
NEEDED_ID = Field("whole", required=True)
MONEY = Field("number", 2)
NEEDED_MONEY = Field("number", 2, required=True)
RATE = Field("number", 6)
MOMENT = Field("moment")
FLAG = Field("flag")
REFERENCE = Field("text", 20)
NARRATIVE = Field("text", 6000)
CODE = Field("text", 8)
NEEDED_CODE = Field("text", 8, required=True)
PART = Field("text", 3)  # a cost centre or a department

ACCOUNT: Fields = {"code": NEEDED_CODE, "cost_centre": PART, "department": PART}
BANK_LINE: Fields = {
    **ACCOUNT,
    "narrative": NARRATIVE,
    "gross_value": MONEY,
    "goods_value": MONEY,
    "tax_code_id": ID,
    "tax_value": MONEY,
    "transaction_date": MOMENT,
    "reference": REFERENCE,
}
BANK_DOCUMENT: Fields = {
    "bank_id": NEEDED_ID,
    "transaction_date": MOMENT,
    "reference": REFERENCE,
    "second_reference": REFERENCE,
    "tax_registration_number": Field("text", 30),
    "tax_code_id": ID,
    "narrative": NARRATIVE,
    "exchange_rate": RATE,
    "cheque_currency_id": ID,
    "cheque_exchange_rate": RATE,
    "cheque_value": MONEY,
    "cheque_goods_value": MONEY,
    "cheque_tax_value": MONEY,
    "nominal_analysis_items": Field("list", items=BANK_LINE),
    "nominal_journal_items": Field("list", items=BANK_LINE),
    "bank_charges": Field("list", items={**ACCOUNT, "value": MONEY}),
}
BANK_TRANSFER: Fields = {
    "bank_from_id": NEEDED_ID,
    "bank_to_id": NEEDED_ID,
    "narrative": NARRATIVE,
    "reference": REFERENCE,
    "second_reference": REFERENCE,
    "transaction_date": MOMENT,
    "payment_value": NEEDED_MONEY,
    "receipt_value": MONEY,
    "exchange_rate": RATE,
    "commission_value": MONEY,
    "commission_code": CODE,
    "commission_cost_centre": PART,
    "commission_department": PART,
    "commission_payer": REFERENCE,
    "payment_to_base_exchange_rate": RATE,
    "receipt_to_base_exchange_rate": RATE,
    "exchange_difference_code": CODE,
    "exchange_difference_cost_centre": PART,
    "exchange_difference_department": PART,
}
SALES_LINE: Fields = {
    **ACCOUNT,
    "narrative": NARRATIVE,
    "value": MONEY,
    "transaction_analysis_code": REFERENCE,
}
CREDIT_NOTE: Fields = {
    "customer_id": NEEDED_ID,
    "transaction_date": MOMENT,
    "exchange_rate": RATE,
    "reference": REFERENCE,
    "second_reference": REFERENCE,
    "settled_immediately": FLAG,
    "document_goods_value": MONEY,
    "document_tax_value": MONEY,
    "document_discount_value": MONEY,
    "document_tax_discount_value": MONEY,
    "discount_percent": MONEY,
    "discount_days": ID,
    "triangular_transaction": FLAG,
    "tax_analysis_items": Field(
        "list",
        items={
            "id": NEEDED_ID,
            "goods_amount": MONEY,
            "discount_amount": MONEY,
            "tax_amount": MONEY,
            "tax_discount_amount": MONEY,
        },
    ),
    "nominal_analysis_items": Field("list", items=SALES_LINE),
}
INVOICE: Fields = {**CREDIT_NOTE, "due_date": MOMENT}
SALES_CASH: Fields = {
    "customer_id": NEEDED_ID,
    "bank_id": NEEDED_ID,
    "cheque_currency_id": ID,
    "cheque_value": NEEDED_MONEY,
    "customer_cheque_value": MONEY,
    "transaction_date": MOMENT,
    "exchange_rate": RATE,
    "bank_exchange_rate": RATE,
    "cheque_exchange_rate": RATE,
    "settlement_discount_value": MONEY,
    "reference": REFERENCE,
    "second_reference": REFERENCE,
    "nominal_analysis_items": Field("list", items=SALES_LINE),
}
ALLOCATION: Fields = {
    "customer_id": NEEDED_ID,
    "allocation_date": MOMENT,
    "allocation_lines": Field(
        "list", required=True, items={"posted_tran_id": NEEDED_ID, "value_to_allocate": NEEDED_MONEY}
    ),
}
DATE_QUESTION: Fields = {"date": Field("moment", required=True), "ledger_type": Field("text", 30)}

Body = dict[str, Any]


def checked(body: object, fields: Fields, options: Options, place: str = "") -> Body:
    """The body in our own types: whole pence and millionths, stored moments. A null is a field that is not there.

    Raises Refused with the first fault, and the field where it stands.
    """
    if not isinstance(body, dict):
        raise Refused(f"'{place.rstrip('.') or 'the body'}' must be an object.", place.rstrip("."))
    for name in body:
        if name not in fields:
            raise Refused(f"'{place}{name}' is not a field of this resource.", f"{place}{name}")
    found: Body = {}
    for name, field in fields.items():
        value, where = body.get(name), f"{place}{name}"
        if value is not None:
            found[name] = _READERS[field.kind](value, field, options, where)
        if field.required and not found.get(name) and not (field.kind == "number" and name in found):
            raise Refused(f"'{where}' is required.", where)
    return found


def _whole(value: object, _field: Field, _options: Options, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= ID_MAX:
        raise Refused(f"'{where}' must be a whole number.", where)
    return value


def _text(value: object, field: Field, options: Options, where: str) -> str:
    if not isinstance(value, str):
        raise Refused(f"'{where}' must be a string.", where)
    if not value.isprintable() and any("\ud800" <= character <= "\udfff" for character in value):
        raise Refused(f"'{where}' holds half a character.", where)
    if len(value) > field.size and options.over_length == "refuse":
        raise Refused(f"'{where}' holds {len(value)} characters; the limit is {field.size}.", where)
    return value[: field.size]


def _number(value: object, field: Field, _options: Options, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Refused(f"'{where}' must be a number.", where)
    exact = Decimal(value)
    if not exact.is_finite() or abs(exact) >= LARGEST:
        raise Refused(f"'{where}' is out of range.", where)
    scaled = exact.scaleb(field.size)
    if scaled != scaled.to_integral_value():
        raise Refused(f"'{where}' has more than {field.size} decimals: {value}.", where)
    return int(scaled)


def _flag(value: object, _field: Field, _options: Options, where: str) -> bool:
    if not isinstance(value, bool):
        raise Refused(f"'{where}' must be true or false.", where)
    return value


def _moment(value: object, _field: Field, _options: Options, where: str) -> str:
    try:
        return moments.read_moment(value if isinstance(value, str) else repr(value))
    except ValueError as fault:
        raise Refused(f"'{where}': {fault}.", where) from None


def _list(value: object, field: Field, options: Options, where: str) -> list[Body]:
    if not isinstance(value, list):
        raise Refused(f"'{where}' must be an array.", where)
    items = field.items or {}
    return [checked(item, items, options, f"{where}[{number}].") for number, item in enumerate(value)]


def _object(value: object, field: Field, options: Options, where: str) -> Body:
    return checked(value, field.items or {}, options, f"{where}.")


_READERS: dict[str, Callable[[Any, Field, Options, str], Any]] = {
    "whole": _whole,
    "text": _text,
    "number": _number,
    "flag": _flag,
    "moment": _moment,
    "list": _list,
    "object": _object,
}
