"""Landed settlement reports in the warehouse: what each says of itself, and whose it is."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import duckdb

from amazon_sage_assets.company import Company
from amazon_sage_assets.landing import LandedDocument
from amazon_sage_assets.settlements.arrivals import Examined
from amazon_sage_assets.settlements.derivation import LAYOUT, clear
from amazon_sage_assets.tables import insert_rows


def register(connection: duckdb.DuckDBPyConnection, company: Company, examined: Examined) -> str | None:
    """Note a landed document. Returns its settlement's key, or None for one that cannot be read."""
    document, inspection = examined.document, examined.inspection
    row: dict[str, Any] = {
        "document_sha256": document.sha256,
        "file_name": document.first.name,
        "source": document.first.source,
        "landed_at": datetime.fromisoformat(document.first.landed_at).astimezone(UTC).replace(tzinfo=None),
        "byte_count": document.byte_count,
        "given_account": document.given_account,
        "unreadable_reason": examined.unreadable_reason,
    }
    if inspection:
        account, marketplace = company.whose(document.given_account, inspection.currency, inspection.marketplaces)
        row |= {
            "layout": inspection.layout,
            "encoding": inspection.encoding,
            "settlement_key": f"{account}-{inspection.settlement_id}",
            "account": account,
            "settlement_id": inspection.settlement_id,
            "marketplace": marketplace,
            "marketplaces": list(inspection.marketplaces),
            "currency": inspection.currency,
            "currencies": list(inspection.currencies),
            "start_at": inspection.start_at,
            "end_at": inspection.end_at,
            "deposit_date": inspection.deposit_date,
            "total_amount": inspection.total_amount,
            "decimals": inspection.decimals,
            "date_format": inspection.date_format,
            "line_count": inspection.line_count,
        }
    connection.execute("delete from raw.settlement_documents where document_sha256 = $1", [document.sha256])
    names, places = ", ".join(row), ", ".join(f"${name}" for name in row)
    connection.execute(f"insert into raw.settlement_documents ({names}) values ({places})", row)
    if not inspection:
        return None
    connection.execute("delete from raw.line_failures where document_sha256 = $1", [document.sha256])
    insert_rows(
        connection,
        "raw.line_failures",
        [(document.sha256, p.line_number, LAYOUT, p.value, p.reason) for p in inspection.problems],
    )
    return str(row["settlement_key"])


def reassign_accounts(
    connection: duckdb.DuckDBPyConnection, company: Company, documents: Iterable[LandedDocument]
) -> None:
    """Give documents to the accounts that origins and profile name today; clear what stood under another key."""
    given_accounts = {document.sha256: document.given_account for document in documents}
    rows = connection.execute(
        "select document_sha256, settlement_key, settlement_id, currency, marketplaces, marketplace"
        " from raw.settlement_documents where settlement_key is not null"
    ).fetchall()
    for sha256, key, settlement_id, currency, marketplaces, marketplace in rows:
        given = given_accounts.get(sha256)
        account, site = company.whose(given, currency, marketplaces)
        if (f"{account}-{settlement_id}", site) != (key, marketplace):
            connection.execute(
                "update raw.settlement_documents set given_account = $1, account = $2, settlement_key = $3,"
                " marketplace = $4 where document_sha256 = $5",
                [given, account, f"{account}-{settlement_id}", site, sha256],
            )
            clear(connection, key)
