"""What orders and their items must look like once they are read. Amounts are what the buyer pays, VAT inside."""

from datetime import datetime
from decimal import Decimal

import pandera.polars as pa
import polars as pl

MONEY = pl.Decimal(18, 2)
MOMENT = pl.Datetime("us")
ORDERS: dict[str, pl.DataType | type[pl.DataType]] = {
    "order_id": pl.String,
    "account": pl.String,
    "marketplace": pl.String,
    "fulfilment": pl.String,
    "status": pl.String,
    "purchased_at": MOMENT,
    "updated_at": MOMENT,
    "ship_by_at": MOMENT,
    "shipped_at": MOMENT,
    "ship_country": pl.String,
    "currency": pl.String,
    "order_total": MONEY,
    "is_business": pl.Boolean,
    "is_incomplete": pl.Boolean,
    "read_at": MOMENT,
}
ITEMS: dict[str, pl.DataType | type[pl.DataType]] = {
    "order_id": pl.String,
    "order_item_id": pl.String,
    "seller_sku": pl.String,
    "title": pl.String,
    "quantity": pl.Int32,
    "currency": pl.String,
    "gross": MONEY,
    "vat": MONEY,
    "postage": MONEY,
    "postage_vat": MONEY,
    "wrap": MONEY,
    "wrap_vat": MONEY,
    "is_withheld": pl.Boolean,
}

_CURRENCY = r"^[A-Z]{3}$"
ORDER_SCHEMA = pa.DataFrameSchema(
    {
        "order_id": pa.Column(pl.String, pa.Check.str_matches(r"^[A-Za-z0-9-]{1,30}$")),
        "fulfilment": pa.Column(pl.String, pa.Check.isin(["AFN", "MFN", ""])),
        "currency": pa.Column(pl.String, pa.Check.str_matches(_CURRENCY), nullable=True),
        "purchased_at": pa.Column(MOMENT, pa.Check.ge(datetime(2000, 1, 1))),  # noqa: DTZ001 - UTC without a zone
    }
)
ITEM_SCHEMA = pa.DataFrameSchema(
    {
        "order_item_id": pa.Column(pl.String, pa.Check.str_length(1, None)),
        "quantity": pa.Column(pl.Int32, pa.Check.ge(0)),
        "currency": pa.Column(pl.String, pa.Check.str_matches(_CURRENCY), nullable=True),
        "gross": pa.Column(MONEY, pa.Check.lt(Decimal(10) ** 9), nullable=True),
    }
)


def faults(frame: pl.DataFrame, schema: pa.DataFrameSchema) -> dict[str, str]:
    """Why orders cannot be used, by order id."""
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        ids = frame["order_id"]
        return {
            ids[int(case["index"])]: f"{case['column']} is {case['failure_case']!r} ({case['check']})"
            for case in cases.iter_rows(named=True)
            if case["index"] is not None
        }
    return {}
