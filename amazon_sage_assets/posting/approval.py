"""Approval: a person lets a settlement's documents go to Sage, as they stand. A later change needs approval again."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import duckdb

from amazon_sage_assets.outbox.messages import Status
from amazon_sage_assets.outbox.store import approve_documents, note
from amazon_sage_assets.tables import insert_rows, plain

# What can be approved by a word. The kinds of document behind each.
GROUPS = {"orders": ("order", "daily_order", "despatch"), "refunds": ("credit_note", "sales_return")}


class CannotApprove(Exception):  # noqa: N818
    """A settlement is not known, or not proven, or has nothing to approve."""


@dataclass(frozen=True)
class Approval:
    """What was approved: documents, their amounts added up as they stand, and a hash over all of their contents."""

    settlement_key: str
    documents: int
    amount: Decimal
    currency: str
    content_hash: str


def approve(
    connection: duckdb.DuckDBPyConnection, settlements: Sequence[str], by: str, now: datetime
) -> list[Approval]:
    """Approve settlements by their id or key, orders by theirs, or all `orders` or `refunds` that wait.

    All of them, or none: raises CannotApprove.
    """
    if not by.strip():
        raise CannotApprove("Say who approves: --by NAME.")
    groups = [wanted for wanted in settlements if wanted in GROUPS or _is_order(connection, wanted)]
    keys = [_key_of(connection, wanted) for wanted in settlements if wanted not in groups]
    standing = _standing(connection) if keys else {}
    approvals = [_approve_one(connection, key, by.strip(), now, standing) for key in keys]
    return approvals + [_approve_group(connection, wanted, by.strip(), now) for wanted in groups]


def _is_order(connection: duckdb.DuckDBPyConnection, wanted: str) -> bool:
    return bool(connection.execute("select 1 from outbox.messages where order_id = $1 limit 1", [wanted]).fetchall())


def _approve_group(connection: duckdb.DuckDBPyConnection, wanted: str, by: str, now: datetime) -> Approval:
    """All documents of a group, or all of one order, that wait, were refused, or are held."""
    documents = GROUPS.get(wanted, ("order", "despatch", "credit_note", "sales_return", "rounding"))
    orders = () if wanted in GROUPS else (wanted,)
    rows = connection.execute(
        "select payload_hash, amount, currency from outbox.messages where list_contains($1, document)"
        " and status in ('planned', 'rejected', 'held') and (len($2::varchar[]) = 0 or list_contains($2, order_id))"
        " order by message_key",
        [list(documents), list(orders)],
    ).fetchall()
    if not rows:
        raise CannotApprove(f"Nothing of {wanted} waits for approval.")
    waiting = (Status.PLANNED, Status.REJECTED, Status.HELD)
    count = approve_documents(connection, documents, by, now, orders, waiting)
    content = hashlib.sha256("\n".join(row[0] for row in rows).encode()).hexdigest()
    insert_rows(connection, "outbox.approvals", [(wanted, by, plain(now), content, count)])
    currencies = sorted({row[2] for row in rows})
    total = sum((row[1] for row in rows), Decimal(0))
    return Approval(wanted, count, total, "/".join(currencies), content)


def approve_all(connection: duckdb.DuckDBPyConnection, by: str, now: datetime) -> list[Approval]:
    """Approve every proven settlement that has something to approve, for a profile that posts by itself.

    What Sage refused stays refused until a person has looked at it.
    """
    rows = connection.execute(
        "select distinct m.settlement_key from outbox.messages as m inner join core.core__settlement_status as s"
        " on m.settlement_key = s.settlement_key where m.status = 'planned' and s.is_proven order by all"
    ).fetchall()
    standing = _standing(connection)
    return [_approve_one(connection, key, by, now, standing, (Status.PLANNED,)) for (key,) in rows]


def _standing(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, str]]:
    """Status and reason of every settlement, read once: asking for one costs as much as asking for all."""
    rows = connection.execute("select settlement_key, status, hold_reason from core.core__settlement_status").fetchall()
    return {key: (status, reason) for key, status, reason in rows}


def _key_of(connection: duckdb.DuckDBPyConnection, wanted: str) -> str:
    rows = connection.execute(
        "select settlement_key from core.core__settlements where settlement_key = $1 or settlement_id = $1", [wanted]
    ).fetchall()
    if len(rows) != 1:
        keys = ", ".join(key for (key,) in rows)
        raise CannotApprove(
            f"{wanted!r} is {'no settlement we know' if not rows else f'the id of several settlements: {keys}'}."
        )
    return str(rows[0][0])


def _approve_one(
    connection: duckdb.DuckDBPyConnection,
    key: str,
    by: str,
    now: datetime,
    standing: Mapping[str, tuple[str, str]],
    statuses: Sequence[str] = (Status.PLANNED, Status.REJECTED, Status.HELD),
) -> Approval:
    status, reason = standing[key]
    if status in ("quarantined", "held"):
        raise CannotApprove(f"Settlement {key} is {status} and cannot be approved. {reason}")
    rows = connection.execute(
        "select message_key, payload_hash, amount, currency from outbox.messages"
        " where settlement_key = $1 and list_contains($2, status) order by message_key",
        [key, [str(s) for s in statuses]],
    ).fetchall()
    if not rows:
        raise CannotApprove(f"Settlement {key} is {status} and has nothing to approve.")
    content = hashlib.sha256("\n".join(f"{name} {content}" for name, content, *_ in rows).encode()).hexdigest()
    for name, *_ in rows:
        connection.execute(
            "update outbox.messages set status = 'approved', approved_by = $2, approved_at = $3,"
            " approved_hash = payload_hash, last_error = null, hold_code = null where message_key = $1",
            [name, by, plain(now)],
        )
        note(connection, name, now, "approved", Status.APPROVED, by, f"as part of {content[:16]}")
    insert_rows(connection, "outbox.approvals", [(key, by, plain(now), content, len(rows))])
    return Approval(key, len(rows), sum((row[2] for row in rows), Decimal(0)), rows[0][3], content)
