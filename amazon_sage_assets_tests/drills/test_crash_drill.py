"""The crash drill in short: kills at each point. `python -m ...drills.crash_drill --kills 300` is the long form."""

from pathlib import Path

from amazon_sage_assets_tests.drills.crash_drill import Crashes, drill
from amazon_sage_assets_tests.drills.kinds import DONE, Orders, Settlements
from amazon_sage_assets_tests.drills.launcher import OUTSIDE, POINTS


def test_killed_runs_leave_each_document_in_sage_once(tmp_path: Path) -> None:
    crashes = drill(tmp_path, len(POINTS) + 1, Settlements())
    assert_nothing_was_lost_or_doubled(crashes, each=1)
    assert crashes.statuses.keys() == {"delivered"}


def test_killed_runs_leave_each_order_and_all_that_follows_from_it_in_sage_once(tmp_path: Path) -> None:
    crashes = drill(tmp_path, len(POINTS) + 1, Orders(), seed=3)
    assert_nothing_was_lost_or_doubled(crashes, each=1)


def assert_nothing_was_lost_or_doubled(crashes: Crashes, each: int) -> None:
    assert crashes.kills == dict.fromkeys((*POINTS, OUTSIDE), each)
    assert (crashes.duplicates, crashes.lost, crashes.unknown) == ([], [], [])
    assert crashes.same_ledger
    assert crashes.documents > 0
    assert crashes.statuses.keys() <= set(DONE)
