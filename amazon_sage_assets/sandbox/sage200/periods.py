"""Accounting periods: which are open, how a date is classed, and where its postings go."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from amazon_sage_assets.sandbox.sage200.defaults import CLASSIFICATIONS, NORMAL, UNACCEPTABLE
from amazon_sage_assets.sandbox.sage200.moments import day_of, stored_day
from amazon_sage_assets.sandbox.sage200.refusals import Refused
from amazon_sage_assets.sandbox.sage200.store import setting


@dataclass(frozen=True)
class Period:
    """A month of a financial year. `future`: not closed, but beyond the number of periods that are open at once."""

    id: int
    year_id: int
    start: date
    finish: date
    status: Literal["open", "closed", "future"]

    def holds(self, day: date) -> bool:
        return self.start <= day <= self.finish


def add_year(db: sqlite3.Connection, start: date) -> int:
    """A financial year of twelve months."""
    starts = [_months_later(start, number) for number in range(13)]
    finishes = [later - timedelta(days=1) for later in starts[1:]]
    year_id = db.execute(
        "insert into years (start, finish) values (?, ?) returning id", (stored_day(start), stored_day(finishes[-1]))
    ).fetchone()[0]
    db.executemany(
        "insert into periods (year_id, number, start, finish) values (?, ?, ?, ?)",
        [
            (year_id, number, stored_day(first), stored_day(last))
            for number, (first, last) in enumerate(zip(starts, finishes, strict=False), start=1)
        ],
    )
    return int(year_id)


def _months_later(start: date, months: int) -> date:
    year, month = divmod(start.month - 1 + months, 12)
    return date(start.year + year, month + 1, start.day)


def all_periods(db: sqlite3.Connection) -> list[Period]:
    limit = int(setting(db, "number_open_periods"))
    found: list[Period] = []
    for row in db.execute("select * from periods order by start"):
        status: Literal["open", "closed", "future"] = "closed"
        if not row["closed"]:
            status = "open" if sum(p.status == "open" for p in found) < limit else "future"
        found.append(Period(row["id"], row["year_id"], day_of(row["start"]), day_of(row["finish"]), status))
    return found


def classify(db: sqlite3.Connection, day: date, today: date) -> tuple[str, str]:
    """How the company's rules class a date, with a sentence when it is not a normal one."""
    periods = all_periods(db)
    period = _holding(periods, day)
    if period is None:
        return UNACCEPTABLE, f"The date {day:%d/%m/%Y} is not within a financial year."
    current = _holding(periods, today)
    found = [(NORMAL, "")]
    if period.status != "open":
        words = f"The date {day:%d/%m/%Y} is within a {period.status} accounting period."
        found.append((setting(db, f"{period.status}_period"), words))
    if current and period.year_id != current.year_id:
        which = "previous" if day < current.start else "future"
        found.append((setting(db, f"{which}_year"), f"The date {day:%d/%m/%Y} is within a {which} financial year."))
    return max(found, key=lambda one: CLASSIFICATIONS.index(one[0]))


def require_acceptable(db: sqlite3.Connection, day: date, today: date, field: str) -> None:
    """Raises Refused for a date that the rules class as Unacceptable."""
    classification, words = classify(db, day, today)
    if classification == UNACCEPTABLE:
        raise Refused(f"The transaction date is not acceptable. {words}", field)


def posting_period(periods: Sequence[Period], day: date) -> tuple[Period, bool]:
    """The period that takes a posting of that day, and whether the posting waits for it to open."""
    period = _holding(periods, day)
    if period is not None and period.status != "closed":
        return period, period.status == "future"
    later = [p for p in periods if p.status == "open" and p.start > day]
    if period is None or not later:
        raise Refused(f"No open accounting period can take a posting of {day:%d/%m/%Y}.", "transaction_date")
    return later[0], False


def _holding(periods: Sequence[Period], day: date) -> Period | None:
    return next((p for p in periods if p.holds(day)), None)
