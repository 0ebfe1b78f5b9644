"""Settling files, as a finance controller sees it."""

from decimal import Decimal

from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.reports import commission, principal, row


def test_a_good_settlement_is_ready_and_its_journal_moves_the_wallet_by_the_header_total(seller: Seller) -> None:
    rows = [principal("20.00"), row("Order", "ItemPrice", "Tax", "4.00"), commission("-4.40")]
    seller.settle(seller.file("one.txt", rows))
    assert seller.statuses() == {"24000000001": "ready"}
    (reconciled,) = seller.query("select * from finance.payout_reconciliation")
    assert reconciled["wallet_movement"] == reconciled["header_total"] == Decimal("19.60")
    assert seller.failed_checks() == []
