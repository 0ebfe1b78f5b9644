"""Sales orders and returns as they are entered, and what becomes of them."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from amazon_sage_assets.money import from_pence
from amazon_sage_assets.sandbox.sage200 import lookups, stock
from amazon_sage_assets.sandbox.sage200.bodies import Body
from amazon_sage_assets.sandbox.sage200.defaults import (
    CANCELLED,
    CHARGE,
    COMMENT,
    COMPLETE,
    DRAFT,
    FREE_TEXT,
    FULL,
    LINE_TYPES,
    LIVE,
    NONE,
    PART,
    STANDARD,
)
from amazon_sage_assets.sandbox.sage200.ledger import Desk
from amazon_sage_assets.sandbox.sage200.refusals import Refused
from amazon_sage_assets.sandbox.sage200.sales_ledger import customer_rate
from amazon_sage_assets.sandbox.sage200.sop_bodies import (
    DISCOUNTS_OF_LINE,
    DISCOUNTS_OF_ORDER,
    KEPT_OF_LINE,
    KEPT_OF_ORDER,
)
from amazon_sage_assets.sandbox.sage200.sop_values import ONE, Valued, line_total, tax_of, tax_rate, taxes
from amazon_sage_assets.sandbox.sage200.store import change_setting, setting

Kind = Literal["order", "return"]
GOODS = (STANDARD, FREE_TEXT)  # what is despatched; a charge is not
MOST_PENCE = 10**12
TO_BE_ASSIGNED = "TBA"


@dataclass(frozen=True)
class _Master:
    """What a line takes from a product, a charge or a customer where it does not say better itself."""

    code: str = ""
    description: str = ""
    tax_code_id: int | None = None
    nominal_id: int | None = None
    price: int | None = None


def next_number(db: sqlite3.Connection, what: str) -> str:
    """A number of ten digits."""
    key = f"next_{what}_number"
    number = int(setting(db, key))
    change_setting(db, key, str(number + 1))
    return f"{number:010d}"


def find(db: sqlite3.Connection, kind: Kind, number: str) -> sqlite3.Row:
    """The one order or return that Sage or the customer calls by this number. Raises Refused."""
    rows = db.execute(
        "select * from sop_documents where kind = ? and (document_no = ? or customer_document_no = ?)",
        (kind, number, number),
    ).fetchall()
    if len(rows) != 1:
        raise Refused(f"{len(rows)} sales {kind}s have the number '{number}'.", "number")
    row: sqlite3.Row = rows[0]
    return row


def by_id(db: sqlite3.Connection, kind: Kind, record_id: int, field: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "select * from sop_documents where id = ? and kind = ?", (record_id, kind)
    ).fetchone()
    if row is None:
        raise Refused(f"The sales {kind} with the id {record_id} given in '{field}' does not exist.", field)
    return row


def lines_of(db: sqlite3.Connection, document_id: int) -> list[sqlite3.Row]:
    return db.execute("select * from sop_lines where document_id = ? order by line_number", (document_id,)).fetchall()


def require_live(document: sqlite3.Row) -> None:
    if document["document_status"] != LIVE:
        status = document["document_status"].removeprefix("EnumDocumentStatus").lower()
        raise Refused(f"The sales {document['kind']} {document['document_no']} is {status}.", "sop_order_return_id")


# Entering


def enter(desk: Desk, kind: Kind, body: Body) -> int:
    """Book an order or a return and say its id. Raises Refused."""
    db, options = desk.db, desk.options
    customer = lookups.by_id(db, "customers", body["customer_id"], "customer_id")
    for field in (*DISCOUNTS_OF_ORDER, "payment_with_order"):
        if body.get(field):
            raise Refused(f"This sandbox does not reckon with '{field}'.", field)
    customer_no = body.get("customer_document_no", "")
    if options.refuse_duplicate_customer_document_no and customer_no and _stands(db, kind, customer["id"], customer_no):
        raise Refused(f"A sales {kind} with the customer's number '{customer_no}' already exists.",
                      "customer_document_no")  # fmt: skip
    draft = body.get("is_editing", False)
    lines = [_line(desk, customer, line, f"lines[{number}]") for number, line in enumerate(body.get("lines", ()))]
    if not lines and not draft:
        raise Refused(f"A sales {kind} has at least one line.", "lines")
    document_id = _write_head(desk, kind, body, customer, lines, draft=draft)
    for number, line in enumerate(lines, start=1):
        _write_line(desk, document_id, number, line, allocates=kind == "order" and not draft)
    return document_id


def _stands(db: sqlite3.Connection, kind: Kind, customer_id: int, customer_no: str) -> bool:
    found = db.execute(
        "select 1 from sop_documents where customer_document_no = ? collate nocase and kind = ? and customer_id = ?",
        (customer_no, kind, customer_id),
    )
    return found.fetchone() is not None


def _write_head(
    desk: Desk, kind: Kind, body: Body, customer: sqlite3.Row, lines: Sequence[Body], *, draft: bool
) -> int:
    worth = [_valued(line) for line in lines if line["line_type"] != COMMENT]
    inclusive = desk.options.are_prices_tax_inclusive
    whole = taxes(worth, inclusive=inclusive)
    charges = taxes([line for line in worth if line.is_charge], inclusive=inclusive)
    net, tax = sum(code.net for code in whole), sum(code.tax for code in whole)
    if net + tax < 0:
        raise Refused(f"The value of the sales {kind} is {from_pence(net + tax)}; it must not be negative.", "lines")
    charged = sum(code.net for code in charges)
    by_invoice_address = body.get("use_invoice_address", not body.get("delivery_address"))
    delivery = {"postal_name": customer["name"]} if by_invoice_address else body.get("delivery_address", {})
    row = {
        "kind": kind,
        "document_no": TO_BE_ASSIGNED if draft else _number(desk, kind, body),
        "customer_id": customer["id"],
        "document_date": body.get("document_date") or f"{desk.stamp[:10]}T00:00:00.000000Z",
        "document_status": DRAFT if draft else LIVE,
        **dict.fromkeys(("despatch_status", "invoice_status", "cancelled_status"), NONE),
        "currency_id": customer["currency_id"],
        "rate": customer_rate(desk.db, customer, body),
        "tax_inclusive": inclusive,
        "goods": net - charged,
        "charges": charged,
        "charges_tax": sum(code.tax for code in charges),
        "net": net,
        "tax": tax,
        "customer_document_no": body.get("customer_document_no", ""),
        "requested": body.get("requested_delivery_date"),
        "promised": body.get("promised_delivery_date"),
        "use_invoice_address": by_invoice_address,
        "delivery": json.dumps(delivery),
        "more": json.dumps({name: body[name] for name in KEPT_OF_ORDER if name in body}),
    }
    return insert(desk, "sop_documents", row)


def _number(desk: Desk, kind: Kind, body: Body) -> str:
    """Sage's own number; the sender's only where the company numbers by hand."""
    if desk.options.auto_generate_order_return_numbers:
        return next_number(desk.db, kind)
    number = str(body.get("document_no", ""))
    if not number:
        raise Refused("'document_no' is required: numbers are not given automatically.", "document_no")
    sql = "select 1 from sop_documents where document_no = ? collate nocase and kind = ?"
    if desk.db.execute(sql, (number, kind)).fetchone():
        raise Refused(f"The sales {kind} {number} already exists.", "document_no")
    return number


def _line(desk: Desk, customer: sqlite3.Row, line: Body, place: str) -> Body:
    """A line as it will stand, its code and account found and its value worked out."""
    kind = line["line_type"]
    if kind not in LINE_TYPES:
        raise Refused(f"'{kind}' given in '{place}.line_type' is not a type of line.", f"{place}.line_type")
    for field in DISCOUNTS_OF_LINE:
        if line.get(field):
            raise Refused(f"This sandbox does not reckon with '{place}.{field}'.", f"{place}.{field}")
    master = _MASTERS[kind](desk, customer, line, place)
    found: Body = {
        "line_type": kind,
        "product_id": line["product_id"] if kind == STANDARD else None,
        "warehouse_id": line["warehouse_id"] if kind == STANDARD else None,
        "code": master.code,
        "description": line.get("description") or master.description,
        "requested": line.get("requested_delivery_date"),
        "promised": line.get("promised_delivery_date"),
        "more": json.dumps({name: line[name] for name in KEPT_OF_LINE if name in line}),
        "to_allocate": line.get("to_allocate_quantity"),
    }
    if kind == COMMENT:
        nothing: Body = dict.fromkeys(("quantity", "price", "total", "tax"), 0)
        return {**found, **nothing, "tax_code_id": None, "nominal_id": None}
    quantity = ONE if kind == CHARGE else line.get("line_quantity", 0)
    if quantity <= 0:
        raise Refused(f"'{place}.line_quantity' must be greater than zero.", f"{place}.line_quantity")
    price = _price(desk, line, master, place)
    total = line_total(quantity, price)
    if abs(total) > MOST_PENCE:
        raise Refused(f"The value of '{place}' is out of range.", place)
    wanted = line.get("tax_code_id") or master.tax_code_id or customer["tax_code_id"]
    code = lookups.tax_code(desk.db, wanted, f"{place}.tax_code_id")
    rate = tax_rate(code)
    return {
        **found,
        "quantity": quantity,
        "price": price,
        "tax_code_id": code["id"],
        "tax_rate": rate,
        "nominal_id": _nominal(desk, customer, line, master, f"{place}.nominal_reference"),
        "total": total,
        "tax": tax_of(total, rate, inclusive=desk.options.are_prices_tax_inclusive),
    }


def _product(desk: Desk, _customer: sqlite3.Row, line: Body, place: str) -> _Master:
    for field in ("product_id", "warehouse_id"):
        if not line.get(field):
            raise Refused(f"'{place}.{field}' is required on a standard line.", f"{place}.{field}")
    product = lookups.by_id(desk.db, "products", line["product_id"], f"{place}.product_id")
    lookups.by_id(desk.db, "warehouses", line["warehouse_id"], f"{place}.warehouse_id")
    stock.holding(desk.db, product["id"], line["warehouse_id"], f"{place}.warehouse_id")
    return _Master(
        product["code"], product["name"], product["tax_code_id"], product["nominal_id"], product["list_price"]
    )


def _charge(desk: Desk, _customer: sqlite3.Row, line: Body, place: str) -> _Master:
    if not line.get("code"):
        return _text(desk, _customer, line, place)
    charge = lookups.by_name(desk.db, "additional_charges", "code", line["code"], f"{place}.code")
    return _Master(
        charge["code"], charge["name"], charge["tax_code_id"], charge["nominal_id"], charge["value"] * ONE // 100
    )


def _text(_desk: Desk, _customer: sqlite3.Row, line: Body, place: str) -> _Master:
    if not line.get("description"):
        raise Refused(f"'{place}.description' is required on this type of line.", f"{place}.description")
    if line["line_type"] == COMMENT and line.get("selling_unit_price"):
        raise Refused(f"'{place}.selling_unit_price' cannot be set on a comment.", f"{place}.selling_unit_price")
    return _Master()


_MASTERS = {STANDARD: _product, FREE_TEXT: _text, CHARGE: _charge, COMMENT: _text}


def _price(desk: Desk, line: Body, master: _Master, place: str) -> int:
    """The price that was typed, as far as this user may type one; else the list's."""
    field = f"{place}.selling_unit_price"
    typed: int | None = line.get("selling_unit_price")
    if typed is not None and master.price is not None and desk.options.price_permission != "ok":
        if desk.options.price_permission == "refused":
            raise Refused(f"This user has no permission to change '{field}'.", field)
        typed = None
    price = (master.price or 0) if typed is None else typed
    if price < 0 and (line["line_type"] == STANDARD or desk.options.negative_lines == "refuse"):
        raise Refused(f"'{field}' must not be negative.", field)
    return price


def _nominal(desk: Desk, customer: sqlite3.Row, line: Body, master: _Master, field: str) -> int:
    if desk.options.amend_nominal_codes and line.get("nominal_reference"):
        parts = (line.get("nominal_cost_centre") or "", line.get("nominal_department") or "")
        return lookups.nominal_id(desk.db, line["nominal_reference"], *parts, field)
    if master.nominal_id is not None:
        return master.nominal_id
    return lookups.nominal_id(desk.db, customer["nominal_reference"], "", "", "customer default nominal")


def _valued(line: Body) -> Valued:
    return Valued(
        0, line["tax_code_id"], line["tax_rate"], line["nominal_id"], line["quantity"], line["total"],
        line["line_type"] == CHARGE,
    )  # fmt: skip


def _write_line(desk: Desk, document_id: int, number: int, line: Body, *, allocates: bool) -> None:
    allocated = _allocate(desk, line) if allocates and line["line_type"] == STANDARD else 0
    row = {name: value for name, value in line.items() if name not in ("to_allocate", "tax_rate")}
    insert(desk, "sop_lines", {**row, "document_id": document_id, "line_number": number, "allocated": allocated})


def _allocate(desk: Desk, line: Body) -> int:
    """Promise the line what is free of its product."""
    if not desk.options.allocate_stock_on_order_entry:
        return 0
    held = stock.holding(desk.db, line["product_id"], line["warehouse_id"], "warehouse_id")
    wanted = line["quantity"] if line["to_allocate"] is None else min(line["to_allocate"], line["quantity"])
    quantity: int = max(min(wanted, stock.free(held)), 0)
    stock.move(desk, line["product_id"], line["warehouse_id"], allocated=quantity)
    return quantity


def insert(desk: Desk, table: str, row: Body) -> int:
    values: dict[str, Any] = {**row, "created": desk.stamp, "updated": desk.stamp}
    places = ", ".join(f":{name}" for name in values)
    sql = f"insert into {table} ({', '.join(values)}) values ({places}) returning id"
    return int(desk.db.execute(sql, values).fetchone()[0])


# What becomes of them


def cancel(desk: Desk, order: sqlite3.Row) -> None:
    """Nothing more will be despatched of it, and nothing has been. Raises Refused."""
    require_live(order)
    if order["despatch_status"] != NONE:
        raise Refused(f"Goods of the sales order {order['document_no']} have been despatched.", "number")
    for line in lines_of(desk.db, order["id"]):
        stock.move(desk, line["product_id"], line["warehouse_id"], allocated=-line["allocated"])
    desk.db.execute("update sop_lines set allocated = 0, updated = ? where document_id = ?", (desk.stamp, order["id"]))
    _set_status(desk, order["id"], document_status=CANCELLED, cancelled_status=FULL)


def settle_status(desk: Desk, document_id: int) -> None:
    """How far a document has come, told by its lines."""
    lines = lines_of(desk.db, document_id)
    despatched = _process([(line["despatched"], line["quantity"]) for line in lines if line["line_type"] in GOODS])
    invoiced = _process([(line["invoiced"], line["quantity"]) for line in lines if line["line_type"] != COMMENT])
    done = {"document_status": COMPLETE} if invoiced == FULL else {}  # nothing is billed that has not moved
    _set_status(desk, document_id, despatch_status=despatched, invoice_status=invoiced, **done)


def _process(parts: Sequence[tuple[int, int]]) -> str:
    if all(done >= whole for done, whole in parts):
        return FULL
    return PART if any(done for done, _ in parts) else NONE


def _set_status(desk: Desk, document_id: int, **values: str) -> None:
    places = ", ".join(f"{name} = :{name}" for name in values)
    desk.db.execute(
        f"update sop_documents set {places}, updated = :stamp where id = :id",
        {**values, "stamp": desk.stamp, "id": document_id},
    )
