"""The command line as people and programs use it: exit codes, what is printed, and what is kept."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import Result
from typer.testing import CliRunner

from amazon_sage_assets import verification
from amazon_sage_assets.cli import app
from amazon_sage_assets.settings import PACKAGED_RULES
from amazon_sage_assets.sqlfiles import checks
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.reports import commission, principal, row

GOOD = [principal("20.00"), row("Order", "ItemPrice", "Tax", "4.00"), commission("-4.40")]
UNKNOWN = row("AmazonFees", "Levy of 2027", "Base fee", "-1.00")
SAME_PERIOD = {"settlement_id": "24000000002"}

Run = Callable[..., Result]


@pytest.fixture
def seller(tmp_path: Path) -> Seller:
    """Somebody on the first day, with a profile and nothing else: a command that is refused leaves no file behind."""
    return Seller(tmp_path, is_bare=True)


@pytest.fixture
def run(seller: Seller) -> Run:
    """Run `amazon-sage` for the seller and expect an exit code."""

    def running(*arguments: str | Path, code: int = 0, **environment: str | Path) -> Result:
        env = {"AMAZON_SAGE_HOME": seller.home, "AMAZON_SAGE_PROFILE": seller.profile_path, **environment}
        result = CliRunner().invoke(app, [str(a) for a in arguments], env={k: str(v) for k, v in env.items()})
        assert result.exit_code == code, (result.output, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return running


def sentence_of(result: Result) -> str:
    """What is said on the error stream, without the line breaks of a narrow screen."""
    assert "Traceback" not in result.output
    return " ".join(result.stderr.split())


def no_floats(text: str) -> Any:
    """JSON in which no number has a point: money and dates are text."""

    def refuse(number: str) -> None:
        pytest.fail(f"{number} is a number with a point")

    return json.loads(text, parse_float=refuse)


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder with the hash of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def finance_tables(published: Path) -> dict[str, tuple[Any, ...]]:
    """Of every published table: how many rows, and a hash of them in whatever order."""
    with duckdb.connect(str(published), read_only=True) as connection:
        names = connection.execute("select table_name from duckdb_tables() order by table_name").fetchall()
        return {
            name: connection.execute(
                f"select count(*), sum(hash(t)::hugeint)::varchar from finance.{name} as t"
            ).fetchall()[0]
            for (name,) in names
        }


# --- settle ---------------------------------------------------------------------------------------------------------


def test_settling_a_good_file_says_so_and_ends_with_0(seller: Seller, run: Run) -> None:
    path = seller.file("one.txt", GOOD)
    said = run("settle", path).stdout
    for words in ("uk", "24000000001", "01 Mar 2026", "14 Mar 2026", "19.60", "GBP", "ready", "No exceptions."):
        assert words in said
    assert str(seller.company.environment.published_path) in " ".join(said.split()).replace(" ", "")
    tables = finance_tables(seller.company.environment.published_path)
    assert tables["settlements"][0] == 1
    assert tables["settlement_lines"][0] == 3
    assert tables["postings"][0] > 0

    again = no_floats(run("settle", path, "--json").stdout)
    (settlement,) = again["settlements"]
    assert (settlement["header_total"], settlement["difference"]) == ("19.60", "0.00")
    assert (settlement["status"], settlement["line_count"]) == ("ready", 3)
    assert (settlement["start_at"], settlement["deposit_date"]) == ("2026-03-01T06:00:00Z", "2026-03-16")
    assert (again["unreadable"], again["exceptions"]) == ([], [])
    assert Path(again["published"]) == seller.company.environment.published_path
    assert finance_tables(seller.company.environment.published_path) == tables

    run("publish")
    assert finance_tables(seller.company.environment.published_path) == tables


def test_settling_bad_files_beside_a_good_one_ends_with_2_and_says_what_is_open(seller: Seller, run: Run) -> None:
    stray = seller.folder / "minutes.txt"
    stray.write_text("Minutes of the meeting\n", encoding="utf-8")
    held = seller.file("held.txt", [*GOOD, UNKNOWN], **SAME_PERIOD)
    off = seller.file("off.txt", GOOD, total="19.61", settlement_id="24000000003")
    good = seller.file("good.txt", GOOD)
    said = run("settle", stray, held, off, good, code=2).stdout
    for words in ("UNREADABLE_FILE", "UNMAPPED_TYPE", "TOTAL_MISMATCH", "ready", "held", "quarantined", "0.01 GBP"):
        assert words in said
    assert '"AmazonFees" / "Levy of 2027" / "Base fee"' in " ".join(said.split())
    tables = finance_tables(seller.company.environment.published_path)

    told = no_floats(run("settle", stray, good, "--json", code=2).stdout)
    assert [s["settlement_id"] for s in told["settlements"]] == ["24000000001"]
    assert [e["code"] for e in told["exceptions"]] == ["UNREADABLE_FILE"]
    assert [u["document_sha256"] for u in told["unreadable"]] == [hashlib.sha256(stray.read_bytes()).hexdigest()]
    run("settle", good)
    assert finance_tables(seller.company.environment.published_path) == tables

    shown = run("exceptions").stdout
    assert shown.index("TOTAL_MISMATCH") < shown.index("UNMAPPED_TYPE") < shown.index("UNREADABLE_FILE")
    rows = no_floats(run("exceptions", "--json").stdout)
    at_risk = {e["code"]: e["amount_at_risk"] for e in rows}
    assert at_risk == {"TOTAL_MISMATCH": "0.01", "UNMAPPED_TYPE": "1.00", "UNREADABLE_FILE": None}
    assert "proven" in run("verify").stdout


def test_a_dry_run_shows_what_would_come_out_and_keeps_nothing(seller: Seller, run: Run) -> None:
    good = seller.file("good.txt", GOOD)
    assert "Dry run: nothing was kept." in run("settle", good, "--dry-run").stdout
    assert tree(seller.home) == {}
    run("settle", good)
    before = tree(seller.home)
    off = seller.file("off.txt", GOOD, total="19.61", **SAME_PERIOD)
    told = no_floats(run("settle", off, good, "--dry-run", "--json", code=2).stdout)
    statuses = {s["settlement_id"]: s["status"] for s in told["settlements"]}
    assert statuses == {"24000000001": "ready", "24000000002": "quarantined"}
    assert [e["code"] for e in told["exceptions"]] == ["TOTAL_MISMATCH"]
    assert tree(seller.home) == before
    assert sorted(path.name for path in seller.home.iterdir() if path.name.startswith(".")) == []


def test_an_unreadable_document_that_was_set_aside_no_longer_stands_in_the_way(seller: Seller, run: Run) -> None:
    stray = seller.folder / "minutes.txt"
    stray.write_text("Minutes of the meeting\n", encoding="utf-8")
    run("settle", stray, seller.file("good.txt", GOOD), code=2)
    sha256 = hashlib.sha256(stray.read_bytes()).hexdigest()
    assert sentence_of(run("discard", "ffffffff", "--by", "Ada", code=1)).startswith("Stopped. 0 documents begin with")
    assert "set aside by Ada" in run("discard", sha256[:12], "--by", "Ada").stdout
    assert no_floats(run("exceptions", "--json").stdout) == []
    told = no_floats(run("settle", "--json").stdout)
    assert told["exceptions"] == []
    assert seller.company.landing.intact("settlement_report", sha256)


# --- verify ---------------------------------------------------------------------------------------------------------

# An order whose revenue a settlement has booked, as if Sage had it as a sales order, too.
OWNED_TWICE = (
    "insert into finance.orders (account, order_id, sage_order, is_in_sage)"
    " select distinct account, order_id, 'SO-1', true from finance.settlement_lines where order_id is not null"
)
TAMPERINGS = {
    "journal_balances": "update finance.journal_lines set debit = debit + 0.01 where account_key = 'wallet'",
    "wallet_moves_by_total": "update finance.payout_reconciliation set header_total = 20 where status <> 'held'",
    "settlement_adds_up": "delete from finance.settlement_lines where amount = 4.00",
    "every_line_is_booked": "delete from finance.journal_lines where account_key <> 'wallet'",
    "only_proven_settlements_post": "insert into finance.postings from finance.postings",
    "every_stop_has_an_owner": "delete from finance.exceptions where code = 'UNMAPPED_TYPE'",
    "quarantine_keeps_no_journal": "update finance.settlements set status = 'quarantined' where status = 'ready'",
    "vat_preview_equals_journal": "update finance.vat_preview set amount = amount + 0.01 where box = 1",
    "revenue_has_one_owner": OWNED_TWICE,
    "documents_equal_their_lines": "update finance.settlement_lines set amount = amount - 0.01 where amount = 20.00",
}


# What Sage shows: proven and broken beside a Sage, where documents have been posted.
ABOUT_SAGE = {"delivered_documents_stand_once", "payouts_equal_their_bank_lines", "posted_settlements_equal_sage"}
# The same of orders, where orders have been sent.
ABOUT_ORDERS = {"orders_stand_once_in_sage"}


def test_verify_proves_every_invariant_and_tells_what_was_tampered_with(seller: Seller, run: Run) -> None:
    assert "There is no file" in sentence_of(run("verify", code=1))
    run("settle", seller.file("good.txt", GOOD), seller.file("held.txt", [*GOOD, UNKNOWN], **SAME_PERIOD), code=2)
    company = seller.company
    published = company.environment.published_path
    said = run("verify").stdout
    assert "FAILED" not in said
    assert {check.name for check in checks()} == TAMPERINGS.keys() | ABOUT_SAGE | ABOUT_ORDERS
    assert said.count("proven  ") == len(checks()) + 1
    assert all(check["failures"] == [] for check in no_floats(run("verify", "--json").stdout))

    for check, tampering in TAMPERINGS.items():
        copy = seller.folder / f"{check}.duckdb"
        shutil.copyfile(published, copy)
        with duckdb.connect(str(copy)) as connection:
            connection.execute(tampering)
        failed = {r.name: r.failures for r in verification.verify(copy, company.landing) if r.failures}
        assert check in failed, (check, failed)
        assert all(len(sentence.split()) > 2 for sentence in failed[check])

    shutil.copyfile(seller.folder / "journal_balances.duckdb", published)
    said = run("verify", code=1).stdout
    assert "FAILED  Debits equal credits in every document of every journal." in said
    assert "settlement 24000000001 2026-03" in said
    failed_checks = [c for c in no_floats(run("verify", "--json", code=1).stdout) if c["failures"]]
    assert "journal_balances" in {c["check"] for c in failed_checks}
    run("publish")
    run("verify")


def test_verify_tells_which_landed_document_is_missing_or_changed(seller: Seller, run: Run) -> None:
    run("settle", seller.file("good.txt", GOOD))
    (kept,) = (seller.home / "landed").rglob("*.zst")
    original = kept.read_bytes()
    for harm, says in ((original[: len(original) // 2], "is not what was landed"), (None, "is missing")):
        kept.unlink()
        if harm is not None:
            kept.write_bytes(harm)
        said = run("verify", code=1).stdout
        assert f"the landed document {kept.stem} {says}" in " ".join(said.split())
    kept.write_bytes(original[:12] + bytes([original[12] ^ 0xFF]) + original[13:])
    run("verify", code=1)
    kept.write_bytes(bytes(len(original)))
    run("verify", code=1)


# --- mistakes of the person at the keyboard -------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_named_and_the_others_can_be_settled(seller: Seller, run: Run) -> None:
    good = seller.file("good.txt", GOOD)
    sentence = sentence_of(run("settle", good, seller.folder / "gone.txt", code=1))
    assert sentence.startswith("Stopped. There is no file")
    assert "gone.txt" in sentence
    run("settle")
    run("settle", good)


def test_a_folder_is_no_file(seller: Seller, run: Run) -> None:
    assert sentence_of(run("settle", seller.folder, code=1)).startswith("Stopped.")


def test_an_account_that_the_profile_does_not_have_is_refused(seller: Seller, run: Run) -> None:
    sentence = sentence_of(run("settle", seller.file("good.txt", GOOD), "--account", "usa", code=1))
    assert sentence == "Stopped. The profile has no account 'usa'."
    assert tree(seller.home) == {}


@pytest.mark.parametrize("command", ["settle", "exceptions", "verify", "publish", "rebuild"])
def test_a_profile_that_is_not_there_is_named(seller: Seller, run: Run, command: str) -> None:
    gone = seller.folder / "gone.toml"
    sentence = sentence_of(run(command, code=1, AMAZON_SAGE_PROFILE=gone))
    assert sentence.startswith("Stopped. There is no profile at")
    assert "Set AMAZON_SAGE_PROFILE" in sentence
    assert tree(seller.home) == {}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'company = "Test', "is not valid TOML"),
        (b'company = "Test"\naccounts = []\ncolour = "blue"\n', "colour: Extra inputs are not permitted"),
        (b"accounts = []\n", "company: Field required"),
        ('company = "Théières Ltd"\n'.encode("cp1252"), "is not"),
    ],
    ids=["torn", "unknown key", "missing key", "not UTF-8"],
)
def test_a_profile_with_a_mistake_is_one_sentence(seller: Seller, run: Run, content: bytes, says: str) -> None:
    seller.profile_path.write_bytes(content)
    sentence = sentence_of(run("settle", code=1))
    assert sentence.startswith("Stopped.")
    assert "amazon_sage.toml" in sentence
    assert says in sentence


def own_rules(seller: Seller, name: str, change: Callable[[str], str], encoding: str = "utf-8") -> None:
    """The packaged rule file with a change, as the seller's own."""
    (seller.folder / "rules").mkdir(exist_ok=True)
    text = (PACKAGED_RULES / name).read_text(encoding="utf-8")
    (seller.folder / "rules" / name).write_bytes(change(text).encode(encoding))


def test_mistakes_in_a_rule_file_are_listed_with_their_lines(seller: Seller, run: Run) -> None:
    def two_mistakes(text: str) -> str:
        lines = text.splitlines()
        lines[2] = lines[2].replace(",exact,", ",exactly,")
        lines[4] += ",one too many"
        return "\n".join(lines) + "\n"

    own_rules(seller, "settlement_rows.csv", two_mistakes)
    sentence = sentence_of(run("settle", seller.file("good.txt", GOOD), code=1))
    assert sentence.startswith("Stopped. settlement_rows.csv is not used, because: line 3: match:")
    assert "line 5: has more or fewer cells than the header" in sentence
    assert tree(seller.home) == {}


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("accounts.csv", lambda text: "account;code\n" + text, "accounts.csv: the header must be exactly"),
        ("accounts.csv", lambda text: text.replace("\nwallet,", "\npurse,"), "wallet: the journal needs"),
        ("settlement_rows.csv", lambda text: text.replace(",fees_fba,", ",fees_fab,"), "'fees_fab' is not in"),
        ("vat_treatments.csv", lambda text: "", "vat_treatments.csv: the header must be exactly"),
    ],
    ids=["header", "account missing", "account unknown", "empty"],
)
def test_a_rule_file_that_cannot_be_used_is_named(
    seller: Seller, run: Run, name: str, change: Callable[[str], str], says: str
) -> None:
    own_rules(seller, name, change)
    sentence = sentence_of(run("settle", code=1))
    assert sentence.startswith("Stopped.")
    assert name in sentence
    assert says in sentence


def test_a_rule_file_saved_in_another_encoding_is_named(seller: Seller, run: Run) -> None:
    own_rules(
        seller, "settlement_rows.csv", lambda text: text + "Order,Théière,,exact,sale,sales,by_order,known,\n", "cp1252"
    )
    sentence = sentence_of(run("settle", code=1))
    assert sentence.startswith("Stopped.")
    assert "settlement_rows.csv" in sentence
    assert "UTF-8" in sentence


def test_asking_before_anything_was_settled_says_what_to_do_first(seller: Seller, run: Run) -> None:
    assert "Run `amazon-sage settle` first" in sentence_of(run("exceptions", code=1))
    said = run("publish").stdout
    assert "finance.settlements: 0 rows" in said
    assert "No exceptions." in run("exceptions").stdout
    run("verify")
