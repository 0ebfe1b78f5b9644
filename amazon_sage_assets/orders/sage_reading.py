"""What Sage has: stock items, the orders we sent and what became of them, and the customers' ledger.

Each is read as it changes. Nothing is open while Sage answers.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from amazon_sage_assets.control import insert_frame, insert_rows
from amazon_sage_assets.outbox.store import plain
from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.reference_data import ReferenceData
from amazon_sage_assets.warehouse import Warehouse, first_row

PRODUCTS, ORDERS, LEDGER = "sage_products", "sage_orders", "sage_sales_entries"
OVERLAP = timedelta(minutes=10)  # clocks differ, and a record may be committed a little after its stamp
TOGETHER = 40  # ids in one filter
_OWED = ("TradingAccountEntryTypeInvoice", "TradingAccountEntryTypePurchaseReceiptSalesPayment")
_ORDER_FIELDS = (
    "id", "document_no", "customer_document_no", "customer_id", "document_date", "document_status",
    "despatch_receipt_status", "invoice_credit_status", "total_gross_value", "total_tax_value", "date_time_updated",
)  # fmt: skip

Row = dict[str, Any]


def read_products(warehouse: Warehouse, client: SageClient, records: ReferenceData, now: datetime) -> int:
    """Stock items that are new or changed, with their tax code. Returns how many."""
    codes = {number: code for code, number in records.tax_codes.items()}
    fields = ("id", "code", "name", "tax_code_id", "date_time_updated")
    rows = _changed(warehouse, client, PRODUCTS, "/products", "", select=fields)
    found = [
        (int(r["id"]), str(r["code"]), str(r["name"]), codes.get(int(r["tax_code_id"] or 0), ""), _moment(r))
        for r in rows
    ]
    _keep(warehouse, "raw.sage_products", found, PRODUCTS, "", now)
    return len(found)


def read_orders(warehouse: Warehouse, client: SageClient, records: ReferenceData, now: datetime) -> int:
    """Sales orders of Amazon's customers that are new or changed, and the invoices they became. Returns how many."""
    whose = _whose(records)
    if not whose:
        return 0
    rows = _changed(warehouse, client, ORDERS, "/sop_orders", whose, select=_ORDER_FIELDS)
    found = [
        (
            int(r["id"]), str(r["document_no"]), str(r["customer_document_no"] or ""), int(r["customer_id"]),
            date.fromisoformat(str(r["document_date"])[:10]), _word(r, "document_status", "EnumDocumentStatus"),
            _word(r, "despatch_receipt_status", "EnumDocumentProcessStatus"),
            _word(r, "invoice_credit_status", "EnumDocumentProcessStatus"), _money(r["total_gross_value"]),
            _money(r["total_tax_value"]), _moment(r),
        )
        for r in rows
    ]  # fmt: skip
    invoices = _invoices(client, [row[0] for row in found if row[7] != "None"])
    with warehouse.transaction() as connection:
        connection.execute(
            "delete from raw.sage_order_invoices where list_contains($1::bigint[], order_id)",
            [[order_id for order_id, *_ in invoices]],
        )
        insert_frame(connection, "raw.sage_order_invoices", invoices)
    _keep(warehouse, "raw.sage_orders", found, ORDERS, whose, now)
    return len(found)


def _invoices(client: SageClient, order_ids: Sequence[int]) -> list[tuple[int, str, date]]:
    found = set()
    for start in range(0, len(order_ids), TOGETHER):
        wanted = " or ".join(f"sop_order_return_id eq {number}" for number in order_ids[start : start + TOGETHER])
        for row in client.read_all("/sop_order_return_invoice_credit_views", wanted, key="sop_invoice_credit_id"):
            day = date.fromisoformat(str(row["sop_invoice_credit_document_date"])[:10])
            found.add((int(row["sop_order_return_id"]), str(row["sop_invoice_credit_document_no"]), day))
    return sorted(found)


def read_ledger(warehouse: Warehouse, client: SageClient, records: ReferenceData, now: datetime) -> int:
    """Invoices, credit notes, receipts and payments of Amazon's customers that are new or changed."""
    whose = _whose(records)
    if not whose:
        return 0
    stamp, key = "transaction_date_time_updated", "posted_customer_transaction_id"
    rows = _changed(warehouse, client, LEDGER, "/sales_transaction_views", whose, key=key, stamp=stamp)
    found = [
        (
            int(r[key]), str(r["urn"]), int(r["customer_id"]), str(r["transaction_type"]),
            1 if r["transaction_type"] in _OWED else -1, str(r["reference"] or ""), str(r["second_reference"] or ""),
            date.fromisoformat(str(r["transaction_date"])[:10]), _size(r["document_gross_value"]),
            _size(r["document_tax_value"]), _size(r["document_outstanding_value"]), _moment(r, stamp),
        )
        for r in rows
    ]  # fmt: skip
    _keep(warehouse, "raw.sage_sales_entries", found, LEDGER, whose, now)
    return len(found)


def _whose(records: ReferenceData) -> str:
    return " or ".join(f"customer_id eq {number}" for number in sorted(set(records.customers.values())))


def _changed(
    warehouse: Warehouse,
    client: SageClient,
    source: str,
    path: str,
    whose: str,
    *,
    key: str = "id",
    stamp: str = "date_time_updated",
    select: Sequence[str] = (),
) -> list[Row]:
    with warehouse.read() as connection:
        seen = first_row(connection, "select reached from control.watermarks where source = $1", [source])
    reached, covered = str(seen[0]).split(" ", 1) if seen else ("", "")
    condition = f"({whose})" if whose else ""
    if reached and covered == whose:  # a customer that was not read before is read from its beginning
        since = f"{stamp} gt {reached}"
        condition = f"{condition} and {since}" if condition else since
    return client.read_all(path, condition, key=key, select=select)


def _keep(
    warehouse: Warehouse, table: str, rows: Sequence[tuple[Any, ...]], source: str, whose: str, now: datetime
) -> None:
    """Keep rows, the newest word on each, and how far we have read: to the newest stamp that Sage itself has set."""
    with warehouse.transaction() as connection:
        ids = [row[0] for row in rows]
        connection.execute(f"delete from {table} where list_contains($1::bigint[], id)", [ids])
        insert_frame(connection, table, rows)
        _reach(connection, table, source, whose, now)


def _reach(connection: duckdb.DuckDBPyConnection, table: str, source: str, whose: str, now: datetime) -> None:
    newest = first_row(connection, f"select max(updated_at) from {table}")
    connection.execute("delete from control.watermarks where source = $1", [source])
    if newest and newest[0]:
        reached = (newest[0] - OVERLAP).isoformat(timespec="seconds") + "Z"
        insert_rows(connection, "control.watermarks", [(source, f"{reached} {whose}", plain(now))])


def _word(row: Mapping[str, Any], name: str, prefix: str) -> str:
    return str(row[name] or "").removeprefix(prefix) or "None"


def _moment(row: Mapping[str, Any], name: str = "date_time_updated") -> datetime:
    return plain(datetime.fromisoformat(str(row[name])))


def _money(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def _size(value: Any) -> Decimal:
    """Which sign Sage shows is not certain, the kind of entry says whose debt it is."""
    return abs(_money(value))
