"""Sage as the outbox sees it: documents rendered with Sage's record ids, sent once, and found again by reference."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from amazon_sage_assets.outbox.delivery import Found, Holding, NotSent, Refused, Sent, Uncertain, Unreachable
from amazon_sage_assets.outbox.messages import Message
from amazon_sage_assets.sage import allocations
from amazon_sage_assets.sage.allocations import Allocations
from amazon_sage_assets.sage.client import SageClient, quoted
from amazon_sage_assets.sage.documents import Dated, Document, document
from amazon_sage_assets.sage.outcomes import SageError, SageRefused, SageUncertain
from amazon_sage_assets.sage.reference_data import Bank, NominalKey, ReferenceData
from amazon_sage_assets.sage.sop_documents import DESPATCH, ORDER, RETURN, SopDocuments
from amazon_sage_assets.sage.sop_records import SopRecords

LOOK_UP_TOGETHER = 20  # references in one filter: about 1,000 characters of address
OPEN = "Normal"  # any other word means that Sage would warn, move the nominal part, or refuse
_CASH_KINDS = ("sales_receipt", "sales_payment")
_BILLS = ("sales_credit_note", "sales_invoice")
_SALES_KINDS = _CASH_KINDS + _BILLS


@dataclass
class SageRemote:
    """`guard` may raise Holding or AlreadyThere for a message, before anything is sent.

    `no_vat_code` is the tax code of lines that are no supply at all; Sage would otherwise put its default code there,
    and the line on the VAT return.
    """

    client: SageClient
    records: ReferenceData
    no_vat_code: str
    closed_period: Literal["hold", "next_open"]
    guard: Callable[[Message], None] = lambda _: None
    sop: SopRecords = field(default_factory=SopRecords)
    _days: dict[tuple[str, date], str] = field(default_factory=dict)
    _periods: list[date] = field(default_factory=list)

    def send(self, message: Message) -> Sent:
        try:
            self.guard(message)
            wanted = self.render(message)
            day, note = self._day(message, wanted) if isinstance(wanted, Dated) else (None, "")
            if isinstance(wanted, Dated):
                wanted = wanted.model_copy(update={"transaction_date": day})
            answer = self._post(message, wanted)
        except SageRefused as error:
            raise Refused(self._without_personal_data(message, error)) from None
        except SageUncertain as error:
            raise Uncertain(self._without_personal_data(message, error)) from None
        except SageError as error:
            raise NotSent(self._without_personal_data(message, error)) from None
        if message.kind in (ORDER, RETURN) and isinstance(answer, dict):
            note = _total_note(answer, message)
        return Sent(self._id_of(message, answer), note, day)

    def _post(self, message: Message, wanted: Document) -> Any:
        if message.kind != allocations.KIND:
            return self.client.post(wanted.path, wanted.body())
        Allocations(self.client, self.records).send(message, wanted.body())
        return {"id": json.loads(message.payload)["lines"][0]["entry"]}  # an allocation has no number of its own

    def _without_personal_data(self, message: Message, error: SageError) -> str:
        """Sage may say back what it was sent."""
        if message.kind != ORDER:
            return str(error)
        return self._sop_documents.without_personal_data(message, str(error))

    @property
    def _sop_documents(self) -> SopDocuments:
        return SopDocuments(self.client, self.records, self.sop)

    def _id_of(self, message: Message, answer: Any) -> str:
        """Sage's number for the document. An answer without one proves nothing, so then Sage's books must show it."""
        if message.kind == DESPATCH and isinstance(answer, dict) and answer.get("sop_order_return_id"):
            return str(answer["sop_order_return_id"])
        if isinstance(answer, dict) and (answer.get("urn") or answer.get("id")):
            return str(answer.get("urn") or answer["id"])
        try:
            found = self.find([message]).get(message.message_key)
        except Unreachable as error:
            raise Uncertain(f"Sage's answer had no number, and looking for the document failed: {error}") from None
        if found is None or not found.same_content:
            raise Uncertain("Sage's answer had no number, and Sage does not show the document.")
        return found.remote_id

    def render(self, message: Message) -> Document:
        """The document with Sage's ids. Raises SageRefused with what does not exist or does not fit."""
        if message.kind in (ORDER, RETURN):
            return self._sop_documents.render(message)
        if message.kind == DESPATCH:
            return self._sop_documents.render_despatch(message)
        if message.kind == allocations.KIND:
            return Allocations(self.client, self.records).render(message)
        payload = json.loads(message.payload)
        content: dict[str, Any] = {
            name: payload[name] for name in ("transaction_date", "reference", "second_reference")
        }
        if message.kind in _BILLS:
            content |= self._bill(payload)
        elif message.kind in _CASH_KINDS:
            bank = self._bank(payload["bank"], message.currency)
            content |= {
                "customer_id": self.records.customer(payload["customer"]["marketplace"]),
                "bank_id": bank.id,
                "cheque_value": Decimal(payload["cheque_value"]),
            }
        elif message.kind == "bank_transfer":
            content |= {
                "bank_from_id": self._bank(payload["bank_from"], message.currency).id,
                "bank_to_id": self._bank(payload["bank_to"], message.currency).id,
                "payment_value": Decimal(payload["payment_value"]),
                "narrative": payload["narrative"],
            }
        else:
            bank = self._bank(payload["bank"], message.currency)
            content |= {"bank_id": bank.id, "narrative": payload["narrative"]}
            content |= self._analysis(payload["nominal_analysis_items"], self.records.is_foreign(bank))
        return document(message.kind, content)

    def _bill(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A credit note or an invoice: net per account, and net and VAT per tax code."""
        items = payload["items"]
        for item in items:
            self._known((item["code"], item["cost_centre"], item["department"]))
        taxes: dict[int, list[Decimal]] = {}
        for item in items:
            sums = taxes.setdefault(self.records.tax_code(item["tax_code"] or self.no_vat_code), [Decimal(0)] * 2)
            sums[0] += Decimal(item["goods_value"])
            sums[1] += Decimal(item["tax_value"])
        return {
            "customer_id": self.records.customer(payload["customer"]["marketplace"]),
            "document_goods_value": sum((goods for goods, _ in taxes.values()), Decimal(0)),
            "document_tax_value": sum((tax for _, tax in taxes.values()), Decimal(0)),
            "tax_analysis_items": [
                {"id": tax_id, "goods_amount": goods, "tax_amount": tax} for tax_id, (goods, tax) in taxes.items()
            ],
            "nominal_analysis_items": [
                {
                    "code": item["code"],
                    "cost_centre": item["cost_centre"],
                    "department": item["department"],
                    "narrative": item["narrative"],
                    "value": Decimal(item["goods_value"]),
                }
                for item in items
            ],
        }

    def _bank(self, nominal_code: str, currency: str) -> Bank:
        bank = self.records.bank(nominal_code)
        if bank.currency and bank.currency != currency:
            raise SageRefused(
                f"The Sage bank {bank.code} ({nominal_code}) is kept in {bank.currency}, this document is in "
                f"{currency}. Name a {currency} account in accounts.csv."
            )
        return bank

    def _analysis(self, items: Sequence[dict[str, str]], foreign: bool) -> dict[str, Any]:
        """Nominal lines. A foreign bank takes one tax code per document, a base-currency bank one per line."""
        for item in items:
            self._known((item["code"], item["cost_centre"], item["department"]))
        lines = [
            {
                "code": item["code"],
                "cost_centre": item["cost_centre"],
                "department": item["department"],
                "narrative": item["narrative"],
                "gross_value": Decimal(item["goods_value"]) + Decimal(item["tax_value"]),
            }
            for item in items
        ]
        tax_ids = [self.records.tax_code(item["tax_code"] or self.no_vat_code) for item in items]
        goods = [Decimal(item["goods_value"]) for item in items]
        tax = [Decimal(item["tax_value"]) for item in items]
        if not foreign:
            for line, tax_id, net, vat in zip(lines, tax_ids, goods, tax, strict=True):
                line |= {"goods_value": net, "tax_value": vat, "tax_code_id": tax_id}
            return {"nominal_analysis_items": lines}
        if len(set(tax_ids)) != 1:
            raise SageRefused("Sage takes one tax code per document of a foreign bank, and here are several.")
        return {
            "tax_code_id": tax_ids[0],
            "cheque_value": sum(goods, Decimal(0)) + sum(tax, Decimal(0)),
            "cheque_goods_value": sum(goods, Decimal(0)),
            "cheque_tax_value": sum(tax, Decimal(0)),
            "nominal_analysis_items": lines,
        }

    def _known(self, nominal: NominalKey) -> None:
        """Sage may book an unknown mix of code, cost centre and department to suspense instead of refusing it."""
        if nominal not in self.records.nominals:
            parts = " / ".join(filter(None, nominal))
            raise SageRefused(f"Sage has no nominal code {parts}. Correct accounts.csv or add the code in Sage.")

    def _day(self, message: Message, wanted: Dated) -> tuple[date, str]:
        """The day to post on, and why it is another than planned. Raises Holding where the profile wants a person."""
        day = wanted.transaction_date
        said = self._say(wanted.ledger, day)
        if said == OPEN:
            return day, ""
        # A correction belongs into an open period by its nature; anything else moves only if the profile says so.
        if self.closed_period == "hold" and "/correction-" not in message.message_key:
            raise Holding("PERIOD_CLOSED", f"Sage calls {day:%d %b %Y} {said}.")
        for start in self._period_starts():
            if start > day and self._say(wanted.ledger, start) == OPEN:
                return start, f"posted on {start:%d %b %Y}, because Sage calls {day:%d %b %Y} {said}"
        raise Holding("PERIOD_CLOSED", f"Sage calls {day:%d %b %Y} {said}, and no later period is open.")

    def _say(self, ledger: str, day: date) -> str:
        if (ledger, day) not in self._days:
            answer = self.client.ask(
                "/transaction_date_validation", {"date": f"{day.isoformat()}T00:00:00Z", "ledger_type": ledger}
            )
            self._days[ledger, day] = str(answer["classification"]).rsplit("Classification", 1)[-1]
        return self._days[ledger, day]

    def _period_starts(self) -> list[date]:
        if not self._periods:
            rows = self.client.read_all("/financial_year_period_views", key="accounting_period_id")
            self._periods = sorted(date.fromisoformat(str(row["period_start_date"])[:10]) for row in rows)
        return self._periods

    def find(self, messages: Sequence[Message]) -> dict[str, Found]:
        """Look documents up, many in one request."""
        found: dict[str, Found] = {}
        try:
            for look, wanted in self._lookers(messages):
                for some in _batches(wanted):
                    found |= look(some)
        except SageError as error:
            raise Unreachable(str(error)) from None
        return found

    def _lookers(
        self, messages: Sequence[Message]
    ) -> Iterator[tuple[Callable[[Sequence[Message]], dict[str, Found]], list[Message]]]:
        """Who looks for which messages."""
        sop = self._sop_documents
        special: set[str] = {ORDER, RETURN, DESPATCH, allocations.KIND, *_SALES_KINDS}
        for kind, path in ((ORDER, "/sop_orders"), (RETURN, "/sop_returns")):
            yield partial(sop.find, path), [m for m in messages if m.kind == kind]
        yield sop.find_despatches, [m for m in messages if m.kind == DESPATCH]
        # Sage allows no allocation twice, so one that was never tried is not looked for.
        yield (
            Allocations(self.client, self.records).find,
            [m for m in messages if m.kind == allocations.KIND and m.attempts],
        )
        yield partial(self._find_entries, "/sales_posted_transactions"), [m for m in messages if m.kind in _SALES_KINDS]
        yield partial(self._find_entries, "/bank_posted_transactions"), [m for m in messages if m.kind not in special]

    def _find_entries(self, path: str, messages: Sequence[Message]) -> dict[str, Found]:
        condition = " or ".join(f"reference eq {quoted(m.remote_reference)}" for m in messages)
        rows = self.client.read_all(path, condition)
        entries = {message.message_key: self._entry(message, rows) for message in messages}
        return {key: entry for key, entry in entries.items() if entry}

    def _entry(self, message: Message, rows: Sequence[dict[str, Any]]) -> Found | None:
        same = [row for row in rows if str(row["reference"]).casefold() == message.remote_reference.casefold()]
        if message.kind == "bank_transfer":
            giving = self.records.bank(json.loads(message.payload)["bank_from"]).id
            same = [row for row in same if int(row["bank_id"]) == giving]
        if not same:
            return None
        # The sign of a posted value is not certain, its size is.
        value = "document_gross_value" if message.kind in _SALES_KINDS else "cheque_value"
        fits = all(abs(Decimal(str(row[value]))) == message.amount for row in same)
        return Found(str(same[0]["urn"]), fits, len(same))


def _total_note(answer: dict[str, Any], message: Message) -> str:
    """Without the right to set prices Sage may take its own: then the order stands there with another total."""
    total = answer.get("total_gross_value")
    if total is None or Decimal(str(total)) == message.amount:
        return ""
    return f"Sage's total is {total}, not {message.amount} {message.currency}"


def _batches(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    for start in range(0, len(messages), LOOK_UP_TOGETHER):
        yield messages[start : start + LOOK_UP_TOGETHER]
