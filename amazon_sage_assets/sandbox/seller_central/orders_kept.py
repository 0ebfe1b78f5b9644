"""The orders of every seller: in Amazon's JSON with every block, found by what searchOrders asks for."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from amazon_sage_assets.sandbox.seller_central.database import Database, Json, stamp


@dataclass(frozen=True)
class OrderQuestion:
    """What orders are wanted. `moment` is what they are found and sorted by; `behind` the last one shown before."""

    moment: str  # created_at or updated_at
    after: float
    before: float
    created_from: float
    marketplace_ids: Sequence[str]
    statuses: Sequence[str]
    fulfilled_by: Sequence[str]
    behind: tuple[float, str] | None


class OrdersKept(Database):
    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        super().__init__(path)
        self.now = now

    def add_orders(self, seller: str, orders: Iterable[Json]) -> None:
        """Orders in Amazon's JSON with all blocks. One with the id of a known one replaces it."""
        with self._transaction():
            for order in orders:
                self._keep_order(seller, order, is_hidden=False)

    def update_order(self, seller: str, order_id: str, changes: Json, *, at: datetime | None = None) -> None:
        """Change an order as Amazon or a seller does, now or at a moment: what is named changes, None takes it out.

        Of `orderItems` each one changes that bears the id of a known item.
        """
        with self._transaction():
            row = self._order_row(seller, order_id)
            if row is None:
                raise KeyError(f"{seller} has no order {order_id}")
            order = _merged(json.loads(row["content"]), changes)
            order["lastUpdatedTime"] = stamp(at or self.now())
            self._keep_order(seller, order, is_hidden=bool(row["is_hidden"]))

    def hide_from_search(self, order_id: str, *, hidden: bool = True) -> None:
        """Let searchOrders miss an order; getOrder and the all-orders report still know it."""
        self._query("update orders set is_hidden = ? where order_id = ?", int(hidden), order_id)

    def order(self, seller: str, order_id: str) -> Json | None:
        """An order that has come in by now."""
        row = self._order_row(seller, order_id)
        if row is None or row["created_at"] > self.now().timestamp():
            return None
        found: Json = json.loads(row["content"])
        return found

    def search_orders(self, seller: str, wanted: OrderQuestion, most: int) -> list[tuple[float, Json]]:
        """The first orders that fit, each with the moment that it is sorted by."""
        moment = wanted.moment
        condition = f"seller = ? and not is_hidden and {moment} >= ? and {moment} <= ? and created_at >= ?"
        values: list[Any] = [seller, wanted.after, wanted.before, wanted.created_from]
        for column, names in (
            ("marketplace_id", wanted.marketplace_ids),
            ("status", wanted.statuses),
            ("fulfilled_by", wanted.fulfilled_by),
        ):
            if names:
                condition += f" and {column} in ({', '.join('?' * len(names))})"
                values += names
        if wanted.behind:
            condition += f" and ({moment}, order_id) > (?, ?)"
            values += wanted.behind
        sql = f"select {moment} as at, content from orders where {condition} order by {moment}, order_id limit ?"  # noqa: S608
        return [(row["at"], json.loads(row["content"])) for row in self._query(sql, *values, most)]

    def updated_orders(self, seller: str, start: datetime, end: datetime) -> list[Json]:
        """Every order that changed from one moment to another, hidden or not."""
        rows = self._query(
            "select content from orders where seller = ? and updated_at >= ? and updated_at <= ?"
            " order by updated_at, order_id",
            seller, start.timestamp(), min(end, self.now()).timestamp(),
        )  # fmt: skip
        return [json.loads(row["content"]) for row in rows]

    def _order_row(self, seller: str, order_id: str) -> Any:
        return next(self._query("select * from orders where seller = ? and order_id = ?", seller, order_id), None)

    def _keep_order(self, seller: str, order: Json, *, is_hidden: bool) -> None:
        fulfilment = order["fulfillment"]
        self._query(
            "insert or replace into orders values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            seller, order["orderId"], order["salesChannel"]["marketplaceId"],
            datetime.fromisoformat(order["createdTime"]).timestamp(),
            datetime.fromisoformat(order["lastUpdatedTime"]).timestamp(),
            fulfilment["fulfillmentStatus"], fulfilment["fulfilledBy"], int(is_hidden), json.dumps(order),
        )  # fmt: skip


def _merged(known: Json, changes: Json) -> Json:
    whole = dict(known)
    for name, change in changes.items():
        if change is None:
            whole.pop(name, None)
        elif name == "orderItems":
            by_id = {item["orderItemId"]: item for item in change}
            whole[name] = [_merged(item, by_id.get(item["orderItemId"], {})) for item in known[name]]
        elif isinstance(change, dict) and isinstance(whole.get(name), dict):
            whole[name] = _merged(whole[name], change)
        else:
            whole[name] = change
    return whole
