"""Where chance comes from: each part of the history has numbers of its own, so a change of one leaves the others."""

from random import Random

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_STEP = 6_271_056_190_387  # shares no factor with ten: every number has an image of its own


def chance(*parts: object) -> Random:
    """The numbers of one part, such as `chance(seed, "uk", "order", 12, 3)`."""
    return Random("/".join(map(str, parts)))


def scattered(number: int, digits: int, offset: int = 0) -> int:
    """A number that looks arbitrary and is unlike that of any other `number` below ten to the power of `digits`."""
    return (number * _STEP + offset) % int(10**digits)


def lettered(number: int, length: int) -> str:
    """A number written in digits and letters, at a fixed length."""
    text = ""
    for _ in range(length):
        number, rest = divmod(number, len(_LETTERS))
        text = _LETTERS[rest] + text
    return text
