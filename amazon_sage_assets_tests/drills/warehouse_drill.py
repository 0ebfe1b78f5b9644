"""Warehouse drill: while one process posts many documents to a slow Sage, another settles a file.

No connection is open while Sage is asked, so the second one waits for moments, not for the run.

    python -m amazon_sage_assets_tests.drills.warehouse_drill --documents 2000
"""

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets_tests.drills.crash_drill import task_of
from amazon_sage_assets_tests.drills.launcher import launcher
from amazon_sage_assets_tests.posting_world import planned, posting_world
from amazon_sage_assets_tests.reports import commission, principal

LATENCY = 0.03
BEGUN = 3  # so many documents are sent before the first file


@dataclass
class Shared:
    """What came of it. `settled_seconds` are of each file settled beside the run, `alone_seconds` of one without it."""

    documents: int
    posting_seconds: float = 0.0
    alone_seconds: float = 0.0
    settled_seconds: list[float] = field(default_factory=list)
    settled_while_posting: int = 0
    posted: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def drill(folder: Path, documents: int, every: int) -> Shared:
    """Settle a small file whenever `every` more documents were sent, for as long as the posting run lasts."""
    shared = Shared(documents)
    with (
        posting_world(folder / "world", Options(latency_seconds=LATENCY), answer_within=120, late_commit=180) as world,
        launcher() as run_posting,
        launcher() as run_settling,
    ):

        def file(number: int) -> tuple[str, ...]:
            settlement = str(24_900_000_000 + number)
            rows = [principal("120.00"), commission("-18.00")]
            return (str(world.seller.file(f"{settlement}.txt", rows, settlement_id=settlement)),)

        def settle(number: int) -> float:
            [end] = run_settling(task_of(world, what="settle", files=file(number)))
            if "error" in end:
                shared.errors.append(end["error"])
            return float(end.get("seconds", 0.0))

        def post() -> None:
            started = time.perf_counter()
            [shared.posted] = run_posting(task_of(world))
            shared.posting_seconds = time.perf_counter() - started

        world.queue(planned(documents))
        shared.alone_seconds = settle(0)
        posting = Thread(target=post)
        posting.start()
        wanted = BEGUN
        while posting.is_alive():
            if world.watch.documents < wanted:
                time.sleep(0.01)
                continue
            shared.settled_seconds.append(settle(len(shared.settled_seconds) + 1))
            shared.settled_while_posting += posting.is_alive()
            wanted = world.watch.documents + every
        posting.join()
        if "error" in shared.posted:
            shared.errors.append(shared.posted["error"])
    return shared


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--every", type=int, default=100)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        found = drill(Path(folder), asked.documents, asked.every)
    report = found.posted.get("report", {})
    print(f"{found.documents} documents in {found.posting_seconds:.1f} s, {len(report.get('delivered', ()))} delivered")  # noqa: T201
    beside = ", ".join(f"{seconds:.1f}" for seconds in found.settled_seconds)
    print(f"settled alone in {found.alone_seconds:.1f} s, beside the run in {beside} s")  # noqa: T201
    print("\n".join(found.errors) or "no errors")  # noqa: T201


if __name__ == "__main__":
    main()
