"""Every exception fires on its cause, says whose it is and how much, and goes by itself when the cause is gone.

One company meets every cause at once. Then it mends rules, routes and accounts and gets corrected files; then a person
chooses between the files of a settlement. `story` is what was published at each of the three moments.
"""

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from amazon_sage_assets.settings import PACKAGED_RULES
from amazon_sage_assets.settlements import decisions
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.reports import account_row, commission, principal, row

START = datetime(2026, 1, 1, 6, tzinfo=UTC)
DE = {"marketplace_name": "Amazon.de"}
ODD = ("Odd", "OddFee", "once")
STORAGE_TAX = ("FBAFees", "FBA Inventory Storage Fee", "Tax on fee")
RETROCHARGE = ("Order_Retrocharge", "ItemPrice", "Tax")
REMOVAL_LOST = ("other-transaction", "FBA Inventory Reimbursement", "REMOVAL_ORDER_LOST")
LONG_ID = "24000000000118"  # with its suffix more than the 20 characters that Sage keeps

# Accounts of their own for what depends on the settlement before, so that the chains do not touch.
CHAINS = """
[[accounts]]
name = "fr"
marketplaces = ["Amazon.fr"]

[[accounts]]
name = "it"
marketplaces = ["Amazon.it"]

[[accounts]]
name = "es"
marketplaces = ["Amazon.es"]

[[accounts]]
name = "se"
marketplaces = ["Amazon.se"]
"""
MENDED = """
[[accounts]]
name = "us"
marketplaces = ["Amazon.com"]

[[routes]]
account = "de"
marketplace = "Amazon.de"
fulfilment = "MFN"
owner = "settlement"
vat_treatment = "eu_local_sale"
valid_from = 2024-01-01

[local_vat]
"Amazon.de" = "vat_awaiting_invoice"
"""


@dataclass(frozen=True)
class Case:
    """What an exception must say. `says` and `advises` are parts of its message and its action."""

    code: str
    settlement_id: str | None
    owner: str
    amount: str | None
    due_days: int
    says: tuple[str, ...]
    advises: str
    blocking: bool = True
    status: str | None = "held"
    entity_type: str = "settlement"


CASES = (
    Case("UNMAPPED_TYPE", "101", "finance", "1.00", 2, ("NewFee", "no rule knows"), "settlement_rows.csv",
         entity_type="settlement_row"),
    Case("REVIEW_TYPE", "102", "finance", "3.00", 5, ("Fee Adjustment", "not confirmed"), "status to known",
         entity_type="settlement_row"),
    Case("UNMAPPED_TYPE", "103", "finance", "2.00", 2, ("OddFee", "two regex rules"), "Narrow one",
         entity_type="settlement_row"),
    Case("ROUTE_UNKNOWN", "104", "finance", "12.00", 2, ("Amazon.de MFN", "202-0000001-0000001"), "[[routes]]"),
    Case("VAT_UNRESOLVED", "105", "tax", "3.00", 2, ("fee_cross_border",), "vat_treatments.csv"),
    Case("TAX_UNPLACED", "106", "tax", "1.90", 2, ("1 tax lines of 1.90 EUR",), "[local_vat]"),
    Case("TAX_UNPLACED", "107", "tax", "7.99", 2, ("2 tax lines of 7.99 GBP", "202-0000001-0000001"), "vat_treatment"),
    Case("TAX_UNPLACED", "108", "tax", "2.00", 2, ("1 tax lines of 2.00 GBP",), "amazon-sage settle"),
    Case("NOMINAL_UNKNOWN", "109", "finance", "100.00", 2, ("SEK", "wallet_sek"), "wallet_sek",
         entity_type="account"),
    Case("NEGATIVE_PAYOUT", "120", "finance", "8.00", 14, ("-8.00 GBP",), "next settlement", blocking=False,
         status="ready"),
    Case("ESTABLISHMENT_CHECK", "111", "tax", "4.00", 1, ("4.00 GBP",), "Seller Central", blocking=False,
         status="ready"),
    Case("RETROCHARGE_OPEN", "112", "tax", "4.00", 5, ("202-0000001-0000001", "4.00 GBP"), "VAT document",
         entity_type="order"),
    Case("MIXED_CURRENCY", "113", "finance", "25.00", 2, ("EUR and GBP",), "Download it again", status="quarantined"),
    Case("ACCOUNT_UNKNOWN", "114", "finance", "30.00", 2, ("USD", "Amazon.com"), "[[accounts]]"),
    Case("BAD_ROW", "115", "finance", "20.00", 2, ("line 4", "twenty"), "Download it again", status="quarantined"),
    Case("TOTAL_MISMATCH", "116", "finance", "1.00", 2, ("20.00 GBP", "21.00"), "Download it again",
         status="quarantined"),
    Case("UNREADABLE_FILE", None, "finance", None, 2, ("notes.txt",), "amazon-sage discard", status=None,
         entity_type="document"),
    Case("DERIVATION_FAILED", LONG_ID, "engineering", "20.00", 1, ("20 characters",), "engineering",
         status="quarantined"),
    Case("RESERVE_CHAIN_BREAK", "202", "finance", "10.00", 2, ("reserve of 40.00 EUR", "settlement 201", "50.00"),
         "lies between"),
    Case("RESERVE_CHAIN_BREAK", "212", "finance", "10.00", 2, ("debt of 0.00 EUR", "settlement 211", "-10.00"),
         "ask Amazon"),
    Case("MISSING_SETTLEMENT", "223", "finance", None, 2, ("settlement 221", "settlement 223", "nothing has arrived"),
         "Download the missing", blocking=False, status="ready"),
)  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """What was published: open exceptions, the status of each settlement, what `verify` finds."""

    exceptions: list[dict[str, Any]]
    statuses: dict[str, str]
    failed_checks: list[str]

    @classmethod
    def of(cls, seller: Seller) -> "Moment":
        return cls(seller.query("select * from finance.exceptions"), seller.statuses(), seller.failed_checks())

    def raised(self, code: str, settlement_id: str | None) -> list[dict[str, Any]]:
        return [e for e in self.exceptions if (e["code"], e["settlement_id"]) == (code, settlement_id)]

    @property
    def open(self) -> list[tuple[str, str | None]]:
        return sorted(((e["code"], e["settlement_id"]) for e in self.exceptions), key=str)


@dataclass(frozen=True)
class Story:
    """Broken; mended, with corrected files beside the first ones; and after the right files were chosen."""

    broken: Moment
    mended: Moment
    chosen: Moment


def days(first: int, last: int) -> dict[str, str]:
    """Header dates by number of fortnights since the start."""
    begin, end = (START + timedelta(days=14 * number) for number in (first, last))
    form = "%d.%m.%Y %H:%M:%S UTC"
    return {"settlement_start_date": begin.strftime(form), "settlement_end_date": end.strftime(form)}


def credit(amount: str, **changes: str) -> dict[str, str]:
    """A reimbursement: money that no route, order or VAT rule concerns."""
    return row("other-transaction", "FBA Inventory Reimbursement", "WAREHOUSE_LOST", amount, **changes)


def write_rules(seller: Seller, changes: Mapping[tuple[str, ...], Mapping[str, str]], *added: tuple[str, ...]) -> None:
    """The packaged row rules, some of them changed, with more below them."""
    with (PACKAGED_RULES / "settlement_rows.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for rule in rows:
        rule.update(changes.get((rule["transaction_type"], rule["amount_type"], rule["amount_description"]), {}))
    for values in added:
        rows.append({**dict.fromkeys(rows[0], ""), **dict(zip(rows[0], values, strict=False))})
    folder = seller.folder / "rules"
    folder.mkdir(exist_ok=True)
    with (folder / "settlement_rows.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def add_rule_lines(seller: Seller, name: str, *lines: str) -> None:
    text = (PACKAGED_RULES / name).read_text(encoding="utf-8")
    (seller.folder / "rules" / name).write_text(text + "".join(f"{line}\n" for line in lines), encoding="utf-8")


def one_file(seller: Seller, number: str, place: int, *rows: dict[str, str], **header: Any) -> Path:
    """The settlement `number`, the `place`-th fortnight of its account."""
    name = header.pop("name", f"{number}.txt")
    return seller.file(name, rows, settlement_id=number, **{**days(place, place + 1), **header})


def broken_files(seller: Seller) -> list[Path]:
    """One settlement per cause; those of the UK account follow one another without a gap."""
    sale = principal("20.00")
    storage_tax, retrocharge = row(*STORAGE_TAX, "-2.00"), row(*RETROCHARGE, "4.00")
    withheld = ("Order", "ItemWithheldTax", "MarketplaceFacilitatorVAT-Principal")
    tax = row("Order", "ItemPrice", "Tax", "4.00")
    de_fee = row("Order", "ItemFees", "FBAPerUnitFulfillmentFee", "-3.00",
                 posted_date_time="15.07.2024 10:00:00 UTC", **DE)  # fmt: skip
    fr, it, es = ({"marketplace_name": f"Amazon.{site}"} for site in ("fr", "it", "es"))
    notes = seller.folder / "notes.txt"
    notes.write_text("Remember to download the settlement\n", encoding="utf-8")
    euro = {"currency": "EUR"}
    return [
        notes,
        one_file(seller, "101", 0, sale, row("Order", "ItemFees", "NewFee", "-1.00")),
        one_file(seller, "102", 1, sale, account_row("Fee Adjustment", "-3.00")),
        one_file(seller, "103", 2, sale, row(*ODD, "-2.00")),
        one_file(seller, "107", 3, sale, tax, row(*withheld, "-3.99")),
        one_file(seller, "108", 4, sale, storage_tax),
        one_file(seller, "111", 5, sale, tax, row(*withheld, "-4.00")),
        one_file(seller, "112", 6, sale, retrocharge),
        one_file(seller, "113", 7, sale, principal("5.00", currency="EUR"), principal("0.00", currency="GBP")),
        one_file(seller, "115", 8, sale, principal("twenty"), total="20.00"),
        one_file(seller, "116", 9, sale, total="21.00"),
        one_file(seller, LONG_ID, 10, row(*REMOVAL_LOST, "20.00")),
        one_file(seller, "120", 11, row("Order", "ItemFees", "Commission", "-8.00")),
        one_file(seller, "104", 0, principal("12.00", fulfillment_id="MFN", **DE), **euro),
        one_file(seller, "105", 1, credit("20.00", **DE), de_fee, **euro),
        one_file(seller, "106", 2, principal("10.00", **DE), row("Order", "ItemPrice", "Tax", "1.90", **DE), **euro),
        one_file(seller, "109", 0, credit("100.00", marketplace_name="Amazon.se"), currency="SEK"),
        one_file(seller, "114", 0, credit("30.00", marketplace_name="Amazon.com"), currency="USD"),
        one_file(seller, "201", 0, credit("100.00", **fr), account_row("Current Reserve Amount", "-50.00"), **euro),
        one_file(
            seller, "202", 1, credit("9.00", **fr), account_row("Previous Reserve Amount Balance", "40.00"), **euro
        ),
        one_file(seller, "211", 0, row("Order", "ItemFees", "Commission", "-10.00", **it), **euro),
        one_file(seller, "212", 1, credit("30.00", **it), **euro),
        one_file(seller, "221", 0, credit("30.00", **es), **euro),
        one_file(seller, "223", 2, credit("30.00", **es), **euro),
    ]


def missing_files(seller: Seller) -> list[Path]:
    """Settlements that had not arrived."""
    euro, fr = {"currency": "EUR"}, {"marketplace_name": "Amazon.fr"}
    return [
        one_file(seller, "121", 12, principal("50.00"), account_row("Payable to Amazon", "-8.00")),
        one_file(
            seller, "2015", 0,
            account_row("Previous Reserve Amount Balance", "50.00", **fr),
            account_row("Current Reserve Amount", "-40.00", **fr),
            **euro, **days(1, 1),
        ),
        one_file(seller, "222", 1, credit("5.00", marketplace_name="Amazon.es"), **euro),
    ]  # fmt: skip


def corrected_files(seller: Seller) -> list[Path]:
    """The same settlements once more, as they should have been."""
    sale, it = principal("20.00"), {"marketplace_name": "Amazon.it"}
    withheld = row("Order", "ItemWithheldTax", "MarketplaceFacilitatorVAT-Principal", "-4.00")
    tax = row("Order", "ItemPrice", "Tax", "4.00")
    return [
        one_file(seller, "107", 3, sale, tax, withheld, name="107 again.txt"),
        one_file(seller, "113", 7, sale, principal("5.00"), name="113 again.txt"),
        one_file(seller, "115", 8, sale, name="115 again.txt"),
        one_file(seller, "116", 9, sale, principal("1.00"), name="116 again.txt"),
        one_file(
            seller, "212", 1, credit("30.00", **it), account_row("Payable to Amazon", "-10.00"),
            currency="EUR", name="212 again.txt",
        ),
    ]  # fmt: skip


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    seller = Seller(tmp_path_factory.mktemp("seller"), bottom=CHAINS)
    regex_rules = [
        ("Odd", pattern, ".*", "regex", "other_fee", "fees_other", "outside_scope", "known", "")
        for pattern in ("Odd.*", ".*Fee")
    ]
    write_rules(seller, {}, *regex_rules)
    seller.settle(*broken_files(seller))
    broken = Moment.of(seller)

    seller.set_profile(established_in="DE", bottom=CHAINS + MENDED)
    known = {"status": "known"}
    unposted_tax = {"row_group": "tax_other", "account_key": "vat_awaiting_invoice", "vat_treatment": "no_vat"}
    write_rules(
        seller,
        {
            ("other-transaction", "other-transaction", "Fee Adjustment"): known,
            STORAGE_TAX: unposted_tax,
            RETROCHARGE: unposted_tax,
            REMOVAL_LOST: {"status": "review"},
        },
        regex_rules[0],
        ("Order", "ItemFees", "NewFee", "exact", "order_fee", "fees_referral", "fee_uk", "known", ""),
    )
    add_rule_lines(seller, "accounts.csv", "wallet_sek,1260,,,Amazon wallet SEK")
    # The seller is now at home in Germany, where FBA handling before August 2024 has a treatment.
    add_rule_lines(seller, "vat_treatments.csv", "fee_cross_border,2021-01-01,2024-07-31,0,false,2,,7,")
    corrected = corrected_files(seller)
    seller.settle(*missing_files(seller), *corrected)
    mended = Moment.of(seller)

    now = datetime.now(UTC)
    for path in corrected:
        decisions.choose_document(seller.company, sha256(path), "Ada", now)
    decisions.discard_document(seller.company, sha256(seller.folder / "notes.txt"), "Ada", now)
    seller.settle()
    return Story(broken, mended, Moment.of(seller))


each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.settlement_id or ''}".strip())


@each_case
def test_an_exception_says_what_whose_how_much_by_when_and_what_to_do(story: Story, case: Case) -> None:
    (raised,) = story.broken.raised(case.code, case.settlement_id)
    assert raised["owner"] == case.owner
    assert raised["blocking"] is case.blocking
    assert raised["entity_type"] == case.entity_type
    assert raised["amount_at_risk"] == (case.amount and Decimal(case.amount))
    assert raised["due_at"] - raised["first_seen_at"] == timedelta(days=case.due_days)
    assert [part for part in case.says if part not in raised["message"]] == []
    assert case.advises in raised["action"]
    assert raised["severity"] in ("high", "medium", "info")
    if case.amount:
        assert raised["currency"]


@each_case
def test_what_blocks_holds_its_settlement_and_what_informs_does_not(story: Story, case: Case) -> None:
    if case.settlement_id:
        assert story.broken.statuses[case.settlement_id] == case.status


@each_case
def test_an_exception_goes_by_itself_when_its_cause_is_gone(story: Story, case: Case) -> None:
    assert story.chosen.raised(case.code, case.settlement_id) == []


def test_nothing_else_was_raised_on_the_way(story: Story) -> None:
    expected = [(case.code, case.settlement_id) for case in CASES]
    # Tax that Amazon kept and that is not nil is also kept from a company established here.
    assert story.broken.open == sorted([*expected, ("ESTABLISHMENT_CHECK", "107")], key=str)


def test_two_files_that_disagree_are_a_conflict_until_a_person_chooses(story: Story) -> None:
    conflicts = {e["settlement_id"]: e for e in story.mended.exceptions if e["code"] == "SETTLEMENT_CONFLICT"}
    assert sorted(conflicts) == ["107", "113", "115", "116", "212"]
    one = conflicts["107"]
    assert (one["owner"], one["blocking"], one["entity_type"]) == ("finance", True, "document")
    assert one["amount_at_risk"] == Decimal("0.01")
    assert one["due_at"] - one["first_seen_at"] == timedelta(days=2)
    assert "107 again.txt" in one["message"]
    assert "107.txt" in one["message"]
    assert "amazon-sage choose" in one["action"]
    assert story.mended.statuses["107"] == "held"
    assert not [e for e in story.chosen.exceptions if e["code"] == "SETTLEMENT_CONFLICT"]


def test_the_first_file_stands_until_a_person_chooses(story: Story) -> None:
    assert story.mended.raised("TAX_UNPLACED", "107")
    assert story.mended.statuses["116"] == "quarantined"


def test_once_everything_is_mended_only_what_is_still_wrong_is_left(story: Story) -> None:
    assert story.chosen.open == [("REVIEW_TYPE", LONG_ID)]
    left = {settlement_id for settlement_id, status in story.chosen.statuses.items() if status != "ready"}
    assert left == {LONG_ID}


def test_an_exception_that_stays_keeps_the_day_it_was_first_seen(story: Story) -> None:
    (before,), (after,) = (m.raised("TAX_UNPLACED", "107") for m in (story.broken, story.mended))
    assert before["first_seen_at"] == after["first_seen_at"]


def test_the_invariants_hold_at_every_moment(story: Story) -> None:
    assert [moment.failed_checks for moment in (story.broken, story.mended, story.chosen)] == [[], [], []]


# --- files that are odd in their own way ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def odd_files(tmp_path_factory: pytest.TempPathFactory) -> Moment:
    """Rows that all name another currency than the header; a bad row below a negative total; two files at once."""
    seller = Seller(tmp_path_factory.mktemp("seller"))
    first = one_file(seller, "303", 2, principal("20.00"), name="first.txt")
    # Two files that came together are told apart by their place; the second one has the smaller hash here.
    second = next(
        path
        for pence in range(100)
        if sha256(path := one_file(seller, "303", 2, principal(f"30.{pence:02}"), name="second.txt")) < sha256(first)
    )
    seller.settle(
        one_file(seller, "301", 0, principal("20.00", currency="EUR")),
        one_file(seller, "302", 1, principal("-20.00"), commission("nothing"), total="-20.00"),
        first,
        second,
    )
    return Moment.of(seller)


def test_rows_in_another_currency_than_their_header_are_quarantined_without_a_journal(odd_files: Moment) -> None:
    assert odd_files.statuses["301"] == "quarantined"
    assert [e["code"] for e in odd_files.exceptions if e["settlement_id"] == "301"] == ["MIXED_CURRENCY"]
    assert odd_files.failed_checks == []


def test_an_amount_at_risk_is_never_negative(odd_files: Moment) -> None:
    (bad_row,) = odd_files.raised("BAD_ROW", "302")
    assert bad_row["amount_at_risk"] == Decimal("20.00")


def test_of_two_files_given_together_the_first_one_stands(odd_files: Moment) -> None:
    (conflict,) = odd_files.raised("SETTLEMENT_CONFLICT", "303")
    assert "second.txt (1 lines" in conflict["message"].split(" says something else ")[0]
