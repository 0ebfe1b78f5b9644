"""What can go wrong with an order once it is in Sage or settled, and that it goes by itself when it is mended.

Each case lays what the exception reads on small tables, one fact a row, and then what it reads when it is mended.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from amazon_sage_assets.sqlfiles import create_relations, migrations

NOW = datetime(2026, 6, 1, 9)  # noqa: DTZ001 - UTC as the tables keep it
MARCH = datetime(2026, 3, 3, 12)  # noqa: DTZ001
DAY = date(2026, 3, 3)
ORDER, KEY, SETTLEMENT = "202-0000001-0000001", "uk/order/202-0000001-0000001", "uk-24000000001"
# Relations that are worked out from much else: here they are plain tables with the same columns.
LAID = ("core.core__orders", "core.core__settled_orders", "core.core__refunds", "core.core__settlements")
Fact = tuple[str, dict[str, Any]]


def order(**changes: Any) -> Fact:
    usual = {
        "order_id": ORDER, "account": "uk", "marketplace": "Amazon.co.uk", "fulfilment": "MFN", "status": "SHIPPED",
        "updated_at": MARCH, "shipped_at": MARCH, "currency": "GBP", "order_total": "24.00", "is_waiting": False,
    }  # fmt: skip
    return "core.core__orders", usual | changes


def message(**changes: Any) -> Fact:
    usual = {
        "message_key": KEY, "system": "sage", "kind": "sop_order", "document": "order", "period": "2026-03",
        "document_date": DAY, "order_id": ORDER, "remote_reference": ORDER, "amount": "24.00", "currency": "GBP",
        "payload": '{"recipient": "the first", "vat": "4.00"}', "payload_hash": "h", "status": "delivered",
        "remote_id": "7", "due_at": MARCH, "priority": 1, "attempts": 1, "created_at": MARCH,
    }  # fmt: skip
    return "outbox.messages", usual | changes


def covered() -> Fact:
    return "outbox.covered_orders", {"message_key": KEY, "order_id": ORDER, "gross": "24.00"}


def sage_order(**changes: Any) -> Fact:
    usual = {
        "id": 7, "document_no": "0000000187", "customer_document_no": ORDER, "customer_id": 1, "document_date": DAY,
        "status": "Live", "despatch_status": "None", "invoice_status": "None", "gross": "24.00", "vat": "4.00",
        "updated_at": MARCH,
    }  # fmt: skip
    return "raw.sage_orders", usual | changes


def settled(document: str = "customer_receipts", amount: str = "24.00", **changes: Any) -> Fact:
    usual = {
        "settlement_key": SETTLEMENT, "account": "uk", "settlement_id": "24000000001", "currency": "GBP",
        "period": "2026-03", "document": document, "order_id": ORDER, "refund_id": "", "amount": amount,
    }  # fmt: skip
    return "core.core__settled_orders", usual | changes


def read(source: str, at: datetime = NOW) -> Fact:
    return "control.watermarks", {"source": source, "reached": "x", "read_at": at}


def line(**changes: Any) -> list[Fact]:
    """One settlement line with its order."""
    usual = {
        "settlement_key": SETTLEMENT, "line_number": 3, "part": 0, "amount": "24.00", "posted_day": DAY,
        "period": "2026-03", "row_group": "sale", "net": "20.00", "vat": "4.00", "document": "sales",
    }  # fmt: skip
    return [
        ("core.core__settlement_lines", usual | changes),
        (
            "core.core__settlements",
            {"settlement_key": SETTLEMENT, "document_sha256": "s", "settlement_id": "24000000001", "currency": "GBP"},
        ),
        ("staging.stg_amazon__settlement_lines", {"document_sha256": "s", "line_number": 3, "part": 0,
                                                  "order_id": ORDER}),
    ]  # fmt: skip


def refund(gross: str) -> Fact:
    values = {
        "account": "uk", "order_id": ORDER, "refund_id": "r1", "currency": "GBP", "refunded_day": DAY, "gross": gross,
    }  # fmt: skip
    return "core.core__refunds", values


@dataclass(frozen=True)
class Case:
    """`raised` is the amount at risk; `mend` is what a person or the next reading changes."""

    code: str
    facts: tuple[Fact, ...]
    raised: str
    mend: str


CASES = (
    Case(
        "ADDRESS_CHANGED",
        (order(is_waiting=True, recipient_hash="the second"), message(), sage_order()),
        "24.00",
        "update raw.sage_orders set despatch_status = 'Full'",
    ),
    Case(
        "ORDER_CANCELLED",
        (order(status="CANCELLED"), message(), sage_order()),
        "24.00",
        "update raw.sage_orders set status = 'Cancelled'",
    ),
    Case(
        "ORDER_TOTAL_DIFFERS",
        (message(), sage_order(gross="23.00")),
        "1.00",
        "update raw.sage_orders set gross = 24.00",
    ),
    Case(
        "ORDER_MISSING",
        (
            ("raw.reported_orders", {"order_id": ORDER, "account": "uk", "status": "Shipped", "ship_country": "GB",
                                     "purchased_at": MARCH, "updated_at": MARCH, "document_sha256": "s"}),
            ("control.routes", {"account": "uk", "marketplace": "Amazon.co.uk", "fulfilment": "MFN", "owner": "sop",
                                "vat_treatment": "uk_standard", "valid_from": date(2026, 1, 1),
                                "valid_to": date(9999, 12, 31)}),
        ),
        "0.00",
        "delete from raw.reported_orders",
    ),
    Case(
        "ORDER_NOT_IN_SAGE",
        (order(), settled(), read("amazon_orders/uk")),
        "24.00",
        "insert into raw.sage_orders values (7, '1', '202-0000001-0000001', 1, '2026-03-03', 'Live', 'None', 'None',"
        " 24, 4, now()::timestamp)",
    ),
    Case(
        "ORDER_NOT_PAID",
        (order(), message(), covered()),
        "24.00",
        "insert into core.core__settled_orders (order_id, amount) values ('202-0000001-0000001', 24.00)",
    ),
    Case(
        "ORDER_AMOUNT_DIFF",
        (order(), message(), covered(), settled(amount="23.50")),
        "0.50",
        "update core.core__settled_orders set amount = 23.98",
    ),
    Case(
        "REFUND_WITHOUT_ORDER",
        (message(), settled("customer_refunds", "-24.00", refund_id="r1"), read("amazon_orders/uk")),
        "24.00",
        "insert into outbox.covered_orders values ('uk/order/202-0000001-0000001', '202-0000001-0000001', 24)",
    ),
    Case(
        "REFUND_ODD",
        (
            ("core.document_problems", {"entity_type": "refund", "entity_id": f"uk/refund/{ORDER}/r1",
                                        "code": "REFUND_ODD", "order_id": ORDER, "detail": "it is odd"}),
            refund("3.00"),
        ),
        "3.00",
        "delete from core.document_problems",
    ),
    Case(
        "REFUND_CHANGED",
        (
            ("core.document_problems", {"entity_type": "refund", "entity_id": f"uk/refund/{ORDER}/r1",
                                        "code": "REFUND_CHANGED", "order_id": ORDER, "detail": "3.00 now, 5.00 then"}),
            message(message_key=f"uk/refund/{ORDER}/r1", document="credit_note", amount="5.00"),
            refund("3.00"),
        ),
        "2.00",
        "delete from core.document_problems",
    ),
    Case(
        "RETURN_NOT_CREDITED",
        (
            message(message_key=f"uk/refund/{ORDER}/r1", kind="sop_return", document="sales_return", amount="24.00",
                    remote_id="31", remote_reference="C20200000010000001-1"),
            settled("customer_refunds", "-24.00", refund_id="r1"),
            ("raw.sage_sales_entries", {"id": 1, "urn": "99", "customer_id": 1, "kind": "credit note", "sign": -1,
                                        "reference": "0000000031", "second_reference": "", "transaction_date": DAY,
                                        "gross": "24.00", "vat": "4.00", "outstanding": "24.00", "updated_at": MARCH}),
        ),
        "24.00",
        "insert into raw.sage_order_invoices values (31, '0000000031', '2026-03-20')",
    ),
    Case(
        "CHARGEBACK_OPEN",
        (
            message(message_key="k", kind="sales_payment", document="customer_chargebacks", remote_id="99",
                    settlement_key=SETTLEMENT),
            settled("customer_chargebacks", "-24.00"),
            ("raw.sage_sales_entries", {"id": 1, "urn": "99", "customer_id": 1, "kind": "payment", "sign": 1,
                                        "reference": "r", "second_reference": "", "transaction_date": DAY,
                                        "gross": "24.00", "vat": "0.00", "outstanding": "24.00", "updated_at": MARCH}),
        ),
        "24.00",
        "update raw.sage_sales_entries set outstanding = 0",
    ),
    Case(
        "GOODS_NOT_RETURNED",
        (order(), refund("24.00"), read("amazon_returns/uk")),
        "24.00",
        "insert into raw.amazon_returns values ('uk', 'LPN1', '202-0000001-0000001', 'A', 1, '2026-03-20', 'SELLABLE',"
        " '', 's')",
    ),
    Case("DOUBLE_OWNERSHIP", (*line(), sage_order()), "24.00", "update raw.sage_orders set status = 'Cancelled'"),
    Case(
        "VAT_RECLASS",
        (*line(row_group="retrocharge", document=None), message(), covered()),
        "4.00",
        "delete from core.core__settlement_lines",
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for _, sql in migrations():
            connection.execute(sql)
        create_relations(connection)
        for relation in LAID:
            connection.execute(f"create temp table laid as select * from {relation} limit 0")
            connection.execute(f"drop view {relation}")
            connection.execute(f"create table {relation} as select * from laid")
            connection.execute("drop table laid")
        connection.execute("insert into control.profile values ('A Ltd', 'GBP', 'GB', 'GB', 'Europe/London')")
        connection.execute("insert into control.as_of values ($1)", [NOW])
        connection.execute("insert into control.order_rules values (0.02, 30, 60)")
        yield connection


@pytest.fixture
def connection(tables: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    tables.begin()
    yield tables
    tables.rollback()


def lay(connection: duckdb.DuckDBPyConnection, *facts: Fact) -> None:
    for table, values in facts:
        places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        connection.execute(f"insert into {table} ({', '.join(values)}) values ({places})", list(values.values()))


def raised(connection: duckdb.DuckDBPyConnection, code: str) -> list[tuple[str, str, str]]:
    rows = connection.execute(
        f"select owner, cast(amount_at_risk as varchar), message || action from exceptions.{code.lower()}"
    ).fetchall()
    return [(owner, amount, said) for owner, amount, said in rows]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code.lower())
def test_what_is_wrong_is_raised_with_its_amount_and_goes_when_it_is_mended(
    connection: duckdb.DuckDBPyConnection, case: Case
) -> None:
    assert raised(connection, case.code) == []
    lay(connection, *case.facts)
    [(owner, amount, said)] = raised(connection, case.code)
    assert (owner != "", amount) == (True, case.raised)
    assert ORDER in said or "187" in said
    connection.execute(case.mend)
    assert raised(connection, case.code) == []


def test_money_that_amazon_holds_back_is_not_late(connection: duckdb.DuckDBPyConnection) -> None:
    lay(connection, order(), message(), covered())
    held = {
        "account": "uk", "transaction_id": "t", "kind": "Shipment", "status": "DEFERRED", "order_id": ORDER,
        "refund_id": "", "settlement_id": "", "posted_at": MARCH, "amount": "20.00", "currency": "GBP", "read_at": NOW,
    }  # fmt: skip
    lay(connection, ("raw.amazon_transactions", held))
    assert raised(connection, "ORDER_NOT_PAID") == []


def test_an_order_that_somebody_cancelled_in_sage_is_none_when_its_money_comes(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    lay(connection, order(), message(), covered(), sage_order(), settled(), read("amazon_orders/uk"))
    assert raised(connection, "ORDER_NOT_IN_SAGE") == []
    connection.execute("update raw.sage_orders set status = 'Cancelled'")
    [(_, amount, said)] = raised(connection, "ORDER_NOT_IN_SAGE")
    assert amount == "24.00"
    assert "its sales order 0000000187 was cancelled there" in said


def test_where_orders_are_not_read_settled_orders_are_somebody_elses_to_bring(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    lay(connection, order(), settled(), settled("customer_refunds", "-24.00", refund_id="r1"))
    assert raised(connection, "ORDER_NOT_IN_SAGE") + raised(connection, "REFUND_WITHOUT_ORDER") == []
