"""The command line between Seller Central, Sage and the bank, against the served sample world."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filelock import FileLock

from amazon_sage_assets import verification
from amazon_sage_assets.landing import SETTLEMENT_REPORT
from amazon_sage_assets.sandbox.sample_seller.orders import HELD_AS
from amazon_sage_assets.settlements.arrivals import land_report
from amazon_sage_assets.sqlfiles import checks
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.integration.test_cli import ABOUT_SAGE, no_floats, sentence_of
from amazon_sage_assets_tests.reports import principal
from amazon_sage_assets_tests.sample_town import APPROVER, Town, copied, fetched_town, secrets_of, told, town

ROOT = Path(__file__).parents[2]
NOTHING_SENT = {
    "delivered": 0, "proven by reading back": 0, "rejected": 0, "held": 0, "already entered by hand": 0,
    "not yet proven": 0, "journal files written": 0, "stopped": "",
}  # fmt: skip
MEANT = 3 + len(HELD_AS)  # of settlements and the bank, and one order of each kind that cannot be sent as it is
AMAZON_MISSING = {"LWA_APP_ID": "", "SP_API_REFRESH_TOKEN_UK": "", "SP_API_REFRESH_TOKEN_DE": ""}


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fetched_town(tmp_path_factory)


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory: pytest.TempPathFactory, fetched: Path) -> tuple[Path, dict[str, str]]:
    """A town after a whole close, and what each command of the close printed."""
    folder = tmp_path_factory.mktemp("closed") / "town"
    said = {}
    with copied(fetched, folder) as new:
        said["keys"] = " ".join(new.keys("ready"))
        said["approve"] = new.run("approve", *new.keys("ready"), "--by", APPROVER).output
        said["post"] = new.run("post").output
    return folder, said


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, at_rest: tuple[Path, dict[str, str]]) -> Iterator[Town]:
    """The closed town, open for tests that only look."""
    with copied(at_rest[0], tmp_path_factory.mktemp("looked_at") / "town") as open_town:
        open_town.printed += at_rest[1].values()
        yield open_town


@pytest.fixture
def after_close(tmp_path: Path, at_rest: tuple[Path, dict[str, str]]) -> Iterator[Town]:
    """A closed town of one's own."""
    with copied(at_rest[0], tmp_path / "town") as own:
        yield own


@pytest.fixture
def before_approval(tmp_path: Path, fetched: Path) -> Iterator[Town]:
    """A town of one's own whose settlements are fetched and nothing is approved."""
    with copied(fetched, tmp_path / "town") as own:
        yield own


def contents(home: Path) -> dict[str, Any]:
    """Everything that a company keeps, whatever order its file has it in."""
    kept: dict[str, Any] = {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and "warehouse" not in path.parts
    }
    with duckdb.connect(str(home / "warehouse" / "working.duckdb"), read_only=True) as connection:
        names = connection.execute("select schema_name, table_name from duckdb_tables() order by all").fetchall()
        for schema, name in names:
            kept[f"{schema}.{name}"] = connection.execute(
                f"select count(*), sum(hash(t)::hugeint)::varchar from {schema}.{name} as t"
            ).fetchall()
    return kept


def tampered(before: Path, copy: Path, statement: str) -> Path:
    shutil.copyfile(before, copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(statement)
    return copy


# --- doctor ---------------------------------------------------------------------------------------------------------


def test_the_doctor_finds_every_code_in_sage_and_both_seller_accounts(closed: Town) -> None:
    said = closed.run("doctor").stdout
    for words in (
        "Sage 200: signed in", "nominal codes: all", "wallet in GBP is the Sage bank AMZGBP",
        "Amazon.co.uk is customer AMZUK in Sage", "Seller Central uk: signed in; sells on Amazon.co.uk",
        "Seller Central de: signed in; sells on Amazon.de",
    ):  # fmt: skip
        assert words in said
    assert "problem" not in said
    findings = no_floats(closed.run("doctor", "--json").stdout)
    assert {finding["level"] for finding in findings} == {"ok", "warning"}
    assert all(set(finding) == {"level", "area", "says"} for finding in findings)


def test_the_doctor_of_a_company_without_connections_warns_and_has_no_problem(closed: Town) -> None:
    findings = no_floats(closed.run("doctor", "--json", **AMAZON_MISSING, SAGE_CLIENT_ID="").stdout)
    warnings = {finding["area"]: finding["says"] for finding in findings if finding["level"] == "warning"}
    assert warnings.keys() == {"Sage 200", "Seller Central uk", "Seller Central de"}
    assert "SAGE_CLIENT_ID" in warnings["Sage 200"]
    assert "LWA_APP_ID" in warnings["Seller Central uk"]
    assert "problem" not in {finding["level"] for finding in findings}


def test_the_doctor_ends_with_1_where_a_rule_names_a_nominal_code_that_sage_has_not(before_approval: Town) -> None:
    before_approval.own_accounts(advertising="5999", bank_main="1299")
    findings = no_floats(before_approval.run("doctor", "--json", code=1).stdout)
    problems = [finding["says"] for finding in findings if finding["level"] == "problem"]
    assert any(says.startswith("advertising names 5999, which Sage has not.") for says in problems)
    assert any("bank_main" in says and "1299" in says for says in problems)
    assert before_approval.posted == []


# --- fetch and approve ----------------------------------------------------------------------------------------------


def test_fetching_again_finds_nothing_and_changes_nothing(closed: Town) -> None:
    before = closed.statuses()
    reports = closed.world.seller.reports()
    assert before.keys() == {f"{report.account}-{report.settlement_id}" for report in reports}
    assert no_floats(closed.run("fetch", "--json").stdout) == {"uk": 0, "de": 0}
    assert closed.statuses() == before


def test_approving_says_how_many_documents_of_what_amount_and_who(at_rest: tuple[Path, dict[str, str]]) -> None:
    *lines, last = at_rest[1]["approve"].splitlines()
    keys = at_rest[1]["keys"].split()
    assert len(lines) == len(keys) == 9
    for key, line in zip(keys, lines, strict=True):
        assert re.fullmatch(
            rf"{key}: \d+ documents, [\d,]+\.\d\d (GBP|EUR), approved by {APPROVER} \(content [0-9a-f]{{16}}\)", line
        )
    assert last == "Send them with `amazon-sage post`."


def test_what_cannot_be_approved_is_one_sentence_and_approves_nothing(before_approval: Town) -> None:
    ready, (held,) = before_approval.keys("ready"), before_approval.keys("held")

    def refused(*arguments: str) -> str:
        return sentence_of(before_approval.run("approve", *arguments, code=1))

    assert refused("24000000000", "--by", "Ann") == "Stopped. '24000000000' is no settlement we know."
    sentence = refused(ready[0], held, "--by", "Ann")
    assert sentence.startswith(f"Stopped. Settlement {held} is held and cannot be approved.")
    assert "Sustainability Levy" in sentence
    assert refused(ready[0], "--by", "  ") == "Stopped. Say who approves: --by NAME."
    with before_approval.company.warehouse.read() as connection:
        assert connection.execute("select distinct status from outbox.messages").fetchall() == [("planned",)]
        assert connection.execute("select count(*) from outbox.approvals").fetchall() == [(0,)]


def test_a_posted_settlement_has_nothing_to_approve(closed: Town) -> None:
    key = closed.keys("posted")[0]
    sentence = sentence_of(closed.run("approve", key, "--by", "Ann", code=1))
    assert sentence == f"Stopped. Settlement {key} is posted and has nothing to approve."


# --- post -----------------------------------------------------------------------------------------------------------


def test_a_close_posts_every_approved_document_and_reconciles_to_the_penny(
    closed: Town, at_rest: tuple[Path, dict[str, str]]
) -> None:
    said = at_rest[1]["post"]
    postings = closed.query("from finance.postings where status = 'delivered'")
    assert f"{len(postings)} delivered, 0 proven by reading back, 0 rejected, 0 held, 1 already entered" in said
    assert closed.posted
    assert sorted(closed.posted) == sorted(row["remote_reference"] for row in postings)
    assert closed.keys("posted") == at_rest[1]["keys"].split()
    rows = closed.query(
        "from finance.payout_reconciliation where account || '-' || settlement_id in"
        " (select account || '-' || settlement_id from finance.settlements where status = 'posted')"
    )
    assert len(rows) == 9
    for row in rows:
        assert row["header_total"] == row["wallet_movement"] == row["posted_total"]
        assert row["difference"] == 0
        assert f"{row['header_total']:,.2f}" in said
    assert closed.exceptions() == sorted(closed.world.seller.expected_exceptions)
    assert "From Amazon's total to the bank" in said
    for code, _ in closed.exceptions():
        assert code in said


def test_sage_moved_by_what_the_published_journals_say(closed: Town) -> None:
    """Base currency only: Sage keeps a German settlement's nominal postings in pounds."""
    wanted: dict[str, Decimal] = {}
    for row in closed.query(
        "select nominal_code, sum(debit - credit) as moved from finance.journal_lines where settlement_id in"
        " (select settlement_id from finance.settlements where status = 'posted') and currency = 'GBP' group by all"
    ):
        wanted[row["nominal_code"]] = row["moved"]
    wallet = closed.world.books.bank_balances()["AMZGBP"]
    payouts = closed.query(
        "select sum(payout_amount) as paid from finance.payout_reconciliation where currency = 'GBP'"
        " and bank_transaction_id is not null"
    )[0]["paid"]
    assert wanted["1250"] - payouts == wallet
    for code in ("5100", "5110", "5120", "5130"):
        german = closed.query(
            f"select count(*) as n from finance.journal_lines where currency = 'EUR' and nominal_code = '{code}'"
        )[0]["n"]
        assert closed.balances()[code] >= wanted[code] if german else closed.balances()[code] == wanted[code]


def test_posting_again_sends_nothing(closed: Town) -> None:
    before = closed.documents
    sent = no_floats(closed.run("post", "--json").stdout)
    assert {name: value for name, value in sent.items() if name != "requests to Sage"} == NOTHING_SENT
    assert 0 < sent["requests to Sage"] < 20
    assert closed.documents == before
    said = closed.run("rehearse").stdout
    assert said.strip() == "The rules of now post nothing that is not posted or waiting already."


def test_two_people_do_not_post_at_once(closed: Town) -> None:
    before = closed.documents
    with FileLock(closed.home / "connections" / "posting.lock"):
        sentence = sentence_of(closed.run("post", code=1))
    assert sentence == "Stopped. Another run is posting to Sage just now. Wait for it to end."
    assert closed.documents == before


def test_posting_without_a_connection_names_the_variables(closed: Town) -> None:
    before = closed.documents
    sentence = sentence_of(closed.run("post", code=1, SAGE_CLIENT_ID="", SAGE_CLIENT_SECRET=""))
    assert sentence.startswith(
        "Stopped. Sage 200 is not connected: the environment has no SAGE_CLIENT_ID, SAGE_CLIENT_SECRET"
    )
    sentence = sentence_of(closed.run("fetch", code=1, **AMAZON_MISSING))
    assert sentence.startswith("Stopped. No seller account is connected")
    assert closed.documents == before


def test_a_refused_sign_in_is_one_sentence(closed: Town) -> None:
    sentence = sentence_of(closed.run("fetch", code=1, LWA_CLIENT_SECRET="not-the-secret"))  # noqa: S106
    assert sentence.startswith("Stopped.")
    assert "not-the-secret" not in sentence


# --- verify ---------------------------------------------------------------------------------------------------------

# Each tampering of the published file and the check that must notice.
TAMPERINGS = {
    "delivered_documents_stand_once": "delete from finance.bank_lines where message_key is not null",
    "payouts_equal_their_bank_lines": "update finance.payout_reconciliation set bank_amount = bank_amount + 0.01",
    "posted_settlements_equal_sage": "update finance.payout_reconciliation set posted_total = posted_total - 0.01",
}


def test_verify_proves_the_close_with_sage_and_without(closed: Town) -> None:
    said = closed.run("verify").stdout
    assert "FAILED" not in said
    assert said.count("proven  ") == len(checks()) + 2
    assert f"Sage itself shows each of the {len(closed.posted)} delivered documents once, with its amount." in said
    assert all(check["failures"] == [] for check in no_floats(closed.run("verify", "--json").stdout))
    for without in (closed.run("verify", "--offline"), closed.run("verify", SAGE_CLIENT_ID="")):
        assert without.stdout.count("proven  ") == len(checks()) + 1
        assert "Sage itself" not in without.stdout


@pytest.mark.parametrize("check", sorted(TAMPERINGS))
def test_verify_notices_a_published_file_that_does_not_say_what_sage_says(
    closed: Town, tmp_path: Path, check: str
) -> None:
    assert TAMPERINGS.keys() == ABOUT_SAGE
    company = closed.company
    copy = tampered(company.environment.published_path, tmp_path / "tampered.duckdb", TAMPERINGS[check])
    failed = {r.name: r.failures for r in verification.verify(copy, company.landing) if r.failures}
    assert check in failed, failed
    assert all(len(sentence.split()) > 4 for sentence in failed[check])


def test_verify_fails_when_an_entry_was_deleted_in_sage_and_when_one_was_entered_again(after_close: Town) -> None:
    gone, again, cheaper = (
        row["remote_reference"]
        for row in after_close.query(
            "from finance.postings where kind = 'bank_payment' and status = 'delivered' and currency = 'GBP' limit 3"
        )
    )
    assert after_close.in_books("delete from bank_entries where reference = ?", gone) == 1
    assert after_close.in_books("update bank_entries set value = value - 1 where reference = ?", cheaper) == 1
    columns = (
        "bank_id, type, direction, value, base_value, rate, description, reference, second_reference, transaction_date,"
        " posted, source, urn, user_name, statement_date, statement_page, created, updated"
    )
    doubling = f"insert into bank_entries ({columns}) select {columns} from bank_entries where reference = ?"
    assert after_close.in_books(doubling, again) == 1

    said = " ".join(after_close.run("verify", code=1).stdout.split())
    assert f"{gone}: Sage shows 0 entries instead of 1" in said
    assert f"{again}: Sage shows 2 entries instead of 1" in said
    assert re.search(rf"{cheaper}: Sage shows \d+\.\d\d instead of \d+\.\d\d GBP", said)
    failed = [c for c in no_floats(after_close.run("verify", "--json", code=1).stdout) if c["failures"]]
    assert [check["check"] for check in failed] == ["sage_shows_each_document_once"]
    assert len(failed[0]["failures"]) == 3
    assert "FAILED" not in after_close.run("verify", "--offline").stdout


# --- rehearse -------------------------------------------------------------------------------------------------------


def test_a_rule_change_is_rehearsed_first_and_then_books_exactly_the_difference(after_close: Town) -> None:
    booked = after_close.query(
        "select sum(credit - debit) as credits, count(distinct settlement_id || period) as documents"
        " from finance.journal_lines where account_key = 'reimbursements' and currency = 'GBP'"
        " and settlement_id in (select settlement_id from finance.settlements where status = 'posted')"
    )[0]
    before, ledger, sent = contents(after_close.home), after_close.balances(), after_close.posted
    assert booked["credits"] > 0

    after_close.own_accounts(reimbursements="4910")
    changes = no_floats(after_close.run("rehearse", "--json").stdout)
    assert len(changes) >= booked["documents"]
    assert all(change["is_new"] for change in changes)
    text = after_close.run("rehearse").stdout
    for change in changes:
        assert f"new       {change['remote_reference']}  {change['kind']}  {change['document_date']}" in text
    assert re.search(r"4900 .*: goods -?\d+\.\d\d, VAT 0\.00", text)
    assert re.search(r"4910 .*: goods -?\d+\.\d\d, VAT 0\.00", text)
    assert contents(after_close.home) == before
    assert after_close.posted == sent

    after_close.run("settle", code=2)  # one settlement is still held
    corrected = sorted({change["settlement_key"] for change in changes})
    assert corrected
    assert after_close.keys("posting") == corrected
    after_close.run("approve", *corrected, "--by", APPROVER)
    delivered = no_floats(after_close.run("post", "--json").stdout)["delivered"]
    assert delivered == len(changes)
    assert sorted(after_close.posted) == sorted([*sent, *(change["remote_reference"] for change in changes)])
    moved = {
        code: amount - ledger.get(code, Decimal(0))
        for code, amount in after_close.balances().items()
        if amount != ledger.get(code, Decimal(0))
    }
    assert moved.keys() == {"4900", "4910"}
    assert moved["4900"] == -moved["4910"] == -ledger["4900"]
    after_close.run("verify")
    assert after_close.exceptions() == sorted(after_close.world.seller.expected_exceptions)


# --- match ----------------------------------------------------------------------------------------------------------


def test_a_payout_that_fits_two_bank_lines_waits_until_a_person_says_which(before_approval: Town) -> None:
    by_hand = next(line for line in before_approval.world.seller.bank_lines() if line.settlement_id)
    key = f"uk-{by_hand.settlement_id}"
    with before_approval.world.books.store.reading() as db:
        banks = dict(db.execute("select code, id from banks").fetchall())
    before_approval.world.books.enter_by_hand(
        "bank_transfer",
        {
            "transaction_date": f"{by_hand.date.isoformat()}T00:00:00Z", "reference": "AMZN payout again",
            "bank_from_id": banks["AMZGBP"], "bank_to_id": banks["MAIN"], "payment_value": by_hand.amount,
        },
    )  # fmt: skip
    before_approval.run("approve", key, "--by", APPROVER)
    assert "AMBIGUOUS_PAYOUT" in before_approval.run("post", code=2).stdout
    mine = {row["settlement_id"] for row in before_approval.query("from finance.postings where status = 'delivered'")}
    assert mine == {by_hand.settlement_id}  # nobody has approved the others
    lines = before_approval.query(
        f"from finance.bank_lines where bank_code = 'MAIN' and amount = {by_hand.amount} order by bank_transaction_id"
    )
    assert len(lines) == 2
    other = before_approval.query(f"from finance.bank_lines where bank_code = 'MAIN' and amount <> {by_hand.amount}")[0]

    def refused(*arguments: str) -> str:
        return sentence_of(before_approval.run("match", *arguments, "--by", "Ann", code=1))

    chosen = lines[1]["bank_transaction_id"]
    assert refused("24000000000", chosen) == "Stopped. '24000000000' is no settlement that expects a payout."
    assert "has no line 999999" in refused(key, "999999")
    assert f"the payout is {by_hand.amount} GBP" in refused(key, other["bank_transaction_id"])

    said = before_approval.run("match", key, chosen, "--by", "Ann").stdout
    assert said.strip() == f"The payout of settlement {key} is the bank line {chosen}, said Ann."
    (row,) = before_approval.query(
        f"from finance.payout_reconciliation where settlement_id = '{by_hand.settlement_id}'"
    )
    assert row["bank_transaction_id"] == chosen
    payouts = len([document for document in before_approval.documents if document["kind"] == "bank_transfer"])
    before_approval.run("post")
    assert "AMBIGUOUS_PAYOUT" not in {code for code, _ in before_approval.exceptions()}
    assert len([d for d in before_approval.documents if d["kind"] == "bank_transfer"]) == payouts
    assert before_approval.statuses()[key] == "posted"


# --- sandbox --------------------------------------------------------------------------------------------------------


def test_a_sandbox_whose_port_is_taken_says_so(tmp_path: Path) -> None:
    with socket.socket() as taken, town(tmp_path / "town") as somewhere:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = somewhere.run("sandbox", "--ports", "0", str(port), code=1)
        assert sentence_of(result).endswith(f"The sandbox cannot listen on 127.0.0.1:{port}: the port is in use.")


# --- secrets --------------------------------------------------------------------------------------------------------


def test_no_secret_was_printed_or_kept_where_it_does_not_belong(closed: Town) -> None:
    closed.run("doctor")
    closed.run("verify")
    secrets = secrets_of(closed.folder / "sandbox")
    assert len(secrets) > 4
    assert told(secrets, closed.printed, closed.home) == []
    kept = closed.home / "connections"
    assert told(secrets, [], kept) != []  # the search finds them where they are
    assert kept.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept.glob("*tokens.json"))


# --- demo -----------------------------------------------------------------------------------------------------------


def demo(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from amazon_sage_assets.cli import app; app()", "demo", "--home", str(home),
         "--latency", "0"],
        cwd=home.parent, capture_output=True, text=True, check=False,
        env={**os.environ, "DAGSTER_HOME": str(ROOT), "AMAZON_SAGE_HOME": str(home), **environment},
    )  # fmt: skip


def test_the_demo_closes_two_months(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = demo(home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "difference 0.00." in done.stdout
    assert f"The {MEANT} exceptions that the sample seller is meant to raise, and no others." in done.stdout
    assert f"{len(checks()) + 2} of {len(checks()) + 2} invariants proven" in done.stdout
    in_sage = re.search(r"\d+ Amazon orders over [\d,]+\.\d\d GBP are in Sage as sales orders, (\d+) wait", done.stdout)
    assert in_sage
    assert int(in_sage[1]) == len(HELD_AS)
    assert "Dagster run approve_settlement" in done.stdout
    assert re.search(r"9 settlements are in Sage with \d+ documents\.", done.stdout)
    assert told(secrets_of(home / "sandbox"), [done.stdout, done.stderr], home) == []


def test_the_demo_refuses_a_home_with_other_settlements(tmp_path: Path) -> None:
    seller = Seller(tmp_path, is_bare=True)
    document = land_report(seller.company, seller.file("one.txt", [principal("20.00")]), "inbox")
    done = demo(seller.home)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    sentence = " ".join(done.stderr.split())
    assert (
        "holds settlements that are not the demo's. Set AMAZON_SAGE_HOME to an empty folder for the demo." in sentence
    )
    assert seller.company.landing.documents(SETTLEMENT_REPORT) == [document]
    assert not (seller.home / "warehouse").exists()
