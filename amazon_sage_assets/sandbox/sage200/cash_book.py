"""Bank payments, bank receipts and bank transfers."""

import sqlite3
from dataclasses import dataclass

from amazon_sage_assets.money import allocate, from_pence, round_half_up, to_pence
from amazon_sage_assets.sandbox.sage200 import lookups
from amazon_sage_assets.sandbox.sage200.bodies import Body
from amazon_sage_assets.sandbox.sage200.currencies import MILLION, from_base, parts_to_base, to_base
from amazon_sage_assets.sandbox.sage200.defaults import BANK_PAYMENT, BANK_RECEIPT
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

SOURCE = "LedgerCashBook"
PERCENT = 10_000  # a tax rate of 20.00 % is stored as 2000


@dataclass(frozen=True)
class _Line:
    """One analysed line of a payment or receipt, in the currency of the bank."""

    nominal_id: int
    narrative: str
    reference: str
    transaction_date: str
    tax_code: sqlite3.Row
    goods: int
    tax: int


def bank_payment(desk: Desk, body: Body) -> int:
    return _bank_document(desk, "bank_payment", body, -1)


def bank_receipt(desk: Desk, body: Body) -> int:
    return _bank_document(desk, "bank_receipt", body, 1)


def _bank_document(desk: Desk, kind: str, body: Body, direction: int) -> int:
    """Money out (-1) or in (1) against nominal accounts, with VAT."""
    _refuse_charges(body)
    bank = lookups.by_id(desk.db, "banks", body["bank_id"], "bank_id")
    currency = lookups.by_id(desk.db, "currencies", bank["currency_id"], "bank_id")
    lines = _base_lines(desk, body) if currency["is_base"] else _foreign_lines(desk, body, bank)
    total = sum(line.goods + line.tax for line in lines)
    if desk.options.refuse_negative_lines:
        for number, line in enumerate(lines):
            if min(line.goods, line.tax) < 0:
                raise Refused("The values of a line must not be negative.", f"nominal_analysis_items[{number}]")
        if total <= 0:
            raise Refused(f"The total of the document must be greater than zero, not {from_pence(total)}.")

    rate = _rate(currency, body.get("exchange_rate"))
    document = begin(desk, kind, body, total, SOURCE, bank_id=bank["id"])
    description = body.get("narrative") or lines[0].narrative
    in_base = parts_to_base([part for line in lines for part in (line.goods, line.tax)], rate, desk.options)
    vat = lookups.control_account(desk.db, "input_vat" if direction < 0 else "output_vat")
    postings = [Posting(bank["nominal_id"], direction * sum(in_base), description)]
    for number, line in enumerate(lines):
        goods, tax = in_base[2 * number : 2 * number + 2]
        day = line.transaction_date
        postings += [
            Posting(line.nominal_id, -direction * goods, line.narrative, line.reference, day),
            Posting(vat, -direction * tax, line.narrative, line.reference, day),
            *_reverse_charge(desk, line, -direction * goods),
        ]
        record_tax(desk, document, line.tax_code["id"], "Input" if direction < 0 else "Output", goods, tax)
    post(desk, document, postings)
    enter(desk, document, bank, direction, total, sum(in_base), rate, description)
    return document.urn


def _base_lines(desk: Desk, body: Body) -> list[_Line]:
    """Lines of a bank in base currency: each with its own VAT."""
    found = []
    for number, line in enumerate(_items(body)):
        place = f"nominal_analysis_items[{number}]"
        gross, goods, tax = line.get("gross_value"), line.get("goods_value"), line.get("tax_value", 0)
        if goods is None and gross is None:
            raise Refused(f"'{place}' needs a gross_value or a goods_value.", f"{place}.gross_value")
        if goods is None:
            goods = gross - tax
        if gross is not None and goods + tax != gross:
            raise Refused(
                f"'{place}': goods_value {from_pence(goods)} and tax_value {from_pence(tax)} "
                f"do not add up to gross_value {from_pence(gross)}.",
                f"{place}.gross_value",
            )
        tax_code = lookups.tax_code(desk.db, line.get("tax_code_id"), f"{place}.tax_code_id")
        found.append(_line(desk, body, line, place, tax_code, goods, tax))
    total = sum(line.goods + line.tax for line in found)
    if body.get("cheque_value", total) != total:
        raise Refused(
            f"cheque_value {from_pence(body['cheque_value'])} is not the sum of the lines, {from_pence(total)}.",
            "cheque_value",
        )
    return found


def _foreign_lines(desk: Desk, body: Body, bank: sqlite3.Row) -> list[_Line]:
    """Lines of a bank in a foreign currency: gross values only, the VAT stands in the head and is shared over them."""
    if body.get("cheque_currency_id", bank["currency_id"]) not in (0, bank["currency_id"]):
        raise Refused("This sandbox takes cheques in the currency of the bank only.", "cheque_currency_id")
    if "cheque_value" not in body:
        raise Refused("'cheque_value' is required: the bank is in a foreign currency.", "cheque_value")
    items, value = _items(body), body["cheque_value"]
    tax = body.get("cheque_tax_value", 0)
    if body.get("cheque_goods_value", value - tax) != value - tax:
        raise Refused("cheque_goods_value and cheque_tax_value do not add up to cheque_value.", "cheque_goods_value")
    gross = [line.get("gross_value", 0) for line in items]
    if sum(gross) != value:
        raise Refused(
            f"The gross values of the lines add up to {from_pence(sum(gross))}, not to cheque_value "
            f"{from_pence(value)}.",
            "nominal_analysis_items",
        )
    tax_code = lookups.tax_code(desk.db, body.get("tax_code_id"), "tax_code_id")
    weights = [abs(amount) for amount in gross]
    taxes = [to_pence(share) for share in allocate(from_pence(tax), weights)] if tax and any(weights) else []
    return [
        _line(desk, body, line, f"nominal_analysis_items[{number}]", tax_code, amount - share, share)
        for number, (line, amount, share) in enumerate(zip(items, gross, taxes or [0] * len(items), strict=True))
    ]


def _line(desk: Desk, body: Body, line: Body, place: str, tax_code: sqlite3.Row, goods: int, tax: int) -> _Line:
    if tax_code["notional"] and tax:
        raise Refused(
            f"'{place}': tax code {tax_code['code']} is a notional one, so tax_value must be 0.", f"{place}.tax_value"
        )
    day = transaction_date(desk, line) if line.get("transaction_date") else ""
    narrative = line.get("narrative") or body.get("narrative", "")
    nominal_id = lookups.nominal(desk.db, line, f"{place}.code")
    return _Line(nominal_id, narrative, line.get("reference", ""), day, tax_code, goods, tax)


def _items(body: Body) -> list[Body]:
    items: list[Body] = body.get("nominal_analysis_items") or body.get("nominal_journal_items") or []
    if not items:
        raise Refused("'nominal_analysis_items' must hold at least one line.", "nominal_analysis_items")
    return items


def _refuse_charges(body: Body) -> None:
    if body.get("bank_charges"):
        raise Refused("This sandbox does not post bank charges.", "bank_charges")
    if body.get("commission_value"):
        raise Refused("This sandbox does not post commission on a transfer.", "commission_value")


def _reverse_charge(desk: Desk, line: _Line, goods: int) -> list[Posting]:
    """Both VAT accounts move by the VAT that nobody paid: `goods` is the debit of the line in base currency."""
    if not line.tax_code["notional"]:
        return []
    tax = round_half_up(goods * line.tax_code["rate"], PERCENT)
    words = f"Reverse charge: {line.narrative}"[:6000]
    return [
        Posting(lookups.control_account(desk.db, "input_vat"), tax, words, line.reference, line.transaction_date),
        Posting(lookups.control_account(desk.db, "output_vat"), -tax, words, line.reference, line.transaction_date),
    ]


def bank_transfer(desk: Desk, body: Body) -> int:
    """One document, two bank entries: a payment in one bank and a receipt in the other."""
    _refuse_charges(body)
    db, options = desk.db, desk.options
    if body["bank_from_id"] == body["bank_to_id"]:
        raise Refused("A transfer needs two different banks.", "bank_to_id")
    source_bank = lookups.by_id(db, "banks", body["bank_from_id"], "bank_from_id")
    target_bank = lookups.by_id(db, "banks", body["bank_to_id"], "bank_to_id")
    source = lookups.by_id(db, "currencies", source_bank["currency_id"], "bank_from_id")
    target = lookups.by_id(db, "currencies", target_bank["currency_id"], "bank_to_id")
    paid = body["payment_value"]
    if paid <= 0:
        raise Refused("payment_value must be greater than zero.", "payment_value")
    paid_rate = _rate(source, body.get("payment_to_base_exchange_rate"))
    received_rate = _rate(target, body.get("receipt_to_base_exchange_rate"))
    if source["id"] == target["id"]:
        received = paid
        if (body.get("receipt_value") or paid) != paid:
            raise Refused("receipt_value differs from payment_value in one currency.", "receipt_value")
        received_rate = paid_rate
    elif body.get("receipt_value"):
        received = body["receipt_value"]
    elif body.get("exchange_rate"):
        received = round_half_up(paid * body["exchange_rate"], MILLION)
    else:
        received = from_base(to_base(paid, paid_rate, options), received_rate, options)
    if received <= 0:
        raise Refused("receipt_value must be greater than zero.", "receipt_value")

    difference_account = None
    if body.get("exchange_difference_code"):
        difference_account = lookups.nominal(db, body, "exchange_difference_code", "exchange_difference_")
    out, into = to_base(paid, paid_rate, options), to_base(received, received_rate, options)
    document = begin(desk, "bank_transfer", body, paid, SOURCE, bank_id=source_bank["id"])
    words = body.get("narrative", "")
    postings = [Posting(source_bank["nominal_id"], -out, words), Posting(target_bank["nominal_id"], into, words)]
    post(desk, document, postings + exchange_difference(desk, out - into, difference_account))
    enter(desk, document, source_bank, -1, paid, out, paid_rate, words)
    enter(desk, document, target_bank, 1, received, into, received_rate, words)
    return document.urn


def enter(
    desk: Desk, document: Document, bank: sqlite3.Row, direction: int, value: int, base: int, rate: int, words: str
) -> None:
    """An entry in the cash book: `value` as a person would write it, `direction` says which way it went."""
    desk.db.execute(
        "insert into bank_entries (bank_id, type, direction, value, base_value, rate, description, reference, "
        "second_reference, transaction_date, posted, source, urn, user_name, created, updated) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            bank["id"],
            BANK_PAYMENT if direction < 0 else BANK_RECEIPT,
            direction,
            value,
            direction * base,
            rate,
            words,
            document.reference,
            document.second_reference,
            document.transaction_date,
            desk.stamp,
            document.source,
            document.urn,
            desk.user_name,
            desk.stamp,
            desk.stamp,
        ),
    )


def _rate(currency: sqlite3.Row, given: int | None) -> int:
    """The rate of a document: 1 for the base currency, else the one given or the currency's own."""
    if given is not None and given < 0:
        raise Refused("An exchange rate must be greater than zero.", "exchange_rate")
    return MILLION if currency["is_base"] else int(given or currency["rate"])
