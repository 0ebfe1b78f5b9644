"""Bad files: each is named by its root cause, none is lost, and none stands in the way of a good one."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from amazon_sage_assets.landing import SETTLEMENT_REPORT, Origin
from amazon_sage_assets.settlements import decisions
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.reports import account_row, commission, principal, report_text, row

GOOD = [principal("20.00"), row("Order", "ItemPrice", "Tax", "4.00"), commission("-4.40")]
UNKNOWN = row("AmazonFees", "Levy of 2027", "Base fee", "-1.00")


def word_document() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return packed.getvalue()


def good(settlement_id: str, *more: dict[str, str], total: str | None = None, **header: str) -> str:
    """A good report with these rows added."""
    return report_text([*GOOD, *more], total, settlement_id=settlement_id, **header)


def cut_in_a_line(text: str) -> str:
    return text[: text.rindex("\tCommission") + 4]


def cut_behind_a_line(text: str) -> str:
    return "".join(text.splitlines(keepends=True)[:-1])


@dataclass(frozen=True)
class Bad:
    """A bad file: its content and the one exception it must cause, with words of its message."""

    content: str | bytes
    code: str
    says: tuple[str, ...]
    settlement_id: str | None = None
    status: str = "quarantined"

    @property
    def raw(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.encode()


def unreadable(content: str | bytes, *says: str) -> Bad:
    return Bad(content, "UNREADABLE_FILE", says)


def bad_row(settlement_id: str, text: str, *says: str) -> Bad:
    return Bad(text, "BAD_ROW", says, settlement_id)


FIRST, *REST = good("31000000000").splitlines(keepends=True)
TWO_IN_ONE = good("31000000001") + "".join(good("31000000002").splitlines(keepends=True)[1:])
IN_EURO = [{**r, "currency": "EUR"} for r in GOOD]

CASES = {
    # No settlement report at all.
    "empty": unreadable(b"", "The file is empty"),
    "header only": unreadable(FIRST, "the column names and nothing else"),
    "a Word document": unreadable(word_document(), "a Word, Excel or zip file", "Flat file V2"),
    "minutes of a meeting": unreadable("Minutes of the meeting\nPresent: all\n", "begins: 'minutes of the meeting'"),
    "two settlements in one file": unreadable(TWO_IN_ONE, "2 summary rows"),
    "lines of another settlement": unreadable(
        good("31000000003").replace("31000000003\t\t", "31000000004\t\t", 1), "2 settlements"
    ),
    "decimal comma and point": unreadable(
        good("31000000005").replace("-4.40", "-4,40"), "1 amounts are written with a decimal comma"
    ),
    "letters in the total": unreadable(good("31000000006", total="19.6O"), "total-amount", "19.6O"),
    "no summary row": unreadable(FIRST + "".join(REST[1:]), "no summary row"),
    # Rows that cannot be used.
    "cut in a line": bad_row("32000000001", cut_in_a_line(good("32000000001")), "line 5", "fields", "of its 3 lines"),
    "letters in an amount": bad_row(
        "32000000002", good("32000000002").replace("-4.40", "-4.4O"), "line 5", "(-4.4O)", "not an amount of money"
    ),
    "three decimals": bad_row(
        "32000000003", good("32000000003").replace("-4.40", "-4.405"), "line 5", "(-4.405)", "not an amount of money"
    ),
    "no amount": bad_row("32000000004", good("32000000004").replace("-4.40", ""), "line 5", "not an amount of money"),
    "NUL bytes": bad_row("32000000005", good("32000000005").replace("SKU-A", "SKU\0A", 1), "line 3", "characters"),
    "a line far too long": bad_row(
        "32000000006", good("32000000006").replace("SKU-A", "SKU" + "A" * 70_000, 1), "line 3"
    ),
    "a subscription with an order": bad_row(
        "32000000007",
        good("32000000007", account_row("Subscription Fee", "-30.00", order_id="202-0000001-0000001")),
        "line 6",
        "a subscription fee belongs to no order",
    ),
    "a subscription with a SKU": bad_row(
        "32000000008", good("32000000008", account_row("Subscription Fee", "-30.00", sku="SKU-A")), "line 6"
    ),
    "a sale without SKU": bad_row(
        "32000000009", good("32000000009", principal("1.00", sku="")), "line 6", "a sale carries a SKU"
    ),
    "a sale without order": bad_row(
        "32000000010", good("32000000010", principal("1.00", order_id="")), "line 6", "a sale carries an order id"
    ),
    "a moment that is not UTC": bad_row(
        "32000000011",
        good("32000000011", principal("1.00", posted_date_time="05.03.2026 10:00:00 PST")),
        "line 6",
        "in UTC",
        "PST",
    ),
    "a date in another format": bad_row(
        "32000000012", good("32000000012", principal("1.00", posted_date_time="2026-03-05 10:00:00 UTC")), "line 6"
    ),
    "a quantity in words": bad_row(
        "32000000013", good("32000000013", principal("1.00", quantity_purchased="two")), "line 6", "(two)"
    ),
    "a fulfilment nobody knows": bad_row(
        "32000000014", good("32000000014", principal("1.00", fulfillment_id="XYZ")), "line 6", "(XYZ)"
    ),
    "many bad lines": bad_row(
        "32000000015",
        good("32000000015", *[principal("1.00", sku="")] * 5),
        "5 of its 8 lines",
        "line 6",
        "line 8",
        "and more",
    ),
    # Lines that do not add up.
    "a penny off": Bad(
        good("33000000001", total="19.61"),
        "TOTAL_MISMATCH",
        ("its 3 lines add up to 19.60 GBP", "says 19.61", "0.01 is missing"),
        "33000000001",
    ),
    "cut behind a line": Bad(
        cut_behind_a_line(good("33000000002")), "TOTAL_MISMATCH", ("24.00", "19.60", "4.40"), "33000000002"
    ),
    "no rows and a total": Bad(
        report_text([], total="12.34", settlement_id="33000000003"),
        "TOTAL_MISMATCH",
        ("its 0 lines add up to 0.00", "12.34"),
        "33000000003",
    ),
    "two currencies": Bad(
        good("34000000001", principal("5.00", currency="EUR")), "MIXED_CURRENCY", ("EUR and GBP",), "34000000001"
    ),
    "every line in another currency": Bad(
        report_text(IN_EURO, settlement_id="34000000002"), "MIXED_CURRENCY", ("EUR and GBP",), "34000000002"
    ),
    # What is in it.
    "an unknown row": Bad(
        good("35000000001", UNKNOWN),
        "UNMAPPED_TYPE",
        ('"AmazonFees" / "Levy of 2027" / "Base fee"', "-1.00 GBP"),
        "35000000001",
        "held",
    ),
    "a marketplace of no account": Bad(
        report_text([principal("5.00", marketplace_name="Amazon.fr")], currency="EUR", settlement_id="35000000002"),
        "ACCOUNT_UNKNOWN",
        ("is in EUR and names Amazon.fr",),
        "35000000002",
        "held",
    ),
    # More than one thing is wrong: the root cause alone is told.
    "unreadable before bad row": unreadable(
        good("36000000001", principal("1.00", sku="")).replace("GBP", "pounds"), "currency 'pounds'"
    ),
    "bad row before total before unknown row": bad_row(
        "36000000002", good("36000000002", UNKNOWN, principal("1.00", sku=""), total="7.77"), "line 7"
    ),
    "cut and with an unknown row": bad_row(
        "36000000003", cut_in_a_line(report_text([UNKNOWN, *GOOD], settlement_id="36000000003")), "line 6"
    ),
    "bad row before currencies": bad_row(
        "36000000004", good("36000000004", principal("x", currency="EUR"), total="19.60"), "line 6", "(x)"
    ),
    "bad row before account": bad_row(
        "36000000005", good("36000000005", principal("1.00", sku="", marketplace_name="Amazon.fr")), "line 6"
    ),
    "total before unknown row": Bad(
        good("36000000006", UNKNOWN, total="19.60"), "TOTAL_MISMATCH", ("18.60", "19.60"), "36000000006"
    ),
    "total before account": Bad(
        good("36000000007", principal("1.00", marketplace_name="Amazon.fr"), total="7.77"),
        "TOTAL_MISMATCH",
        ("20.60", "7.77"),
        "36000000007",
    ),
    "currencies before unknown row": Bad(
        good("36000000008", {**UNKNOWN, "currency": "EUR"}), "MIXED_CURRENCY", ("EUR and GBP",), "36000000008"
    ),
}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Seller:
    """A seller who settles every bad file, a good one and one without rows in a single call."""
    seller = Seller(tmp_path_factory.mktemp("everything"))
    paths = []
    for name, case in CASES.items():
        paths.append(seller.folder / f"{name}.txt")
        paths[-1].write_bytes(case.raw)
    nothing_happened = seller.file("no rows.txt", [], total="0.00", settlement_id="30000000002")
    seller.settle(*paths, nothing_happened, seller.file("good.txt", GOOD, settlement_id="30000000001"))
    return seller


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_has_one_exception_which_says_what_is_wrong_and_what_to_do(everything: Seller, name: str) -> None:
    case = CASES[name]
    sha256 = hashlib.sha256(case.raw).hexdigest()
    found = everything.query(
        "select * from finance.exceptions where settlement_id = $1 or entity_id = $2", [case.settlement_id, sha256]
    )
    assert [row["code"] for row in found] == [case.code], [row["message"] for row in found]
    (exception,) = found
    for words in case.says if case.status == "held" else (f"{name}.txt", *case.says):
        assert words in exception["message"]
    assert exception["blocking"]
    assert exception["owner"] == "finance"
    assert exception["action"].endswith((".", "waits.")), exception["action"]
    assert exception["first_seen_at"] < exception["due_at"]
    if case.settlement_id:
        assert everything.statuses()[case.settlement_id] == case.status


def test_nothing_is_lost_and_the_good_settlement_beside_them_is_ready(everything: Seller) -> None:
    landing = everything.company.landing
    landed = {document.first.name: document.sha256 for document in landing.documents(SETTLEMENT_REPORT)}
    assert len(landed) == len(CASES) + 2
    for name, case in CASES.items():
        with landing.open(SETTLEMENT_REPORT, landed[f"{name}.txt"]) as stream:
            assert stream.read() == case.raw, name
    statuses = everything.statuses()
    assert statuses["30000000001"] == "ready"
    assert sorted(statuses) == sorted(
        [*(c.settlement_id for c in CASES.values() if c.settlement_id), "30000000001", "30000000002"]
    )
    assert everything.failed_checks() == []


def test_only_what_is_sound_has_a_journal_or_documents_for_sage(everything: Seller) -> None:
    booked = everything.query("select distinct settlement_id from finance.journal_lines")
    assert [row["settlement_id"] for row in booked] == ["30000000001"]
    posted = everything.query("select distinct settlement_id from finance.postings")
    assert [row["settlement_id"] for row in posted] == ["30000000001"]


def test_a_settlement_without_rows_and_without_money_is_ready_with_nothing_to_post(everything: Seller) -> None:
    (settlement,) = everything.query("select * from finance.settlements where settlement_id = '30000000002'")
    assert (settlement["status"], settlement["line_count"]) == ("ready", 0)
    assert settlement["header_total"] == settlement["lines_total"] == Decimal("0.00")
    (payout,) = everything.query("select * from finance.payout_reconciliation where settlement_id = '30000000002'")
    assert (payout["status"], payout["difference"]) == ("no_payout", Decimal("0.00"))


def test_no_half_read_text_is_left_lying_about(everything: Seller) -> None:
    assert list(everything.company.environment.scratch.iterdir()) == []


# --- amounts beyond reason ------------------------------------------------------------------------------------------


def test_amounts_too_large_to_add_up_do_not_stand_in_the_way_of_a_good_settlement(seller: Seller) -> None:
    rows = [principal("9999999999999999.99"), principal("9999999999999999.99")]
    vast = seller.file("a vast one.txt", rows, total="0.00", settlement_id="24000000001")
    seller.settle(vast, seller.file("good.txt", GOOD, settlement_id="24000000002"))
    assert seller.statuses() == {"24000000001": "quarantined", "24000000002": "ready"}


# --- several documents for one settlement ---------------------------------------------------------------------------


def in_other_bytes(text: str) -> bytes:
    """The same report as Excel might write it: Windows encoding and line ends, columns turned round, decimal comma."""
    lines = [line.split("\t")[::-1] for line in text.splitlines()]
    for line in lines[1:]:
        for place in (23 - 4, 23 - 14):  # total-amount and amount
            line[place] = line[place].replace(".", ",")
    return "".join("\t".join(line) + "\r\n" for line in lines).encode("cp1252")


def choose(seller: Seller, path: Path) -> None:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    decisions.choose_document(seller.company, sha256[:12], "Ada", datetime.now(UTC))
    seller.settle()


def test_another_document_of_a_settlement_waits_for_a_person_and_the_same_in_other_bytes_does_not(
    seller: Seller,
) -> None:
    rows = [*GOOD, principal("1.00", sku="Théière £5")]
    first = seller.file("first.txt", rows)
    twin = seller.folder / "twin.txt"
    twin.write_bytes(in_other_bytes(report_text(rows)))
    seller.settle(first, twin)
    assert seller.statuses() == {"24000000001": "ready"}
    assert seller.exceptions() == {}
    assert len(seller.company.landing.documents(SETTLEMENT_REPORT)) == 2
    assert len(seller.query("select * from finance.settlement_lines")) == 4

    other = seller.file("other.txt", [*rows, commission("-0.20")])
    seller.settle(other)
    assert seller.statuses() == {"24000000001": "held"}
    conflict = seller.exceptions()["SETTLEMENT_CONFLICT"]
    assert (
        "other.txt (5 lines, 20.40 GBP) says something else than first.txt (4 lines, 20.60 GBP)" in conflict["message"]
    )
    assert conflict["amount_at_risk"] == Decimal("0.20")
    for path in (first, other):
        assert f"amazon-sage choose {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}" in conflict["action"]
    (standing,) = seller.query("select file_name, header_total from finance.settlements")
    assert standing == {"file_name": "first.txt", "header_total": Decimal("20.60")}

    choose(seller, other)
    assert seller.statuses() == {"24000000001": "ready"}
    assert seller.exceptions() == {}
    (standing,) = seller.query("select file_name, header_total from finance.settlements")
    assert standing == {"file_name": "other.txt", "header_total": Decimal("20.40")}
    assert len(seller.query("select * from finance.settlement_lines")) == 5
    assert seller.failed_checks() == []


def test_a_torn_download_is_replaced_by_a_whole_one_that_a_person_chooses(seller: Seller) -> None:
    torn = seller.folder / "torn.txt"
    torn.write_text(cut_in_a_line(report_text(GOOD)), encoding="utf-8")
    seller.settle(torn)
    assert list(seller.exceptions()) == ["BAD_ROW"]
    whole = seller.file("whole.txt", GOOD)
    seller.settle(whole)
    assert seller.statuses() == {"24000000001": "quarantined"}
    choose(seller, whole)
    assert seller.statuses() == {"24000000001": "ready"}
    assert seller.exceptions() == {}
    assert seller.failed_checks() == []


# --- whose it is ----------------------------------------------------------------------------------------------------

SECOND_ACCOUNT = '\n[[accounts]]\nname = "uk_two"\nmarketplaces = ["Amazon.co.uk"]\n'
MakeSeller = Callable[..., Seller]


def accounts_named(seller: Seller) -> set[str]:
    """Every account that stands in any published table."""
    tables = ("settlements", "settlement_lines", "journal_lines", "vat_preview", "payout_reconciliation")
    query = " union ".join(f"select account from finance.{name}" for name in tables)
    return {row["account"] for row in seller.query(query)}


def test_a_settlement_that_fits_two_accounts_waits_until_it_is_given_one(make_seller: MakeSeller) -> None:
    seller = make_seller(bottom=SECOND_ACCOUNT)
    path = seller.file("one.txt", GOOD)
    seller.settle(path)
    assert seller.statuses() == {"24000000001": "held"}
    unknown = seller.exceptions()["ACCOUNT_UNKNOWN"]
    assert "is in GBP and names Amazon.co.uk; not exactly one seller account of the profile fits" in unknown["message"]
    assert "--account NAME" in unknown["action"]
    assert seller.query("select * from finance.postings") == []

    seller.settle(path, account="uk")
    assert seller.statuses() == {"24000000001": "ready"}
    assert seller.exceptions() == {}
    assert accounts_named(seller) == {"uk"}
    assert seller.failed_checks() == []


def test_a_settlement_that_fits_two_accounts_is_freed_by_the_profile(make_seller: MakeSeller) -> None:
    seller = make_seller(bottom=SECOND_ACCOUNT)
    seller.settle(seller.file("one.txt", GOOD))
    assert "ACCOUNT_UNKNOWN" in seller.exceptions()
    seller.set_profile()
    seller.settle()
    assert seller.statuses() == {"24000000001": "ready"}
    assert seller.exceptions() == {}
    assert accounts_named(seller) == {"uk"}
    assert seller.failed_checks() == []


def test_a_torn_line_is_not_forgotten_when_the_settlement_changes_its_account(make_seller: MakeSeller) -> None:
    seller = make_seller(bottom=SECOND_ACCOUNT)
    torn = seller.folder / "torn.txt"
    torn.write_text(report_text(GOOD) + "24000000001\ttorn\n", encoding="utf-8")
    seller.settle(torn)
    assert seller.statuses() == {"24000000001": "quarantined"}
    seller.set_profile()
    seller.settle()
    assert seller.statuses() == {"24000000001": "quarantined"}
    assert list(seller.exceptions()) == ["BAD_ROW"]
    assert seller.query("select * from finance.journal_lines") == []


def test_a_settlement_moves_whole_to_the_account_it_is_given(seller: Seller) -> None:
    path = seller.file("one.txt", [account_row("Storage Fee", "-12.00")])
    seller.settle(path)
    assert accounts_named(seller) == {"uk"}
    seller.settle(path, account="de")
    assert accounts_named(seller) == {"de"}
    assert len(seller.query("select * from finance.settlements")) == 1
    assert seller.failed_checks() == []


def test_the_account_given_last_is_the_one_that_counts(make_seller: MakeSeller) -> None:
    seller = make_seller(bottom=SECOND_ACCOUNT)
    path = seller.file("one.txt", [account_row("Storage Fee", "-12.00")])
    seller.settle(path, account="uk_two")
    assert accounts_named(seller) == {"uk_two"}
    seller.settle(path, account="uk")
    assert accounts_named(seller) == {"uk"}


# --- worked out again -----------------------------------------------------------------------------------------------


def lines_of(seller: Seller) -> list[dict[str, Any]]:
    return seller.query("select line_number, amount, sku, vat_treatment from finance.settlement_lines order by all")


def test_a_settlement_worked_out_again_is_read_in_the_encoding_it_came_in(seller: Seller) -> None:
    rows = [principal("20.00", sku="Čajová konvice"), commission("-4.40")]
    origin = Origin("report", "1050001", "2026-11-21T12:00:00+00:00", charset="cp1250")
    seller.company.landing.land(io.BytesIO(report_text(rows).encode("cp1250")), SETTLEMENT_REPORT, origin)
    seller.settle()
    before = lines_of(seller)
    assert before[0]["sku"] == "Čajová konvice"
    seller.set_profile(uk_vat="uk_zero")
    seller.settle()
    after = lines_of(seller)
    assert [line["sku"] for line in after] == [line["sku"] for line in before]
    assert after[0]["vat_treatment"] != before[0]["vat_treatment"]


def test_settling_a_file_again_with_its_account_leaves_no_half_read_text(seller: Seller) -> None:
    path = seller.file("one.txt", GOOD)
    seller.settle(path, account="uk")
    seller.settle(path, account="uk")
    assert list(seller.company.environment.scratch.iterdir()) == []
