"""Fault drill: many documents over a bad network. Lost answers, late commits, gateways that answer for Sage.

At the end Sage has each document exactly once, and its ledger is the one of a run that nothing disturbed.

    python -m amazon_sage_assets_tests.drills.fault_drill --documents 2000
    python -m amazon_sage_assets_tests.drills.fault_drill --documents 2000 --of orders
"""

import argparse
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from amazon_sage_assets.sandbox.faults import Fault
from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets_tests.drills.crash_drill import finish
from amazon_sage_assets_tests.drills.kinds import KINDS, Kind
from amazon_sage_assets_tests.drills.launcher import launcher

LATENCY = 0.005
# A rule is met only by what the rules before it let through, so the shares are of all documents only nearly.
SHARES = (
    ("drop_after", 0.10, {}),
    ("late", 0.04, {"seconds": 0.2}),
    ("late_504", 0.01, {"seconds": 0.3}),
    ("status", 0.01, {"status": 503, "body": "json"}),
    ("status", 0.01, {"status": 502, "body": "html"}),
    ("status", 0.005, {"status": 500, "body": "empty"}),
    ("status_after", 0.01, {"status": 504, "body": "html"}),
    ("status_after", 0.01, {"status": 500, "body": "json"}),
    ("status_after", 0.005, {"status": 502, "body": "empty"}),
    ("status", 0.02, {"status": 429, "body": "json"}),
)
# Reads meet trouble too; they are tried again.
ON_READS = (Fault("status", 0.02, "GET", status=503, body="html"), Fault("drop_before", 0.02, "GET"))


@dataclass
class Weather:
    """What came of it. `overhead` is seconds per document beyond the time that Sage itself took for the requests.

    `struck` counts faults by what they did, `paths` by where.
    """

    documents: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    paths: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    requests: int = 0
    seconds: float = 0.0
    overhead: float = 0.0
    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    same_ledger: bool = False
    statuses: Counter[str] = field(default_factory=Counter)


def faults(paths: Sequence[str]) -> list[Fault]:
    on_documents = [
        Fault(kind, share, "POST", path, **how)  # type: ignore[arg-type]
        for kind, share, how in SHARES
        for path in paths
    ]
    return [*on_documents, *ON_READS]


def drill(folder: Path, documents: int, kind: Kind, seed: int = 1) -> Weather:
    """Post in processes of their own until nothing is left, then compare."""
    weather = Weather()
    with kind.world(folder / "world", Options(latency_seconds=LATENCY)) as world, launcher() as run:
        kind.add(world, documents)
        world.strike(*faults(kind.paths), seed=seed)
        started = time.perf_counter()
        ends = finish(kind, world, run)
        weather.seconds = time.perf_counter() - started
        weather.runs = len(ends)
        weather.requests = sum(end["requests"] for end in ends)
        weather.statuses = world.statuses()
        weather.documents = weather.statuses["delivered"]
        weather.overhead = (weather.seconds - weather.requests * LATENCY) / weather.documents
        for rule in world.faults.rules:
            name = f"{rule.kind} {rule.status}" if rule.kind.startswith("status") else rule.kind
            weather.struck[f"{name} on {rule.method}"] += rule.struck
            weather.paths[f"{rule.method} {rule.path}".strip()] += rule.struck
        world.strike()
        for name, value in kind.compare(world, folder / "undisturbed").items():
            setattr(weather, name, value)
    return weather


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--of", choices=KINDS, default="settlements")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # clients go away in the middle: that is the drill
    with TemporaryDirectory() as folder:
        found: dict[str, Any] = vars(drill(Path(folder), asked.documents, KINDS[asked.of](), asked.seed))
    for name, value in found.items():
        print(f"{name:12} {dict(value) if isinstance(value, Counter) else value}")  # noqa: T201


if __name__ == "__main__":
    main()
