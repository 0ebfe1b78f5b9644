"""Crash drill: a posting process is killed at every point of the protocol, and the next one goes on.

At the end Sage has each document exactly once, and its trial balance is the one of a run that nothing disturbed.

    python -m amazon_sage_assets_tests.drills.crash_drill --kills 300
    python -m amazon_sage_assets_tests.drills.crash_drill --kills 300 --of orders
"""

import argparse
import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets_tests.drills.kinds import KINDS, Kind
from amazon_sage_assets_tests.drills.launcher import OUTSIDE, POINTS, Task, launcher
from amazon_sage_assets_tests.posting_world import CLIENT_ID, SECRET, PostingWorld

BATCH = 16  # documents that are added when few are left
LIFE = 0.9  # seconds within which a process is killed from outside
RUNS = 30  # far more than it ever takes to finish


@dataclass
class Crashes:
    """What came of it: processes killed per point, documents that Sage has twice or not at all.

    `caught` are the documents that were on their way when their process died.
    """

    documents: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
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


def finish(kind: Kind, world: PostingWorld, run: Callable[..., list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Runs, and people between them, until nobody has anything left to do. Returns how the runs ended."""

    def end_of(what: str) -> dict[str, Any]:
        [end] = run(task_of(world, what=what))
        assert "report" in end, end
        return end

    ends = [end_of(what) for what in kind.commands]
    while kind.people(world) or world.statuses().keys() & {"approved", "sending"} or ends[-1]["report"]["stopped"]:
        assert len(ends) < RUNS, world.statuses()
        ends.append(end_of(kind.commands[-1]))
    return ends


def drill(folder: Path, kills: int, kind: Kind, seed: int = 1) -> Crashes:
    """Kill `kills` posting processes in turn, then let one finish, then compare."""
    chance = random.Random(seed)
    points = [(*POINTS, OUTSIDE)[number % (len(POINTS) + 1)] for number in range(kills)]
    chance.shuffle(points)
    crashes = Crashes()
    started = time.perf_counter()
    with kind.world(folder / "world", Options(latency_seconds=0.01)) as world, launcher() as run:
        while points:
            if kind.is_short(world):
                kind.add(world, BATCH)
            nth = chance.randint(1, kind.most)
            death = {"kill": points[-1], "nth": nth, "after": chance.uniform(0, LIFE)}
            [end] = run(task_of(world, what=chance.choice(kind.commands), **death))
            if end["killed"]:
                crashes.kills[points.pop()] += 1
                caught = world.rows("select document from outbox.messages where status = 'sending'")
                crashes.caught.update(document for (document,) in caught)
            elif "error" in end:
                raise AssertionError(end["error"])
            else:
                crashes.survived += 1
            kind.people(world)
        finish(kind, world, run)
        crashes.seconds = time.perf_counter() - started
        crashes.statuses = world.statuses()
        crashes.documents = crashes.statuses["delivered"]
        for name, value in kind.compare(world, folder / "undisturbed").items():
            setattr(crashes, name, value)
    return crashes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--of", choices=KINDS, default="settlements")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # clients go away in the middle: that is the drill
    with TemporaryDirectory() as folder:
        found = drill(Path(folder), asked.kills, KINDS[asked.of](), asked.seed)
    for name, value in vars(found).items():
        print(f"{name:12} {dict(value) if isinstance(value, Counter) else value}")  # noqa: T201


if __name__ == "__main__":
    main()
