"""What is sent when a settlement is worked out anew after some of it is in Sage."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amazon_sage_assets.accounting.corrections import Delivered, outstanding
from amazon_sage_assets.accounting.posting_plan import (
    DEBT_CARRY,
    DOCUMENTS,
    PAYOUT,
    JournalPart,
    Ledger,
    PlannedDocument,
    Settlement,
    plan,
)
from amazon_sage_assets.money import from_pence, money

LEDGER = {
    "wallet": Ledger("1250", name="Amazon wallet"),
    "bank_main": Ledger("1200", name="Main bank"),
    "bank_card": Ledger("1210", name="Company card"),
    "reserve_held": Ledger("1255", name="Reserve"),
    "debtors": Ledger("1100", name="Debtors"),
    "suspense": Ledger("2250", name="Suspense"),
    "sales": Ledger("4000", "SAL", "WEB", "Sales UK"),
    "fees_referral": Ledger("5100", name="Referral fees"),
    "fees_other": Ledger("5150", name="Other fees"),
}
WALLET = "1250"
TRANSFERS = {"reserve_held": "reserve_held", "card_charge": "bank_card", "payout_returned": "bank_main"}


def of_settlement(parts: Sequence[JournalPart], **changes: object) -> Settlement:
    """The header of a settlement with these parts."""
    total = sum((p.amount for p in parts if p.document != DEBT_CARRY), from_pence(0))
    values = {
        "account": "uk",
        "settlement_id": "24000000001",
        "marketplace": "Amazon.co.uk",
        "currency": "GBP",
        "end_day": date(2026, 3, 14),
        "deposit_date": date(2026, 3, 16),
        "total_amount": total,
    }
    return Settlement(**{**values, **changes})  # type: ignore[arg-type]


def part(document: str, account: str, net: str, vat: str = "0.00", **changes: object) -> JournalPart:
    values = {
        "period": "2026-03",
        "document": document,
        "document_date": date(2026, 3, 14),
        "account_key": account,
        "vat_treatment": "fee_uk",
        "vat_code": "1",
        "amount": money(net) + money(vat),
        "net": money(net),
        "vat": money(vat),
    }
    return JournalPart(**{**values, **changes})  # type: ignore[arg-type]


def in_sage(documents: Iterable[PlannedDocument]) -> list[Delivered]:
    return [
        Delivered(d.message_key, d.document, d.period, d.document_date, d.payload, d.payload_hash) for d in documents
    ]


@dataclass(frozen=True)
class Books:
    """What Sage has, document by document, as it was sent."""

    documents: tuple[PlannedDocument, ...] = ()

    def asked(self, *parts: JournalPart, **changes: object) -> list[PlannedDocument]:
        """What is still to be sent so that the settlement has these parts."""
        settlement = of_settlement(parts, **changes)
        return outstanding(settlement, plan(settlement, parts, LEDGER), in_sage(self.documents))

    def after(self, sent: Iterable[PlannedDocument]) -> "Books":
        return Books((*self.documents, *sent))


def posted(*parts: JournalPart, but: Sequence[str] = ()) -> Books:
    """A settlement whose documents are in Sage, except those named in `but`."""
    return Books(tuple(d for d in Books().asked(*parts) if d.document not in but))


Effects = dict[tuple[str, ...], Decimal]


def effects(documents: Iterable[PlannedDocument]) -> Effects:
    """What documents do to Sage's accounts, money in positive, per period and document; read from what is sent."""
    moved: Effects = defaultdict(lambda: from_pence(0))
    for d in documents:
        body = json.loads(d.payload)
        place = (d.period, d.document)
        if body["kind"] == "bank_transfer":
            moved[*place, body["bank_to"]] += Decimal(body["payment_value"])
            moved[*place, body["bank_from"]] -= Decimal(body["payment_value"])
            continue
        sign = {"receipt": 1, "payment": -1}[body["kind"].split("_")[1]]
        if "customer" in body:
            moved[*place, body["bank"]] += sign * Decimal(body["cheque_value"])
            moved[*place, *body["customer"].values()] -= sign * Decimal(body["cheque_value"])
            continue
        for item in body["nominal_analysis_items"]:
            goods, tax = sign * Decimal(item["goods_value"]), sign * Decimal(item["tax_value"])
            moved[*place, body["bank"]] += goods + tax
            account = (item["code"], item["cost_centre"], item["department"])
            moved[*place, *account, item["tax_code"]] -= goods
            moved[*place, "VAT", item["tax_code"]] -= tax
    return {key: amount for key, amount in moved.items() if amount}


def wallet_of(documents: Iterable[PlannedDocument]) -> Decimal:
    return sum((amount for key, amount in effects(documents).items() if key[2] == WALLET), from_pence(0))


def analysis(document: PlannedDocument) -> list[tuple[str, str, str, str]]:
    items = json.loads(document.payload)["nominal_analysis_items"]
    return [(i["code"], i["goods_value"], i["tax_value"], i["tax_code"]) for i in items]


def place_of(document: PlannedDocument) -> str:
    """The end of the key, which says what the document is."""
    return document.message_key.split("/", 4)[4]


# --- worked cases ---------------------------------------------------------------------------------------------------

SALE = part("sales", "sales", "100.00", "20.00")
OTHER_FEE = part("fees", "fees_other", "-10.00", "-2.00")


def test_a_fee_that_moves_to_another_account_is_given_back_and_charged_anew() -> None:
    books = posted(SALE, OTHER_FEE)
    payment, receipt = books.asked(SALE, replace(OTHER_FEE, account_key="fees_referral"))
    assert (payment.kind, payment.amount, analysis(payment)) == (
        "bank_payment", Decimal("12.00"), [("5100", "10.00", "2.00", "1")],
    )  # fmt: skip
    assert (receipt.kind, receipt.amount, analysis(receipt)) == (
        "bank_receipt", Decimal("12.00"), [("5150", "10.00", "2.00", "1")],
    )  # fmt: skip
    assert wallet_of([payment, receipt]) == 0
    assert [place_of(d) for d in (payment, receipt)] == ["fees/correction-1/11", "fees/correction-1/12"]
    assert [d.remote_reference for d in (payment, receipt)] == ["24000000001-2603-F11", "24000000001-2603-F12"]


def test_a_row_released_from_suspense_gets_its_account_and_its_vat() -> None:
    """3.60 waited gross in suspense; mapped, it is 3.00 of cost and 0.60 of VAT."""
    waiting = part("fees", "suspense", "-3.60", vat_code="")
    payment, receipt = posted(SALE, waiting).asked(SALE, part("fees", "fees_other", "-3.00", "-0.60"))
    assert analysis(payment) == [("5150", "3.00", "0.60", "1")]
    assert analysis(receipt) == [("2250", "3.60", "0.00", "")]
    assert wallet_of([payment, receipt]) == 0


def test_only_the_difference_of_an_amount_is_sent() -> None:
    """VAT of 2.00 was 0.00: the net falls by what the VAT takes, and the fee stays 12.00."""
    (payment, receipt) = posted(SALE, part("fees", "fees_other", "-12.00")).asked(SALE, OTHER_FEE)
    assert analysis(payment) == [("5150", "0.00", "2.00", "1")]
    assert analysis(receipt) == [("5150", "2.00", "0.00", "1")]
    assert wallet_of([payment, receipt]) == 0


def test_another_tax_code_moves_the_whole_line() -> None:
    payment, receipt = posted(SALE, OTHER_FEE).asked(
        SALE, replace(OTHER_FEE, vat_code="6", net=money("-12.00"), vat=money("0.00"))
    )
    assert analysis(payment) == [("5150", "12.00", "0.00", "6")]
    assert analysis(receipt) == [("5150", "10.00", "2.00", "1")]


def test_a_document_that_is_no_longer_wanted_is_turned_round() -> None:
    books = posted(SALE, part("credits", "sales", "5.00"), part("fees", "fees_other", "-5.00"))
    moved = books.asked(SALE, part("fees", "fees_other", "-5.00"), part("refunds", "sales", "5.00"))
    assert [(place_of(d), d.kind, d.amount) for d in moved] == [
        ("refunds/2", "bank_receipt", Decimal("5.00")),
        ("credits/correction-1/12", "bank_payment", Decimal("5.00")),
    ]


def test_a_document_that_is_not_in_sage_yet_is_sent_as_it_is_now() -> None:
    books = posted(SALE, OTHER_FEE, but=["sales", "payout"])
    dearer = part("fees", "fees_other", "-15.00", "-3.00")
    bigger = part("sales", "sales", "105.00", "21.00")
    sent = {place_of(d): d for d in books.asked(bigger, dearer)}
    assert {place: (d.kind, d.amount) for place, d in sent.items()} == {
        "sales": ("bank_receipt", Decimal("126.00")),
        "payout": ("bank_transfer", Decimal("108.00")),
        "fees/correction-1/11": ("bank_payment", Decimal("6.00")),
    }


def test_a_smaller_reserve_comes_back_into_the_wallet() -> None:
    books = posted(SALE, part("reserve_held", "reserve_held", "-50.00"))
    payout, transfer = books.asked(SALE, part("reserve_held", "reserve_held", "-40.00"))
    assert (transfer.document, transfer.kind, transfer.amount) == ("reserve_held", "bank_transfer", Decimal("10.00"))
    body = json.loads(transfer.payload)
    assert (body["bank_from"], body["bank_to"]) == ("1255", WALLET)
    # Ten more are left to pay out: 120.00 - 40.00 instead of 120.00 - 50.00.
    body = json.loads(payout.payload)
    assert (payout.document, body["bank_from"], body["bank_to"], body["payment_value"]) == (
        "payout", WALLET, "1200", "10.00",
    )  # fmt: skip


def test_a_smaller_customer_receipt_is_paid_back_to_the_customer() -> None:
    books = posted(part("customer_receipts", "debtors", "24.00"), but=["payout"])
    given_back, payout = sorted(books.asked(part("customer_receipts", "debtors", "23.50")), key=lambda d: d.amount)
    assert (given_back.kind, given_back.amount) == ("sales_payment", Decimal("0.50"))
    assert json.loads(given_back.payload)["customer"] == {"marketplace": "Amazon.co.uk", "currency": "GBP"}
    assert payout.amount == Decimal("23.50")


def test_a_second_correction_starts_from_the_first() -> None:
    books = posted(SALE, OTHER_FEE)
    books = books.after(books.asked(SALE, replace(OTHER_FEE, account_key="fees_referral")))
    second = books.asked(SALE, replace(OTHER_FEE, account_key="suspense"))
    assert [(place_of(d), d.kind, analysis(d)) for d in second] == [
        ("fees/correction-2/21", "bank_payment", [("2250", "10.00", "2.00", "1")]),
        ("fees/correction-2/22", "bank_receipt", [("5100", "10.00", "2.00", "1")]),
    ]


def test_a_correction_that_was_not_sent_yet_follows_the_rules_of_now() -> None:
    """It keeps its key, so that it takes the place of the one that waits."""
    books = posted(SALE, OTHER_FEE)
    first, second = (books.asked(SALE, replace(OTHER_FEE, account_key=key)) for key in ("fees_referral", "suspense"))
    assert [d.message_key for d in first] == [d.message_key for d in second]
    assert [d.payload for d in first] != [d.payload for d in second]


def test_a_correction_is_dated_like_what_it_corrects() -> None:
    later = replace(OTHER_FEE, account_key="suspense", document_date=date(2026, 3, 31))
    assert {d.document_date for d in posted(SALE, OTHER_FEE).asked(SALE, later)} == {date(2026, 3, 14)}


def test_a_foreign_correction_has_a_document_for_each_tax_code() -> None:
    lines = (part("fees", "fees_other", "-10.00", vat_code="1"), part("fees", "fees_other", "-4.00", vat_code="6"))
    foreign = {"currency": "EUR", "is_foreign": True}
    books = Books(tuple(Books().asked(SALE, *lines, **foreign)))
    sent = books.asked(SALE, *(replace(line, account_key="suspense") for line in lines), **foreign)
    assert [(d.kind, analysis(d)) for d in sent] == [
        ("bank_payment", [("2250", "10.00", "0.00", "1")]),
        ("bank_receipt", [("5150", "10.00", "0.00", "1")]),
        ("bank_payment", [("2250", "4.00", "0.00", "6")]),
        ("bank_receipt", [("5150", "4.00", "0.00", "6")]),
    ]


# --- whatever is planned and sent -----------------------------------------------------------------------------------

LEDGER_DOCUMENTS = [
    name
    for name, what in DOCUMENTS.items()
    if what.kind in ("bank_receipt", "bank_payment") and name != "account_transfer"
]
CUSTOMER_DOCUMENTS = [name for name, what in DOCUMENTS.items() if what.kind.startswith("sales_")]
TAX_CODES = ("0", "1", "2", "4", "")
pence = st.integers(-2000, 2000).map(from_pence)
periods = st.sampled_from(("2026-02", "2026-03"))


def end_of(period: str) -> date:
    return date(2026, 2, 28) if period == "2026-02" else date(2026, 3, 14)


@st.composite
def journal_part(draw: st.DrawFn) -> JournalPart:
    period = draw(periods)
    kind = draw(st.sampled_from(("ledger", "ledger", "ledger", "customer", "transfer")))
    amount, vat = draw(pence), from_pence(0)
    if kind == "transfer":
        document = draw(st.sampled_from(sorted(TRANSFERS)))
        account, code = TRANSFERS[document], ""
    elif kind == "customer":
        document, account, code = draw(st.sampled_from(CUSTOMER_DOCUMENTS)), "debtors", ""
    else:
        document = draw(st.sampled_from(LEDGER_DOCUMENTS))
        account = draw(st.sampled_from(("suspense", "sales", "fees_referral", "fees_other")))
        code, vat = draw(st.sampled_from(TAX_CODES)), draw(pence)
    reverse_charged = kind == "ledger" and draw(st.booleans())
    return JournalPart(
        period, document, end_of(period), account, "", code, amount if reverse_charged else amount + vat, amount, vat
    )  # fmt: skip


plans = st.lists(journal_part(), min_size=1, max_size=7)
thorough = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
foreign_or_not = st.sampled_from(({}, {"currency": "EUR", "is_foreign": True}))


def wanted(parts: Sequence[JournalPart], changes: dict[str, object]) -> list[PlannedDocument]:
    settlement = of_settlement(parts, **changes)
    return plan(settlement, parts, LEDGER)


@thorough
@given(versions=st.lists(plans, min_size=2, max_size=4), changes=foreign_or_not, data=st.data())
def test_what_was_delivered_and_what_is_asked_for_make_what_is_wanted(
    versions: list[list[JournalPart]], changes: dict[str, object], data: st.DataObject
) -> None:
    books = Books()
    for parts in versions:
        asked = books.asked(*parts, **changes)
        assert effects([*books.documents, *asked]) == effects(wanted(parts, changes))
        known = {d.message_key for d in books.documents}
        assert not [d.message_key for d in asked if d.message_key in known]
        # Some arrive before the rules change again, some do not.
        arrived = [d for d in asked if data.draw(st.booleans(), label=d.message_key)]
        books = books.after(arrived)
    books = books.after(books.asked(*versions[-1], **changes))
    assert books.asked(*versions[-1], **changes) == []


@thorough
@given(versions=st.lists(plans, min_size=2, max_size=4), changes=foreign_or_not)
def test_references_stay_short_and_unique_and_amounts_positive(
    versions: list[list[JournalPart]], changes: dict[str, object]
) -> None:
    books = Books()
    for parts in versions:
        books = books.after(books.asked(*parts, **changes))
    assert max((len(d.remote_reference) for d in books.documents), default=0) <= 20
    for given_once in ("message_key", "remote_reference"):
        times = Counter(getattr(d, given_once) for d in books.documents)
        assert [name for name, count in times.items() if count > 1] == []
    for document in books.documents:
        body = json.loads(document.payload)
        lines = body.get("nominal_analysis_items", ())
        values = [Decimal(line[name]) for line in lines for name in ("goods_value", "tax_value")]
        assert document.amount > 0
        assert min(values, default=Decimal(0)) >= 0
        if changes and lines:
            assert len({line["tax_code"] for line in lines}) == 1


@thorough
@given(parts=plans, changes=foreign_or_not)
def test_what_did_not_change_asks_for_nothing(parts: list[JournalPart], changes: dict[str, object]) -> None:
    planned = wanted(parts, changes)
    assert Books().asked(*parts, **changes) == planned
    assert Books(tuple(planned)).asked(*parts, **changes) == []


@thorough
@given(before=plans, after=plans)
def test_asking_twice_gives_the_same_keys_and_contents(before: list[JournalPart], after: list[JournalPart]) -> None:
    books = Books(tuple(wanted(before, {})))
    once, again = books.asked(*after), Books(books.documents[::-1]).asked(*after)
    assert [(d.message_key, d.payload) for d in once] == [(d.message_key, d.payload) for d in again]


@pytest.mark.parametrize("document", sorted({*DOCUMENTS} - {PAYOUT, "account_transfer"}))
def test_every_kind_of_document_can_be_taken_back_whole(document: str) -> None:
    account = TRANSFERS.get(document, "debtors" if document in CUSTOMER_DOCUMENTS else "reserve_held")
    line = part(document, account, "7.00")
    sent = wanted([SALE, line], {})
    books = Books(tuple(sent))
    assert effects([*books.documents, *books.asked(SALE)]) == effects(wanted([SALE], {}))
