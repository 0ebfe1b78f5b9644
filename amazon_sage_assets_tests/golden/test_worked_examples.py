"""The worked examples, each through the whole flow and read from the published file as finance would read it."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from amazon_sage_assets.settings import PACKAGED_RULES
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.golden.settled import (
    ZERO,
    Amounts,
    Books,
    Settled,
    land,
    last_day_of,
    profile_of,
    stated,
    without_nil,
)
from amazon_sage_assets_tests.golden.worked_examples import (
    CASES,
    EXPECTED_LATER,
    NEW_FEE_LABELS,
    NEW_FEE_MAPPED,
    RELEASED_TO_SUSPENSE,
    WHOLE,
    Case,
)

EVERY_FILE = [
    pytest.param(number, place, id=f"{case.example}: {case.title}" + (f", file {place + 1}" if place else ""))
    for number, case in enumerate(CASES)
    for place in range(len(case.files))
]
EVERY_CASE = [pytest.param(case, id=f"{case.example}: {case.title}") for case in CASES]


@pytest.fixture
def settled(request: pytest.FixtureRequest, settled_cases: dict[int, list[Settled]]) -> Settled:
    number, place = request.param
    return settled_cases[number][place]


def each_settlement() -> pytest.MarkDecorator:
    pairs = [pytest.param(param.values, id=str(param.id)) for param in EVERY_FILE]
    return pytest.mark.parametrize("settled", pairs, indirect=True)


def found(rows: Iterable[tuple[str, Any, Decimal]], figures: Any) -> Amounts:
    """Published figures in the same form; put together over the periods where the expectation says so."""
    amounts: Amounts = defaultdict(lambda: ZERO)
    for period, key, amount in rows:
        amounts[WHOLE if WHOLE in figures else period, key] += amount
    return without_nil(amounts)


def journal_of(settled: Settled) -> Amounts:
    lines = settled.of("finance.journal_lines")
    return found(((r["period"], r["account_key"], r["debit"] - r["credit"]) for r in lines), settled.file.entries)


def boxes_of(settled: Settled) -> Amounts:
    lines = settled.of("finance.vat_preview")
    return found(((r["period"], r["box"], r["amount"]) for r in lines), settled.file.boxes)


def plan_of(settled: Settled) -> tuple[Counter[tuple[str, Decimal]], list[dict[str, Any]]]:
    """The planned documents as kind and amount, and the payouts apart."""
    planned = settled.of("finance.postings")
    payouts = [r for r in planned if r["message_key"].endswith("/payout")]
    return Counter((r["kind"], r["amount"]) for r in planned if r not in payouts), payouts


@each_settlement()
def test_the_settlement_stands_where_it_should(settled: Settled) -> None:
    assert sum(Decimal(r["amount"]) for r in settled.file.rows) == Decimal(settled.file.total)
    (row,) = settled.of("finance.settlements")
    assert (row["account"], row["status"]) == (settled.account, settled.file.status), row["hold_reason"]
    assert row["difference"] == ZERO


@each_settlement()
def test_the_exceptions_are_the_ones_a_person_needs(settled: Settled) -> None:
    """Notices that stop nothing may stand beside them; something that stops the settlement may not."""
    raised = settled.of("finance.exceptions")
    assert settled.file.raises <= {r["code"] for r in raised}
    assert {r["code"] for r in raised if r["blocking"]} <= settled.file.raises


@each_settlement()
def test_the_journal_is_the_accountants(settled: Settled) -> None:
    assert journal_of(settled) == stated(settled.file.entries)


@each_settlement()
def test_the_vat_boxes_are_the_accountants(settled: Settled) -> None:
    assert boxes_of(settled) == stated(settled.file.boxes)


@each_settlement()
def test_every_document_of_the_journal_balances(settled: Settled) -> None:
    balance: Amounts = defaultdict(lambda: ZERO)
    for line in settled.of("finance.journal_lines"):
        balance[line["period"], line["document"]] += line["debit"] - line["credit"]
    assert without_nil(balance) == {}


@each_settlement()
def test_the_journal_is_dated_at_month_end_or_at_the_settlements_end(settled: Settled) -> None:
    """The debt taken over closes the settlement before, so it is dated where this one starts."""
    end = settled.file.end
    for line in settled.of("finance.journal_lines"):
        if line["document"] == "debt_carry":
            assert line["document_date"] == settled.file.start
        else:
            assert line["document_date"] == min(end, last_day_of(line["period"])), line["document"]


@each_settlement()
def test_the_planned_documents_are_the_accountants(settled: Settled) -> None:
    documents, _ = plan_of(settled)
    assert documents == Counter((kind, Decimal(amount)) for kind, amount in settled.file.documents)


@each_settlement()
def test_a_payout_is_one_transfer_on_the_day_of_deposit(settled: Settled) -> None:
    _, payouts = plan_of(settled)
    expected = settled.file.payout
    assert [(r["kind"], r["amount"], r["document_date"]) for r in payouts] == (
        [("bank_transfer", Decimal(expected), settled.file.deposit)] if expected else []
    )


def test_every_account_in_euros_is_the_euro_wallet(settled_cases: dict[int, list[Settled]]) -> None:
    euros = [one for number, case in enumerate(CASES) if case.currency == "EUR" for one in settled_cases[number]]
    lines = [line for one in euros for line in one.of("finance.journal_lines")]
    assert {line["currency"] for line in lines} == {"EUR"}
    assert {line["nominal_code"] for line in lines if line["account_key"] == "wallet"} == {"1251"}


def test_the_checks_of_the_product_find_nothing_wrong(settled_cases: dict[int, list[Settled]]) -> None:
    sellers = {one.books.seller for settled in settled_cases.values() for one in settled}
    assert [failure for seller in sellers for failure in seller.failed_checks()] == []


def test_an_unseen_row_waits_for_finance_and_then_the_whole_settlement_posts(tmp_path: Path) -> None:
    number, case = next((n, c) for n, c in enumerate(CASES) if c.example == "E14a")
    seller = Seller(tmp_path, bottom=profile_of([(number, case)]))
    (waiting,) = land(Books(seller), number, case)
    seller.settle()
    (unmapped,) = waiting.of("finance.exceptions")
    assert (unmapped["code"], unmapped["amount_at_risk"]) == ("UNMAPPED_TYPE", Decimal("3.60"))
    assert unmapped["owner"]
    assert unmapped["due_at"] > unmapped["first_seen_at"]

    rules = tmp_path / "rules"
    rules.mkdir()
    packaged = (PACKAGED_RULES / "settlement_rows.csv").read_text(encoding="utf-8").rstrip("\n")
    mapping = ",".join((*NEW_FEE_LABELS, "exact", "other_fee", "fees_other", "fee_uk", "known", ""))
    (rules / "settlement_rows.csv").write_text(f"{packaged}\n{mapping}\n", encoding="utf-8")
    seller.settle()

    posted = Settled(Books(seller), waiting.account, waiting.settlement_id, NEW_FEE_MAPPED)
    assert posted.of("finance.settlements")[0]["status"] == "ready"
    assert posted.of("finance.exceptions") == []
    assert journal_of(posted) == stated(NEW_FEE_MAPPED.entries)
    assert boxes_of(posted) == stated(NEW_FEE_MAPPED.boxes)
    documents, payouts = plan_of(posted)
    assert documents == Counter((kind, Decimal(amount)) for kind, amount in NEW_FEE_MAPPED.documents)
    assert [r["amount"] for r in payouts] == [Decimal("20.40")]


# --- against the figures that were agreed ---------------------------------------------------------------------------


def plain_label(label: str, amount_type: str) -> str:
    """An agreed label without its remarks in brackets; a remark alone stands for prices or for fees."""
    plain = re.sub(r"\s*\(.*\)$", "", label)
    return plain or {"ItemPrice": "Principal", "ItemFees": "Commission"}[amount_type]


def one_spelling(label: str) -> str:
    """Labels behind which Amazon writes free text, cut there."""
    return label.partition(":")[0]


def test_every_agreed_example_is_tested_or_owed_by_a_later_part(agreed: dict[str, dict[str, Any]]) -> None:
    tested = {case.example for case in (*CASES, RELEASED_TO_SUSPENSE)}
    assert agreed.keys() - tested - EXPECTED_LATER.keys() == set()
    assert (tested | EXPECTED_LATER.keys()) - agreed.keys() == set()
    assert [owed for owed in EXPECTED_LATER.values() if not re.match(r"part [2-7]: ", owed)] == []


@pytest.mark.parametrize("case", [p for p in EVERY_CASE if any(not file.beyond for file in p.values[0].files)])
def test_rows_and_totals_are_the_agreed_ones(case: Case, agreed: dict[str, dict[str, Any]]) -> None:
    files, example = [file for file in case.files if not file.beyond], agreed[case.example]
    ours = Counter(
        (r["transaction-type"], r["amount-type"], one_spelling(r["amount-description"]), Decimal(r["amount"]))
        for file in files
        for r in file.rows
    )
    theirs = Counter(
        (kind, amount_type, one_spelling(plain_label(label, amount_type)), Decimal(amount))
        for kind, amount_type, label, amount in example["settlement"]
    )
    assert ours == theirs
    assert sum(Decimal(file.total) for file in files) == Decimal(example["settlement_total"])
    assert case.currency == example["currency"]


@pytest.mark.parametrize("case", [p for p in EVERY_CASE if p.values[0].agrees_with is not None])
def test_entries_add_up_to_the_agreed_documents(case: Case, agreed: dict[str, dict[str, Any]]) -> None:
    """The documents that this settlement posts, put together by nominal account. An invoice and its receipt put
    together leave revenue and VAT, which is what the settlement books where there is no Sage order."""
    lines = (PACKAGED_RULES / "accounts.csv").read_text(encoding="utf-8").splitlines()
    nominal = dict(line.split(",")[:2] for line in lines[1:])
    ours: Amounts = defaultdict(lambda: ZERO)
    for file in case.files:
        for (_, key), amount in stated({} if file.beyond else file.entries).items():
            ours[nominal[key]] += amount
    theirs: Amounts = defaultdict(lambda: ZERO)
    documents = agreed[case.example]["postings"]
    for place in case.agrees_with or ():
        for line in documents[place]["lines"]:
            theirs[line["account"][:4]] += Decimal(line["dr"]) - Decimal(line["cr"])
    assert without_nil(ours) == without_nil(theirs)


def fills_the_agreed_boxes(case: Case) -> bool:
    """Not where the agreed boxes hold an advertising invoice paid by card, or VAT due without proof of export, or
    another place of supply than this route has."""
    return (
        case.agrees_with is not None and case.example not in ("E12", "E17") and case.sale_vat != "marketplace_outside"
    )


@pytest.mark.parametrize("case", [p for p in EVERY_CASE if fills_the_agreed_boxes(p.values[0])])
def test_vat_boxes_are_the_agreed_ones(case: Case, agreed: dict[str, dict[str, Any]]) -> None:
    """Boxes 4 and 7 come from fees, whoever owns the sale; 1 and 6 only where the settlement books the sale."""
    ours: Amounts = defaultdict(lambda: ZERO)
    for file in case.files:
        for (_, box), amount in stated({} if file.beyond else file.boxes).items():
            ours[str(box)] += amount
    theirs = {box: Decimal(amount) for box, amount in agreed[case.example]["vat_boxes"].items()}
    if case.owner == "sop":
        theirs = {box: amount for box, amount in theirs.items() if box in ("4", "7")}
    assert without_nil(ours) == without_nil(theirs)
