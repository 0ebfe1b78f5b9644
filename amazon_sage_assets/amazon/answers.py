"""Fields of Amazon's JSON answers, checked as they are read: a missing or odd field is no silent blank."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from amazon_sage_assets.amazon.errors import AmazonUnreadable

Fields = Mapping[str, Any]


def rows(payload: Fields, name: str) -> Sequence[Fields]:
    """A list that the answer must hold: without it, it is not the answer to our question."""
    found = payload.get(name)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise AmazonUnreadable(f"Amazon's answer holds no list of {name}.")
    return found


def parts(fields: Fields, name: str) -> Sequence[Fields]:
    """A list that may be left out."""
    return rows(fields, name) if fields.get(name) is not None else ()


def part(fields: Fields, name: str) -> Fields:
    """An object that may be left out."""
    found = fields.get(name)
    return found if isinstance(found, dict) else {}


def text(fields: Fields, name: str) -> str:
    found = fields.get(name)
    if not isinstance(found, str) or not found:
        raise AmazonUnreadable(f"Amazon's answer holds no {name}.")
    return found


def optional_text(fields: Fields, name: str) -> str | None:
    return text(fields, name) if fields.get(name) else None


def moment(fields: Fields, name: str) -> datetime:
    """A moment in UTC. Amazon also writes a bare day, which is its midnight."""
    written = text(fields, name)
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        raise AmazonUnreadable(f"{name} in Amazon's answer is {written!r}, not a moment.") from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def optional_moment(fields: Fields, name: str) -> datetime | None:
    return moment(fields, name) if fields.get(name) else None


def amount(fields: Fields, name: str) -> tuple[Decimal, str] | None:
    """An amount of money with its currency, exact. None where Amazon states none."""
    money = fields.get(name)
    if money is None:
        return None
    number = money.get("currencyAmount") if isinstance(money, dict) else None
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        raise AmazonUnreadable(f"{name} in Amazon's answer is not an amount of money.")
    return Decimal(number), text(money, "currencyCode")


def required_amount(fields: Fields, name: str) -> tuple[Decimal, str]:
    found = amount(fields, name)
    if found is None:
        raise AmazonUnreadable(f"Amazon's answer holds no {name}.")
    return found


def stamp(when: datetime) -> str:
    """A moment as Amazon reads it. Raises ValueError for one without a zone."""
    if when.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be sent to Amazon")
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def listed(values: Iterable[str]) -> str:
    """Several values of one parameter."""
    return ",".join(values)
