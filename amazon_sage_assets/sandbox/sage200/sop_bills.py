"""Invoices for what was despatched and credit notes for what came back, printed and posted at the desk."""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from amazon_sage_assets.sandbox.sage200 import lookups, moments, stock
from amazon_sage_assets.sandbox.sage200.defaults import CHARGE, LIVE, STANDARD
from amazon_sage_assets.sandbox.sage200.ledger import Desk
from amazon_sage_assets.sandbox.sage200.sales_ledger import CREDIT_NOTES, INVOICES, Bill, book_bill
from amazon_sage_assets.sandbox.sage200.sop_orders import Kind, insert, lines_of, next_number, settle_status
from amazon_sage_assets.sandbox.sage200.sop_values import Valued, line_total, nets, tax_of, tax_rate, taxes

REFERENCE_LENGTH = 20


@dataclass(frozen=True)
class _Way:
    """What an order and a return differ in when they are billed."""

    bill: Bill
    counter: str


_WAYS: dict[Kind, _Way] = {"order": _Way(INVOICES, "invoice"), "return": _Way(CREDIT_NOTES, "credit_note")}


def bill_all(desk: Desk, kind: Kind, day: date | None, ids: Iterable[int] | None) -> list[str]:
    """Bill what has moved and is not billed, one bill for each document; the numbers of the bills."""
    waiting = desk.db.execute(
        "select distinct o.* from sop_despatch_lines d join sop_lines l on l.id = d.line_id "
        "join sop_documents o on o.id = l.document_id "
        "where d.bill_id is null and o.kind = ? and o.document_status = ? order by o.id",
        (kind, LIVE),
    ).fetchall()
    wanted = None if ids is None else set(ids)
    return [_bill(desk, document, day) for document in waiting if wanted is None or document["id"] in wanted]


def _bill(desk: Desk, document: sqlite3.Row, day: date | None) -> str:
    db, way = desk.db, _WAYS[document["kind"]]
    moved = db.execute(
        "select d.id, d.line_id, d.quantity, e.despatch_date from sop_despatch_lines d "
        "join sop_despatches e on e.id = d.despatch_id where d.bill_id is null and e.document_id = ?",
        (document["id"],),
    ).fetchall()
    dated = moments.stored_day(day) if day else max(row["despatch_date"] for row in moved)
    quantities: Counter[int] = Counter()
    for row in moved:
        quantities[row["line_id"]] += row["quantity"]
    lines = [line for line in lines_of(db, document["id"]) if _is_due(line, quantities)]
    worth = [_valued(db, line, quantities.get(line["id"], line["quantity"])) for line in lines]

    number = next_number(db, way.counter)
    urn, net, tax = _post(desk, document, way.bill, worth, number, dated)
    head = {
        "document_no": number,
        "document_id": document["id"],
        "bill_date": dated,
        "net": net,
        "tax": tax,
        "urn": urn,
    }
    bill_id = insert(desk, "sop_bills", head)
    for line, value in zip(lines, worth, strict=True):
        _bill_line(desk, document, bill_id, line, value)
    db.executemany(
        "update sop_despatch_lines set bill_id = ?, updated = ? where id = ?",
        [(bill_id, desk.stamp, row["id"]) for row in moved],
    )
    settle_status(desk, document["id"])
    return number


def _is_due(line: sqlite3.Row, quantities: Counter[int]) -> bool:
    """A line that moved; and a charge, which goes whole on the first bill."""
    return line["id"] in quantities or (line["line_type"] == CHARGE and not line["invoiced"])


def _valued(db: sqlite3.Connection, line: sqlite3.Row, quantity: int) -> Valued:
    code = lookups.by_id(db, "tax_codes", line["tax_code_id"], "tax_code_id")
    total = line_total(quantity, line["price"])
    is_charge = line["line_type"] == CHARGE
    return Valued(line["id"], code["id"], tax_rate(code), line["nominal_id"], quantity, total, is_charge)


def _post(
    desk: Desk, document: sqlite3.Row, bill: Bill, worth: list[Valued], number: str, dated: str
) -> tuple[int, int, int]:
    """Put the bill into the sales ledger: its URN, net and VAT."""
    inclusive = bool(document["tax_inclusive"])
    by_code = taxes(worth, inclusive=inclusive)
    by_account: Counter[int] = Counter()
    for line, net in zip(worth, nets(worth, inclusive=inclusive), strict=True):
        by_account[line.nominal_id] += net
    customer = lookups.by_id(desk.db, "customers", document["customer_id"], "customer_id")
    second = {
        "customer_order": document["customer_document_no"][:REFERENCE_LENGTH],
        "order_number": document["document_no"],
        "blank": "",
    }[desk.options.invoice_second_reference]
    body = {
        "reference": number,
        "second_reference": second,
        "transaction_date": dated,
        "exchange_rate": document["rate"],
    }
    urn = book_bill(
        desk,
        bill,
        body,
        customer,
        [(account, net, "") for account, net in by_account.items()],
        [(code.tax_code_id, code.net, code.tax) for code in by_code],
    )
    return urn, sum(code.net for code in by_code), sum(code.tax for code in by_code)


def _bill_line(desk: Desk, document: sqlite3.Row, bill_id: int, line: sqlite3.Row, value: Valued) -> None:
    tax = tax_of(value.total, value.tax_rate, inclusive=bool(document["tax_inclusive"]))
    row = {"bill_id": bill_id, "line_id": line["id"], "quantity": value.quantity, "total": value.total, "tax": tax}
    insert(desk, "sop_bill_lines", row)
    desk.db.execute(
        "update sop_lines set invoiced = invoiced + ?, updated = ? where id = ?",
        (value.quantity, desk.stamp, line["id"]),
    )
    if document["kind"] == "order" and line["line_type"] == STANDARD and not desk.options.update_stock_on_despatch:
        stock.move(desk, line["product_id"], line["warehouse_id"], in_stock=-value.quantity)
