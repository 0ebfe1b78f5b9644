"""Sales invoices, credit notes, receipts, payments, and allocations between them."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amazon_sage_assets.money import from_pence, round_half_up
from amazon_sage_assets.sandbox.sage200 import defaults, lookups
from amazon_sage_assets.sandbox.sage200.bodies import Body
from amazon_sage_assets.sandbox.sage200.cash_book import enter
from amazon_sage_assets.sandbox.sage200.currencies import MILLION, from_base, parts_to_base, to_base
from amazon_sage_assets.sandbox.sage200.ledger import (
    Desk,
    Document,
    Posting,
    begin,
    exchange_difference,
    post,
    record_tax,
    transaction_date,
)
from amazon_sage_assets.sandbox.sage200.refusals import Refused

SOURCE = "LedgerSales"
_POSITIVE = ("document_goods_value", "document_tax_value", "document_discount_value", "document_tax_discount_value")


@dataclass(frozen=True)
class Bill:
    """What asks for money or gives it back. An invoice (1) raises what the customer owes, a credit note (-1) lowers it;
    the values of both are positive."""

    kind: str
    entry_type: str
    prefix: str
    sign: int


INVOICES = Bill("sales_invoices", defaults.INVOICE, "SI", 1)
CREDIT_NOTES = Bill("sales_credit_notes", defaults.CREDIT_NOTE, "SC", -1)


def sales_invoice(desk: Desk, body: Body) -> int:
    return _bill(desk, INVOICES, body)


def sales_credit_note(desk: Desk, body: Body) -> int:
    return _bill(desk, CREDIT_NOTES, body)


def sales_receipt(desk: Desk, body: Body) -> int:
    return _cash(desk, "sales_receipts", defaults.SALES_RECEIPT, "SR", body, -1)


def sales_payment(desk: Desk, body: Body) -> int:
    return _cash(desk, "sales_payments", defaults.SALES_PAYMENT, "SP", body, 1)


def _bill(desk: Desk, bill: Bill, body: Body) -> int:
    db = desk.db
    customer = lookups.by_id(db, "customers", body["customer_id"], "customer_id")
    for field in _POSITIVE:
        if body.get(field, 0) < 0:
            raise Refused(f"'{field}' must not be negative.", field)
    goods, tax = body.get("document_goods_value", 0), body.get("document_tax_value", 0)
    if goods + tax <= 0:
        raise Refused("The document has no value.", "document_goods_value")
    lines = _nominal_lines(desk, body, customer, goods)
    taxes = _tax_lines(desk, body, customer, goods, tax)
    return book_bill(desk, bill, body, customer, lines, taxes)


def book_bill(
    desk: Desk,
    bill: Bill,
    body: Body,
    customer: sqlite3.Row,
    lines: Sequence[tuple[int, int, str]],
    taxes: Sequence[tuple[int, int, int]],
) -> int:
    """Post an invoice or a credit note whose lines add up: account, pence, narrative; tax code, goods, tax."""
    db, sign = desk.db, bill.sign
    goods, tax = sum(value for _, value, _ in lines), sum(amount for _, _, amount in taxes)
    rate = customer_rate(db, customer, body)
    document = begin(desk, bill.kind, body, goods + tax, SOURCE, bank_id=None, customer_id=customer["id"])
    words = f"{bill.prefix} / {document.second_reference} {customer['reference']}"
    in_base = parts_to_base([*(value for _, value, _ in lines), tax], rate, desk.options)
    post(
        desk,
        document,
        [
            Posting(lookups.control_account(db, "debtors"), sign * sum(in_base), words),
            *(
                Posting(nominal_id, -sign * value, narrative or words)
                for (nominal_id, _, narrative), value in zip(lines, in_base, strict=False)
            ),
            Posting(lookups.control_account(db, "output_vat"), -sign * in_base[-1], words),
        ],
    )
    for tax_code_id, tax_goods, tax_amount in taxes:
        in_pounds = parts_to_base([tax_goods, tax_amount], rate, desk.options)
        record_tax(desk, document, tax_code_id, "Output", sign * in_pounds[0], sign * in_pounds[1])
    values = {"goods": goods, "tax": tax, "base_goods": sum(in_base[:-1]), "base_tax": in_base[-1], "rate": rate}
    _enter_sale(desk, document, customer, bill.entry_type, sign, values, body)
    return document.urn


def _nominal_lines(desk: Desk, body: Body, customer: sqlite3.Row, goods: int) -> list[tuple[int, int, str]]:
    """Account, pence and narrative of each line; without lines the customer's own account takes it all."""
    items = body.get("nominal_analysis_items")
    if not items:
        account = lookups.nominal_id(desk.db, customer["nominal_reference"], "", "", "customer default nominal")
        return [(account, goods, "")]
    found = []
    for number, item in enumerate(items):
        place = f"nominal_analysis_items[{number}]"
        if item.get("value", 0) < 0:
            raise Refused(f"'{place}.value' must not be negative.", f"{place}.value")
        account = lookups.nominal(desk.db, item, f"{place}.code")
        found.append((account, item.get("value", 0), item.get("narrative", "")))
    _add_up("nominal_analysis_items", "value", sum(v for _, v, _ in found), "document_goods_value", goods)
    return found


def _tax_lines(desk: Desk, body: Body, customer: sqlite3.Row, goods: int, tax: int) -> list[tuple[int, int, int]]:
    """Tax code, goods and tax of each line; without lines the customer's own code takes it all."""
    items = body.get("tax_analysis_items")
    if not items:
        code = lookups.tax_code(desk.db, customer["tax_code_id"], "tax_analysis_items")
        return [(code["id"], goods, tax)]
    found = []
    for number, item in enumerate(items):
        code = lookups.by_id(desk.db, "tax_codes", item["id"], f"tax_analysis_items[{number}].id")
        found.append((code["id"], item.get("goods_amount", 0), item.get("tax_amount", 0)))
    _add_up("tax_analysis_items", "goods_amount", sum(one[1] for one in found), "document_goods_value", goods)
    _add_up("tax_analysis_items", "tax_amount", sum(one[2] for one in found), "document_tax_value", tax)
    return found


def _add_up(items: str, column: str, total: int, headline: str, value: int) -> None:
    if total != value:
        raise Refused(
            f"The {column} of {items} adds up to {from_pence(total)}, not to {headline} {from_pence(value)}.", items
        )


def _cash(desk: Desk, kind: str, entry_type: str, prefix: str, body: Body, sign: int) -> int:
    """Money from a customer (-1) or back to one (1): an entry in the sales ledger and one in the cash book."""
    db, options = desk.db, desk.options
    customer = lookups.by_id(db, "customers", body["customer_id"], "customer_id")
    bank = lookups.by_id(db, "banks", body["bank_id"], "bank_id")
    if body["cheque_value"] <= 0:
        raise Refused("'cheque_value' must be greater than zero.", "cheque_value")
    for field in ("settlement_discount_value", "nominal_analysis_items"):
        if body.get(field):
            raise Refused(f"This sandbox does not post '{field}'.", field)
    customer_value, bank_value, bank_rate = _cheque(desk, body, customer, bank)
    rate = customer_rate(db, customer, body)
    owed = to_base(customer_value, rate, options)
    if bank["currency_id"] == customer["currency_id"]:
        banked, bank_rate = owed, rate
    else:
        banked = to_base(bank_value, bank_rate, options)

    document = begin(desk, kind, body, body["cheque_value"], SOURCE, bank_id=bank["id"], customer_id=customer["id"])
    words = f"{prefix} / {document.second_reference} {customer['reference']}"
    post(
        desk,
        document,
        [
            Posting(lookups.control_account(db, "debtors"), sign * owed, words),
            Posting(bank["nominal_id"], -sign * banked, words),
            *exchange_difference(desk, sign * (banked - owed)),
        ],
    )
    enter(desk, document, bank, -sign, bank_value, banked, bank_rate, words)
    values = {"goods": customer_value, "tax": 0, "base_goods": owed, "base_tax": 0, "rate": rate}
    _enter_sale(desk, document, customer, entry_type, sign, values, body)
    return document.urn


def _cheque(desk: Desk, body: Body, customer: sqlite3.Row, bank: sqlite3.Row) -> tuple[int, int, int]:
    """A cheque as the customer's account and the bank see it, and the bank's rate to base currency."""
    db, options, value = desk.db, desk.options, body["cheque_value"]
    cheque_id = body.get("cheque_currency_id") or customer["currency_id"]
    cheque = lookups.by_id(db, "currencies", cheque_id, "cheque_currency_id")
    theirs = lookups.by_id(db, "currencies", customer["currency_id"], "customer_id")
    ours = lookups.by_id(db, "currencies", bank["currency_id"], "bank_id")
    worth = to_base(value, cheque["rate"], options)
    customer_value = value if cheque["id"] == theirs["id"] else from_base(worth, theirs["rate"], options)
    customer_value = body.get("customer_cheque_value") or customer_value
    if cheque["id"] == ours["id"]:
        bank_value = value
    elif body.get("bank_exchange_rate"):
        bank_value = round_half_up(customer_value * body["bank_exchange_rate"], MILLION)
    else:
        bank_value = from_base(worth, ours["rate"], options)
    return customer_value, bank_value, ours["rate"]


def customer_rate(db: sqlite3.Connection, customer: sqlite3.Row, body: Body) -> int:
    currency = lookups.by_id(db, "currencies", customer["currency_id"], "customer_id")
    given = body.get("exchange_rate") or currency["rate"]
    if given < 0:
        raise Refused("An exchange rate must be greater than zero.", "exchange_rate")
    return MILLION if currency["is_base"] else int(given)


def _enter_sale(
    desk: Desk,
    document: Document,
    customer: sqlite3.Row,
    entry_type: str,
    sign: int,
    values: dict[str, int],
    body: Body,
) -> None:
    row: dict[str, Any] = {
        **values,
        "customer_id": customer["id"],
        "type": entry_type,
        "sign": sign,
        "discount": body.get("document_discount_value", 0),
        "tax_discount": body.get("document_tax_discount_value", 0),
        "reference": document.reference,
        "second_reference": document.second_reference,
        "transaction_date": document.transaction_date,
        "posted": desk.stamp,
        "due_date": body.get("due_date") or document.transaction_date,
        "settled_immediately": body.get("settled_immediately", False),
        "discount_percent": body.get("discount_percent", 0),
        "discount_days": body.get("discount_days", 0),
        "source": document.source,
        "urn": document.urn,
        "user_name": desk.user_name,
        "created": desk.stamp,
        "updated": desk.stamp,
    }
    places = ", ".join(f":{name}" for name in row)
    desk.db.execute(f"insert into sales_entries ({', '.join(row)}) values ({places})", row)


def allocate(desk: Desk, body: Body) -> None:
    """Set what lowers a customer's debt against what raised it; both sides must come to the same amount."""
    customer = lookups.by_id(desk.db, "customers", body["customer_id"], "customer_id")
    day = transaction_date(desk, body, "allocation_date")
    balance = 0
    for number, line in enumerate(body["allocation_lines"]):
        balance += _allocate_line(desk, customer, line, day, f"allocation_lines[{number}]")
    if balance:
        raise Refused(f"The allocation does not balance: {from_pence(balance)} is left over.", "allocation_lines")


def _allocate_line(desk: Desk, customer: sqlite3.Row, line: Body, day: str, place: str) -> int:
    """Allocate a part of one entry. The amount, with the sign of the entry."""
    entry = desk.db.execute(
        "select * from sales_entries where id = ? and customer_id = ?", (line["posted_tran_id"], customer["id"])
    ).fetchone()
    if entry is None:
        raise Refused(
            f"Customer '{customer['reference']}' has no transaction with the id {line['posted_tran_id']} given in "
            f"'{place}.posted_tran_id'.",
            f"{place}.posted_tran_id",
        )
    value, total = _unsigned(desk, entry, line, place), entry["goods"] + entry["tax"]
    open_value = total - entry["allocated"]
    if not 0 < value <= open_value:
        raise Refused(
            f"'{place}.value_to_allocate' is {from_pence(line['value_to_allocate'])}; "
            f"{from_pence(open_value)} of the transaction is outstanding.",
            f"{place}.value_to_allocate",
        )
    allocated = entry["allocated"] + value
    base = round_half_up((entry["base_goods"] + entry["base_tax"]) * allocated, total)
    desk.db.execute(
        "update sales_entries set allocated = ?, base_allocated = ?, settled_date = ?, updated = ? where id = ?",
        (allocated, base, day if allocated == total else None, desk.stamp, entry["id"]),
    )
    desk.db.execute(
        "insert into allocations (sales_entry_id, value, allocation_date, user_name, created) values (?, ?, ?, ?, ?)",
        (entry["id"], entry["sign"] * value, day, desk.user_name, desk.stamp),
    )
    return int(entry["sign"] * value)


def _unsigned(desk: Desk, entry: sqlite3.Row, line: Body, place: str) -> int:
    """The amount to allocate, whichever sign this Sage wants on the credit side."""
    value = int(line["value_to_allocate"])
    wanted = desk.options.allocation_credit_sign if entry["sign"] < 0 else "positive"
    if wanted != "either" and (value < 0) != (wanted == "negative"):
        raise Refused(f"'{place}.value_to_allocate' must be {wanted}.", f"{place}.value_to_allocate")
    return abs(value)
