"""The quota keeper paces before the call, follows what Amazon says, and remembers."""

import json
import threading
from pathlib import Path

import pytest

from amazon_sage_assets.amazon.quotas import QuotaKeeper, Rate
from amazon_sage_assets_tests.seller_central import Clock

PLAN = {"getReports": Rate(0.5, 3), "listPayouts": Rate(1, 1)}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def keeper(clock: Clock, state: Path | None = None) -> QuotaKeeper:
    return QuotaKeeper(PLAN, lag=0, state=state, clock=clock.seconds, wall=clock.seconds, sleep=clock.sleep)


def waits(quotas: QuotaKeeper, times: int, operation: str = "getReports") -> list[float]:
    return [round(quotas.pace(operation), 3) for _ in range(times)]


def test_a_burst_is_free_and_then_each_request_waits_its_turn(clock: Clock) -> None:
    assert waits(keeper(clock), 5) == [0, 0, 0, 2, 2]
    assert clock.slept == [2, 2]


def test_a_wait_is_longer_by_the_lag_of_the_network_and_the_rate_stays(clock: Clock) -> None:
    quotas = QuotaKeeper(PLAN, lag=0.5, clock=clock.seconds, wall=clock.seconds, sleep=clock.sleep)
    assert waits(quotas, 7) == [0, 0, 0, 2.5, 2, 2, 2]


def test_operations_have_quotas_of_their_own(clock: Clock) -> None:
    quotas = keeper(clock)
    assert waits(quotas, 4) == [0, 0, 0, 2]
    assert waits(quotas, 2, "listPayouts") == [0, 1]


def test_time_that_passes_refills_the_bucket_but_never_beyond_its_burst(clock: Clock) -> None:
    quotas = keeper(clock)
    waits(quotas, 3)
    clock.sleep(2)
    assert waits(quotas, 2) == [0, 2]
    clock.sleep(86_400)
    assert waits(quotas, 4) == [0, 0, 0, 2]


@pytest.mark.parametrize(("stated", "wait"), [("0.25", 4), ("4", 0.25)])
def test_the_rate_that_an_answer_states_wins_over_the_plan(clock: Clock, stated: str, wait: float) -> None:
    quotas = keeper(clock)
    quotas.follow("getReports", stated)
    assert waits(quotas, 5) == [0, 0, 0, wait, wait]


def test_what_was_saved_up_at_the_old_rate_stays_when_the_rate_changes(clock: Clock) -> None:
    quotas = keeper(clock)
    waits(quotas, 3)
    clock.sleep(2)
    quotas.follow("getReports", "0.01")
    assert waits(quotas, 2) == [0, 100]


@pytest.mark.parametrize("nonsense", [None, "", "many", "0", "-1", "nan", "inf"])
def test_a_header_that_is_no_rate_changes_nothing(clock: Clock, nonsense: str | None) -> None:
    quotas = keeper(clock)
    quotas.follow("getReports", nonsense)
    assert waits(quotas, 4) == [0, 0, 0, 2]


def test_after_a_429_the_next_request_waits_its_whole_turn(clock: Clock) -> None:
    quotas = keeper(clock)
    waits(quotas, 1)
    quotas.follow("getReports", "0.1")
    quotas.exhausted("getReports")
    assert waits(quotas, 2) == [10, 10]


def test_a_429_does_not_forgive_those_who_wait_already(clock: Clock) -> None:
    waiting: list[float] = []
    quotas = QuotaKeeper(PLAN, lag=0, clock=clock.seconds, wall=clock.seconds, sleep=waiting.append)
    waits(quotas, 5)
    quotas.exhausted("getReports")
    assert waits(quotas, 1) == [6]


def test_threads_queue_up_instead_of_sharing_one_turn(clock: Clock) -> None:
    waiting: list[float] = []
    quotas = QuotaKeeper(PLAN, lag=0, clock=clock.seconds, wall=clock.seconds, sleep=waiting.append)
    threads = [threading.Thread(target=quotas.pace, args=("getReports",)) for _ in range(13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waiting) == [2.0 * place for place in range(1, 11)]


def test_a_process_that_follows_another_does_not_burst_again(clock: Clock, tmp_path: Path) -> None:
    state = tmp_path / "state" / "quotas.json"
    waits(keeper(clock, state), 3)
    clock.sleep(1)
    assert waits(keeper(clock, state), 1) == [1]


def test_the_learnt_rate_outlives_the_process(clock: Clock, tmp_path: Path) -> None:
    state = tmp_path / "quotas.json"
    first = keeper(clock, state)
    waits(first, 3)
    first.follow("getReports", "0.1")
    clock.sleep(5)
    assert waits(keeper(clock, state), 2) == [5, 10]


def test_a_process_killed_in_its_queue_leaves_no_debt(clock: Clock, tmp_path: Path) -> None:
    state = tmp_path / "quotas.json"
    first = QuotaKeeper(PLAN, lag=0, state=state, clock=clock.seconds, wall=clock.seconds, sleep=lambda seconds: None)
    waits(first, 50)
    assert waits(keeper(clock, state), 1) == [2]


def test_a_clock_set_back_gives_nothing_and_takes_nothing(clock: Clock, tmp_path: Path) -> None:
    state = tmp_path / "quotas.json"
    waits(keeper(clock, state), 2)
    clock.sleep(-3600)
    assert waits(keeper(clock, state), 2) == [0, 2]


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "{",
        "[]",
        '"text"',
        json.dumps({"getReports": {"tokens": "none"}}),
        json.dumps({"getReports": {"tokens": 0, "per_second": 0, "at": 0}}),
        json.dumps({"getReports": {"tokens": 0, "per_second": float("nan"), "at": 0}}),
    ],
)
def test_a_damaged_state_is_as_good_as_none(clock: Clock, tmp_path: Path, damaged: str) -> None:
    state = tmp_path / "quotas.json"
    state.write_text(damaged, encoding="utf-8")
    assert waits(keeper(clock, state), 4) == [0, 0, 0, 2]
