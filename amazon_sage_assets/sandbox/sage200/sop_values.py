"""What an order comes to. The VAT is worked out per tax code on the total of its lines, never line by line."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from amazon_sage_assets.money import round_half_up

ONE = 100_000  # hundred-thousandths of a unit or of a pound
PENNY_SQUARED = ONE * ONE // 100
WHOLE = 10_000  # hundredths of a per cent


@dataclass(frozen=True)
class Valued:
    """A line that is worth something. `total` is with VAT where prices include it."""

    line_id: int
    tax_code_id: int
    tax_rate: int
    nominal_id: int
    quantity: int
    total: int
    is_charge: bool


@dataclass(frozen=True)
class Taxed:
    """The lines of one tax code together."""

    tax_code_id: int
    net: int
    tax: int


def line_total(quantity: int, price: int) -> int:
    """Quantity times price in pence, rounded once."""
    return round_half_up(quantity * price, PENNY_SQUARED)


def tax_rate(code: sqlite3.Row) -> int:
    """What a sale bears; a notional rate is the buyer's affair."""
    return 0 if code["notional"] else int(code["rate"])


def tax_of(total: int, rate: int, *, inclusive: bool) -> int:
    return round_half_up(total * rate, WHOLE + rate if inclusive else WHOLE)


def taxes(lines: Sequence[Valued], *, inclusive: bool) -> list[Taxed]:
    """Net and VAT per tax code, in the order of the codes' first lines."""
    totals: dict[int, int] = {}
    rates = {line.tax_code_id: line.tax_rate for line in lines}
    for line in lines:
        totals[line.tax_code_id] = totals.get(line.tax_code_id, 0) + line.total
    found = []
    for code, total in totals.items():
        tax = tax_of(total, rates[code], inclusive=inclusive)
        found.append(Taxed(code, total - tax if inclusive else total, tax))
    return found


def nets(lines: Sequence[Valued], *, inclusive: bool) -> list[int]:
    """The net of each line; those of a tax code add up to the net of the code."""
    if not inclusive:
        return [line.total for line in lines]
    done: dict[int, tuple[int, int]] = {}
    found = []
    for line in lines:
        total, net = done.get(line.tax_code_id, (0, 0))
        total += line.total
        reached = total - tax_of(total, line.tax_rate, inclusive=True)
        found.append(reached - net)
        done[line.tax_code_id] = total, reached
    return found
