"""The outbox's tables. Each change of a message and the event that tells of it are one transaction."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime

import duckdb

from amazon_sage_assets.outbox.messages import UNSENT, Message, Outcome, Status
from amazon_sage_assets.tables import insert_frame, insert_rows, plain
from amazon_sage_assets.warehouse import Warehouse

_COLUMNS = [field.name for field in fields(Message)]
_SELECT = f"select {', '.join(_COLUMNS)} from outbox.messages"
_MOMENTS = ("due_at", "sent_at")


class Outbox:
    """The messages of one remote system, for the worker that delivers them."""

    def __init__(
        self, warehouse: Warehouse, system: str, skip: Collection[str] = (), documents: Collection[str] = ()
    ) -> None:
        """`skip` are keys that must wait for something else, such as a payout that Amazon has not paid yet.

        `documents`, where given, are the only kinds of document that go out.
        """
        self._warehouse = warehouse
        self.system = system
        self._skip = list(skip)
        self._documents = list(documents)

    def approved(self, now: datetime) -> list[Message]:
        """What may be sent now: approved as it stands, and due. The most urgent first."""
        return self._messages(
            "where system = $1 and status = 'approved' and approved_hash = payload_hash and due_at <= $2"
            " and not list_contains($3::varchar[], message_key)"
            " and (len($4::varchar[]) = 0 or list_contains($4::varchar[], document))"
            " order by priority, due_at, message_key",
            [self.system, plain(now), self._skip, self._documents],
        )

    def sending(self) -> list[Message]:
        """What was handed to a worker and has no outcome yet."""
        return self._messages("where system = $1 and status = 'sending' order by message_key", [self.system])

    def step(
        self, now: datetime, outcomes: Sequence[Outcome] = (), claims: Sequence[str] = (), actor: str = "posting"
    ) -> list[Message]:
        """Keep outcomes and, in the same transaction, hand out the next messages. Returns them, marked as `sending`.

        Without those that nobody else may send: no longer approved, or another worker has them.
        """
        if not claims and not outcomes:
            return []
        with self._warehouse.transaction() as connection:
            for outcome in outcomes:
                _keep(connection, outcome, now, actor)
            rows = connection.execute(
                "update outbox.messages set status = 'sending', attempts = attempts + 1, sent_at = $2,"
                " last_error = null, hold_code = null"
                " where list_contains($1::varchar[], message_key) and status = 'approved'"
                f" and approved_hash = payload_hash returning {', '.join(_COLUMNS)}",
                [list(claims), plain(now)],
            ).fetchall()
            claimed = {message.message_key: message for message in map(_message, rows)}
            for message in claimed.values():
                note(
                    connection,
                    message.message_key,
                    now,
                    "sending",
                    Status.SENDING,
                    actor,
                    f"attempt {message.attempts}",
                )
            return [claimed[key] for key in claims if key in claimed]

    def _messages(self, condition: str, parameters: list[object]) -> list[Message]:
        with self._warehouse.read() as connection:
            return read_messages(connection, condition, parameters)


def read_messages(connection: duckdb.DuckDBPyConnection, condition: str, parameters: object = None) -> list[Message]:
    return [_message(row) for row in connection.execute(f"{_SELECT} {condition}", parameters).fetchall()]


def put(connection: duckdb.DuckDBPyConnection, wanted: Iterable[Message], now: datetime, actor: str) -> None:
    """Bring messages in as `planned`. One that was never sent takes the new content; approval of other content lapses.

    Raises ValueError for a message that was sent: that must become a correction.
    """
    messages = list(wanted)
    known = {
        key: rest
        for key, *rest in connection.execute(
            "select message_key, status, payload_hash, due_at from outbox.messages"
            " where list_contains($1::varchar[], message_key)",
            [[message.message_key for message in messages]],
        ).fetchall()
    }
    _insert(connection, [message for message in messages if message.message_key not in known], now)
    events = [
        (m.message_key, plain(now), "planned", "planned", actor, "") for m in messages if m.message_key not in known
    ]
    for message in (m for m in messages if m.message_key in known):
        status, payload_hash, due_at = known[message.message_key]
        if status not in UNSENT:
            raise ValueError(f"{message.message_key} is {status}; what was sent is never replaced.")
        if payload_hash == message.payload_hash and status != Status.SUPERSEDED and due_at == plain(message.due_at):
            continue
        connection.execute(
            "update outbox.messages set status = 'planned', kind = $2, document_date = $3, remote_reference = $4,"
            " amount = $5, currency = $6, payload = $7, payload_hash = $8, due_at = $9, priority = $10, document = $11,"
            " last_error = null, hold_code = null, approved_by = null, approved_at = null, approved_hash = null"
            " where message_key = $1",
            [
                message.message_key, message.kind, message.document_date, message.remote_reference, message.amount,
                message.currency, message.payload, message.payload_hash, plain(message.due_at), message.priority,
                message.document,
            ],
        )  # fmt: skip
        events.append((message.message_key, plain(now), "planned anew", "planned", actor, f"was {status}"))
    insert_frame(connection, "outbox.events", events)


def duplicate_references(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """References that stand for two messages. Looked for by reading every row: a lost index would not tell."""
    rows = connection.execute(
        "select system, remote_reference, count(*) from (select system, remote_reference || '' as remote_reference"
        " from outbox.messages where status <> 'superseded') group by all having count(*) > 1 order by all"
    ).fetchall()
    return [f"the reference {reference} stands for {count} documents of {system}" for system, reference, count in rows]


def references_taken(connection: duckdb.DuckDBPyConnection, wanted: Iterable[Message]) -> set[str]:
    """Keys of wanted messages whose reference another message bears that is not superseded."""
    by_reference = {(m.system, m.remote_reference): m.message_key for m in wanted}
    rows = connection.execute(
        "select system, remote_reference, message_key from outbox.messages where status <> 'superseded'"
        " and list_contains($1, remote_reference)",
        [[reference for _, reference in by_reference]],
    ).fetchall()
    return {
        by_reference[system, reference]
        for system, reference, key in rows
        if by_reference.get((system, reference), key) != key
    }


def supersede(connection: duckdb.DuckDBPyConnection, message_keys: Iterable[str], now: datetime, why: str) -> None:
    """Take messages out that were never sent and are no longer wanted."""
    for key in message_keys:
        _keep(connection, Outcome(key, Status.SUPERSEDED, "superseded", why), now, "planning")


def approve_documents(
    connection: duckdb.DuckDBPyConnection,
    documents: Sequence[str],
    by: str,
    now: datetime,
    order_ids: Sequence[str] = (),
    statuses: Sequence[str] = (Status.PLANNED,),
) -> int:
    """Approve what waits of these kinds of document, of all orders or of some. Returns how many."""
    wanted = [list(documents), [str(s) for s in statuses], list(order_ids)]
    condition = (
        "list_contains($1, document) and list_contains($2, status)"
        " and (len($3::varchar[]) = 0 or list_contains($3::varchar[], order_id))"
    )
    connection.execute(
        "insert into outbox.events select message_key, $4::timestamp, 'approved', 'approved', $5, ''"
        f" from outbox.messages where {condition}",
        [*wanted, plain(now), by],
    )
    rows = connection.execute(
        "update outbox.messages set status = 'approved', approved_by = $5, approved_at = $4,"
        f" approved_hash = payload_hash, last_error = null, hold_code = null where {condition} returning message_key",
        [*wanted, plain(now), by],
    ).fetchall()
    return len(rows)


def note(
    connection: duckdb.DuckDBPyConnection, key: str, now: datetime, event: str, status: str, actor: str, detail: str
) -> None:
    insert_rows(connection, "outbox.events", [(key, plain(now), event, str(status), actor, detail)])


def _keep(connection: duckdb.DuckDBPyConnection, outcome: Outcome, now: datetime, actor: str) -> None:
    delivered = outcome.status == Status.DELIVERED
    trouble = None if outcome.status in (Status.DELIVERED, Status.SUPERSEDED) else outcome.detail
    connection.execute(
        # Superseded with an id means that somebody else's document is this one: an id seen earlier says no such thing.
        "update outbox.messages set status = $2, last_error = $4, hold_code = $5,"
        " remote_id = case when $2 = 'superseded' then $3 else coalesce($3, remote_id) end,"
        " delivered_at = $6, remote_date = $7 where message_key = $1 and status <> 'delivered'",
        [
            outcome.message_key, str(outcome.status), outcome.remote_id, trouble, outcome.hold_code,
            plain(now) if delivered else None, outcome.remote_date,
        ],
    )  # fmt: skip
    note(connection, outcome.message_key, now, outcome.event, outcome.status, actor, outcome.detail)


def _insert(connection: duckdb.DuckDBPyConnection, messages: Sequence[Message], now: datetime) -> None:
    names = [*_COLUMNS, "created_at"]
    rows = [
        tuple(plain(v) if isinstance(v, datetime) else v for v in (*(getattr(m, n) for n in _COLUMNS), now))
        for m in messages
    ]
    insert_frame(connection, "outbox.messages", rows, names)


def _message(row: tuple[object, ...]) -> Message:
    values = dict(zip(_COLUMNS, row, strict=True))
    for name in _MOMENTS:
        moment = values[name]
        values[name] = moment.replace(tzinfo=UTC) if isinstance(moment, datetime) else None
    return Message(**values)  # type: ignore[arg-type]
