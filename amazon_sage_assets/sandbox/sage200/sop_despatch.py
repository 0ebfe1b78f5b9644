"""Goods that leave for an order, and goods that come back for a return."""

import sqlite3
from collections.abc import Mapping
from decimal import Decimal

from amazon_sage_assets.sandbox.sage200 import lookups, moments, stock
from amazon_sage_assets.sandbox.sage200.bodies import Body
from amazon_sage_assets.sandbox.sage200.defaults import STANDARD
from amazon_sage_assets.sandbox.sage200.ledger import Desk
from amazon_sage_assets.sandbox.sage200.refusals import Refused
from amazon_sage_assets.sandbox.sage200.sop_orders import (
    GOODS,
    by_id,
    insert,
    lines_of,
    next_number,
    require_live,
    settle_status,
)

Wanted = list[tuple[sqlite3.Row, int]]


def confirm(desk: Desk, body: Body) -> str:
    """`POST /sop_confirm_despatch`: the number of the despatch. Raises Refused."""
    order = by_id(desk.db, "order", body["sop_order_return_id"], "sop_order_return_id")
    lines = {line["id"]: line for line in lines_of(desk.db, order["id"]) if line["line_type"] in GOODS}
    wanted: Wanted = []
    for number, item in enumerate(body["items"]):
        if item["id"] not in lines:
            raise Refused(
                f"The sales order {order['document_no']} has no line to despatch with the id {item['id']} given in "
                f"'items[{number}].id'.",
                f"items[{number}].id",
            )
        wanted.append((lines[item["id"]], item["quantity"]))
    day = moments.stored_day(moments.day_of(body.get("despatch_receipt_date") or desk.stamp))
    return move_goods(desk, order, wanted, day, _tracking(desk, order, body))


def _tracking(desk: Desk, order: sqlite3.Row, body: Body) -> Body:
    items = body.get("tracking_items") or []
    if len(items) > 1:
        raise Refused("A despatch has one tracking item.", "tracking_items")
    for item in items:
        if item.get("sop_order_return_id", order["id"]) != order["id"]:
            raise Refused("The tracking item is of another order.", "tracking_items[0].sop_order_return_id")
        if item.get("courier_id"):
            lookups.by_id(desk.db, "couriers", item["courier_id"], "tracking_items[0].courier_id")
    return items[0] if items and desk.options.record_tracking_on_despatch else {}


def all_that_is_left(db: sqlite3.Connection, document: sqlite3.Row, lines: Mapping[str, Decimal] | None) -> Wanted:
    """What a person takes to the packing bench: everything that is left, or so much of each stock code."""
    left = [
        (line, line["quantity"] - line["despatched"])
        for line in lines_of(db, document["id"])
        if line["line_type"] in GOODS and line["despatched"] < line["quantity"]
    ]
    if lines is None:
        return left
    wanted: Wanted = []
    for code, quantity in lines.items():
        asked = int(Decimal(quantity).scaleb(5))
        for line, open_quantity in left:
            if line["code"] == code and asked > 0:
                wanted.append((line, min(asked, open_quantity)))
                asked -= open_quantity
        if asked > 0:
            raise Refused(f"So much of '{code}' is not left in {document['document_no']}.", "lines")
    return wanted


def move_goods(desk: Desk, document: sqlite3.Row, wanted: Wanted, day: str, tracking: Body) -> str:
    """Record a despatch of an order or the receipt of a return; its number. Raises Refused."""
    require_live(document)
    if not wanted:
        raise Refused(f"Nothing is left to do in the sales {document['kind']} {document['document_no']}.", "items")
    comes_back = document["kind"] == "return"
    number = next_number(desk.db, "receipt" if comes_back else "despatch")
    head = {
        "document_no": number,
        "document_id": document["id"],
        "despatch_date": day,
        "courier_id": tracking.get("courier_id") or None,
        "consignment_no": tracking.get("consignment_no", ""),
        "weight": tracking.get("weight", 0),
        "pieces": tracking.get("pieces", 0),
        "notes": tracking.get("notes", ""),
        "user_name": desk.user_name,
    }
    despatch_id = insert(desk, "sop_despatches", head)
    for line, quantity in wanted:
        _move_line(desk, despatch_id, line, quantity, comes_back=comes_back)
    settle_status(desk, document["id"])
    return number


def _move_line(desk: Desk, despatch_id: int, line: sqlite3.Row, quantity: int, *, comes_back: bool) -> None:
    # A line may be named twice: what the first naming took is in the file, not in the row.
    now = desk.db.execute("select * from sop_lines where id = ?", (line["id"],)).fetchone()
    left = now["quantity"] - now["despatched"]
    if not 0 < quantity <= left:
        raise Refused(
            f"The quantity {Decimal(quantity).scaleb(-5).normalize():f} of the line {line['id']} cannot be confirmed; "
            f"{Decimal(left).scaleb(-5).normalize():f} is left.",
            "items",
        )
    taken = min(now["allocated"], quantity)
    if line["line_type"] == STANDARD:
        if comes_back:
            stock.move(desk, line["product_id"], line["warehouse_id"], in_stock=quantity)
        else:
            _take(desk, now, quantity, taken)
    desk.db.execute(
        "update sop_lines set despatched = despatched + ?, allocated = allocated - ?, updated = ? where id = ?",
        (quantity, taken, desk.stamp, line["id"]),
    )
    insert(desk, "sop_despatch_lines", {"despatch_id": despatch_id, "line_id": line["id"], "quantity": quantity})


def _take(desk: Desk, line: sqlite3.Row, quantity: int, allocated: int) -> None:
    """Goods leave the shelf now, or with the invoice where the company does it so."""
    held = stock.holding(desk.db, line["product_id"], line["warehouse_id"], "warehouse_id")
    if desk.options.despatch_without_stock == "refuse" and stock.free(held) + allocated < quantity:
        raise Refused(f"There is not enough of '{line['code']}' in stock.", "items")
    leaving = quantity if desk.options.update_stock_on_despatch else 0
    stock.move(desk, line["product_id"], line["warehouse_id"], in_stock=-leaving, allocated=-allocated)
