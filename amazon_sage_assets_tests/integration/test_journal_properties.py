"""Whatever rows a settlement has, its journal balances, moves the wallet by the header total and loses no line.

Rows are drawn from the packaged rules that finance has confirmed. Each settlement is worked out in one transaction on
one warehouse and rolled back, so that no example sees another.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from amazon_sage_assets.accounting.row_groups import ORDER_GROUPS
from amazon_sage_assets.accounting.rules import SettlementRowRule, load_rules
from amazon_sage_assets.money import from_pence
from amazon_sage_assets.settings import SAMPLE_PROFILE, load_profile
from amazon_sage_assets.settlements import arrivals, derivation, documents, flow
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.reports import row

LONDON = ZoneInfo("Europe/London")
ZERO = Decimal("0.00")
HEADER = {
    "settlement_id": "24000000009",
    "settlement_start_date": "24.07.2026 06:00:00 UTC",
    "settlement_end_date": "07.08.2026 06:00:00 UTC",
    "deposit_date": "09.08.2026 06:00:00 UTC",
}
# The month ends in London at 23:00 UTC on 31 July.
MOMENTS = (
    "24.07.2026 06:00:00 UTC",
    "31.07.2026 22:59:59 UTC",
    "31.07.2026 23:00:00 UTC",
    "31.07.2026 23:26:00 UTC",
    "06.08.2026 12:00:00 UTC",
)
WITHHELD_GROUPS = ("withheld_tax", "refund_withheld_tax")


@dataclass(frozen=True)
class Site:
    """Where a settlement comes from, and the fulfilments that have a route there."""

    marketplace: str
    currency: str
    fulfilments: tuple[str, ...]


UK = Site("Amazon.co.uk", "GBP", ("AFN", "MFN"))
GERMANY = Site("Amazon.de", "EUR", ("AFN",))

KNOWN = [rule for rule in load_rules(load_profile(SAMPLE_PROFILE)).rows if rule.status == "known"]
BY_LABELS = {(r.transaction_type, r.amount_type, r.amount_description): r for r in KNOWN}
WITHHELD = [rule for rule in KNOWN if rule.row_group in WITHHELD_GROUPS]
RETROCHARGES = [rule for rule in KNOWN if rule.row_group == "retrocharge"]
FEE_TAXES = [rule for rule in KNOWN if rule.row_group == "fee_tax"]
FREE = [rule for rule in KNOWN if rule.row_group not in (*WITHHELD_GROUPS, "retrocharge", "fee_tax")]

PENCE = st.one_of(
    st.integers(min_value=-5_000, max_value=5_000),
    st.sampled_from([-1, 0, 1, 2, 3]),
    st.integers(min_value=-(10**11), max_value=10**11),
)
ITEMS = st.sampled_from([("SKU-A", "60000000000001"), ("SKU-B", "60000000000002"), ("SKU-A", "")])
Rows = list[dict[str, str]]


def one_row(rule: SettlementRowRule, pence: int, moment: str, **changes: str) -> dict[str, str]:
    """A row that meets a rule; behind a prefix Amazon writes more."""
    more = " 2026-07, 3 units" if rule.match == "prefix" else ""
    blank = dict.fromkeys(
        ("order_id", "marketplace_name", "fulfillment_id", "sku", "order_item_code", "quantity_purchased"), ""
    )
    return row(
        rule.transaction_type,
        rule.amount_type,
        rule.amount_description + more,
        str(from_pence(pence)),
        posted_date_time=moment,
        **(blank | changes),
    )


@st.composite
def free_rows(draw: st.DrawFn, site: Site) -> Rows:
    """One row of any kind that stands alone."""
    rule = draw(st.sampled_from(FREE))
    changes = {"marketplace_name": draw(st.sampled_from([site.marketplace, ""]))}
    if rule.row_group in ORDER_GROUPS or rule.row_group.startswith("liquidation") or draw(st.booleans()):
        sku, item = draw(ITEMS)
        changes |= {"fulfillment_id": draw(st.sampled_from(site.fulfilments)), "sku": sku, "order_item_code": item}
        changes["order_id"] = draw(st.sampled_from([f"202-0000001-000000{number}" for number in range(3)]))
    if rule.row_group == "subscription":
        changes |= {"order_id": "", "sku": "", "order_item_code": ""}
    return [one_row(rule, draw(PENCE), draw(st.sampled_from(MOMENTS)), **changes)]


@st.composite
def taxed_fee(draw: st.DrawFn, site: Site) -> Rows:
    """A fee and its tax row; advertising in Germany is reverse-charged and has none."""
    tax = draw(st.sampled_from([t for t in FEE_TAXES if site is UK or t.transaction_type != "ServiceFee"]))
    fees = [r for r in FREE if (r.transaction_type, r.amount_type) == (tax.transaction_type, tax.amount_type)]
    moment = draw(st.sampled_from(MOMENTS))
    # An order of its own, so that no other fee of this label stands beside it.
    changes = {"marketplace_name": site.marketplace, "order_id": f"FEE-{draw(st.integers(0, 99))}"}
    chosen = draw(st.lists(st.sampled_from(fees), min_size=1, max_size=2))
    return [one_row(rule, draw(PENCE), moment, **changes) for rule in (*chosen, tax)]


@st.composite
def withheld_order(draw: st.DrawFn, site: Site) -> Rows:
    """An order whose tax Amazon keeps: nil per order."""
    kept = draw(st.sampled_from(WITHHELD))
    price, tax = (BY_LABELS[kept.transaction_type, "ItemPrice", name] for name in ("Principal", "Tax"))
    moment, pence = draw(st.sampled_from(MOMENTS)), draw(PENCE)
    changes = {
        "order_id": f"303-0000001-{draw(st.integers(0, 9_999_999)):07}",
        "marketplace_name": site.marketplace,
        "fulfillment_id": draw(st.sampled_from(site.fulfilments)),
        "sku": "SKU-W",
    }
    parts = ((price, draw(PENCE)), (tax, pence), (kept, -pence))
    return [one_row(rule, amount, moment, **changes) for rule, amount in parts]


@st.composite
def retrocharge_pair(draw: st.DrawFn, site: Site) -> Rows:
    pence, order = draw(PENCE), f"404-0000001-{draw(st.integers(0, 9_999_999)):07}"
    return [
        one_row(
            draw(st.sampled_from(RETROCHARGES)),
            sign * pence,
            draw(st.sampled_from(MOMENTS)),
            order_id=order,
            marketplace_name=site.marketplace,
        )
        for sign in (1, -1)
    ]


@st.composite
def settlements(draw: st.DrawFn) -> tuple[Site, Rows, Rows]:
    """A site, the rows of a settlement, and the same rows in another order."""
    site = draw(st.sampled_from([UK, UK, GERMANY]))
    kinds = st.one_of(free_rows(site), free_rows(site), taxed_fee(site), withheld_order(site), retrocharge_pair(site))
    rows = [one for group in draw(st.lists(kinds, min_size=1, max_size=25)) for one in group]
    # Which site a file of the right currency belongs to must be said at least once.
    anchor = BY_LABELS["other-transaction", "FBA Inventory Reimbursement", "WAREHOUSE_LOST"]
    rows.append(one_row(anchor, draw(PENCE), MOMENTS[0], marketplace_name=site.marketplace))
    return site, rows, draw(st.permutations(rows))


class Ledger:
    """Works a settlement out and says what finance would read, leaving the warehouse as it was."""

    def __init__(self, seller: Seller) -> None:
        self.seller = seller
        self.company = seller.company

    def work_out(self, site: Site, rows: Rows) -> dict[str, list[dict[str, Any]]]:
        path = self.seller.file("one.txt", rows, currency=site.currency, **HEADER)
        examined = arrivals.examine(self.company, arrivals.land_report(self.company, path, "file"))
        assert examined.unreadable_reason is None
        with self.company.warehouse.connect() as connection:
            connection.begin()
            flow.load_company(connection, self.company)
            key = documents.register(connection, self.company, examined)
            assert key is not None
            derivation.derive(connection, self.company, key)
            read = {
                name: _read(connection, f"select * from finance.{name}")
                for name in ("journal_lines", "settlement_lines", "vat_preview")
            }
            read["header"] = _read(connection, "select total_amount, difference from core.core__settlements"
                                   " inner join core.core__proofs using (settlement_key)")  # fmt: skip
            read["failures"] = _read(connection, "select * from raw.line_failures")
            read["failures"] = _read(connection, "select * from core.derivation_failures")
            read["documents"] = _read(connection, "select * from core.planned_documents")
            connection.rollback()
        return read


def _read(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    seller = Seller(tmp_path_factory.mktemp("seller"), bottom='[local_vat]\n"Amazon.de" = "vat_awaiting_invoice"')
    seller.company.warehouse.migrate()
    return Ledger(seller)


def month_of(moment: str) -> str:
    posted = datetime.strptime(moment, "%d.%m.%Y %H:%M:%S UTC").replace(tzinfo=UTC)
    return f"{posted.astimezone(LONDON):%Y-%m}"


def summed(pairs: Iterator[tuple[Any, Decimal]]) -> dict[Any, Decimal]:
    """Sums by key; what is nil is left out."""
    found: dict[Any, Decimal] = defaultdict(lambda: ZERO)
    for key, amount in pairs:
        found[key] += amount
    return {key: amount for key, amount in found.items() if amount}


ONE_OF_EACH = [one_row(rule, 1_001, MOMENTS[3], order_id="202-0000009-0000009", sku="SKU-A", fulfillment_id="AFN",
                       marketplace_name="Amazon.co.uk")
               for rule in FREE if rule.row_group != "subscription"]  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(drawn=settlements())
@example(drawn=(UK, ONE_OF_EACH, ONE_OF_EACH[::-1]))
def test_whatever_the_rows_the_journal_balances_and_moves_the_wallet_by_the_total(
    ledger: Ledger, drawn: tuple[Site, Rows, Rows]
) -> None:
    site, rows, shuffled = drawn
    found = ledger.work_out(site, rows)
    journal, lines = found["journal_lines"], found["settlement_lines"]
    total = sum((Decimal(one["amount"]) for one in rows), ZERO)

    # These rows are all known, so nothing may stop them and nothing may get lost.
    assert found["failures"] == []
    assert {line["problem"] for line in lines} == {None}
    assert found["failures"] == []
    assert found["header"] == [{"total_amount": total, "difference": ZERO}]
    assert len(lines) == len(rows)

    # Debits equal credits.
    assert summed(((j["period"], j["document"]), j["debit"] - j["credit"]) for j in journal) == {}
    assert all(j["debit"] >= 0 and j["credit"] >= 0 and not (j["debit"] and j["credit"]) for j in journal)

    # The wallet moves by the total, and in each month by that month's rows.
    wallet = [
        ((j["period"], j["document"]), j["debit"] - j["credit"])
        for j in journal
        if j["account_key"] == "wallet" and j["document"] != "debt_carry"
    ]
    assert sum((amount for _, amount in wallet), ZERO) == total
    posted = ((month_of(r["posted-date-time"]), Decimal(r["amount"])) for r in rows
              if not r["transaction-type"].endswith("Retrocharge"))  # fmt: skip
    assert summed((period, amount) for (period, _), amount in wallet) == summed(posted)

    # Each document is its lines, and each line leads to a line of the journal.
    booked = [line for line in lines if line["journal_line_id"] is not None]
    by_document = (((*line["journal_line_id"].split("/")[1:3],), line["amount"]) for line in booked)
    assert summed(by_document) == summed(iter(wallet))
    assert {line["journal_line_id"] for line in booked} <= {j["journal_line_id"] for j in journal}
    assert all(
        line["amount"] == 0 or line["row_group"] == "retrocharge" for line in lines if not line["journal_line_id"]
    )
    ids = [j["journal_line_id"] for j in journal]
    assert len(set(ids)) == len(ids)

    # Boxes 1 and 4 are the VAT accounts; the documents for Sage are each there once.
    vat = {"output_vat": 1, "input_vat": 4}
    assert summed((b["box"], b["amount"]) for b in found["vat_preview"] if b["box"] in (1, 4)) == summed(
        (vat[j["account_key"]], (j["credit"] - j["debit"]) * (1 if j["account_key"] == "output_vat" else -1))
        for j in journal
        if j["account_key"] in vat
    )
    references = [document["remote_reference"] for document in found["documents"]]
    assert len(set(references)) == len(references)

    # The order of the lines in the file says nothing.
    again = ledger.work_out(site, shuffled)["journal_lines"]
    assert sorted(again, key=lambda j: j["journal_line_id"]) == sorted(journal, key=lambda j: j["journal_line_id"])


def test_the_rules_offer_every_row_group_that_needs_no_confirmation() -> None:
    """The property above is worth what its rows are."""
    drawn = {rule.row_group for rule in (*FREE, *WITHHELD, *RETROCHARGES, *FEE_TAXES)}
    assert drawn == {rule.row_group for rule in KNOWN}
    assert {"sale", "refund", "chargeback", "fba_fee", "liquidation", "balance_debt", "balance_reserve"} <= drawn
