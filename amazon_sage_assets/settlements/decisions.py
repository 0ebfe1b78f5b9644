"""What people decide about documents, kept with their name and the time."""

from datetime import UTC, datetime

import duckdb

from amazon_sage_assets.company import Company
from amazon_sage_assets.tables import insert_rows


class UnknownDocument(Exception):  # noqa: N818
    """No document, or more than one, begins with the given characters."""


def choose_document(company: Company, sha256: str, by: str, at: datetime) -> str:
    """Let a document stand for its settlement. Returns the settlement's key. Raises UnknownDocument."""
    with company.warehouse.transaction() as connection:
        key, full = _one_document(connection, sha256, "settlement_key is not null")
        connection.execute("delete from control.document_choices where settlement_key = $1", [key])
        moment = at.astimezone(UTC).replace(tzinfo=None)
        insert_rows(connection, "control.document_choices", [(key, full, by, moment)])
    return str(key)


def discard_document(company: Company, sha256: str, by: str, at: datetime) -> None:
    """Set an unreadable document aside; its bytes stay landed. Raises UnknownDocument."""
    with company.warehouse.transaction() as connection:
        _, full = _one_document(connection, sha256, "unreadable_reason is not null")
        connection.execute("delete from control.discarded_documents where document_sha256 = $1", [full])
        insert_rows(connection, "control.discarded_documents", [(full, by, at.astimezone(UTC).replace(tzinfo=None))])


def _one_document(connection: duckdb.DuckDBPyConnection, sha256: str, condition: str) -> tuple[str | None, str]:
    rows = connection.execute(
        "select settlement_key, document_sha256 from raw.settlement_documents"
        f" where starts_with(document_sha256, $1) and {condition}",
        [sha256.lower()],
    ).fetchall()
    if len(rows) != 1 or len(sha256) < 8:
        raise UnknownDocument(
            f"{len(rows)} documents begin with {sha256!r}; give 8 characters or more of one that fits."
        )
    return rows[0][0], rows[0][1]
