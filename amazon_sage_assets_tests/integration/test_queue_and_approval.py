"""The outbox follows the posting plan until a document leaves, and a person lets it leave.

One company is worked out once; every test gets a copy of its folder.
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from amazon_sage_assets.outbox.messages import SAGE, SAGE_IMPORT, Outcome, Status
from amazon_sage_assets.outbox.store import Outbox
from amazon_sage_assets.posting.approval import Approval, CannotApprove, approve, approve_all
from amazon_sage_assets.settings import BY_PROFILE
from amazon_sage_assets.settlements import derivation, flow
from amazon_sage_assets.settlements.queue import refresh_queue
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.outside import deliver_all, kept
from amazon_sage_assets_tests.reports import account_row, commission, principal, row
from amazon_sage_assets_tests.sql.test_exceptions import write_rules

NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)
SPRING, SUMMER, DEBT = "24000000301", "24000000302", "24000000303"
SUMMER_DAYS = {
    "settlement_start_date": "01.07.2026 06:00:00 UTC",
    "settlement_end_date": "15.07.2026 06:00:00 UTC",
    "deposit_date": "17.07.2026 06:00:00 UTC",
}
DE = {"marketplace_name": "Amazon.de"}
COMMISSION, PRINCIPAL = ("Order", "ItemFees", "Commission"), ("Order", "ItemPrice", "Principal")
JOURNAL_FILE = 'posting_route = "journal_file"'


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    seller = Seller(tmp_path_factory.mktemp("seller"))
    seller.settle(spring(seller), seller.file("summer.txt", [principal("50.00")], settlement_id=SUMMER, **SUMMER_DAYS))
    return seller.folder


@pytest.fixture(scope="module")
def journal_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company that posts by journal file."""
    seller = Seller(tmp_path_factory.mktemp("journals"), top=JOURNAL_FILE)
    carried = account_row("Payable to Amazon", "-25.00")
    seller.settle(
        spring(seller),
        seller.file("debt.txt", [principal("60.00", **DE), carried], settlement_id=DEBT, currency="EUR"),
    )
    return seller.folder


def spring(seller: Seller) -> Path:
    return seller.file("spring.txt", [principal("100.00"), commission("-12.00")], settlement_id=SPRING)


@pytest.fixture
def seller(template: Path, tmp_path: Path) -> Seller:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return Seller(tmp_path)


@pytest.fixture
def by_file(journal_template: Path, tmp_path: Path) -> Seller:
    shutil.copytree(journal_template, tmp_path, dirs_exist_ok=True)
    return Seller(tmp_path, top=JOURNAL_FILE)


def worked_out(seller: Seller) -> None:
    """What `settle` does, without the file for finance."""
    company = seller.company
    for key in flow.refresh(company):
        derivation.attempt(company, key, partial(derivation.derive, company=company, key=key))
    looked_at(seller)


def looked_at(seller: Seller) -> None:
    """The outbox is brought in step with the plan as it stands."""
    company = seller.company
    with company.warehouse.transaction() as connection:
        refresh_queue(connection, company.profile, NOW)


def finance(seller: Seller, sql: str, *parameters: Any) -> list[dict[str, Any]]:
    """What finance would read if it were published now."""
    with kept(seller.company) as world:
        return world.rows(sql, *parameters)


def standing(seller: Seller, settlement_id: str = SPRING) -> str:
    (shown,) = finance(seller, "select status from finance.settlements where settlement_id = $1", settlement_id)
    return str(shown["status"])


def key_of(document: str, settlement_id: str = SPRING) -> str:
    return f"uk/settlement/{settlement_id}/{'2026-07' if settlement_id == SUMMER else '2026-03'}/{document}"


def messages(seller: Seller, settlement_id: str = SPRING) -> dict[str, dict[str, Any]]:
    """Messages of a settlement by what they are."""
    with kept(seller.company) as world:
        rows = world.rows(
            "select * from outbox.messages where split_part(settlement_key, '-', 2) = $1 order by message_key",
            settlement_id,
        )
    return {row["message_key"].split("/", 4)[4]: row for row in rows}


def statuses(seller: Seller, settlement_id: str = SPRING) -> dict[str, str]:
    return {document: message["status"] for document, message in messages(seller, settlement_id).items()}


def events(seller: Seller, document: str) -> list[tuple[str, str, str]]:
    """What happened to a document of SPRING: event, status and actor, in the order in which it was written down."""
    with kept(seller.company) as world:
        rows = world.rows("select * from outbox.events where message_key = $1 order by rowid", key_of(document))
    return [(r["event"], r["status"], r["actor"]) for r in rows]


def approved(seller: Seller, *settlements: str, by: str = "Ada") -> list[Approval]:
    with seller.company.warehouse.transaction() as connection:
        return approve(connection, settlements, by, NOW)


def sent(seller: Seller, document: str) -> None:
    """A worker has the document; how it went is not known."""
    Outbox(seller.company.warehouse, SAGE).step(NOW, claims=[key_of(document)])


def came_out(seller: Seller, document: str, status: Status, event: str = "so it is", **said: Any) -> None:
    Outbox(seller.company.warehouse, SAGE).step(NOW, [Outcome(key_of(document), status, event, "why", **said)])


def refused(seller: Seller) -> None:
    """Of an approved settlement, Sage rejects the fees, and the sales are held back."""
    sent(seller, "fees")
    came_out(seller, "fees", Status.REJECTED)
    sent(seller, "sales")
    came_out(seller, "sales", Status.HELD, hold_code="PERIOD_CLOSED")


def fee_in(seller: Seller, account: str, **columns: str) -> None:
    """Commission belongs into another account from now on."""
    write_rules(seller, {COMMISSION: {"account_key": account, **columns}})
    worked_out(seller)


def held_by_a_rule(seller: Seller) -> None:
    write_rules(seller, {COMMISSION: {"status": "review"}})
    worked_out(seller)


def released(seller: Seller) -> None:
    write_rules(seller, {})
    worked_out(seller)


def analysis(message: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    items = json.loads(message["payload"])["nominal_analysis_items"]
    return [(item["code"], item["goods_value"], item["tax_value"]) for item in items]


def moved(some: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Debit less credit by nominal code, of receipts and payments; VAT under its own name."""
    found: dict[str, Decimal] = {}
    for message in some:
        body = json.loads(message["payload"])
        sign = 1 if body["kind"].endswith("receipt") else -1
        for item in body["nominal_analysis_items"]:
            for name, value in ((item["code"], item["goods_value"]), ("VAT", item["tax_value"])):
                found[name] = found.get(name, Decimal(0)) - sign * Decimal(value)
    return {name: amount for name, amount in found.items() if amount}


# --- the queue ------------------------------------------------------------------------------------------------------


def test_a_proven_settlement_waits_as_planned(seller: Seller) -> None:
    found = messages(seller)
    assert {document: (m["status"], m["kind"], m["amount"]) for document, m in found.items()} == {
        "fees": ("planned", "bank_payment", Decimal("12.00")),
        "payout": ("planned", "bank_transfer", Decimal("88.00")),
        "sales": ("planned", "bank_receipt", Decimal("100.00")),
    }
    assert {m["approved_by"] for m in found.values()} == {None}
    assert events(seller, "fees") == [("planned", "planned", "planning")]


def test_a_document_is_due_when_its_day_begins_where_the_company_is(seller: Seller) -> None:
    assert messages(seller)["payout"]["due_at"] == datetime(2026, 3, 16)
    assert messages(seller, SUMMER)["payout"]["due_at"] == datetime(2026, 7, 16, 23)


def test_money_reaches_the_wallet_before_it_leaves(seller: Seller) -> None:
    approved(seller, SPRING)
    queue = Outbox(seller.company.warehouse, SAGE).approved(NOW)
    assert [message.document for message in queue] == ["fees", "sales", "payout"]


def test_settling_again_changes_nothing(seller: Seller) -> None:
    approved(seller, SPRING)
    before = messages(seller)
    seller.settle()
    assert messages(seller) == before
    assert [event for event, _, _ in events(seller, "fees")] == ["planned", "approved"]


def test_what_changes_before_it_is_sent_is_planned_anew_and_its_approval_lapses(seller: Seller) -> None:
    approved(seller, SPRING)
    fee_in(seller, "fees_other")
    assert statuses(seller) == {"fees": "planned", "payout": "approved", "sales": "approved"}
    fees = messages(seller)["fees"]
    assert analysis(fees) == [("5150", "10.00", "2.00")]
    assert (fees["approved_by"], fees["approved_at"], fees["approved_hash"]) == (None, None, None)
    assert events(seller, "fees")[-1] == ("planned anew", "planned", "planning")


def test_what_sage_refused_or_held_back_follows_the_rules_of_now(seller: Seller) -> None:
    approved(seller, SPRING)
    refused(seller)
    write_rules(seller, {COMMISSION: {"account_key": "fees_other"}, PRINCIPAL: {"vat_treatment": "uk_zero"}})
    worked_out(seller)
    found = {document: messages(seller)[document] for document in ("fees", "sales")}
    assert [(m["status"], m["last_error"], m["hold_code"]) for m in found.values()] == [("planned", None, None)] * 2
    assert analysis(found["fees"]) == [("5150", "10.00", "2.00")]
    assert analysis(found["sales"]) == [("4000", "100.00", "0.00")]


def test_a_settlement_that_is_held_keeps_nothing_waiting_and_comes_back_when_it_is_proven(seller: Seller) -> None:
    approved(seller, SPRING)
    held_by_a_rule(seller)
    assert set(statuses(seller).values()) == {"superseded"}
    assert set(statuses(seller, SUMMER).values()) == {"planned"}
    assert Outbox(seller.company.warehouse, SAGE).approved(NOW) == []
    assert finance(seller, "select * from finance.postings where settlement_id = $1", SPRING) == []

    released(seller)
    assert set(statuses(seller).values()) == {"planned"}
    assert messages(seller)["fees"]["approved_by"] is None
    assert [event for event, _, _ in events(seller, "fees")] == ["planned", "approved", "superseded", "planned anew"]


def test_a_settlement_that_is_held_keeps_what_is_delivered(seller: Seller) -> None:
    deliver_all(seller.company, SPRING, NOW, "payout", "sales")
    held_by_a_rule(seller)
    assert statuses(seller) == {"fees": "delivered", "payout": "superseded", "sales": "superseded"}


def test_after_delivery_a_change_becomes_a_correction_that_waits_for_a_person(seller: Seller) -> None:
    deliver_all(seller.company, SPRING, NOW)
    before = messages(seller)
    fee_in(seller, "fees_other")
    after = messages(seller)
    assert {document: after[document] for document in before} == before
    new = {document: m for document, m in after.items() if document not in before}
    assert {document: (m["status"], m["kind"], analysis(m)) for document, m in new.items()} == {
        "fees/correction-1/11": ("planned", "bank_payment", [("5150", "10.00", "2.00")]),
        "fees/correction-1/12": ("planned", "bank_receipt", [("5100", "10.00", "2.00")]),
    }
    assert standing(seller) == "posting"

    # The rules go back before the correction leaves: nothing is left to correct.
    released(seller)
    assert {document: statuses(seller)[document] for document in new} == dict.fromkeys(new, "superseded")
    assert standing(seller) == "posted"


def test_a_delivered_correction_is_corrected_in_its_turn(seller: Seller) -> None:
    deliver_all(seller.company, SPRING, NOW)
    fee_in(seller, "fees_other")
    assert len(deliver_all(seller.company, SPRING, NOW)) == 2
    released(seller)
    third = {d: m for d, m in messages(seller).items() if "correction-2" in d}
    assert {d: (m["kind"], analysis(m)) for d, m in third.items()} == {
        "fees/correction-2/21": ("bank_payment", [("5100", "10.00", "2.00")]),
        "fees/correction-2/22": ("bank_receipt", [("5150", "10.00", "2.00")]),
    }
    assert len(deliver_all(seller.company, SPRING, NOW)) == 2
    in_sage = [m for m in messages(seller).values() if m["document"] == "fees" and m["status"] == "delivered"]
    assert moved(in_sage) == {"5100": Decimal("10.00"), "VAT": Decimal("2.00")}


def test_while_one_document_is_on_its_way_nothing_of_its_settlement_changes(seller: Seller) -> None:
    approved(seller, SPRING, SUMMER)
    sent(seller, "fees")
    before = messages(seller)
    fee_in(seller, "fees_other")
    assert messages(seller) == before
    held_by_a_rule(seller)
    assert messages(seller) == before

    # As soon as it is known to be there, the rest follows.
    came_out(seller, "fees", Status.DELIVERED)
    looked_at(seller)
    assert statuses(seller) == {"fees": "delivered", "payout": "superseded", "sales": "superseded"}


def test_what_turns_out_never_to_have_arrived_follows_the_rules_of_now(seller: Seller) -> None:
    approved(seller, SPRING)
    sent(seller, "fees")
    fee_in(seller, "fees_other")
    came_out(seller, "fees", Status.APPROVED)
    looked_at(seller)
    assert statuses(seller)["fees"] == "planned"
    assert analysis(messages(seller)["fees"]) == [("5150", "10.00", "2.00")]


def test_what_somebody_entered_by_hand_is_in_sage_and_is_not_planned_again(seller: Seller) -> None:
    approved(seller, SPRING)
    sent(seller, "payout")
    came_out(seller, "payout", Status.SUPERSEDED, "entered by hand", remote_id="4711")
    looked_at(seller)
    held_by_a_rule(seller)
    released(seller)
    assert statuses(seller) == {"fees": "planned", "payout": "superseded", "sales": "planned"}
    (shown,) = finance(
        seller, "select * from finance.postings where document = 'payout' and settlement_id = $1", SPRING
    )
    assert (shown["status"], shown["remote_id"]) == ("superseded", "4711")


def test_a_release_from_suspense_is_a_correction_of_its_own(tmp_path: Path) -> None:
    """A row that nobody had seen goes out gross through suspense at month end. Once it is mapped, that is cleared."""
    levy = ("AmazonFees", "New Sustainability Levy", "Base fee")
    seller, number = Seller(tmp_path), "24000000304"
    write_rules(seller, {}, (*levy, "exact", "other_fee", "suspense", "outside_scope", "known", ""))
    seller.settle(
        seller.file(
            "levy.txt",
            [principal("24.00", fulfillment_id="MFN"), row(*levy, "-3.60")],
            settlement_id=number,
            settlement_start_date="17.03.2026 06:00:00 UTC",
            settlement_end_date="31.03.2026 06:00:00 UTC",
        )
    )
    deliver_all(seller.company, number, NOW)
    waiting = [m for m in messages(seller, number).values() if m["document"] == "fees"]
    assert moved(waiting) == {"2250": Decimal("3.60")}
    boxes = "select box, amount from finance.vat_preview where settlement_id = $1 and amount <> 0 order by box"
    assert finance(seller, boxes, number) == []

    write_rules(seller, {}, (*levy, "exact", "other_fee", "fees_other", "fee_uk", "known", ""))
    worked_out(seller)
    correction = {d: m for d, m in messages(seller, number).items() if "correction" in d}
    assert {m["status"] for m in correction.values()} == {"planned"}
    assert moved(correction.values()) == {"2250": Decimal("-3.60"), "5150": Decimal("3.00"), "VAT": Decimal("0.60")}
    assert [(r["box"], r["amount"]) for r in finance(seller, boxes, number)] == [
        (4, Decimal("0.60")),
        (7, Decimal("3.00")),
    ]
    assert sorted(deliver_all(seller.company, number, NOW)) == sorted(m["message_key"] for m in correction.values())
    fees = [m for m in messages(seller, number).values() if m["document"] == "fees"]
    assert moved(fees) == {"5150": Decimal("3.00"), "VAT": Decimal("0.60")}


# --- approval -------------------------------------------------------------------------------------------------------


def test_approval_keeps_who_when_and_what(seller: Seller) -> None:
    (approval,) = approved(seller, SPRING, by="  Ada Lovelace ")
    assert (approval.settlement_key, approval.documents) == (f"uk-{SPRING}", 3)
    assert (approval.amount, approval.currency) == (Decimal("200.00"), "GBP")  # 12.00 + 88.00 + 100.00
    for message in messages(seller).values():
        assert (message["status"], message["approved_by"]) == ("approved", "Ada Lovelace")
        assert message["approved_at"] == NOW.replace(tzinfo=None)
        assert message["approved_hash"] == message["payload_hash"]
    with kept(seller.company) as world:
        (noted,) = world.rows("select * from outbox.approvals")
    assert noted == {
        "settlement_key": f"uk-{SPRING}",
        "approved_by": "Ada Lovelace",
        "approved_at": NOW.replace(tzinfo=None),
        "content_hash": approval.content_hash,
        "document_count": 3,
    }
    assert events(seller, "sales")[-1] == ("approved", "approved", "Ada Lovelace")
    assert set(statuses(seller, SUMMER).values()) == {"planned"}


def test_the_approved_hash_tells_one_content_from_another(seller: Seller) -> None:
    (first,) = approved(seller, SPRING)
    held_by_a_rule(seller)
    released(seller)
    (again,) = approved(seller, SPRING)
    assert again.content_hash == first.content_hash
    held_by_a_rule(seller)
    fee_in(seller, "fees_other")
    (other,) = approved(seller, SPRING)
    assert (other.documents, other.amount) == (first.documents, first.amount)
    assert other.content_hash != first.content_hash


def test_a_settlement_is_named_by_its_id_or_by_its_key(seller: Seller) -> None:
    assert [a.settlement_key for a in approved(seller, f"uk-{SPRING}", SUMMER)] == [f"uk-{SPRING}", f"uk-{SUMMER}"]


@pytest.mark.parametrize("by", ["", "   "])
def test_nobody_cannot_approve(seller: Seller, by: str) -> None:
    with pytest.raises(CannotApprove, match="--by NAME"):
        approved(seller, SPRING, by=by)
    assert set(statuses(seller).values()) == {"planned"}


def test_an_unknown_settlement_cannot_be_approved_and_takes_the_others_with_it(seller: Seller) -> None:
    with pytest.raises(CannotApprove, match="'25999999999' is no settlement we know"):
        approved(seller, SPRING, "25999999999")
    assert set(statuses(seller).values()) == {"planned"}


def test_a_held_settlement_cannot_be_approved_and_the_reason_is_named(seller: Seller) -> None:
    held_by_a_rule(seller)
    with pytest.raises(CannotApprove, match=f"uk-{SPRING} is held and cannot be approved. REVIEW_TYPE: .*Commission"):
        approved(seller, SPRING)


def test_there_must_be_something_to_approve(seller: Seller) -> None:
    approved(seller, SPRING)
    with pytest.raises(CannotApprove, match="is approved and has nothing to approve"):
        approved(seller, SPRING)
    deliver_all(seller.company, SUMMER, NOW)
    looked_at(seller)
    with pytest.raises(CannotApprove, match="is posted and has nothing to approve"):
        approved(seller, SUMMER)


def test_approving_again_lets_what_was_refused_or_held_back_go_once_more(seller: Seller) -> None:
    approved(seller, SPRING)
    refused(seller)
    (again,) = approved(seller, SPRING, by="Grace")
    assert (again.documents, again.amount) == (2, Decimal("112.00"))
    found = messages(seller)
    for document in ("fees", "sales"):
        shown = found[document]
        assert (shown["status"], shown["approved_by"]) == ("approved", "Grace")
        assert (shown["last_error"], shown["hold_code"]) == (None, None)
    assert found["payout"]["approved_by"] == "Ada"


def test_a_company_that_posts_by_itself_approves_everything_that_is_planned_and_proven(seller: Seller) -> None:
    approved(seller, SPRING)
    refused(seller)
    with seller.company.warehouse.transaction() as connection:
        found = approve_all(connection, BY_PROFILE, NOW)
    assert [a.settlement_key for a in found] == [f"uk-{SUMMER}"]
    assert statuses(seller) == {"fees": "rejected", "payout": "approved", "sales": "held"}
    assert {m["approved_by"] for m in messages(seller, SUMMER).values()} == {BY_PROFILE}


def test_of_one_settlement_it_approves_what_is_new_and_leaves_what_was_refused(seller: Seller) -> None:
    approved(seller, SPRING)
    sent(seller, "sales")
    came_out(seller, "sales", Status.REJECTED)
    fee_in(seller, "fees_other")
    with seller.company.warehouse.transaction() as connection:
        found = {a.settlement_key: a.documents for a in approve_all(connection, BY_PROFILE, NOW)}
    assert found[f"uk-{SPRING}"] == 1
    assert statuses(seller) == {"fees": "approved", "payout": "approved", "sales": "rejected"}


def test_a_held_settlement_is_not_approved_by_itself(seller: Seller) -> None:
    held_by_a_rule(seller)
    with seller.company.warehouse.transaction() as connection:
        found = approve_all(connection, BY_PROFILE, NOW)
    assert f"uk-{SPRING}" not in [a.settlement_key for a in found]


# --- the journal as a file ------------------------------------------------------------------------------------------


def test_with_journal_files_a_journal_stands_for_the_documents(by_file: Seller) -> None:
    found = {d: (m["status"], m["system"], m["kind"], m["amount"]) for d, m in messages(by_file).items()}
    assert found == {
        "journal": ("planned", SAGE_IMPORT, "journal_file", Decimal("100.00")),
        "payout": ("planned", SAGE, "bank_receipt", Decimal("88.00")),
    }
    # Gross 100.00 is 83.33 and 16.67; the fee of 12.00 is 10.00 and 2.00; 88.00 stay in the wallet.
    lines = json.loads(messages(by_file)["journal"]["payload"])["lines"]
    assert {(line["nominal_code"], line["debit"], line["credit"]) for line in lines} == {
        ("1250", "88.00", "0.00"), ("4000", "0.00", "83.33"), ("2200", "0.00", "16.67"), ("5100", "10.00", "0.00"),
        ("2201", "2.00", "0.00"),
    }  # fmt: skip


def test_a_journal_file_that_waits_for_its_import_stops_nothing_else(by_file: Seller) -> None:
    """A person may import it in a week; what changes in the meantime becomes a correction."""
    approved(by_file, SPRING)
    Outbox(by_file.company.warehouse, SAGE_IMPORT).step(NOW, claims=[key_of("journal")])
    fee_in(by_file, "fees_other")
    found = messages(by_file)
    assert (found["journal"]["status"], found["payout"]["status"]) == ("sending", "approved")
    correction = found["journal/correction-1"]
    assert (correction["status"], correction["remote_reference"]) == ("planned", f"{SPRING}-2603-X2")
    assert [
        (line["nominal_code"], line["debit"], line["credit"]) for line in json.loads(correction["payload"])["lines"]
    ] == [("5100", "0.00", "10.00"), ("5150", "10.00", "0.00")]


def test_the_posted_total_of_a_journal_leaves_the_carried_debt_to_the_settlement_before(by_file: Seller) -> None:
    """60.00 of sales less 25.00 of debt taken over are 35.00; the 25.00 that close the debt are not among them."""
    deliver_all(by_file.company, DEBT, NOW, "payout")
    journal = messages(by_file, DEBT)["journal"]
    lines = json.loads(journal["payload"])["lines"]
    with kept(by_file.company) as world:
        for number, line in enumerate(lines):
            world.connection.execute(
                "insert into raw.sage_nominal_lines values ($1, $2, $3, $4, $5, $6, 'URN7')",
                [
                    number, journal["remote_reference"], line["nominal_code"], Decimal(line["debit"]),
                    Decimal(line["credit"]), date(2026, 3, 14),
                ],
            )  # fmt: skip
    assert sum(Decimal(n["debit"]) for n in lines if n["nominal_code"] == "1251") == Decimal("60.00")
    (shown,) = finance(by_file, "select * from finance.payout_reconciliation where settlement_id = $1", DEBT)
    assert (shown["header_total"], shown["posted_total"]) == (Decimal("35.00"), Decimal("35.00"))
    assert (standing(by_file, DEBT), shown["difference"]) == ("posted", 0)


def test_what_waits_follows_the_profile_to_documents(by_file: Seller) -> None:
    by_file.set_profile()
    worked_out(by_file)
    assert statuses(by_file) == {
        "fees": "planned", "sales": "planned", "journal": "superseded", "payout": "planned",
    }  # fmt: skip


def test_a_journal_that_was_imported_is_not_posted_again_as_documents(by_file: Seller) -> None:
    deliver_all(by_file.company, SPRING, NOW)
    by_file.set_profile()
    worked_out(by_file)
    assert statuses(by_file) == {"journal": "delivered", "payout": "delivered"}


def test_documents_that_sage_has_are_not_in_the_journal_again(seller: Seller) -> None:
    deliver_all(seller.company, SPRING, NOW)
    seller.set_profile(top=JOURNAL_FILE)
    fee_in(seller, "fees_other")
    waiting = {d: m["kind"] for d, m in messages(seller).items() if m["status"] == "planned"}
    assert waiting == {"fees/correction-1/11": "bank_payment", "fees/correction-1/12": "bank_receipt"}


def test_a_document_whose_reference_was_taken_comes_back_with_its_settlement(seller: Seller) -> None:
    approved(seller, SPRING)
    sent(seller, "fees")
    came_out(seller, "fees", Status.HELD, "another document", remote_id="4711", hold_code="REFERENCE_TAKEN")
    held_by_a_rule(seller)
    released(seller)
    assert statuses(seller)["fees"] == "planned"


def test_what_waits_follows_the_profile_to_journal_files(seller: Seller) -> None:
    seller.set_profile(top=JOURNAL_FILE)
    worked_out(seller)
    assert statuses(seller) == {
        "fees": "superseded", "sales": "superseded", "journal": "planned", "payout": "planned",
    }  # fmt: skip


def test_an_account_can_be_renamed_while_its_documents_wait(seller: Seller) -> None:
    seller.profile_path.write_text(seller.profile_path.read_text(encoding="utf-8").replace('"uk"', '"gb"'))
    worked_out(seller)
    with kept(seller.company) as world:
        rows = world.rows("select split_part(message_key, '/', 1) as account, status from outbox.messages")
    assert {(row["account"], row["status"]) for row in rows} == {("uk", "superseded"), ("gb", "planned")}


def test_a_correction_without_room_for_its_reference_stops_its_own_settlement_alone(tmp_path: Path) -> None:
    seller, twelve_digits = Seller(tmp_path), "240000000012"
    seller.settle(seller.file("a.txt", [principal("9.00"), commission("-1.20")], settlement_id=twelve_digits))
    deliver_all(seller.company, twelve_digits, NOW)
    fee_in(seller, "fees_other")
    with kept(seller.company) as world:
        failed = world.rows("select entity_id, message from exceptions.derivation_failed")
    assert [r["entity_id"] for r in failed] == [f"uk-{twelve_digits}"]
    assert "longer than the 20 characters" in failed[0]["message"]
