"""What the rules of now would post: worked out in a copy of the state, compared with what waits today."""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb

from amazon_sage_assets.company import Company
from amazon_sage_assets.settlements import flow

_WAITING = (
    "select message_key, payload_hash, settlement_key, kind, remote_reference, document_date, amount, currency, payload"
    " from outbox.messages where status not in ('delivered', 'sending', 'superseded') order by message_key"
)


@dataclass(frozen=True)
class Change:
    """A document that would wait for approval, or, where `is_new` is false, one that no longer would."""

    message_key: str
    settlement_key: str
    kind: str
    remote_reference: str
    document_date: date
    amount: Decimal
    currency: str
    lines: tuple[str, ...]
    is_new: bool


def rehearse(copy: Company) -> list[Change]:
    """`copy` is the company over a copy of its state, which this changes. Nothing that is kept does."""
    with copy.warehouse.read() as connection:
        before = _waiting(connection)
    flow.settle(copy, [])
    with copy.warehouse.read() as connection:
        after = _waiting(connection)
    changed = [(row, True) for key, row in after.items() if key not in before or before[key][1] != row[1]]
    changed += [(row, False) for key, row in before.items() if key not in after]
    return [_change(row, is_new) for row, is_new in sorted(changed, key=lambda pair: str(pair[0][0]))]


def _waiting(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[object, ...]]:
    return {str(row[0]): row for row in connection.execute(_WAITING).fetchall()}


def _change(row: tuple[object, ...], is_new: bool) -> Change:
    key, _, settlement, kind, reference, day, amount, currency, payload = row
    return Change(key, settlement, kind, reference, day, amount, currency, _lines(str(payload)), is_new)  # type: ignore[arg-type]


def _lines(payload: str) -> tuple[str, ...]:
    """What the document does, a line each."""
    body = json.loads(payload)
    if body["kind"] == "bank_transfer":
        return (f"{body['bank_from']} to {body['bank_to']}: {body['payment_value']}",)
    if "customer" in body:
        return (f"customer of {body['customer']['marketplace']}, bank {body['bank']}: {body['cheque_value']}",)
    if body["kind"] == "journal_file":
        return tuple(f"{i['nominal_code']}: debit {i['debit']}, credit {i['credit']}" for i in body["lines"])
    return tuple(
        f"{item['code']} {item['narrative']}: goods {item['goods_value']}, VAT {item['tax_value']}"
        f" (code {item['tax_code'] or 'none'})"
        for item in body["nominal_analysis_items"]
    )
