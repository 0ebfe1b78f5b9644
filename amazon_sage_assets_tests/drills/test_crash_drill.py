"""The crash drill in short: two kills at each point. `python -m ...drills.crash_drill --kills 300` is the long form."""

from pathlib import Path

from amazon_sage_assets_tests.drills.crash_drill import drill
from amazon_sage_assets_tests.drills.launcher import OUTSIDE, POINTS

EACH = 2


def test_killed_runs_leave_each_document_in_sage_once(tmp_path: Path) -> None:
    crashes = drill(tmp_path, kills=EACH * (len(POINTS) + 1))
    assert crashes.kills == dict.fromkeys((*POINTS, OUTSIDE), EACH)
    assert (crashes.duplicates, crashes.lost, crashes.unknown) == ([], [], [])
    assert crashes.same_ledger
    assert crashes.statuses == {"delivered": crashes.documents}
