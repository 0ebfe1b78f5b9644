"""The daily reports about orders, read by header: all orders as they changed, and goods that came back.

A row that cannot be read is left out and counted; the others go on.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from amazon_sage_assets.amazon.errors import AmazonUnreadable

ALL_ORDERS = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
FBA_RETURNS = "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA"
MFN_RETURNS = "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE"
Row = TypeVar("Row")

DAYS = ("%d-%b-%Y", "%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y")
_NEEDED = {
    ALL_ORDERS: ("amazon-order-id", "purchase-date", "last-updated-date", "order-status"),
    FBA_RETURNS: ("return-date", "order-id", "sku", "quantity", "detailed-disposition"),
    MFN_RETURNS: ("Order ID", "Return request date", "Merchant SKU", "Return quantity"),
}


@dataclass(frozen=True)
class ReportedOrder:
    order_id: str
    status: str
    ship_country: str
    purchased_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class ReturnedGoods:
    """`key` tells this return from others: the unit's licence plate, or the RMA with the SKU."""

    key: str
    order_id: str
    seller_sku: str
    units: int
    returned_on: date
    disposition: str
    reason: str


def read_orders(content: bytes) -> tuple[list[ReportedOrder], int]:
    """Each order once, its newest row; and how many rows could not be read."""
    found, bad = _each(content, ALL_ORDERS, _order)
    newest: dict[str, ReportedOrder] = {}
    for order in sorted(found, key=lambda o: o.updated_at):
        newest[order.order_id] = order
    return list(newest.values()), bad


def read_returns(content: bytes, report_type: str) -> tuple[list[ReturnedGoods], int]:
    """Goods that came back, and how many rows could not be read."""
    found, bad = _each(content, report_type, _fba_return if report_type == FBA_RETURNS else _mfn_return)
    return list({goods.key: goods for goods in found}.values()), bad


def _each(content: bytes, report_type: str, read: Callable[[Mapping[str, str]], Row]) -> tuple[list[Row], int]:
    rows, bad = [], 0
    for fields in _rows(content, _NEEDED[report_type]):
        try:
            rows.append(read(fields))
        except ValueError:
            bad += 1
    return rows, bad


def _rows(content: bytes, needed: Sequence[str]) -> Iterator[Mapping[str, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    reader = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
    missing = [name for name in needed if name not in (reader.fieldnames or ())]
    if missing:
        raise AmazonUnreadable(f"A report of Amazon's lacks the columns {', '.join(missing)}.")
    for fields in reader:
        yield {str(name): (value or "").strip() for name, value in fields.items() if isinstance(value, str)}


def _order(fields: Mapping[str, str]) -> ReportedOrder:
    if not fields["amazon-order-id"]:
        raise ValueError("no order id")
    return ReportedOrder(
        fields["amazon-order-id"],
        fields["order-status"],
        fields.get("ship-country", ""),
        _moment(fields["purchase-date"]),
        _moment(fields["last-updated-date"]),
    )


def _fba_return(fields: Mapping[str, str]) -> ReturnedGoods:
    day = _moment(fields["return-date"]).date()
    plate = fields.get("license-plate-number", "")
    return ReturnedGoods(
        plate or "/".join((fields["order-id"], fields["sku"], str(day))),
        fields["order-id"],
        fields["sku"],
        int(fields["quantity"]),
        day,
        fields["detailed-disposition"],
        fields.get("reason", ""),
    )


def _mfn_return(fields: Mapping[str, str]) -> ReturnedGoods:
    day = _day(fields.get("Return delivery date", "") or fields["Return request date"])
    rma = fields.get("Amazon RMA ID", "") or fields["Order ID"]
    is_back = bool(fields.get("Return delivery date", ""))
    return ReturnedGoods(
        f"{rma}/{fields['Merchant SKU']}",
        fields["Order ID"],
        fields["Merchant SKU"],
        int(fields["Return quantity"]) if is_back else 0,
        day,
        "RECEIVED" if is_back else "ANNOUNCED",
        fields.get("Return Reason", ""),
    )


def _moment(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _day(text: str) -> date:
    for form in DAYS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return _moment(text).date()
