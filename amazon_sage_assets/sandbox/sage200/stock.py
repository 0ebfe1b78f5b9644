"""What lies in the warehouses: holdings, and what orders and despatches do to them."""

import sqlite3

from amazon_sage_assets.sandbox.sage200.ledger import Desk
from amazon_sage_assets.sandbox.sage200.refusals import Refused


def add_holding(db: sqlite3.Connection, product_id: int, warehouse_id: int, in_stock: int, stamp: str) -> None:
    """Put a product into a warehouse, or say anew how much of it is there."""
    db.execute(
        "insert into warehouse_holdings (product_id, warehouse_id, in_stock, created, updated) values (?, ?, ?, ?, ?) "
        "on conflict do update set in_stock = excluded.in_stock, updated = excluded.updated",
        (product_id, warehouse_id, in_stock, stamp, stamp),
    )


def holding(db: sqlite3.Connection, product_id: int, warehouse_id: int, field: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "select * from warehouse_holdings where product_id = ? and warehouse_id = ?", (product_id, warehouse_id)
    ).fetchone()
    if row is None:
        raise Refused(
            f"The product {product_id} is not held in the warehouse {warehouse_id} given in '{field}'.", field
        )
    return row


def free(held: sqlite3.Row) -> int:
    return int(held["in_stock"] - held["allocated"])


def move(desk: Desk, product_id: int, warehouse_id: int, *, in_stock: int = 0, allocated: int = 0) -> None:
    """Change what is there and what of it is promised."""
    if in_stock or allocated:
        desk.db.execute(
            "update warehouse_holdings set in_stock = in_stock + ?, allocated = allocated + ?, updated = ? "
            "where product_id = ? and warehouse_id = ?",
            (in_stock, allocated, desk.stamp, product_id, warehouse_id),
        )
