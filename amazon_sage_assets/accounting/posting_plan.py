"""The posting plan: the Sage documents that a settlement becomes. Nothing is sent here.

Each document of the journal is one Sage document: a receipt or payment on the customer account where a Sage order owns
the revenue, a bank receipt or payment with nominal and VAT analysis for everything else, a bank transfer for moves
between the wallet, the reserve, the card and the main bank. All amounts inside a document are positive, as Sage wants
them; a line that runs against its document moves to a mirror document of the opposite kind.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from amazon_sage_assets.money import from_pence

ZERO = from_pence(0)
REFERENCE_LENGTH = 20
PAYOUT = "payout"
DEBT_CARRY = "debt_carry"

RECEIPT, PAYMENT, TRANSFER = "bank_receipt", "bank_payment", "bank_transfer"
SALES_RECEIPT, SALES_PAYMENT = "sales_receipt", "sales_payment"
_MIRROR = {RECEIPT: PAYMENT, PAYMENT: RECEIPT, SALES_RECEIPT: SALES_PAYMENT, SALES_PAYMENT: SALES_RECEIPT}


@dataclass(frozen=True)
class DocumentKind:
    """How a journal document goes to Sage: `letter` stands for it in references, `title` in narratives."""

    kind: str
    letter: str
    title: str


DOCUMENTS = {
    "customer_receipts": DocumentKind(SALES_RECEIPT, "R", "Amazon receipts"),
    "customer_refunds": DocumentKind(SALES_PAYMENT, "P", "Amazon refunds"),
    "customer_chargebacks": DocumentKind(SALES_PAYMENT, "K", "Amazon chargebacks"),
    "sales": DocumentKind(RECEIPT, "S", "Amazon sales"),
    "refunds": DocumentKind(PAYMENT, "U", "Amazon refunds"),
    "chargebacks": DocumentKind(PAYMENT, "B", "Amazon chargebacks"),
    "liquidations": DocumentKind(RECEIPT, "L", "Amazon liquidations"),
    "fees": DocumentKind(PAYMENT, "F", "Amazon fees"),
    "credits": DocumentKind(RECEIPT, "C", "Amazon credits"),
    "reserve_held": DocumentKind(TRANSFER, "H", "Amazon reserve held"),
    "reserve_released": DocumentKind(TRANSFER, "J", "Amazon reserve released"),
    "debt": DocumentKind(PAYMENT, "D", "Amazon debt taken over"),
    DEBT_CARRY: DocumentKind(RECEIPT, "E", "Amazon debt carried forward"),
    "account_transfer": DocumentKind(PAYMENT, "T", "Amazon cross-account transfer"),
    "card_charge": DocumentKind(TRANSFER, "G", "Amazon card charge"),
    "payout_returned": DocumentKind(TRANSFER, "N", "Amazon payout returned"),
    PAYOUT: DocumentKind(TRANSFER, "Y", "Amazon payout"),
}


class PlanError(Exception):
    """The plan would not say what the journal says. Nothing may be sent."""


@dataclass(frozen=True)
class Settlement:
    """The header a plan needs. `total_amount` is signed towards the seller."""

    account: str
    settlement_id: str
    marketplace: str | None
    currency: str
    end_day: date
    deposit_date: date | None
    total_amount: Decimal


@dataclass(frozen=True)
class Ledger:
    """A Sage nominal account; empty cost centre or department means none."""

    nominal_code: str
    cost_centre: str = ""
    department: str = ""
    name: str = ""


@dataclass(frozen=True)
class JournalPart:
    """One analysis line: amounts towards the seller, `net` + `vat` = `amount` unless VAT is reverse-charged."""

    period: str
    document: str
    document_date: date
    account_key: str
    vat_treatment: str
    vat_code: str
    amount: Decimal
    net: Decimal
    vat: Decimal


@dataclass(frozen=True)
class PlannedDocument:
    """One document for Sage. `message_key` is derived from the business event alone; `amount` is positive."""

    message_key: str
    kind: str
    document: str
    period: str
    document_date: date
    remote_reference: str
    amount: Decimal
    currency: str
    wallet_movement: Decimal
    payload: str

    @property
    def payload_hash(self) -> str:
        return hashlib.sha256(self.payload.encode()).hexdigest()


def plan(settlement: Settlement, parts: Iterable[JournalPart], ledger: Mapping[str, Ledger]) -> list[PlannedDocument]:
    """The documents of one settlement, in the order of their keys.

    Raises PlanError when the documents would not move the wallet by the header total, or an account is missing.
    """
    grouped: dict[tuple[str, str], list[JournalPart]] = {}
    for part in parts:
        grouped.setdefault((part.period, part.document), []).append(part)
    documents = [
        document
        for (period, name), group in sorted(grouped.items())
        for document in _documents(settlement, period, name, group, ledger)
    ]
    moved = sum((d.wallet_movement for d in documents if d.document != DEBT_CARRY), ZERO)
    if moved != settlement.total_amount:
        raise PlanError(
            f"Settlement {settlement.settlement_id}: the planned documents move the wallet by {moved} "
            f"{settlement.currency}, the header total is {settlement.total_amount}. Nothing may be sent."
        )
    if settlement.total_amount > 0:
        documents.append(_payout(settlement, ledger))
    return documents


def _documents(
    settlement: Settlement, period: str, name: str, parts: Sequence[JournalPart], ledger: Mapping[str, Ledger]
) -> list[PlannedDocument]:
    what = DOCUMENTS[name]
    day = max(part.document_date for part in parts)
    if what.kind == TRANSFER:
        return _transfers(settlement, period, name, day, parts, ledger)
    inwards = what.kind in (RECEIPT, SALES_RECEIPT)
    lines = [line for part in parts for line in _analysis_lines(part)]
    planned = []
    for sign, kind, suffix in ((1, what.kind, "1"), (-1, _MIRROR[what.kind], "2")):
        towards_us = sign if inwards else -sign
        chosen = [line for line in lines if line.side == towards_us]
        if not chosen:
            continue
        total = sum((line.gross for line in chosen), ZERO)
        body: dict[str, Any] = {"bank": _code(ledger, "wallet")}
        if kind in (SALES_RECEIPT, SALES_PAYMENT):
            body["customer"] = {"marketplace": settlement.marketplace or "", "currency": settlement.currency}
            body["cheque_value"] = str(total)
        else:
            body["nominal_analysis_items"] = [line.body(ledger, what.title) for line in chosen]
        planned.append(_document(settlement, period, name, day, kind, suffix, total, towards_us * total, body))
    return planned


@dataclass(frozen=True)
class _AnalysisLine:
    """A Sage analysis line: positive goods and tax; `side` is 1 towards the seller, -1 away from the seller."""

    account_key: str
    vat_code: str
    goods: Decimal
    tax: Decimal
    notional_tax: Decimal
    side: int

    @property
    def gross(self) -> Decimal:
        return self.goods + self.tax

    def body(self, ledger: Mapping[str, Ledger], title: str) -> dict[str, str]:
        account = _account(ledger, self.account_key)
        body = {
            "code": account.nominal_code,
            "cost_centre": account.cost_centre,
            "department": account.department,
            "narrative": f"{title}: {account.name}",
            "goods_value": str(self.goods),
            "tax_value": str(self.tax),
            "tax_code": self.vat_code,
        }
        return body | ({"notional_tax_value": str(self.notional_tax)} if self.notional_tax else {})


def _analysis_lines(part: JournalPart) -> list[_AnalysisLine]:
    """The line of a part; two when its net and its VAT run in opposite directions; none when it is nil."""
    reverse_charged = part.amount == part.net and part.vat != 0
    tax = ZERO if reverse_charged else part.vat
    notional = abs(part.vat) if reverse_charged else ZERO
    pairs = [(part.net, ZERO), (ZERO, tax)] if part.net * tax < 0 else [(part.net, tax)]
    return [
        _AnalysisLine(part.account_key, part.vat_code, abs(net), abs(vat), notional, 1 if net + vat > 0 else -1)
        for net, vat in pairs
        if net or vat
    ]


def _transfers(
    settlement: Settlement,
    period: str,
    name: str,
    day: date,
    parts: Sequence[JournalPart],
    ledger: Mapping[str, Ledger],
) -> list[PlannedDocument]:
    """One transfer per other bank account; the sign says which way the money goes."""
    planned = []
    for number, part in enumerate(sorted(parts, key=lambda p: p.account_key), start=1):
        if not part.amount:
            continue
        other, wallet = _code(ledger, part.account_key), _code(ledger, "wallet")
        source, target = (other, wallet) if part.amount > 0 else (wallet, other)
        value = abs(part.amount)
        body = {"bank_from": source, "bank_to": target, "payment_value": str(value)}
        planned.append(_document(settlement, period, name, day, TRANSFER, str(number), value, part.amount, body))
    return planned


def _payout(settlement: Settlement, ledger: Mapping[str, Ledger]) -> PlannedDocument:
    day = settlement.deposit_date or settlement.end_day
    value = settlement.total_amount
    body = {
        "bank_from": _code(ledger, "wallet"),
        "bank_to": _code(ledger, "bank_main"),
        "payment_value": str(value),
    }
    return _document(settlement, f"{day:%Y-%m}", PAYOUT, day, TRANSFER, "1", value, -value, body)


def _document(
    settlement: Settlement,
    period: str,
    name: str,
    day: date,
    kind: str,
    suffix: str,
    amount: Decimal,
    wallet_movement: Decimal,
    body: dict[str, Any],
) -> PlannedDocument:
    what = DOCUMENTS[name]
    reference = f"{settlement.settlement_id}-{period[2:4]}{period[5:]}-{what.letter}{suffix}"
    if len(reference) > REFERENCE_LENGTH:
        raise PlanError(f"The reference {reference!r} is longer than the {REFERENCE_LENGTH} characters Sage keeps.")
    payload = {
        "kind": kind,
        "transaction_date": day.isoformat(),
        "reference": reference,
        "second_reference": settlement.account,
        "narrative": f"{what.title}, settlement {settlement.settlement_id}, {period}",
        **body,
    }
    key = f"{settlement.account}/settlement/{settlement.settlement_id}/{period}/{name}"
    return PlannedDocument(
        message_key=key if suffix == "1" else f"{key}/{suffix}",
        kind=kind,
        document=name,
        period=period,
        document_date=day,
        remote_reference=reference,
        amount=amount,
        currency=settlement.currency,
        wallet_movement=wallet_movement,
        payload=json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
    )


def _account(ledger: Mapping[str, Ledger], key: str) -> Ledger:
    if key not in ledger:
        raise PlanError(
            f"accounts.csv has no nominal code for {key!r} in this currency. Add the line, then settle again."
        )
    return ledger[key]


def _code(ledger: Mapping[str, Ledger], key: str) -> str:
    return _account(ledger, key).nominal_code
