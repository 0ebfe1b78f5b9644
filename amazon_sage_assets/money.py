"""Money: exact pence, one rounding rule, and the sharing of a total over parts.

Amounts are `Decimal` with two places in the currency at hand. A positive amount is money towards the seller.
The SQL twins of the two VAT functions are the macros in `sql/schema/0001_macros.sql`; a property test holds
them together.
"""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

PENNY = Decimal("0.01")
BASIS_POINTS = 10_000
_PLAIN = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,2})?")


def money(text: str) -> Decimal:
    """Read an amount such as `-12.30`. Raises ValueError for anything that is not plain pounds and pence."""
    if not _PLAIN.fullmatch(text):
        raise ValueError(f"{text!r} is not an amount of money with at most two decimals")
    return Decimal(text).quantize(PENNY)


def to_pence(amount: Decimal) -> int:
    """Whole pence of an amount. Raises ValueError rather than round."""
    pence = amount * 100
    if pence != pence.to_integral_value():
        raise ValueError(f"{amount} has more than two decimals")
    return int(pence)


def from_pence(pence: int) -> Decimal:
    return Decimal(pence).scaleb(-2)


def round_half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest whole number, halves away from zero. The denominator is positive."""
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude


def vat_inside(gross: Decimal, rate_bp: int) -> Decimal:
    """The VAT that a VAT-inclusive amount holds: 120.00 at 2000 basis points holds 20.00."""
    return from_pence(round_half_up(to_pence(gross) * rate_bp, BASIS_POINTS + rate_bp))


def vat_on_top(net: Decimal, rate_bp: int) -> Decimal:
    """The VAT due on top of a net amount: 100.00 at 2000 basis points bears 20.00."""
    return from_pence(round_half_up(to_pence(net) * rate_bp, BASIS_POINTS))


def allocate(total: Decimal, weights: Sequence[int]) -> list[Decimal]:
    """Share a total over parts by weight so that the parts add up to the total exactly.

    Pennies left over go to the parts with the largest remainders, the earlier part first.
    Raises ValueError when there is nothing to share over.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("a total can only be shared over weights that are not negative and not all zero")
    sign = -1 if total < 0 else 1
    pence = abs(to_pence(total))
    shares = [pence * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(pence * weights[i] % whole), i))
    for i in by_remainder[: pence - sum(shares)]:
        shares[i] += 1
    return [from_pence(sign * share) for share in shares]


def translate(amount: Decimal, rate: Decimal) -> Decimal:
    """An amount in another currency at a rate, to the penny, halves away from zero."""
    return (amount * rate).quantize(PENNY, rounding=ROUND_HALF_UP)
