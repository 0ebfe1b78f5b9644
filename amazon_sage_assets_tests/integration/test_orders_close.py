"""The sample seller's two months with orders: each in Sage once, revenue counted once, the debtor told order by order.

UK orders that the company sends are Sage orders, UK FBA is one Sage order a day, German FBA is booked by settlements.
What is expected is added up here from the sample seller's own orders, not from anything the project worked out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import zstandard

from amazon_sage_assets.demo import desk_work
from amazon_sage_assets.money import from_pence
from amazon_sage_assets.sandbox.sample_seller import SampleOrder
from amazon_sage_assets_tests.sample_town import APPROVER, Town, copied, town

LONDON = ZoneInfo("Europe/London")
PENNY = Decimal("0.01")


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Orders read and sent, the warehouse and the office have done their work, settlements and refunds posted."""
    with town(tmp_path_factory.mktemp("closed")) as place:
        place.run("orders", code=0)
        desk_work(place.world)
        place.run("fetch")
        place.run("approve", *place.keys("ready"), "refunds", "--by", APPROVER)
        place.run("post")
        yield place


def uk_orders(place: Town) -> list[SampleOrder]:
    return list(place.world.seller.orders("uk"))


def day_of(moment: datetime) -> date:
    return moment.replace(tzinfo=UTC).astimezone(LONDON).date()


def sage_orders(place: Town) -> Counter[str]:
    """How many Sage orders stand under each of Amazon's numbers."""
    return Counter(str(order["customer_document_no"]) for order in place.world.books.sop_orders())


def held(place: Town) -> set[str]:
    return {order.order_id for _, order in place.world.seller.held_orders()}


def not_ready(place: Town) -> set[str]:
    seller = place.world.seller
    return {order.order_id for order in (*seller.pending_orders(), *seller.cancelled_orders())}


def test_every_order_that_we_send_is_in_sage_exactly_once(closed: Town) -> None:
    standing = sage_orders(closed)
    for order in uk_orders(closed):
        if order.fulfilment == "MFN":
            wanted = 0 if order.order_id in held(closed) | not_ready(closed) else 1
            assert standing[order.order_id] == wanted, order


def test_fba_orders_are_in_sage_as_one_order_a_day_and_vat_treatment(closed: Town) -> None:
    days = {day_of(o.shipped_at) for o in uk_orders(closed) if o.fulfilment == "AFN" and o.shipped_at}
    daily = [number for number in sage_orders(closed) if "-AFN-" in number]
    assert len(daily) == len(set(daily)) == len(days)  # what goes by FBA in the sample is all standard-rated
    assert sum(sage_orders(closed)[number] for number in daily) == len(days)


def test_the_held_orders_are_exactly_the_planted_ones(closed: Town) -> None:
    waiting = closed.query("select order_id from finance.orders where waits_for is not null")
    assert {row["order_id"] for row in waiting} == held(closed)
    told = [(row["code"], row["order_id"]) for row in closed.query("from finance.exceptions") if row["order_id"]]
    assert sorted(told) == sorted(closed.world.seller.expected_order_exceptions)


def test_pending_and_cancelled_orders_are_known_and_not_in_sage(closed: Town) -> None:
    rows = closed.query("select order_id, amazon_status, is_in_sage from finance.orders where owner = 'sop'")
    known = {row["order_id"]: (row["amazon_status"], row["is_in_sage"]) for row in rows}
    assert {known[order.order_id] for order in closed.world.seller.pending_orders()} == {("PENDING", False)}
    assert {known[order.order_id] for order in closed.world.seller.cancelled_orders()} == {("CANCELLED", False)}


def test_each_months_invoices_come_to_what_buyers_paid_for_the_orders_sent_in_it(closed: Town) -> None:
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    for order in uk_orders(closed):
        if order.shipped_at:
            wanted[f"{day_of(order.shipped_at):%Y-%m}"] += from_pence(order.total_pence)
    invoiced: dict[str, Decimal] = defaultdict(Decimal)
    for document in closed.documents:
        if document["kind"] == "sales_invoices":
            invoiced[document["date"][:7]] += document["value"]
    assert invoiced == wanted


def test_each_months_revenue_and_output_vat_are_those_of_its_orders_counted_once(closed: Town) -> None:
    """Sage works VAT out per order and rate, the buyer's price has it per item: pennies may lie between."""
    vat: dict[str, Decimal] = defaultdict(Decimal)
    gross: dict[str, Decimal] = defaultdict(Decimal)
    items: Counter[str] = Counter()
    for order in uk_orders(closed):
        if order.shipped_at:
            month = f"{day_of(order.shipped_at):%Y-%m}"
            vat[month] += from_pence(sum(item.vat_paid for item in order.items))
            gross[month] += from_pence(order.total_pence)
            items[month] += len(order.items)
    booked: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    with closed.world.books.store.reading() as db:
        rows = db.execute(
            "select substr(n.transaction_date, 1, 7) as month, c.reference as code, sum(n.credit - n.debit) as pence"
            " from nominal_entries n join nominal_codes c on c.id = n.nominal_id"
            " join documents d on d.urn = n.urn where d.kind = 'sales_invoices' group by 1, 2"
        ).fetchall()
    for row in rows:
        booked[row["month"]][row["code"]] = from_pence(row["pence"])
    for month, paid in gross.items():
        revenue = booked[month]["4000"] + booked[month]["4001"] + booked[month]["7910"]
        assert abs(booked[month]["2200"] - vat[month]) <= PENNY * items[month] / 2
        assert revenue + booked[month]["2200"] == paid
        assert abs(booked[month]["7910"]) <= Decimal("0.02") * items[month]
    # UK sales are in no settlement's journal, German ones in no Sage order.
    lines = closed.query(
        "select account, sum(credit) as sold from finance.journal_lines where document = 'sales' group by 1"
    )
    assert {row["account"] for row in lines} == {"de"}
    assert not any(order.order_id in sage_orders(closed) for order in closed.world.seller.orders("de"))


def test_the_debtor_is_what_was_sent_and_not_settled_and_is_listed_by_order(closed: Town) -> None:
    posted = {key.split("-")[1] for key in closed.keys("posted")}
    spans = [(r.start, r.end) for r in closed.world.seller.reports() if r.settlement_id in posted and r.account == "uk"]

    def is_settled(moment: datetime | None) -> bool:
        return moment is not None and any(start <= moment < end for start, end in spans)

    open_orders: dict[str, Decimal] = {}
    open_refunds: dict[str, Decimal] = defaultdict(Decimal)
    for order in uk_orders(closed):
        if order.shipped_at and not is_settled(order.released_at):
            open_orders[order.order_id] = from_pence(order.total_pence)
        for refund in order.refunds:
            if not is_settled(refund.moment):
                open_refunds[order.order_id] += from_pence(refund.amount_pence)
    owed = sum(open_orders.values(), Decimal(0)) - sum(open_refunds.values(), Decimal(0))
    by_hand = sum(line.amount for line in closed.world.seller.bank_lines() if line.contra == "debtors")
    assert closed.balances()["1100"] == owed - by_hand  # a receipt from another customer stands there from before
    listed = closed.query("select sum(outstanding) as owed from finance.debtors")
    assert listed[0]["owed"] == owed
    single = closed.query("select order_id, outstanding from finance.debtors where orders = 1 and outstanding > 0")
    mine = {o.order_id for o in uk_orders(closed) if o.fulfilment == "MFN"}
    assert {row["order_id"]: row["outstanding"] for row in single if row["order_id"] in mine} == {
        key: value for key, value in open_orders.items() if key in mine
    }


def test_receipts_and_refund_payments_are_allocated_to_the_last_penny(closed: Town) -> None:
    kinds = {row["kind"] for row in closed.query("select kind from finance.debtors")}
    assert kinds == {"TradingAccountEntryTypeInvoice", "TradingAccountEntryTypeCreditNote"}


def test_refunds_become_credit_notes_at_the_vat_of_the_sale(closed: Town) -> None:
    wanted = {r.refund_id: from_pence(r.amount_pence) for o in uk_orders(closed) for r in o.refunds}
    rows = closed.query("select refund_id, amount, sage_document, sage_status from finance.refunds")
    assert {row["refund_id"]: row["amount"] for row in rows} == wanted
    assert {(row["sage_document"], row["sage_status"]) for row in rows} == {("credit note", "delivered")}
    vat = sum(from_pence(sum(i.vat_paid for i in r.items)) for o in uk_orders(closed) for r in o.refunds)
    with closed.world.books.store.reading() as db:
        pence = db.execute(
            "select sum(n.debit - n.credit) from nominal_entries n join nominal_codes c on c.id = n.nominal_id"
            " join documents d on d.urn = n.urn where d.kind = 'sales_credit_notes' and c.reference = '2200'"
        ).fetchone()[0]
    assert from_pence(pence) == vat


def test_fba_despatches_take_the_goods_out_of_amazons_warehouse(closed: Town) -> None:
    sold: Counter[str] = Counter()
    for order in uk_orders(closed):
        if order.fulfilment == "AFN" and order.shipped_at:
            for item in order.items:
                sold[item.sku] += item.quantity
    left = {code: quantity for (code, house), quantity in closed.world.books.stock().items() if house == "AMAZONFBA"}
    assert {sku: 1000 - left[sku] for sku in sold} == dict(sold)


def test_an_alias_releases_its_order_on_the_next_run(closed: Town, tmp_path: Path) -> None:
    with copied(closed.folder, tmp_path / "alias") as place:
        order = next(o for reason, o in place.world.seller.held_orders() if reason == "multi_pack")
        rules = place.folder / "rules"
        rules.mkdir()
        (rules / "sku_aliases.csv").write_text(
            "account,marketplace,seller_sku,stock_code,units_per_sku\nuk,Amazon.co.uk,CK-FILTER-6-X2,CK-FILTER-6,2\n",
            encoding="utf-8",
        )
        before = sage_orders(place)
        place.run("orders")
        assert sage_orders(place) - before == Counter({order.order_id: 1})
        assert place.world.books.sop_orders()[-1]["gross"] == from_pence(order.total_pence)


def test_after_a_purge_nothing_under_home_names_a_buyer_and_everything_is_still_proven(
    closed: Town, tmp_path: Path
) -> None:
    with copied(closed.folder, tmp_path / "purged") as place:
        assert personal_words_found(place)  # there is something to erase
        told_at = datetime.now(UTC) - timedelta(minutes=4)
        for order in uk_orders(place):
            if order.fulfilment == "MFN" and not order.shipped_at and order.order_id not in not_ready(place):
                place.world.central.update_order(
                    "uk", order.order_id, {"fulfillment": {"fulfillmentStatus": "SHIPPED"}}, at=told_at
                )
        place.run("orders")
        place.run("purge", "--days", "0")
        assert personal_words_found(place) == []
        place.run("verify")


def personal_words_found(place: Town) -> list[str]:
    """Names, streets and telephone numbers of buyers in the bytes of any file under home, compressed ones opened."""
    words = set()
    for order in uk_orders(place):
        buyer = order.buyer
        words |= {buyer.name, buyer.phone, *buyer.lines}
    found = []
    for path in sorted(place.home.rglob("*")):
        if path.is_file():
            content = opened(path)
            found += [f"{word} in {path}" for word in words if word.encode() in content]
    return found


def opened(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix == ".zst":
        with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
            content += stream.read()
    return content
