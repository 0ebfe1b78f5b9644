"""What a settlement line must look like, whatever it is, and what its row group asks of it.

The staged line is typed already; here its values are held against Amazon's forms. Zero lines are kept but ask nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

_LABEL = r"^\S.*$"


class SettlementLine(pa.DataFrameModel):
    """One row per staged line. `row_group` is the group its rule names, empty where no rule fits yet."""

    line_number: pl.Int32 = pa.Field(ge=2)
    transaction_type: pl.String = pa.Field(str_matches=_LABEL)
    amount_type: pl.String
    amount_description: pl.String
    amount: pl.Decimal(18, 2)  # type: ignore[valid-type]
    currency: pl.String = pa.Field(str_matches=r"^[A-Z]{3}$")
    posted_at: pl.Datetime("us")  # type: ignore[valid-type]
    fulfilment: pl.String = pa.Field(isin=["AFN", "MFN"], nullable=True)
    order_id: pl.String = pa.Field(str_matches=r"^\S{1,50}$", nullable=True)
    sku: pl.String = pa.Field(nullable=True)
    row_group: pl.String = pa.Field(nullable=True)

    class Config:
        strict = True
        ordered = True

    @pa.dataframe_check(name="a sale carries an order id")
    def sale_has_order(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(~_booked("sale") | pl.col("order_id").is_not_null())

    @pa.dataframe_check(name="a sale carries a SKU")
    def sale_has_sku(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(~_booked("sale") | pl.col("sku").is_not_null())

    @pa.dataframe_check(name="a subscription fee belongs to no order and no SKU")
    def subscription_stands_alone(cls, data: pa.PolarsData) -> pl.LazyFrame:
        alone = pl.col("order_id").is_null() & pl.col("sku").is_null()
        return data.lazyframe.select(~_booked("subscription") | alone)


COLUMNS = tuple(SettlementLine.to_schema().columns)


def _booked(group: str) -> pl.Expr:
    return (pl.col("row_group").fill_null("") == group) & (pl.col("amount") != 0)


@dataclass(frozen=True)
class Failure:
    """A line's value that is not what it must be."""

    line_number: int
    field: str
    value: str
    reason: str


def failures(lines: pl.DataFrame) -> Iterator[Failure]:
    """Every failure in these lines. The frame has the columns of `COLUMNS`; it is collected, so values are checked."""
    try:
        SettlementLine.validate(lines, lazy=True)
    except SchemaErrors as error:
        for case in error.failure_cases.iter_rows(named=True):
            index = case["index"]
            if index is None:
                raise
            column = case["column"] if case["schema_context"] == "Column" else "line"
            value = "" if column == "line" else str(case["failure_case"])
            yield Failure(lines["line_number"][index], column, value, _reason(column, case["check"]))


def _reason(column: str, check: str) -> str:
    return check if column == "line" else f"{column} is not as Amazon writes it ({check})"
