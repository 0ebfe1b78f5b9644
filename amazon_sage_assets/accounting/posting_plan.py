"""The posting plan: the Sage documents that a settlement becomes. Nothing is sent here.

Each document of the journal is one Sage document: a receipt or payment on the customer account where a Sage order owns
the revenue, a bank receipt or payment with nominal and VAT analysis for everything else, a bank transfer for moves
between the wallet, the reserve, the card and the main bank. All amounts inside a document are positive, as Sage wants
them; a line that runs against its document moves to a mirror document of the opposite kind.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from amazon_sage_assets.money import from_pence

ZERO = from_pence(0)
REFERENCE_LENGTH = 20
MOST_PARTS = 4  # of one document and its mirrors, so that references 1 to 8 stand for the plan, 11 on for corrections
PAYOUT = "payout"
DEBT_CARRY = "debt_carry"

RECEIPT, PAYMENT, TRANSFER = "bank_receipt", "bank_payment", "bank_transfer"
SALES_RECEIPT, SALES_PAYMENT = "sales_receipt", "sales_payment"


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
    is_foreign: bool = False


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
        for document in render(
            settlement,
            period,
            name,
            max(part.document_date for part in group),
            movements_of(group, settlement, ledger),
        )
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


@dataclass(frozen=True)
class Movement:
    """What one analysis line does, signed towards the seller: positive brings money into the wallet.

    `family` is ledger, customer or transfer. `target` says against what: (nominal code, cost centre, department, tax
    code), (marketplace, currency), or (the other bank's nominal code,). `notional` is reverse-charged VAT, no money.
    """

    bank: str
    family: str
    target: tuple[str, ...]
    goods: Decimal
    tax: Decimal = ZERO
    notional: Decimal = ZERO
    narrative: str = ""

    @property
    def amount(self) -> Decimal:
        return self.goods + self.tax

    def turned(self) -> "Movement":
        return replace(self, goods=-self.goods, tax=-self.tax, notional=-self.notional)


def movements_of(parts: Iterable[JournalPart], settlement: Settlement, ledger: Mapping[str, Ledger]) -> list[Movement]:
    """The journal parts of one document as movements; a nil part is none."""
    bank = _code(ledger, "wallet")
    found = []
    for part in parts:
        what = DOCUMENTS[part.document]
        if what.kind == TRANSFER:
            found.append(Movement(bank, "transfer", (_code(ledger, part.account_key),), part.amount))
        elif what.kind in (SALES_RECEIPT, SALES_PAYMENT):
            customer = (settlement.marketplace or "", settlement.currency)
            found.append(Movement(bank, "customer", customer, part.amount))
        else:
            account = _account(ledger, part.account_key)
            target = (account.nominal_code, account.cost_centre, account.department, part.vat_code)
            reverse_charged = part.amount == part.net and part.vat != 0
            tax, notional = (ZERO, part.vat) if reverse_charged else (part.vat, ZERO)
            narrative = f"{what.title}: {account.name}"
            found.append(Movement(bank, "ledger", target, part.net, tax, notional, narrative))
    return [movement for movement in found if movement.goods or movement.tax]


def read_back(payload: str) -> list[Movement]:
    """The movements of a document's payload."""
    body = json.loads(payload)
    kind = body["kind"]
    if kind == TRANSFER:
        # Told from the side of the lower code, so that a transfer and its way back are the same movement turned.
        one, other = sorted((body["bank_from"], body["bank_to"]))
        value = Decimal(body["payment_value"])
        return [Movement(one, "transfer", (other,), value if body["bank_to"] == one else -value)]
    sign = 1 if kind in (RECEIPT, SALES_RECEIPT) else -1
    if kind in (SALES_RECEIPT, SALES_PAYMENT):
        customer = (body["customer"]["marketplace"], body["customer"]["currency"])
        return [Movement(body["bank"], "customer", customer, sign * Decimal(body["cheque_value"]))]
    return [
        Movement(
            body["bank"],
            "ledger",
            (item["code"], item["cost_centre"], item["department"], item["tax_code"]),
            sign * Decimal(item["goods_value"]),
            sign * Decimal(item["tax_value"]),
            sign * Decimal(item.get("notional_tax_value", "0.00")),
            item["narrative"],
        )
        for item in body["nominal_analysis_items"]
    ]


def render(
    settlement: Settlement,
    period: str,
    name: str,
    day: date,
    movements: Iterable[Movement],
    after: int = 0,
    part: str = "",
) -> list[PlannedDocument]:
    """The Sage documents that make these movements, all amounts positive.

    What runs against the document's direction goes to a mirror document of the opposite kind. Sage takes one tax code
    per document of a foreign bank, so there each code has its own. `after` is how many references of this document are
    taken, `part` a last step of the key for what comes later than the plan.
    """
    what = DOCUMENTS[name]
    groups: dict[tuple[str, ...], list[Movement]] = {}
    for movement in movements:
        split = movement.target[3:] if movement.family == "ledger" and settlement.is_foreign else ()
        if movement.family != "ledger":
            split = movement.target
        groups.setdefault((movement.family, movement.bank, *split), []).append(movement)
    documents = []
    if len(groups) > MOST_PARTS:
        raise PlanError(f"{name} of {settlement.settlement_id} would be {len(groups)} documents, {MOST_PARTS} at most.")
    for place, (_, group) in enumerate(sorted(groups.items())):
        inwards = what.kind in (RECEIPT, SALES_RECEIPT)
        if what.kind == TRANSFER:
            inwards = sum((movement.amount for movement in group), ZERO) > 0
        for mirrored in (False, True):
            side = 1 if inwards != mirrored else -1
            chosen = [line for movement in group for line in _one_sided(movement) if line.amount * side > 0]
            if chosen:
                number = after + 2 * place + (2 if mirrored else 1)
                documents.append(_rendered(settlement, period, name, day, side, chosen, number, part))
    return documents


def _one_sided(movement: Movement) -> list[Movement]:
    """One line, or two where its net and its VAT run in opposite directions."""
    if movement.goods * movement.tax < 0:
        return [replace(movement, tax=ZERO), replace(movement, goods=ZERO, notional=ZERO)]
    return [movement]


def _rendered(
    settlement: Settlement,
    period: str,
    name: str,
    day: date,
    side: int,
    lines: Sequence[Movement],
    number: int,
    part: str,
) -> PlannedDocument:
    """One document of lines that all run to the same `side`."""
    what = DOCUMENTS[name]
    total = sum((abs(line.amount) for line in lines), ZERO)
    first = lines[0]
    body: dict[str, Any] = {"bank": first.bank}
    match first.family:
        case "transfer":
            kind = TRANSFER
            source, target = (first.target[0], first.bank) if side > 0 else (first.bank, first.target[0])
            body = {"bank_from": source, "bank_to": target, "payment_value": str(total)}
        case "customer":
            kind = SALES_RECEIPT if side > 0 else SALES_PAYMENT
            body["customer"] = {"marketplace": first.target[0], "currency": first.target[1]}
            body["cheque_value"] = str(total)
        case _:
            kind = RECEIPT if side > 0 else PAYMENT
            body["nominal_analysis_items"] = [_analysis_item(line, what.title) for line in lines]
    return _document(settlement, period, name, day, kind, number, total, side * total, body, part)


def _analysis_item(line: Movement, title: str) -> dict[str, str]:
    code, cost_centre, department, tax_code = line.target
    item = {
        "code": code,
        "cost_centre": cost_centre,
        "department": department,
        "narrative": line.narrative or title,
        "goods_value": str(abs(line.goods)),
        "tax_value": str(abs(line.tax)),
        "tax_code": tax_code,
    }
    return item | ({"notional_tax_value": str(abs(line.notional))} if line.notional else {})


def _payout(settlement: Settlement, ledger: Mapping[str, Ledger]) -> PlannedDocument:
    day = settlement.deposit_date or settlement.end_day
    value = settlement.total_amount
    body = {
        "bank_from": _code(ledger, "wallet"),
        "bank_to": _code(ledger, "bank_main"),
        "payment_value": str(value),
    }
    return _document(settlement, f"{day:%Y-%m}", PAYOUT, day, TRANSFER, 1, value, -value, body)


def _document(
    settlement: Settlement,
    period: str,
    name: str,
    day: date,
    kind: str,
    number: int,
    amount: Decimal,
    wallet_movement: Decimal,
    body: dict[str, Any],
    part: str = "",
) -> PlannedDocument:
    what = DOCUMENTS[name]
    reference = f"{settlement.settlement_id}-{period[2:4]}{period[5:]}-{what.letter}{number}"
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
    key = "/".join(filter(None, (settlement.account, "settlement", settlement.settlement_id, period, name, part)))
    return PlannedDocument(
        message_key=key if number == 1 else f"{key}/{number}",
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
