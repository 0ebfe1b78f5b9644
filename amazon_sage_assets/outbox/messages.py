"""A message: one document for one remote system. Its key is derived from the business event alone."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

# Where messages go: into Sage, or into a file that a person imports there.
SAGE, SAGE_IMPORT = "sage", "sage_import"


class Status(StrEnum):
    """Where a message stands.

    planned -> approved -> sending -> delivered; rejected: the remote system said no; held: something must change
    first; superseded: no longer wanted, and never sent. What is delivered stays delivered.
    """

    PLANNED = "planned"
    APPROVED = "approved"
    SENDING = "sending"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    HELD = "held"
    SUPERSEDED = "superseded"


# A message in one of these has certainly had no effect outside; only such a one may change or go.
UNSENT = (Status.PLANNED, Status.APPROVED, Status.REJECTED, Status.HELD, Status.SUPERSEDED)


@dataclass(frozen=True)
class Message:
    """`payload` is the exact content as JSON, decimals as text; `remote_reference` is what the remote side keeps."""

    message_key: str
    system: str
    kind: str
    settlement_key: str | None
    document: str
    period: str
    document_date: date
    remote_reference: str
    amount: Decimal
    currency: str
    payload: str
    payload_hash: str
    due_at: datetime
    priority: int = 0
    order_id: str | None = None
    status: str = Status.PLANNED
    attempts: int = 0
    sent_at: datetime | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a message, in words for people."""

    message_key: str
    status: Status
    event: str
    detail: str
    remote_id: str | None = None
    hold_code: str | None = None
    remote_date: date | None = None
