"""The journal as a file for a person to import: one per month, balanced, and corrected by its difference."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_sage_assets.accounting.journal_file import JournalLine, as_csv, journal_documents
from amazon_sage_assets.accounting.posting_plan import JournalPart, Ledger, PlanError, PlannedDocument, Settlement, plan
from amazon_sage_assets.money import from_pence, money

WALLET, MAIN_BANK = "1250", "1200"
LEDGER = {"wallet": Ledger(WALLET), "bank_main": Ledger(MAIN_BANK), "sales": Ledger("4000")}
ZERO = Decimal("0.00")


def settlement(**changes: object) -> Settlement:
    values = {
        "account": "uk",
        "settlement_id": "24000000001",
        "marketplace": "Amazon.co.uk",
        "currency": "GBP",
        "end_day": date(2026, 3, 14),
        "deposit_date": date(2026, 3, 16),
        "total_amount": money("108.00"),
    }
    return Settlement(**{**values, **changes})  # type: ignore[arg-type]


def line(nominal: str, amount: str, vat_code: str = "", period: str = "2026-03", day: int = 14) -> JournalLine:
    """One side of the entry; positive is a debit."""
    value = money(amount)
    return JournalLine(
        period, date(int(period[:4]), int(period[5:]), day), (nominal, "", "", vat_code), max(value, ZERO),
        max(-value, ZERO), f"Amazon {nominal}",
    )  # fmt: skip


# A sale of 100.00 + 20.00 and a fee of 10.00 + 2.00.
JOURNAL = (
    line(WALLET, "120.00"),
    line("4000", "-100.00", "1"),
    line("2200", "-20.00", "1"),
    line(WALLET, "-12.00"),
    line("5150", "10.00", "1"),
    line("2201", "2.00", "1"),
)


def journals(
    lines: Iterable[JournalLine], before: Sequence[PlannedDocument] = (), planned: Sequence[PlannedDocument] = ()
) -> list[PlannedDocument]:
    sent = [(d.message_key, d.payload) for d in before]
    return journal_documents(settlement(), lines, sent, planned, WALLET)


def entries(document: PlannedDocument) -> list[tuple[str, str, str, str]]:
    """Nominal code, VAT code, debit and credit of each line."""
    return [
        (item["nominal_code"], item["vat_code"], item["debit"], item["credit"])
        for item in json.loads(document.payload)["lines"]
    ]


def balances(documents: Iterable[PlannedDocument]) -> dict[tuple[str, ...], Decimal]:
    """Debit less credit by month and account, over documents one after the other."""
    moved: dict[tuple[str, ...], Decimal] = defaultdict(lambda: ZERO)
    for document in documents:
        for nominal, vat_code, debit, credit in entries(document):
            moved[document.period, nominal, vat_code] += Decimal(debit) - Decimal(credit)
    return {key: amount for key, amount in moved.items() if amount}


def test_a_months_journal_has_a_line_per_account_and_balances() -> None:
    (journal,) = journals(JOURNAL)
    assert entries(journal) == [
        ("1250", "", "108.00", "0.00"),
        ("2200", "1", "0.00", "20.00"),
        ("2201", "1", "2.00", "0.00"),
        ("4000", "1", "0.00", "100.00"),
        ("5150", "1", "10.00", "0.00"),
    ]
    assert (journal.kind, journal.document, journal.amount) == ("journal_file", "journal", Decimal("120.00"))
    assert (journal.message_key, journal.remote_reference) == (
        "uk/settlement/24000000001/2026-03/journal", "24000000001-2603-X1",
    )  # fmt: skip


def test_an_account_that_comes_to_nothing_is_left_out() -> None:
    (journal,) = journals([*JOURNAL, line("1255", "30.00"), line("1255", "-30.00")])
    assert "1255" not in [entry[0] for entry in entries(journal)]


def test_each_month_has_a_journal_dated_at_its_last_day_in_the_settlement() -> None:
    february = [line(WALLET, "5.00", period="2026-02", day=27), line("4900", "-5.00", period="2026-02", day=28)]
    first, second = journals([*JOURNAL, *february])
    assert [(d.period, d.document_date) for d in (first, second)] == [
        ("2026-02", date(2026, 2, 28)),
        ("2026-03", date(2026, 3, 14)),
    ]
    assert [d.remote_reference[-8:] for d in (first, second)] == ["-2602-X1", "-2603-X1"]


def test_a_journal_that_does_not_balance_is_never_written() -> None:
    with pytest.raises(PlanError, match="2026-03 does not balance"):
        journals([*JOURNAL, line("5150", "0.01")])


def test_a_reference_that_sage_would_cut_is_never_written() -> None:
    with pytest.raises(PlanError, match="longer than the 20 characters"):
        journal_documents(settlement(settlement_id="2400000000123"), JOURNAL, [], [], WALLET)


def test_nothing_to_book_is_no_journal() -> None:
    assert journals([]) == []
    assert journals([line(WALLET, "1.00"), line(WALLET, "-1.00")]) == []


# --- corrections ----------------------------------------------------------------------------------------------------


def moved_to(nominal: str) -> list[JournalLine]:
    """The same journal with the fee in another account."""
    return [replace(one, account=(nominal, *one.account[1:])) if one.account[0] == "5150" else one for one in JOURNAL]


def test_an_imported_journal_is_not_written_again() -> None:
    before = journals(JOURNAL)
    assert journals(JOURNAL, before) == []


def test_a_fee_that_moves_is_the_only_thing_in_the_correction() -> None:
    before = journals(JOURNAL)
    (correction,) = journals(moved_to("5100"), before)
    assert entries(correction) == [("5100", "1", "10.00", "0.00"), ("5150", "1", "0.00", "10.00")]
    assert correction.message_key.endswith("/2026-03/journal/correction-1")
    assert (correction.remote_reference, correction.amount) == ("24000000001-2603-X2", Decimal("10.00"))
    narratives = [item["narrative"] for item in json.loads(correction.payload)["lines"]]
    assert narratives == ["Amazon 5150", "Amazon 5150"]  # that of the line now, and that of the line it takes back


def test_a_second_correction_starts_from_the_first() -> None:
    before = journals(JOURNAL)
    before += journals(moved_to("5100"), before)
    (second,) = journals(moved_to("5110"), before)
    assert entries(second) == [("5100", "1", "0.00", "10.00"), ("5110", "1", "10.00", "0.00")]
    assert (second.message_key[-13:], second.remote_reference[-3:]) == ("/correction-2", "-X3")


def test_a_journal_that_waits_follows_the_rules_of_now() -> None:
    (first,), (second,) = journals(JOURNAL), journals(moved_to("5100"))
    assert first.message_key == second.message_key
    assert first.payload_hash != second.payload_hash


amounts = st.lists(
    st.tuples(
        st.sampled_from(("2026-02", "2026-03")),
        st.sampled_from(("4000", "5100", "5150", "1255")),
        st.sampled_from(("", "1", "6")),
        st.integers(-5000, 5000).map(from_pence),
    ),
    max_size=8,
)


def balanced(drawn: list[tuple[str, str, str, Decimal]]) -> list[JournalLine]:
    """Lines in both months, each against the wallet."""
    lines = []
    for period, nominal, vat_code, amount in [*drawn, ("2026-02", "4000", "", ZERO), ("2026-03", "4000", "", ZERO)]:
        lines += [line(nominal, str(amount), vat_code, period), line(WALLET, str(-amount), "", period)]
    return lines


@settings(deadline=None)
@given(versions=st.lists(amounts, min_size=2, max_size=4))
def test_journals_one_after_the_other_make_the_journal_of_now(
    versions: list[list[tuple[str, str, str, Decimal]]],
) -> None:
    imported: list[PlannedDocument] = []
    for drawn in versions:
        lines = balanced(drawn)
        asked = journals(lines, imported)
        for journal in asked:
            sides = entries(journal)
            assert sum(Decimal(e[2]) for e in sides) == sum(Decimal(e[3]) for e in sides) == journal.amount
            assert all((Decimal(debit) > 0) != (Decimal(credit) > 0) for _, _, debit, credit in sides)
        imported += asked
        expected: dict[tuple[str, ...], Decimal] = defaultdict(lambda: ZERO)
        for one in lines:
            expected[one.period, one.account[0], one.account[3]] += one.debit - one.credit
        assert balances(imported) == {key: amount for key, amount in expected.items() if amount}
        assert journals(lines, imported) == []
    references = [d.remote_reference for d in imported]
    assert len(set(references)) == len(references)


# --- the payout -----------------------------------------------------------------------------------------------------


def planned_payout() -> list[PlannedDocument]:
    sale = JournalPart(
        "2026-03", "sales", date(2026, 3, 14), "sales", "uk_standard", "1", money("108.00"), money("90.00"),
        money("18.00"),
    )  # fmt: skip
    return plan(settlement(), [sale], LEDGER)


def test_the_payout_is_a_receipt_of_the_main_bank_against_the_wallet() -> None:
    """With journal files the wallet is no bank of Sage's, so nothing can be transferred from it."""
    planned = planned_payout()
    _, payout = journals(JOURNAL, planned=planned)
    body = json.loads(payout.payload)
    assert (payout.kind, payout.document, payout.amount) == ("bank_receipt", "payout", Decimal("108.00"))
    assert (body["kind"], body["bank"], body["transaction_date"]) == ("bank_receipt", MAIN_BANK, "2026-03-16")
    (item,) = body["nominal_analysis_items"]
    assert (item["code"], item["goods_value"], item["tax_value"], item["tax_code"]) == (WALLET, "108.00", "0.00", "")
    transfer = next(d for d in planned if d.document == "payout")
    assert (payout.message_key, payout.remote_reference) == (transfer.message_key, transfer.remote_reference)
    assert payout.payload_hash != transfer.payload_hash


def test_a_payout_in_sage_is_not_asked_for_again() -> None:
    documents = journals(JOURNAL, planned=planned_payout())
    assert journals(JOURNAL, documents, planned_payout()) == []


# --- the file -------------------------------------------------------------------------------------------------------


def test_the_file_names_its_columns_and_has_a_row_per_line() -> None:
    (journal,) = journals([line(WALLET, "-12.00"), line("5150", "10.00", "1"), line("2201", "2.00", "1")])
    text = as_csv(json.loads(journal.payload))
    assert text == (
        "date,reference,nominal_code,cost_centre,department,debit,credit,vat_code,narrative\r\n"
        "2026-03-14,24000000001-2603-X1,1250,,,0.00,12.00,,Amazon 1250\r\n"
        "2026-03-14,24000000001-2603-X1,2201,,,2.00,0.00,1,Amazon 2201\r\n"
        "2026-03-14,24000000001-2603-X1,5150,,,10.00,0.00,1,Amazon 5150\r\n"
    )


def test_cost_centre_department_and_a_name_with_a_comma_survive_the_file() -> None:
    where = ("5135", "SAL", "WEB", "1")
    fee = JournalLine("2026-03", date(2026, 3, 14), where, money("3.00"), ZERO, 'Coupon, "deal" and Vine fees')
    (journal,) = journals([fee, line(WALLET, "-3.00")])
    (wallet, read) = csv.DictReader(io.StringIO(as_csv(json.loads(journal.payload)), newline=""))
    assert tuple(read[name] for name in ("nominal_code", "cost_centre", "department", "vat_code")) == where
    assert read["narrative"] == 'Coupon, "deal" and Vine fees'
    assert (wallet["debit"], wallet["credit"]) == ("0.00", "3.00")


def test_a_file_is_made_of_lines_and_of_nothing_else() -> None:
    with pytest.raises(TypeError, match="list of lines"):
        as_csv({"transaction_date": "2026-03-14", "reference": "X", "lines": "none"})
