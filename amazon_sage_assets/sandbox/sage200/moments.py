"""Moments and days. Inside: UTC text of one width, so that text order is time order. Outside: as Sage writes them."""

import re
from datetime import UTC, date, datetime

_FULL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?(Z|[+-]\d\d:\d\d)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def stored(moment: datetime) -> str:
    """The text that stands in the file. A moment without a zone is UTC."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.strftime("%Y-%m-%dT%H:%M:%S.") + f"{aware.microsecond:06d}Z"


def stored_day(day: date) -> str:
    return f"{day.isoformat()}T00:00:00.000000Z"


def day_of(text: str) -> date:
    return date.fromisoformat(text[:10])


def shown(text: str) -> str:
    """`2024-05-24T00:00:00Z`, with a fraction of a second only where there is one."""
    whole, fraction = text[:-1].split(".")
    digits = fraction.rstrip("0")
    return f"{whole}.{digits}Z" if digits else f"{whole}Z"


def read_moment(text: str) -> str:
    """A full date-time as stored text. Raises ValueError for a bare date and for anything else."""
    if not _FULL.fullmatch(text):
        raise ValueError(f"'{text}' is not a full date and time")
    cut = re.sub(r"(\.\d{6})\d", r"\1", text)  # a tick is a tenth of what Python counts
    return stored(datetime.fromisoformat(cut))


def read_day(text: str) -> str:
    """A bare date as stored text: its midnight."""
    if not _DAY.fullmatch(text):
        raise ValueError(f"'{text}' is not a date")
    return stored_day(date.fromisoformat(text))
