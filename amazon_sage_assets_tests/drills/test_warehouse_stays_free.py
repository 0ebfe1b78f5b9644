"""The warehouse drill in short. `python -m ...drills.warehouse_drill --documents 2000` is the long form."""

from pathlib import Path

from amazon_sage_assets_tests.drills.warehouse_drill import drill

DOCUMENTS = 60


def test_a_posting_run_leaves_the_warehouse_to_others(tmp_path: Path) -> None:
    shared = drill(tmp_path, DOCUMENTS, every=DOCUMENTS)
    assert shared.errors == []
    assert len(shared.posted["report"]["delivered"]) == DOCUMENTS
    assert shared.settled_while_posting > 0
    assert max(shared.settled_seconds) < 60
