"""Crash drill: a posting process is killed at every point of the protocol, and the next one goes on.

At the end Sage has each document exactly once, and its trial balance is the one of a run that nothing disturbed.

    python -m amazon_sage_assets_tests.drills.crash_drill --kills 300
"""

import argparse
import logging
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets_tests.drills.launcher import OUTSIDE, POINTS, Task, launcher
from amazon_sage_assets_tests.posting_world import CLIENT_ID, SECRET, PostingWorld, planned, posting_world, undisturbed

BATCH = 16  # documents that are added when few are left
LIFE = 0.9  # seconds within which a process is killed from outside


@dataclass
class Crashes:
    """What came of it: processes killed per point, documents that Sage has twice or not at all."""

    documents: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    survived: int = 0
    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    same_ledger: bool = False
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def task_of(world: PostingWorld, **changes: Any) -> Task:
    """A posting process of this world."""
    environment = world.company.environment
    secrets = {"client_id": CLIENT_ID, "client_secret": SECRET, "refresh_token": world.refresh_token}
    return Task(
        **{
            "home": str(environment.home),
            "profile": str(environment.profile_path),
            "server": world.address,
            "secrets": secrets,
            **changes,
        }
    )


def compare(world: PostingWorld, folder: Path, count: int) -> dict[str, Any]:
    """Sage against what was planned, and against a Sage to which the same was sent undisturbed."""
    documents = planned(count)
    expected = Counter(document.remote_reference for document in documents)
    there = Counter(document["reference"] for document in world.books.documents())
    return {
        "duplicates": sorted(reference for reference, n in there.items() if n > 1),
        "lost": sorted((expected - there).keys()),
        "unknown": sorted(there.keys() - expected.keys()),
        "same_ledger": world.ledger() == undisturbed(folder, documents),
        "statuses": world.statuses(),
    }


def drill(folder: Path, kills: int, seed: int = 1) -> Crashes:
    """Kill `kills` posting processes in turn, then let one finish, then compare."""
    chance = random.Random(seed)
    points = [(*POINTS, OUTSIDE)[number % (len(POINTS) + 1)] for number in range(kills)]
    chance.shuffle(points)
    crashes = Crashes()
    started = time.perf_counter()
    options = Options(latency_seconds=0.01)
    with (
        posting_world(folder / "world", options, answer_within=120, late_commit=180) as world,
        launcher() as run,
    ):
        while points:
            waiting = world.statuses()
            if waiting["approved"] + waiting["sending"] < BATCH / 2:
                world.queue(planned(BATCH, crashes.documents))
                crashes.documents += BATCH
            nth = chance.randint(1, 3)
            [end] = run(task_of(world, kill=points[-1], nth=nth, after=chance.uniform(0, LIFE)))
            if end["killed"]:
                crashes.kills[points.pop()] += 1
            elif "error" in end:
                raise AssertionError(end["error"])
            else:
                crashes.survived += 1
        [end] = run(task_of(world))
        assert "report" in end, end
        crashes.seconds = time.perf_counter() - started
        for name, value in compare(world, folder / "undisturbed", crashes.documents).items():
            setattr(crashes, name, value)
    return crashes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # clients go away in the middle: that is the drill
    with TemporaryDirectory() as folder:
        found = drill(Path(folder), asked.kills, asked.seed)
    for name, value in vars(found).items():
        print(f"{name:12} {dict(value) if isinstance(value, Counter) else value}")  # noqa: T201


if __name__ == "__main__":
    main()
