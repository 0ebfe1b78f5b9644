"""The second way into Sage: a settlement's journal as a file that a person imports, one document per month.

Sage 200 takes no nominal journal over its interface. The file holds the same double entry; it is proven when Sage's
nominal ledger shows it. The payout stays a document of its own, because it is money in a real bank.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from amazon_sage_assets.accounting.posting_plan import PAYOUT, REFERENCE_LENGTH, PlanError, PlannedDocument, Settlement
from amazon_sage_assets.money import from_pence

KIND = "journal_file"
DOCUMENT = "journal"
COLUMNS = ("date", "reference", "nominal_code", "cost_centre", "department", "debit", "credit", "vat_code", "narrative")
ZERO = from_pence(0)

Account = tuple[str, str, str, str]  # nominal code, cost centre, department, VAT code


@dataclass(frozen=True)
class JournalLine:
    """One side of the double entry."""

    period: str
    document_date: date
    account: Account
    debit: Decimal
    credit: Decimal
    narrative: str


def journal_documents(
    settlement: Settlement,
    lines: Iterable[JournalLine],
    delivered: Sequence[tuple[str, str]],
    planned: Sequence[PlannedDocument],
    wallet: str,
) -> list[PlannedDocument]:
    """A journal per month, less what `delivered` (key, payload) brought already, and the payout from `planned`."""
    wanted: dict[str, list[JournalLine]] = {}
    for line in lines:
        wanted.setdefault(line.period, []).append(line)
    documents = []
    for period, group in sorted(wanted.items()):
        key = f"{settlement.account}/settlement/{settlement.settlement_id}/{period}/{DOCUMENT}"
        before = [payload for name, payload in delivered if name == key or name.startswith(f"{key}/")]
        documents += _journal(settlement, period, key, group, before)
    sent = {name for name, _ in delivered}
    payouts = (_payout(document, wallet) for document in planned if document.document == PAYOUT)
    return documents + [payout for payout in payouts if payout.message_key not in sent]


def _journal(
    settlement: Settlement, period: str, key: str, lines: Sequence[JournalLine], before: Sequence[str]
) -> list[PlannedDocument]:
    balances: dict[Account, Decimal] = {}
    narratives: dict[Account, str] = {}
    for line in lines:
        balances[line.account] = balances.get(line.account, ZERO) + line.debit - line.credit
        narratives[line.account] = line.narrative
    for earlier in before:
        for item in json.loads(earlier)["lines"]:
            account = (item["nominal_code"], item["cost_centre"], item["department"], item["vat_code"])
            balances[account] = balances.get(account, ZERO) - Decimal(item["debit"]) + Decimal(item["credit"])
            narratives.setdefault(account, item["narrative"])
    entries = [(account, balance) for account, balance in sorted(balances.items()) if balance]
    if not entries:
        return []
    if sum(balance for _, balance in entries):
        raise PlanError(f"The journal of settlement {settlement.settlement_id} for {period} does not balance.")
    number = len(before) + 1
    reference = f"{settlement.settlement_id}-{period[2:4]}{period[5:]}-X{number}"
    if len(reference) > REFERENCE_LENGTH:
        raise PlanError(f"The reference {reference!r} is longer than the {REFERENCE_LENGTH} characters Sage keeps.")
    day = max(line.document_date for line in lines)
    payload: dict[str, object] = {
        "kind": KIND,
        "transaction_date": day.isoformat(),
        "reference": reference,
        "lines": [
            {
                "nominal_code": account[0],
                "cost_centre": account[1],
                "department": account[2],
                "vat_code": account[3],
                "debit": str(max(balance, ZERO)),
                "credit": str(max(-balance, ZERO)),
                "narrative": narratives[account],
            }
            for account, balance in entries
        ],
    }
    total = sum((balance for _, balance in entries if balance > 0), ZERO)
    return [
        PlannedDocument(
            message_key=key if number == 1 else f"{key}/correction-{number - 1}",
            kind=KIND,
            document=DOCUMENT,
            period=period,
            document_date=day,
            remote_reference=reference,
            amount=total,
            currency=settlement.currency,
            wallet_movement=ZERO,
            payload=_text(payload),
        )
    ]


def _payout(document: PlannedDocument, wallet: str) -> PlannedDocument:
    """With journal files the wallet is a nominal code and no bank: the payout is a receipt of the main bank."""
    body = json.loads(document.payload)
    payload = {
        **{name: body[name] for name in ("transaction_date", "reference", "second_reference", "narrative")},
        "kind": "bank_receipt",
        "bank": body["bank_to"],
        "nominal_analysis_items": [
            {
                "code": wallet,
                "cost_centre": "",
                "department": "",
                "narrative": body["narrative"],
                "goods_value": body["payment_value"],
                "tax_value": str(ZERO),
                "tax_code": "",
            }
        ],
    }
    return PlannedDocument(**{**document.__dict__, "kind": "bank_receipt", "payload": _text(payload)})


def as_csv(payload: Mapping[str, object]) -> str:
    """The import file. Its first line names the columns; map them once in Sage's import."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    lines = payload["lines"]
    if not isinstance(lines, list):
        raise TypeError("a journal's payload has a list of lines")
    for line in lines:
        writer.writerow({"date": payload["transaction_date"], "reference": payload["reference"], **line})
    return out.getvalue()


def _text(payload: Mapping[str, object]) -> str:
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
