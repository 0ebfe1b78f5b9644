"""A small world of orders: some that we send, some of FBA, some of FBA by the day, and all that follows from them.

It grows by waves. A wave is a day's orders, the settlement that pays them, and refunds; its documents in Sage follow
from it alone, so a run that nothing disturbed says what must be there.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from amazon_sage_assets.amazon.orders_api import Order, OrderItem, Recipient, Told
from amazon_sage_assets.orders.flow import Ordered, run_orders
from amazon_sage_assets.orders.intake import keep, keep_recipients, personal_data
from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets.settlements.arrivals import land_report
from amazon_sage_assets.settlements.derivation import attempt, derive
from amazon_sage_assets.settlements.flow import load_profile, refresh
from amazon_sage_assets_tests.posting_world import START, PostingWorld, ledger, posting_world
from amazon_sage_assets_tests.reports import commission, principal, row

SITE = "Amazon.co.uk"
ROUTES = """
[[routes]]
account = "uk"
marketplace = "Amazon.co.uk"
fulfilment = "AFN"
owner = "sop_daily"
vat_treatment = "uk_standard"
valid_from = 2026-03-01

[orders]
{orders}

[sage.warehouses]
MFN = "HOME"
AFN = "AMAZONFBA"
"""
KETTLE, BOOK, CUP = "KETTLE-01", "BOOK-01", "CUP-01"
STOCK = Decimal(100_000)
OPENED = date(2026, 2, 20)  # orders of FBA that were bought before March are Sage orders of their own
WAVES = 200  # each has a day of its own, and the last is still in the year
PENNY, HALF = Decimal("0.01"), Decimal("0.50")
BOOKED_BY_SAGE = "LedgerSOP"


def item(number: int, sku: str, gross: str | Decimal, quantity: int = 1, **amounts: str) -> OrderItem:
    """An item as Amazon tells it: VAT inside, postage and wrap too."""
    more: dict[str, Any] = {name: Decimal(amount) for name, amount in amounts.items()}
    return OrderItem(str(number), sku, f"A {sku}", quantity, "GBP", Decimal(gross), more.pop("vat", None), **more)


def order(
    order_id: str, day: date, *items: OrderItem, fulfilment: str = "MFN", shipped: date | None = None, **changes: Any
) -> Order:
    """An order bought on a day; `shipped` makes it one that has gone."""
    noon = datetime.combine(day, time(12), UTC)
    values: dict[str, Any] = {
        "order_id": order_id,
        "marketplace": SITE,
        "fulfilment": fulfilment,
        "status": "SHIPPED" if shipped else "UNSHIPPED",
        "purchased_at": noon,
        "updated_at": noon + timedelta(hours=2),
        "ship_by_at": noon + timedelta(days=2),
        "shipped_at": shipped and datetime.combine(shipped, time(15), UTC),
        "currency": "GBP",
        "total": sum((i.gross or Decimal(0) for i in items), Decimal("0.00")),
        "is_business": False,
        "is_incomplete": False,
        "items": items,
    }
    return Order(**{**values, **changes})


def recipient(order_id: str, **changes: Any) -> Recipient:
    values: dict[str, Any] = {
        "order_id": order_id,
        "name": "Philippa Marchbanks",
        "company": "",
        "lines": ("14 Larkspur Terrace",),
        "city": "Hexham",
        "county": "Northumberland",
        "postcode": "NE46 1XQ",
        "country": "GB",
        "phone": "+44 1632 960983",
    }
    return Recipient(**{**values, **changes})


@contextmanager
def order_world(
    folder: Path, options: Options | None = None, *, orders: str = "", **profile: Any
) -> Iterator[PostingWorld]:
    """A company whose orders are Sage orders, and its Sage with stock. `orders` are lines of [orders] in the profile.

    Everything that follows from an order goes out by itself unless `top` says otherwise.
    """
    settled = {"top": 'posting = "auto"', "uk_afn": "sop", "bottom": ROUTES.format(orders=orders)}
    with posting_world(folder, options, **{**settled, **profile}) as world:
        with world.books.together() as db:
            tax_ids = dict(db.execute("select code, id from tax_codes").fetchall())
            for name in ("HOME", "AMAZONFBA"):
                world.books.add_warehouse(name)
            for code, tax_code in ((KETTLE, 1), (CUP, 1), (BOOK, 2)):
                lies = dict.fromkeys(("HOME", "AMAZONFBA"), STOCK)
                world.books.add_product(code, f"A {code}", tax_code_id=tax_ids[tax_code], warehouses=lies)
        load_profile(world.company)
        yield world


def tell(world: PostingWorld, orders: Iterable[Order], recipients: Iterable[Recipient] = ()) -> None:
    """Orders as the reading of Amazon keeps them, and whom they go to."""
    now = datetime.now(UTC)
    with world.company.warehouse.transaction() as connection:
        bad = keep(connection, "uk", Told(tuple(orders), (), now), now)
    assert not bad
    keep_recipients(world.company.warehouse, personal_data(world.company), recipients, now)


def send_orders(world: PostingWorld, **how: Any) -> Ordered:
    """One run of orders; nothing is read from Amazon."""
    return run_orders(world.company, world.secrets, **how)


def settle_files(world: PostingWorld, *paths: Path) -> None:
    """Work settlement files out, as far as posting needs it; nothing is published."""
    company = world.company
    for path in paths:
        land_report(company, path, "file")
    for key in refresh(company):
        attempt(company, key, partial(derive, company=company, key=key))


def settlement_file(world: PostingWorld, settlement_id: str, day: date, rows: list[dict[str, str]]) -> Path:
    """A settlement whose rows were posted on a day, and that was paid out some days later."""
    said = {
        "settlement_start_date": f"{day:%d.%m.%Y} 00:00:00 UTC",
        "settlement_end_date": f"{day:%d.%m.%Y} 23:00:00 UTC",
        "deposit_date": f"{day + timedelta(days=2):%d.%m.%Y} 06:00:00 UTC",
    }
    posted = {"posted-date": f"{day:%d.%m.%Y}", "posted-date-time": f"{day:%d.%m.%Y} 10:00:00 UTC"}
    whole = [{**one, **posted} for one in rows]
    return world.seller.file(f"{settlement_id}.txt", whole, settlement_id=settlement_id, **said)


@dataclass(frozen=True)
class Wave:
    """A day of orders. Four are Sage orders of their own, three make the daily orders of two VAT rates."""

    number: int

    @property
    def day(self) -> date:
        assert self.number < WAVES
        return START + timedelta(days=self.number)

    @property
    def settlement_id(self) -> str:
        return str(24_000_000_000 + self.number)

    def id_of(self, place: int) -> str:
        return f"202-{self.number:07d}-{place:07d}"

    def price(self, place: int) -> Decimal:
        """Every remainder of a sixth of a penny comes by, so some orders need a line of rounding."""
        return Decimal(1_999 + 31 * self.number + 7 * place) / 100

    @property
    def orders(self) -> list[Order]:
        day, price = self.day, self.price
        fba: dict[str, Any] = {"fulfilment": "AFN", "shipped": day}
        mixed = (item(1, KETTLE, price(3), 2, postage="3.95"), item(2, BOOK, "7.49"))
        return [
            order(self.id_of(1), day, item(1, KETTLE, price(1))),
            order(self.id_of(2), day, item(1, CUP, price(2), 3)),
            order(self.id_of(3), day, *mixed),
            order(self.id_of(4), OPENED, item(1, CUP, price(4)), **fba),
            order(self.id_of(5), day, item(1, KETTLE, price(5)), **fba),
            order(self.id_of(6), day, item(1, KETTLE, price(6)), item(2, BOOK, "4.20"), **fba),
            order(self.id_of(7), day, item(1, CUP, price(7)), **fba),
        ]

    @property
    def recipients(self) -> list[Recipient]:
        """One is plain, one flows over into a comment, one needs every field."""
        long = ("The Old Corn Exchange, behind the second courtyard on the left", "c/o " + "Harbour Masters " * 14)
        return [
            recipient(self.id_of(1)),
            recipient(self.id_of(2), lines=long, company="Harbour Masters & Daughters (Retired) Limited"),
            recipient(self.id_of(3), name="Zoë Ångström", lines=("Flat 3", "9 St Mary's", "Upper Ward")),
        ]

    @property
    def sent_by_us(self) -> set[str]:
        return {self.id_of(place) for place in (1, 2, 3)}

    @property
    def left_open(self) -> dict[str, Decimal]:
        """What no run may close: money that misses by more than the tolerance, on the invoice of its own order."""
        return {self.id_of(place): abs(miss) for place, miss in self.misses.items() if abs(miss) > PENNY}

    @property
    def sage_orders(self) -> list[str]:
        """The numbers that Sage's orders bear: each order that stands alone, and the day's of two VAT rates."""
        daily = [f"UK-AFN-{self.day:%y%m%d}-{rate}1" for rate in ("US", "UZ")]
        return [*(self.id_of(place) for place in (1, 2, 3, 4)), *daily]

    @property
    def misses(self) -> dict[int, Decimal]:
        """By how much Amazon's money for an order misses its price: a penny either way, and now and then much more."""
        return {2: -PENNY, 3: PENNY} | ({1: -HALF} if self.number % 3 == 0 else {})

    def file(self, world: PostingWorld) -> Path:
        """The settlement of these orders. The fourth and the sixth were sent back."""
        rows = [commission("-2.40", order_id=self.id_of(1))]
        for place, sold in enumerate(self.orders, start=1):
            where = {"order_id": sold.order_id, "fulfillment_id": sold.fulfilment}
            miss = self.misses.get(place, Decimal(0))
            for one in sold.items:
                assert one.gross is not None
                paid = {**where, "order_item_code": one.order_item_id, "sku": one.seller_sku}
                rows.append(principal(str(one.gross + miss), **paid))
                miss = Decimal(0)
        for place in (4, 6):
            sold = self.orders[place - 1]
            back = {"order_id": sold.order_id, "fulfillment_id": "AFN", "sku": sold.items[0].seller_sku}
            gross = -(sold.items[0].gross or Decimal(0))
            rows.append(row("Refund", "ItemPrice", "Principal", str(gross), adjustment_id=f"A{place}", **back))
        return settlement_file(world, self.settlement_id, self.day + timedelta(days=3), rows)


def bring(world: PostingWorld, waves: Iterable[Wave]) -> None:
    """What Amazon tells of these waves."""
    waves = list(waves)
    tell(world, [o for w in waves for o in w.orders], [r for w in waves for r in w.recipients])
    settle_files(world, *(wave.file(world) for wave in waves))


def desk(world: PostingWorld) -> int:
    """People in Sage: they send what is ours to send, and print the invoices of what has gone. How much they did."""
    books, done = world.books, 0
    for found in books.sop_orders():
        number = found["customer_document_no"]
        if found["despatched"] == "None" and not number.startswith("UK-") and not number.endswith("4"):
            books.despatch(found["document_no"], day=date.fromisoformat(found["date"]) + timedelta(days=1))
            done += 1
    return done + len(books.invoice_orders())


def facts(world: PostingWorld) -> Counter[tuple[str, ...]]:
    """What stands in Sage, one entry for each thing of which there must be one, with what it is worth."""
    books = world.books
    found: list[tuple[Any, ...]] = [
        ("order", o["customer_document_no"], o["customer"], o["date"], o["gross"], o["vat"], o["status"])
        for o in books.sop_orders()
    ]
    found += [("despatch", d["customer_document_no"], d["despatch_date"]) for d in books.despatches()]
    for document in books.documents():
        # Sage numbers its invoices as they come; the order says which one it is.
        name = "second_reference" if document["source"] == BOOKED_BY_SAGE else "reference"
        found.append((document["kind"], document[name], document["date"], document["value"]))
    for entry in books.sales_entries():
        name = "second_reference" if entry["source"] == BOOKED_BY_SAGE else "reference"
        found.append(("open", entry[name], entry["value"], entry["outstanding"]))
    return Counter(tuple(map(str, fact)) for fact in found)


def doubled(found: Counter[tuple[str, ...]]) -> list[str]:
    """What stands there twice: an order, its despatch, a document; whatever it is worth."""
    names = Counter[tuple[str, ...]]()
    for fact, count in found.items():
        names[fact[:2]] += count
    return sorted(" ".join(name) for name, count in names.items() if count > 1)


def totals(world: PostingWorld) -> dict[str, Any]:
    """Balances, and what lies in the warehouses."""
    said = ledger(world.books)
    return {"trial_balance": said["trial_balance"], "banks": said["banks"], "stock": world.books.stock()}


def run_until_still(world: PostingWorld) -> None:
    """Orders, then posting runs and people in turn until nobody has anything left to do."""
    send_orders(world)
    world.post()
    while desk(world):
        world.post()


def undisturbed_orders(folder: Path, waves: Iterable[Wave]) -> tuple[Counter[tuple[str, ...]], dict[str, Any]]:
    """What stands in another Sage after the same waves, all told at once and with nothing in the way."""
    with order_world(folder) as world:
        bring(world, waves)
        run_until_still(world)
        return facts(world), totals(world)
