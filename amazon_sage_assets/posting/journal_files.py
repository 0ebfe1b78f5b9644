"""Journals as files: written for a person to import into Sage, delivered when Sage's nominal ledger shows them."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from amazon_sage_assets.accounting.journal_file import as_csv
from amazon_sage_assets.outbox.messages import SAGE_IMPORT, Message, Outcome, Status
from amazon_sage_assets.outbox.store import Outbox
from amazon_sage_assets.sage.client import SageClient, quoted
from amazon_sage_assets.tables import insert_rows
from amazon_sage_assets.warehouse import Warehouse


def write_journals(warehouse: Warehouse, folder: Path, base_currency: str, now: datetime) -> list[str]:
    """Write a file for every approved journal that is due. Writing it again gives the same file."""
    outbox = Outbox(warehouse, SAGE_IMPORT)
    written = []
    for queued in outbox.approved(now):
        if queued.currency != base_currency:
            why = f"Sage's nominal ledger is kept in {base_currency}, this journal is in {queued.currency}."
            outbox.step(now, [Outcome(queued.message_key, Status.HELD, "held", why, hold_code="JOURNAL_CURRENCY")])
            continue
        for message in outbox.step(now, (), [queued.message_key]):
            _write(message, folder)
            written.append(message.remote_reference)
    for message in outbox.sending():  # a run that died between the two leaves the file unwritten
        if not (folder / f"{message.remote_reference}.csv").exists():
            _write(message, folder)
            written.append(message.remote_reference)
    return written


def _write(message: Message, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{uuid4().hex}"
    fresh.write_text(as_csv(json.loads(message.payload)), encoding="utf-8", newline="")
    fresh.replace(folder / f"{message.remote_reference}.csv")


def confirm_journals(warehouse: Warehouse, client: SageClient, now: datetime) -> int:
    """Look for waiting journals in Sage's nominal ledger. Returns how many are proven now."""
    outbox = Outbox(warehouse, SAGE_IMPORT)
    outcomes, rows = [], []
    waiting = outbox.sending()
    if not waiting:
        return 0
    codes = {int(r["id"]): str(r["reference"]) for r in client.read_all("/nominal_codes", select=("id", "reference"))}
    for message in waiting:
        found = client.read_all(
            "/nominal_transaction_enquiry_views", f"reference eq {quoted(message.remote_reference)}"
        )
        if found:
            lines = [_line(row, codes) for row in found]
            rows += lines
            outcomes.append(_outcome(message, lines))
    with warehouse.transaction() as connection:
        ids = [row[0] for row in rows]
        connection.execute("delete from raw.sage_nominal_lines where list_contains($1, id)", [ids])
        insert_rows(connection, "raw.sage_nominal_lines", rows)
    if outcomes:
        outbox.step(now, outcomes)
    return sum(1 for outcome in outcomes if outcome.status == Status.DELIVERED)


def _line(row: dict[str, Any], codes: dict[int, str]) -> tuple[Any, ...]:
    return (
        int(row["id"]),
        str(row["reference"]),
        codes.get(int(row["nominal_code_id"]), ""),
        Decimal(str(row["debit"])),
        Decimal(str(row["credit"])),
        date.fromisoformat(str(row["transaction_date"])[:10]),
        str(row["urn"]),
    )


def _outcome(message: Message, lines: Sequence[tuple[Any, ...]]) -> Outcome:
    """Proven when each nominal code moved by what the file says, with nothing more and nothing less."""
    wanted: dict[str, Decimal] = {}
    for item in json.loads(message.payload)["lines"]:
        moved = Decimal(item["debit"]) - Decimal(item["credit"])
        wanted[item["nominal_code"]] = wanted.get(item["nominal_code"], Decimal(0)) + moved
    there: dict[str, Decimal] = {}
    for _, _, code, debit, credit, _, _ in lines:
        there[code] = there.get(code, Decimal(0)) + debit - credit
    differences = [
        f"{code}: {there.get(code, Decimal(0))} instead of {wanted.get(code, Decimal(0))}"
        for code in sorted(wanted.keys() | there.keys())
        if there.get(code, Decimal(0)) != wanted.get(code, Decimal(0))
    ]
    urn = lines[0][6]
    if differences:
        why = "Sage's nominal ledger shows other amounts than the file: " + "; ".join(differences)
        return Outcome(message.message_key, Status.HELD, "differs", why, urn, "JOURNAL_DIFFERS")
    return Outcome(message.message_key, Status.DELIVERED, "found", f"imported, URN {urn}", urn)
