"""The entries of the Sage banks that Amazon's money passes through, read as they change and kept beside our records.

They are what Sage says, not what we believe: posted totals, payout matches and proofs are made from them.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.reference_data import Bank, ReferenceData
from amazon_sage_assets.tables import insert_rows, marks, plain, set_mark
from amazon_sage_assets.warehouse import Warehouse, first_row

SOURCE = "sage_banks"
OVERLAP = timedelta(minutes=10)  # clocks differ, and an entry may be committed a little after its stamp
BEFORE_FIRST = timedelta(days=45)  # hand-made receipts can be older than the first settlement's documents
_ACCOUNTS = ("wallet", "reserve_held", "bank_main", "bank_card")


def read_bank_entries(warehouse: Warehouse, client: SageClient, records: ReferenceData, now: datetime) -> int:
    """Read what is new or changed since the last time. Returns how many entries. Nothing is open while Sage answers."""
    with warehouse.read() as connection:
        banks = _banks(connection, records)
        seen = marks(connection).get(SOURCE)
        first = first_row(connection, "select min(start_day) from core.core__settlements")
    if not banks or first is None or first[0] is None:
        return 0
    known = ",".join(str(bank.id) for bank in banks)
    reached, covered = seen.reached.split(" ", 1) if seen else ("", "")
    condition = "(" + " or ".join(f"bank_id eq {bank.id}" for bank in banks) + ")"
    since = f"transaction_date ge {(first[0] - BEFORE_FIRST).isoformat()}"
    if reached and covered == f"{known} {first[0]}":
        since = f"date_time_updated gt {_stamp(datetime.fromisoformat(reached) - OVERLAP)}"
    by_id = {bank.id: bank for bank in banks}
    rows = []
    newest = datetime.fromisoformat(reached) if reached else None
    for page in client.pages("/bank_posted_transactions", f"{condition} and {since}", expand="nominal_analysis_items"):
        for row in page:
            rows.append(_entry(row, by_id[int(row["bank_id"])]))
            updated = _moment(row.get("date_time_updated"))
            newest = max(filter(None, (newest, updated)), default=None)
    with warehouse.transaction() as connection:
        _keep(connection, rows)
        set_mark(connection, SOURCE, f"{(newest or now).isoformat()} {known} {first[0]}", now)
    return len(rows)


def _banks(connection: duckdb.DuckDBPyConnection, records: ReferenceData) -> list[Bank]:
    """The Sage banks behind the wallet, the reserve, the main bank and the card, in every currency we settle in."""
    codes = {
        code
        for (code,) in connection.execute(
            "select distinct nominal_code from core.core__ledger_accounts"
            " where list_contains($1, account_key) and nominal_code is not null",
            [list(_ACCOUNTS)],
        ).fetchall()
    }
    return sorted((bank for bank in records.banks if bank.nominal[0] in codes), key=lambda bank: bank.id)


def _entry(row: Mapping[str, Any], bank: Bank) -> tuple[Any, ...]:
    contra = sorted(
        {str(item["code"]) for item in row.get("nominal_analysis_items") or () if item["code"] != bank.nominal[0]}
    )
    statement = _moment(row.get("last_statement_date"))
    return (
        int(row["id"]),
        bank.id,
        bank.code,
        bank.nominal[0],
        bank.currency,
        str(row["bank_transaction_type"]),
        str(row.get("entry_description") or ""),
        str(row.get("reference") or ""),
        str(row.get("second_reference") or ""),
        date.fromisoformat(str(row["transaction_date"])[:10]),
        Decimal(str(row["cheque_value"])),
        str(row.get("source") or ""),
        str(row.get("user_name") or ""),
        str(row.get("urn") or ""),
        contra,
        statement.date() if statement else None,
        int(row.get("statement_page_number") or 0),
        plain(updated) if (updated := _moment(row.get("date_time_updated"))) else None,
    )


def _keep(connection: duckdb.DuckDBPyConnection, rows: Iterable[tuple[Any, ...]]) -> None:
    by_id = {row[0]: row for row in rows}
    if by_id:
        connection.execute("delete from raw.sage_bank_transactions where list_contains($1, id)", [list(by_id)])
        insert_rows(connection, "raw.sage_bank_transactions", list(by_id.values()))


def _moment(text: Any) -> datetime | None:
    """A moment of Sage, which is UTC; a date that Sage leaves empty is none."""
    if not text:
        return None
    moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
