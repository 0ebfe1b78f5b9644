"""Settling files, as a finance controller sees it."""

from decimal import Decimal

from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.reports import commission, principal, row, write_report


def test_a_good_settlement_is_ready_and_its_journal_moves_the_wallet_by_the_header_total(seller: Seller) -> None:
    rows = [principal("20.00"), row("Order", "ItemPrice", "Tax", "4.00"), commission("-4.40")]
    seller.settle(seller.file("one.txt", rows))
    assert seller.statuses() == {"24000000001": "ready"}
    (reconciled,) = seller.query("select * from finance.payout_reconciliation")
    assert reconciled["wallet_movement"] == reconciled["header_total"] == Decimal("19.60")
    assert seller.failed_checks() == []


def test_settling_without_files_takes_what_lies_in_the_inbox(seller: Seller) -> None:
    inbox = seller.company.environment.inbox
    inbox.mkdir(parents=True)
    write_report(inbox / "dropped.txt", [principal("6.00")])
    seller.settle()
    assert seller.statuses() == {"24000000001": "ready"}
    assert [path.name for path in inbox.iterdir()] == ["landed"]


def test_a_settlement_that_cannot_be_worked_out_waits_alone_and_says_so(seller: Seller) -> None:
    good = seller.file("good.txt", [principal("6.00")])
    # Sage keeps 20 characters of a reference; no id of Amazon's is so long that its reference would not fit.
    long = seller.file("long.txt", [principal("6.00")], settlement_id="24000000000002345")
    seller.settle(good, long)
    assert seller.statuses() == {"24000000001": "ready", "24000000000002345": "quarantined"}
    failed = seller.exceptions()["DERIVATION_FAILED"]
    assert (failed["owner"], failed["amount_at_risk"]) == ("engineering", Decimal("6.00"))
    assert "long.txt" in failed["message"]
    assert seller.failed_checks() == []
