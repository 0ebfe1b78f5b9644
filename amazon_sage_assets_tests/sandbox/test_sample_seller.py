"""The sample seller: its orders, settlements, payouts, transactions and bank lines tell one story."""

import hashlib
import json
from collections import Counter, defaultdict
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path
from textwrap import wrap

import duckdb
import pytest

from amazon_sage_assets import verification
from amazon_sage_assets.accounting.rows import Labels, RowRegistry
from amazon_sage_assets.company import Company
from amazon_sage_assets.money import to_pence
from amazon_sage_assets.sandbox.sample_seller import SampleReport, SampleSeller, to_json
from amazon_sage_assets.sandbox.sample_seller.account_rows import UNKNOWN_FEE
from amazon_sage_assets.sandbox.sample_seller.buyers import SAGE_ADDRESS_LINE, SAGE_POSTCODE
from amazon_sage_assets.settings import SAMPLE_PROFILE, Environment
from amazon_sage_assets.settlements.flow import settle

ANCHOR = date(2026, 9, 1)
ANCHORS = [date(2026, month, 1) for month in range(1, 13)]
BALANCE_OF_A_CHAIN = ("Previous Reserve Amount Balance", "Payable to Amazon", "Successful charge")


@pytest.fixture(scope="module")
def sample() -> SampleSeller:
    return SampleSeller(ANCHOR)


def write_all(sample: SampleSeller, folder: Path) -> list[Path]:
    folder.mkdir()
    paths = []
    for report in sample.reports():
        paths.append(folder / f"{report.report_ids[0]}.txt")
        report.write(paths[-1])
    return paths


def digest(sample: SampleSeller, folder: Path) -> str:
    """Everything the sample seller says, in one number."""
    content = hashlib.sha256()
    for path in write_all(sample, folder):
        content.update(path.read_bytes())
    for account in sample.accounts:
        for order in sample.orders(account):
            content.update(repr((order, order.buyer)).encode())
        for record in sample.transactions(account):
            content.update(to_json(record).encode())
    content.update(repr((sample.payouts(), sample.bank_lines(), sample.card_lines())).encode())
    return content.hexdigest()


def chains(sample: SampleSeller) -> list[list[SampleReport]]:
    return [[r for r in sample.reports() if r.account == account] for account in sample.accounts]


def amounts(report: SampleReport, description: str) -> int:
    return sum(line.pence for line in report.lines() if line.description == description)


def test_the_flow_finds_every_settlement_ready_but_the_one_with_the_unknown_fee(
    sample: SampleSeller, tmp_path: Path
) -> None:
    company = Company.load(Environment(home=tmp_path / "home", profile=SAMPLE_PROFILE))
    settle(company, write_all(sample, tmp_path / "reports"))
    unmapped = [pair for pair in sample.expected_exceptions if pair[0] == "UNMAPPED_TYPE"]
    with duckdb.connect(str(company.environment.published_path), read_only=True) as connection:
        settled = connection.execute(
            "select account, settlement_id, status, header_total, lines_total from finance.settlements"
        ).fetchall()
        assert connection.execute("select code, settlement_id from finance.exceptions").fetchall() == unmapped
    held = [settlement_id for _, settlement_id in unmapped]
    assert {row[1]: (row[0], row[2], row[3], row[4]) for row in settled} == {
        r.settlement_id: (r.account, "held" if r.settlement_id in held else "ready", r.total, r.total)
        for r in sample.reports()
    }
    results = verification.verify(company.environment.published_path, company.landing)
    assert [failure for result in results for failure in result.failures] == []


def test_the_same_values_give_the_same_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    first = digest(SampleSeller(ANCHOR), tmp_path / "one")
    assert digest(SampleSeller(ANCHOR), tmp_path / "two") == first
    assert digest(SampleSeller(ANCHOR, seed=8), tmp_path / "three") != first


def test_every_report_adds_up_to_its_total_and_to_its_payout(sample: SampleSeller, tmp_path: Path) -> None:
    payouts = {payout.settlement_id: payout for payout in sample.payouts()}
    for report in sample.reports():
        path = tmp_path / "report.txt"
        count = report.write(path)
        lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
        assert {len(line) for line in lines} == {24}
        assert len(lines) == count + 2
        assert sum(Decimal(line[14]) for line in lines[2:]) == Decimal(lines[1][4]) == report.total
        if report.total > 0:
            payout = payouts.pop(report.settlement_id)
            assert (payout.amount, payout.currency) == (report.total, report.currency)
    assert payouts == {}


def test_one_settlement_can_be_had_under_two_report_ids_and_no_id_stands_twice(sample: SampleSeller) -> None:
    ids = [report_id for report in sample.reports() for report_id in report.report_ids]
    assert len(ids) == len(set(ids))
    assert Counter(len(report.report_ids) for report in sample.reports()) == {1: 9, 2: 1}
    settlement_ids = [report.settlement_id for report in sample.reports()]
    assert len(set(settlement_ids)) == 10
    assert all(len(one) == 11 and one.isdigit() for one in settlement_ids)


def test_settlements_follow_one_another_without_a_gap_and_cover_both_months_of_money(sample: SampleSeller) -> None:
    for chain in chains(sample):
        assert all(later.start == earlier.end for earlier, later in pairwise(chain))
        assert all(report.end - report.start == timedelta(days=14) for report in chain)
        assert chain[0].start.date() <= ANCHOR
        assert chain[-1].end.date() > date(2026, 10, 31)
        assert sum(report.start.month != report.end.month for report in chain) >= 2


def test_what_a_settlement_holds_back_or_owes_is_what_the_next_one_takes_over(sample: SampleSeller) -> None:
    for chain in chains(sample):
        assert sum(amounts(chain[0], description) for description in BALANCE_OF_A_CHAIN) == 0
        for earlier, later in pairwise(chain):
            held = amounts(earlier, "Current Reserve Amount")
            assert amounts(later, "Previous Reserve Amount Balance") == -held
            assert amounts(later, "Payable to Amazon") == min(earlier.total_pence, 0)
            assert amounts(later, "Successful charge") == max(-earlier.total_pence, 0)


def test_a_payout_that_failed_comes_back_in_the_next_settlement(sample: SampleSeller) -> None:
    (failed,) = (payout for payout in sample.payouts() if payout.status == "FAILED")
    chain = next(c for c in chains(sample) if c[0].account == failed.account)
    place = [report.settlement_id for report in chain].index(failed.settlement_id)
    returned = [line for line in chain[place + 1].lines() if line.description.startswith("Transfer of funds")]
    assert [line.pence for line in returned] == [to_pence(failed.amount)]
    assert chain[place].deposit_date < returned[0].moment < chain[place + 1].end


def test_the_debt_is_charged_to_the_card(sample: SampleSeller) -> None:
    (owing,) = (report for report in sample.reports() if report.total < 0)
    (charge,) = sample.card_lines()
    assert (charge.amount, charge.currency, charge.bank) == (owing.total, "GBP", "card")


def test_the_unknown_fee_is_the_only_row_without_a_rule_and_stands_in_the_last_uk_settlement(
    sample: SampleSeller,
) -> None:
    registry = RowRegistry(Company.load(Environment(profile=SAMPLE_PROFILE)).rules.rows)
    for chain in chains(sample):
        for report in chain:
            triples = {(line.transaction_type, line.amount_type, line.description) for line in report.lines()}
            rules = {triple: registry.match(Labels(*triple)).rule for triple in triples}
            without = [triple for triple, rule in rules.items() if rule is None or rule.status != "known"]
            is_last_uk = report.account == "uk" and report is chain[-1]
            assert without == ([UNKNOWN_FEE] if is_last_uk else [])


def test_the_money_of_an_order_and_of_a_refund_is_in_one_settlement_and_only_if_the_order_was_sent(
    sample: SampleSeller,
) -> None:
    for chain in chains(sample):
        found: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for report in chain:
            for line in report.lines():
                if line.order_id:
                    found[line.transaction_type, line.order_id][report.settlement_id] += line.pence
        assert all(len(settlements) == 1 for settlements in found.values())
        orders = list(sample.orders(chain[0].account))
        end = chain[-1].end
        paid = {("Order", o.order_id) for o in orders if o.released_at and o.released_at < end}
        refunded = {("Refund", o.order_id) for o in orders if o.refunds}
        assert set(found) == paid | refunded


def test_buyers_money_in_the_settlements_is_what_the_orders_say(sample: SampleSeller) -> None:
    paid: dict[tuple[str, str], int] = defaultdict(int)
    for report in sample.reports():
        for line in report.lines():
            if line.amount_type in ("ItemPrice", "Promotion"):
                paid[line.transaction_type, line.order_id] += line.pence
    for account in sample.accounts:
        for order in sample.orders(account):
            assert paid.pop(("Order", order.order_id), order.total_pence) == order.total_pence
            for refund in order.refunds:
                assert paid.pop(("Refund", order.order_id)) == -refund.amount_pence
    assert paid == {}


def test_each_refund_follows_its_order_and_takes_back_no_more_than_was_paid(sample: SampleSeller) -> None:
    kinds: Counter[bool] = Counter()
    later = 0
    for chain in chains(sample):
        start = chain[0].start
        for order in sample.orders(chain[0].account):
            for refund in order.refunds:
                assert order.released_at is not None
                assert order.released_at < refund.moment < chain[-1].end
                assert 0 < refund.amount_pence <= order.total_pence
                assert refund.is_full == (refund.amount_pence == order.total_pence)
                kinds[refund.is_full] += 1
                length = timedelta(days=14)
                later += (refund.moment - start) // length > (order.released_at - start) // length
    assert min(kinds.values()) > 5
    assert later > sum(kinds.values()) // 2


@pytest.mark.parametrize("account", ["uk", "de"])
def test_released_transactions_add_up_to_each_settlement(sample: SampleSeller, account: str) -> None:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    held, let_go = [], []
    for record in sample.transactions(account):
        names = {i["relatedIdentifierName"]: i["relatedIdentifierValue"] for i in record["relatedIdentifiers"]}
        amount = record["totalAmount"]["currencyAmount"]
        assert sum(part["breakdownAmount"]["currencyAmount"] for part in record["breakdowns"]) == amount
        if record["transactionStatus"] == "RELEASED":
            totals[names["SETTLEMENT_ID"]] += amount
            let_go += [names[name] for name in ("DEFERRED_TRANSACTION_ID",) if name in names]
        elif record["transactionStatus"] == "DEFERRED_RELEASED":
            held.append(record["transactionId"])
        else:
            assert record["contexts"][0]["deferralReason"] in ("DD7", "B2B")
    assert held == let_go
    assert totals == {r.settlement_id: r.total for r in sample.reports() if r.account == account}


def test_every_sent_order_is_either_in_a_settlement_or_still_held_by_amazon(sample: SampleSeller) -> None:
    for account in sample.accounts:
        status: dict[str, set[str]] = defaultdict(set)
        for record in sample.transactions(account):
            if record["transactionType"] == "Shipment":
                status[record["relatedIdentifiers"][0]["relatedIdentifierValue"]].add(record["transactionStatus"])
        sent = [order.order_id for order in sample.orders(account) if order.shipped_at]
        assert list(status) == sent
        kinds = Counter(frozenset(statuses) for statuses in status.values())
        assert set(kinds) == {frozenset({"DEFERRED"}), frozenset({"DEFERRED_RELEASED", "RELEASED"})}


def test_a_transaction_becomes_json_with_exact_numbers(sample: SampleSeller) -> None:
    record = next(iter(sample.transactions("uk")))
    text = to_json({"payload": {"transactions": [record]}})
    read = json.loads(text, parse_float=Decimal)
    assert read == {"payload": {"transactions": [record]}}
    assert f'"currencyAmount":{record["totalAmount"]["currencyAmount"]}' in text


def test_one_payout_is_late_and_one_receipt_was_entered_by_hand_within_its_window(sample: SampleSeller) -> None:
    payouts = {payout.settlement_id: payout for payout in sample.payouts()}
    assert Counter(p.status for p in payouts.values()) == {"PAID": 7, "IN_TRANSIT": 1, "FAILED": 1}
    (by_hand,) = (line for line in sample.bank_lines() if line.source == "hand")
    payout = payouts[by_hand.settlement_id]
    assert (by_hand.amount, by_hand.currency, by_hand.contra) == (payout.amount, payout.currency, "wallet")
    assert payout.status == "PAID"
    assert by_hand.date.weekday() < 5
    assert timedelta() < by_hand.date - payout.deposit_date.date() <= timedelta(days=4)


@pytest.mark.parametrize("anchor", ANCHORS)
@pytest.mark.parametrize("seed", [1, 7])
def test_every_month_and_seed_tells_the_same_story(anchor: date, seed: int) -> None:
    sample = SampleSeller(anchor, seed)
    reports = sample.reports()
    last_uk = [report for report in reports if report.account == "uk"][-1].settlement_id
    late_de = [report for report in reports if report.account == "de"][2].settlement_id
    assert sample.expected_exceptions == [
        ("UNMAPPED_TYPE", last_uk),
        ("PAYOUT_LATE", late_de),
        ("BANK_WITHOUT_SETTLEMENT", ""),
    ]
    assert [report.total < 0 for report in reports] == [place == 2 for place in range(10)]
    assert all(line.moment.date() >= anchor for report in reports for line in (*report.before, *report.after))
    totals = [abs(report.total) for report in reports]
    assert len(set(totals)) == 10
    unexplained = [line.amount for line in sample.bank_lines() if line.source == "feed"]
    assert not set(unexplained) & set(totals)


def test_held_orders_are_the_last_days_own_and_neither_sent_nor_paid(sample: SampleSeller) -> None:
    held = dict(sample.held_orders())
    assert list(held) == ["unmatched_sku", "long_postcode", "vat_category", "no_postcode", "multi_pack"]
    products = {product.sku: product for product in sample.products()}
    assert products[held["unmatched_sku"].items[0].sku].stock_code is None
    assert len(held["long_postcode"].buyer.postcode) > SAGE_POSTCODE
    assert not products[held["vat_category"].items[0].sku].vat_category_known
    assert not held["no_postcode"].buyer.postcode.strip()
    pack = products[held["multi_pack"].items[0].sku]
    assert (pack.units_per_sku > 1, pack.stock_code != pack.sku) == (True, True)
    for order in held.values():
        assert (order.fulfilment, order.shipped_at, order.refunds) == ("MFN", None, ())
        assert order.purchased_at.date() == date(2026, 10, 31)


def test_awkward_orders_fit_into_sage_with_some_care(sample: SampleSeller) -> None:
    awkward = dict(sample.awkward_orders())
    assert list(awkward) == ["long_address_line", "emoji", "long_address"]
    long_line = awkward["long_address_line"].buyer.lines
    assert max(map(len, long_line)) > SAGE_ADDRESS_LINE
    assert len(wrap(", ".join(long_line), SAGE_ADDRESS_LINE)) <= 4
    assert any(ord(letter) > 0xFFFF for letter in awkward["emoji"].buyer.name)
    assert sum(map(len, awkward["long_address"].buyer.lines)) > 4 * SAGE_ADDRESS_LINE
    assert all((order.fulfilment, order.shipped_at) == ("MFN", None) for order in awkward.values())


def test_orders_without_a_story_fit_into_sage_as_they_are(sample: SampleSeller) -> None:
    products = {product.sku: product for product in sample.products()}
    told = {order.order_id for _, order in (*sample.held_orders(), *sample.awkward_orders())}
    for order in (order for account in sample.accounts for order in sample.orders(account)):
        if order.order_id not in told:
            assert all(products[item.sku].stock_code == item.sku for item in order.items)
            assert all(products[item.sku].vat_category_known for item in order.items)
            assert max(map(len, order.buyer.lines)) <= SAGE_ADDRESS_LINE
            assert 0 < len(order.buyer.postcode) <= SAGE_POSTCODE


def test_orders_have_ids_of_amazons_shape_and_lie_in_the_two_months(sample: SampleSeller) -> None:
    ids: list[str] = []
    for account in sample.accounts:
        moments = []
        for order in sample.orders(account):
            assert [len(part) for part in order.order_id.split("-")] == [3, 7, 7]
            assert order.fulfilment == "AFN" or account == "uk"
            assert order.purchased_at < (order.shipped_at or order.ship_by)
            ids.append(order.order_id)
            moments.append(order.purchased_at)
        assert moments == sorted(moments)
        assert (moments[0].date(), moments[-1].date()) == (ANCHOR, date(2026, 10, 31))
    assert len(ids) == len(set(ids))
    assert 12 * 61 <= len(ids) <= 25 * 61


def test_the_scale_multiplies_the_orders_and_changes_no_story(sample: SampleSeller) -> None:
    double = SampleSeller(ANCHOR, scale=2)
    for account in sample.accounts:
        planted = [order for order in sample.orders(account) if order.purchased_at.time() >= time(22)]
        assert sum(1 for _ in double.orders(account)) == 2 * sum(1 for _ in sample.orders(account)) - len(planted)
    assert double.expected_exceptions == sample.expected_exceptions
    assert [reason for reason, _ in double.held_orders()] == [reason for reason, _ in sample.held_orders()]


def test_a_seller_of_millions_of_lines_hands_them_out_one_at_a_time() -> None:
    large = SampleSeller(ANCHOR, scale=2000)
    assert len(list(islice(large.orders("uk"), 100))) == 100
    assert len(large.held_orders()) == 5
