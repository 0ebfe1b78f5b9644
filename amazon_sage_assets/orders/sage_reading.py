"""What Sage has: stock items, the orders we sent and what became of them, and the customers' ledger.

Each is read as it changes. Nothing is open while Sage answers; what was read is kept in one transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.reference_data import ReferenceData
from amazon_sage_assets.tables import forget_mark, insert_frame, insert_rows, marks, plain, set_mark
from amazon_sage_assets.warehouse import Warehouse, first_row

OVERLAP = timedelta(minutes=10)  # clocks differ, and a record may be committed a little after its stamp
TOGETHER = 40  # ids in one filter
_OWED = ("TradingAccountEntryTypeInvoice", "TradingAccountEntryTypePurchaseReceiptSalesPayment")
_UNCREDITED = """
select try_cast(m.remote_id as bigint) as return_id
from outbox.messages as m
left join raw.sage_order_invoices as i on m.remote_id = cast(i.order_id as varchar)
left join raw.sage_sales_entries as e on i.invoice_no = e.reference and e.sign = -1
where m.document = 'sales_return' and m.status = 'delivered' and return_id is not null
group by return_id, m.amount
having coalesce(sum(e.gross), 0) < m.amount
order by return_id
"""

Row = dict[str, Any]


@dataclass(frozen=True)
class _Collection:
    """A collection of Sage's that is read by its stamp of change, and the table where it is kept."""

    source: str
    path: str
    key: str = "id"
    stamp: str = "date_time_updated"
    select: Sequence[str] = ()

    @property
    def table(self) -> str:
        return f"raw.{self.source}"


_PRODUCTS = _Collection("sage_products", "/products", select=("id", "code", "name", "tax_code_id", "date_time_updated"))
_ORDERS = _Collection("sage_orders", "/sop_orders", select=(
    "id", "document_no", "customer_document_no", "customer_id", "document_date", "document_status",
    "despatch_receipt_status", "invoice_credit_status", "total_gross_value", "total_tax_value", "date_time_updated",
))  # fmt: skip
_LEDGER = _Collection(
    "sage_sales_entries",
    "/sales_transaction_views",
    key="posted_customer_transaction_id",
    stamp="transaction_date_time_updated",
)


def read_sales(
    warehouse: Warehouse, client: SageClient, records: ReferenceData, now: datetime, *, wants_returns: bool = False
) -> None:
    """Read what is new or changed: stock items with their tax code; sales orders of Amazon's customers and the invoices
    they became; those customers' invoices, credit notes, receipts and payments. `wants_returns`: also whether this site
    has sales returns, which came to Sage in 2025.
    """
    whose = " or ".join(f"customer_id eq {number}" for number in sorted(set(records.customers.values())))
    with warehouse.read() as connection:
        reached = {source: mark.reached for source, mark in marks(connection).items()}
        uncredited = [number for (number,) in connection.execute(_UNCREDITED).fetchall()]
    has_returns = wants_returns and client.has("/sop_returns")
    codes = {number: code for code, number in records.tax_codes.items()}
    found = {_PRODUCTS: [_product(row, codes) for row in _changed(client, _PRODUCTS, reached, "")]}
    bills: Mapping[int, Collection[tuple[int, str, date]]] = {}
    if whose:
        orders = [_order(row) for row in _changed(client, _ORDERS, reached, whose)]
        invoiced = [row[0] for row in orders if row[7] != "None"]
        bills = _bills(client, [*invoiced, *uncredited])
        entries = [_entry(row) for row in _changed(client, _LEDGER, reached, whose)]
        found |= {_ORDERS: orders, _LEDGER: entries}
    with warehouse.transaction() as connection:
        connection.execute("delete from raw.sage_site")
        insert_rows(connection, "raw.sage_site", [(has_returns, plain(now))])
        connection.execute(
            "delete from raw.sage_order_invoices where list_contains($1::bigint[], order_id)", [list(bills)]
        )
        insert_frame(connection, "raw.sage_order_invoices", [bill for some in bills.values() for bill in sorted(some)])
        for collection, rows in found.items():
            _keep(connection, collection, rows, "" if collection == _PRODUCTS else whose, now)


def _changed(client: SageClient, what: _Collection, reached: Mapping[str, str], whose: str) -> list[Row]:
    since, covered = reached.get(what.source, " ").split(" ", 1)
    condition = f"({whose})" if whose else ""
    if since and covered == whose:  # a customer that was not read before is read from its beginning
        newer = f"{what.stamp} gt {since}"
        condition = f"{condition} and {newer}" if condition else newer
    return client.read_all(what.path, condition, key=what.key, select=what.select)


def _product(row: Row, codes: Mapping[int, str]) -> tuple[Any, ...]:
    return (
        int(row["id"]), str(row["code"]), str(row["name"]), codes.get(int(row["tax_code_id"] or 0), ""), _moment(row)
    )  # fmt: skip


def _order(row: Row) -> tuple[Any, ...]:
    return (
        int(row["id"]), str(row["document_no"]), str(row["customer_document_no"] or ""), int(row["customer_id"]),
        _day(row["document_date"]), _word(row, "document_status", "EnumDocumentStatus"),
        _word(row, "despatch_receipt_status", "EnumDocumentProcessStatus"),
        _word(row, "invoice_credit_status", "EnumDocumentProcessStatus"), _money(row["total_gross_value"]),
        _money(row["total_tax_value"]), _moment(row),
    )  # fmt: skip


def _entry(row: Row) -> tuple[Any, ...]:
    return (
        int(row[_LEDGER.key]), str(row["urn"]), int(row["customer_id"]), str(row["transaction_type"]),
        1 if row["transaction_type"] in _OWED else -1, str(row["reference"] or ""),
        str(row["second_reference"] or ""), _day(row["transaction_date"]), _size(row["document_gross_value"]),
        _size(row["document_tax_value"]), _size(row["document_outstanding_value"]), _moment(row, _LEDGER.stamp),
    )  # fmt: skip


def _bills(client: SageClient, document_ids: Sequence[int]) -> dict[int, set[tuple[int, str, date]]]:
    """Invoices and credit notes of Sage's orders and returns, by order or return."""
    found: dict[int, set[tuple[int, str, date]]] = {number: set() for number in document_ids}
    for start in range(0, len(document_ids), TOGETHER):
        wanted = " or ".join(f"sop_order_return_id eq {number}" for number in document_ids[start : start + TOGETHER])
        for row in client.read_all("/sop_order_return_invoice_credit_views", wanted, key="sop_invoice_credit_id"):
            number = int(row["sop_order_return_id"])
            day = _day(row["sop_invoice_credit_document_date"])
            found[number].add((number, str(row["sop_invoice_credit_document_no"]), day))
    return found


def _keep(
    connection: duckdb.DuckDBPyConnection, what: _Collection, rows: Sequence[tuple[Any, ...]], whose: str, now: datetime
) -> None:
    """Keep rows, the newest word on each, and how far we have read: to the newest stamp that Sage itself has set."""
    if rows:
        connection.execute(f"delete from {what.table} where list_contains($1::bigint[], id)", [[r[0] for r in rows]])
        insert_frame(connection, what.table, rows)
    newest = first_row(connection, f"select max(updated_at) from {what.table}")
    if newest and newest[0]:
        reached = (newest[0] - OVERLAP).isoformat(timespec="seconds") + "Z"
        set_mark(connection, what.source, f"{reached} {whose}", now)
    else:
        forget_mark(connection, what.source)


def _word(row: Row, name: str, prefix: str) -> str:
    return str(row[name] or "").removeprefix(prefix) or "None"


def _moment(row: Row, name: str = "date_time_updated") -> datetime:
    return plain(datetime.fromisoformat(str(row[name])))


def _day(said: Any) -> date:
    return date.fromisoformat(str(said)[:10])


def _money(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def _size(value: Any) -> Decimal:
    """Which sign Sage shows is not certain, the kind of entry says whose debt it is."""
    return abs(_money(value))
