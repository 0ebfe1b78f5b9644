"""What a person does at the desk and the API cannot: importing a file of nominal postings.

The columns are mapped by name, as a person would map them once. A mix of code, cost centre and department that does not
exist goes to suspense, as it does in Sage.
"""

import csv
import io
from datetime import date
from decimal import Decimal

from amazon_sage_assets.money import to_pence
from amazon_sage_assets.sandbox.sage200.ledger import Desk, Posting, begin, post
from amazon_sage_assets.sandbox.sage200.lookups import nominal_id
from amazon_sage_assets.sandbox.sage200.refusals import Refused

KIND = "nominal_journal"
SOURCE = "LedgerNominal"


def import_journal(desk: Desk, text: str, suspense: str) -> int:
    """Book a file of one journal and say its URN. Raises Refused for a file that does not balance."""
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    if not rows:
        raise Refused("The file holds no postings.")
    signed = [to_pence(Decimal(row["debit"])) - to_pence(Decimal(row["credit"])) for row in rows]
    if sum(signed):
        raise Refused("The journal does not balance.")
    first = rows[0]
    body = {
        "reference": first["reference"],
        "transaction_date": f"{date.fromisoformat(first['date']).isoformat()}T00:00:00Z",
    }
    document = begin(desk, KIND, body, sum(value for value in signed if value > 0), SOURCE, bank_id=None)
    post(
        desk,
        document,
        [
            Posting(_account(desk, row, suspense), value, row["narrative"])
            for row, value in zip(rows, signed, strict=True)
        ],
    )
    return document.urn


def _account(desk: Desk, row: dict[str, str], suspense: str) -> int:
    try:
        return nominal_id(desk.db, row["nominal_code"], row["cost_centre"], row["department"], "nominal_code")
    except Refused:
        return nominal_id(desk.db, suspense, "", "", "suspense")
