"""What the drills post: documents of settlements, or orders with all that follows from them."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets_tests.order_world import (
    Wave,
    bring,
    desk,
    doubled,
    facts,
    order_world,
    totals,
    undisturbed_orders,
)
from amazon_sage_assets_tests.posting_world import PostingWorld, planned, posting_world, undisturbed

PATIENCE: dict[str, Any] = {"answer_within": 120.0, "late_commit": 180.0}
DONE = ("delivered", "superseded")


class Kind(Protocol):
    """`commands` are what processes do, `paths` where the documents go, `most` how often a process passes a point."""

    commands: tuple[str, ...]
    paths: tuple[str, ...]
    most: int
    documents: int

    def world(self, folder: Path, options: Options) -> AbstractContextManager[PostingWorld]: ...

    def add(self, world: PostingWorld, documents: int) -> None:
        """There is more to post: about so many documents."""

    def is_short(self, world: PostingWorld) -> bool:
        """Whether so little is left that a process might pass no point."""

    def people(self, world: PostingWorld) -> int:
        """What people do in Sage between two runs; how much."""

    def compare(self, world: PostingWorld, folder: Path) -> dict[str, Any]:
        """Sage against what was planned, and against a Sage to which the same was sent undisturbed."""


class Settlements:
    """Documents of settlements: payments, receipts, transfers and customers' receipts."""

    commands: tuple[str, ...] = ("post",)
    paths: tuple[str, ...] = ("/bank_", "/sales_")
    most = 3

    def __init__(self) -> None:
        self.documents = 0

    def world(self, folder: Path, options: Options) -> AbstractContextManager[PostingWorld]:
        return posting_world(folder, options, **PATIENCE)

    def add(self, world: PostingWorld, documents: int) -> None:
        world.queue(planned(documents, self.documents))
        self.documents += documents

    def is_short(self, world: PostingWorld) -> bool:
        waiting = world.statuses()
        return waiting["approved"] + waiting["sending"] < 2 * self.most + 2

    def people(self, world: PostingWorld) -> int:
        return 0

    def compare(self, world: PostingWorld, folder: Path) -> dict[str, Any]:
        documents = planned(self.documents)
        expected = Counter(document.remote_reference for document in documents)
        there = Counter(document["reference"] for document in world.books.documents())
        return {
            "duplicates": sorted(reference for reference, n in there.items() if n > 1),
            "lost": sorted((expected - there).keys()),
            "unknown": sorted(there.keys() - expected.keys()),
            "same_ledger": world.ledger() == undisturbed(folder, documents),
        }


class Orders:
    """Sales orders, despatches, credit notes, the money for them, roundings and allocations."""

    commands: tuple[str, ...] = ("orders", "post")
    paths: tuple[str, ...] = (
        "/sop_orders", "/sop_confirm_despatch", "/sales_credit_notes", "/sales_invoices", "/sales_receipts",
        "/sales_payments", "/sales_allocations", "/bank_",
    )  # fmt: skip
    most = 5
    of_a_wave = 24  # documents, give or take an allocation

    def __init__(self) -> None:
        self.waves: list[Wave] = []
        self.documents = 0

    def world(self, folder: Path, options: Options) -> AbstractContextManager[PostingWorld]:
        return order_world(folder, options, **PATIENCE)

    def add(self, world: PostingWorld, documents: int) -> None:
        count = -(-documents // self.of_a_wave)
        new = [Wave(number) for number in range(len(self.waves), len(self.waves) + count)]
        bring(world, new)
        self.waves += new
        self.documents += count * self.of_a_wave

    def is_short(self, world: PostingWorld) -> bool:
        waiting = world.statuses()
        there = {order["customer_document_no"] for order in world.books.sop_orders()}
        return not waiting["approved"] + waiting["sending"] and all(there.issuperset(w.sage_orders) for w in self.waves)

    def people(self, world: PostingWorld) -> int:
        return desk(world)

    def compare(self, world: PostingWorld, folder: Path) -> dict[str, Any]:
        expected, balances = undisturbed_orders(folder, self.waves)
        there = facts(world)
        orders = {order["customer_document_no"] for order in world.books.sop_orders()}
        missing = [number for wave in self.waves for number in wave.sage_orders if number not in orders]
        entries = world.books.sales_entries()
        left_open = {entry["second_reference"]: entry["outstanding"] for entry in entries if entry["outstanding"]}
        must_be_open = {number: amount for wave in self.waves for number, amount in wave.left_open.items()}
        return {
            "duplicates": doubled(there),
            "lost": missing + sorted(" ".join(fact) for fact in expected - there),
            "unknown": sorted(" ".join(fact) for fact in there - expected),
            "same_ledger": totals(world) == balances and left_open == must_be_open,
        }


KINDS: dict[str, Callable[[], Kind]] = {"settlements": Settlements, "orders": Orders}
