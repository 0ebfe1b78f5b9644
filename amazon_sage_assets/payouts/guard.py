"""What stands between a planned payout or card charge and Sage: it may be there already, or nobody can tell yet."""

from dataclasses import dataclass

import duckdb

from amazon_sage_assets.outbox.delivery import AlreadyThere, Holding
from amazon_sage_assets.outbox.messages import Message

UNDER_WAY = ("STARTED", "IN_TRANSIT")  # Amazon has not paid yet


@dataclass(frozen=True)
class PayoutGuard:
    """`lines` are bank lines of others that are these movements, `ambiguous` what nobody can tell."""

    lines: dict[str, str]
    ambiguous: frozenset[str]
    under_way: frozenset[str]

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> "PayoutGuard":
        rows = connection.execute(
            "select x.message_key, x.bank_transaction_id, x.is_ambiguous, e.amazon_status"
            " from core.core__bank_matches as x inner join core.core__bank_expectations as e"
            " on x.message_key = e.message_key where x.how is null or x.how <> 'ours'"
        ).fetchall()
        return cls(
            lines={key: str(line) for key, line, _, _ in rows if line is not None},
            ambiguous=frozenset(key for key, _, is_ambiguous, _ in rows if is_ambiguous),
            under_way=frozenset(key for key, line, _, said in rows if line is None and said in UNDER_WAY),
        )

    def __call__(self, message: Message) -> None:
        """Raises AlreadyThere or Holding where the movement must not be posted."""
        if line := self.lines.get(message.message_key):
            raise AlreadyThere(line, f"bank line {line} is this {message.document}; no second one is posted")
        if message.message_key in self.ambiguous:
            raise Holding("AMBIGUOUS_PAYOUT", "Several bank lines fit, and nobody has said which it is.")
