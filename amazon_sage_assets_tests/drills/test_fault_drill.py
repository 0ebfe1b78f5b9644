"""The fault drill in short. `python -m ...drills.fault_drill --documents 2000` is the long form."""

from pathlib import Path

from amazon_sage_assets_tests.drills.fault_drill import Weather, drill
from amazon_sage_assets_tests.drills.kinds import DONE, Orders, Settlements

DOCUMENTS = 120


def test_a_bad_network_leaves_each_document_in_sage_once(tmp_path: Path) -> None:
    weather = drill(tmp_path, DOCUMENTS, Settlements(), seed=4)
    assert_nothing_was_lost_or_doubled(weather)
    assert weather.statuses == {"delivered": DOCUMENTS}


def test_a_bad_network_leaves_each_order_and_all_that_follows_from_it_in_sage_once(tmp_path: Path) -> None:
    weather = drill(tmp_path, Orders.of_a_wave * 3, Orders(), seed=1)
    assert_nothing_was_lost_or_doubled(weather)
    assert weather.statuses.keys() <= set(DONE)


def assert_nothing_was_lost_or_doubled(weather: Weather) -> None:
    assert weather.struck["drop_after on POST"] > 0
    assert weather.struck["late on POST"] + weather.struck["late_504 on POST"] > 0
    assert sum(n for name, n in weather.struck.items() if name.startswith("status")) > 0
    assert (weather.duplicates, weather.lost, weather.unknown) == ([], [], [])
    assert weather.same_ledger
