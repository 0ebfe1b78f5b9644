"""Exchange, exact: pence and millionths, rounded once, halves away from zero."""

from collections.abc import Sequence

from amazon_sage_assets.money import round_half_up
from amazon_sage_assets.sandbox.sage200.options import Options

MILLION = 1_000_000


def to_base(pence: int, rate: int, options: Options) -> int:
    """An amount of foreign currency in base currency. `rate` is in millionths."""
    if options.rates_are == "foreign_per_base":
        return round_half_up(pence * MILLION, rate)
    return round_half_up(pence * rate, MILLION)


def from_base(pence: int, rate: int, options: Options) -> int:
    """An amount of base currency in a foreign one."""
    if options.rates_are == "foreign_per_base":
        return round_half_up(pence * rate, MILLION)
    return round_half_up(pence * MILLION, rate)


def parts_to_base(parts: Sequence[int], rate: int, options: Options) -> list[int]:
    """Parts in base currency that add up to the base value of their sum: each is a step of the running total."""
    done, total, out = 0, 0, []
    for part in parts:
        total += part
        reached = to_base(total, rate, options)
        out.append(reached - done)
        done = reached
    return out
