"""Amazon's usage plans: a token bucket per operation, paced before the call instead of punished after it.

A bucket holds `burst` requests and refills at `per_second`. Amazon may give a seller another rate than its
documentation says and tells so in every answer; the answer wins.
"""

import json
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rate:
    per_second: float
    burst: int


RATES = {
    "searchOrders": Rate(0.0056, 20),
    "getOrder": Rate(0.5, 30),
    "createReport": Rate(0.0167, 15),
    "getReports": Rate(0.0222, 10),
    "getReport": Rate(2, 15),
    "getReportDocument": Rate(0.0167, 15),
    "listTransactions": Rate(0.5, 10),
    "listBalances": Rate(0.5, 10),
    "listSummary": Rate(0.5, 10),
    "listPayouts": Rate(0.5, 10),
    "getMarketplaceParticipations": Rate(0.016, 15),
}


LAG = 0.5  # seconds


@dataclass
class _Bucket:
    per_second: float
    burst: int
    tokens: float
    at: float  # on the monotonic clock

    def refill(self, now: float) -> None:
        self.tokens = min(self.burst, self.tokens + max(0.0, now - self.at) * self.per_second)
        self.at = now


class QuotaKeeper:
    """The quotas of one seller. Safe to share between threads.

    With `state`, what is left of each quota outlives the process, so that a run every few minutes does not take a
    full burst each time. `wall` dates that file; everything else runs on the monotonic `clock`.

    Amazon counts a request when it arrives. One that travels faster than those before it would come too early, so a
    wait is `lag` seconds longer; the time counts towards the next one, so the rate stays what it is.
    """

    def __init__(
        self,
        rates: Mapping[str, Rate] = RATES,
        *,
        state: Path | None = None,
        lag: float = LAG,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._wall, self._sleep, self._state = clock, wall, sleep, state
        self._lag = lag
        self._lock = threading.Lock()
        now = clock()
        self._buckets = {name: _Bucket(rate.per_second, rate.burst, rate.burst, now) for name, rate in rates.items()}
        self._remember()

    def pace(self, operation: str) -> float:
        """Take one request from the quota, after waiting for it if none is left. Says how many seconds that took."""
        with self._lock:
            bucket = self._buckets[operation]
            bucket.refill(self._clock())
            bucket.tokens -= 1  # below zero it is a place in the queue
            wait = self._lag - bucket.tokens / bucket.per_second if bucket.tokens < 0 else 0.0
            self._keep()
        if wait:
            self._sleep(wait)
        return wait

    def follow(self, operation: str, limit: str | None) -> None:
        """Take over the rate that an answer states. What is not a rate says nothing."""
        try:
            stated = float(limit or "")
        except ValueError:
            return
        if not math.isfinite(stated) or stated <= 0:
            return
        with self._lock:
            bucket = self._buckets[operation]
            if stated != bucket.per_second:
                bucket.refill(self._clock())
                bucket.per_second = stated
                self._keep()

    def exhausted(self, operation: str) -> None:
        """Amazon says that nothing is left, whatever we counted: the next request waits its full turn."""
        with self._lock:
            bucket = self._buckets[operation]
            bucket.refill(self._clock())
            bucket.tokens = min(bucket.tokens, 0.0)
            self._keep()

    def _keep(self) -> None:
        if self._state is None:
            return
        wall, clock = self._wall(), self._clock()
        kept = {
            name: {"tokens": bucket.tokens, "per_second": bucket.per_second, "at": wall - (clock - bucket.at)}
            for name, bucket in self._buckets.items()
        }
        self._state.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._state.with_name(f"{self._state.name}.{os.getpid()}.part")
        fresh.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        fresh.replace(self._state)

    def _remember(self) -> None:
        """Go on where the last process stopped. A damaged file is as good as none."""
        if self._state is None or not self._state.exists():
            return
        kept: Mapping[str, Mapping[str, float]] = {}
        with suppress(ValueError):
            kept = json.loads(self._state.read_text(encoding="utf-8"))
        for name, bucket in self._buckets.items():
            with suppress(KeyError, TypeError, ValueError):
                tokens, per_second, at = (float(kept[name][key]) for key in ("tokens", "per_second", "at"))
                if per_second <= 0 or not all(math.isfinite(number) for number in (tokens, per_second, at)):
                    continue
                passed = max(0.0, self._wall() - at)
                bucket.per_second = per_second
                # What is still below zero are requests that waited in a process that has ended.
                bucket.tokens = min(bucket.burst, max(tokens + passed * per_second, 0.0))
