"""Money keeps its pennies: one rounding rule in Python and in SQL, held against decimal arithmetic."""

from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, localcontext

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amazon_sage_assets.money import (
    allocate,
    from_pence,
    money,
    round_half_up,
    to_pence,
    translate,
    vat_inside,
    vat_on_top,
)
from amazon_sage_assets.sqlfiles import migrations

LARGEST_PENCE = 10**18 - 1  # what DECIMAL(18,2) holds
PENCE = st.one_of(
    st.integers(min_value=-LARGEST_PENCE, max_value=LARGEST_PENCE), st.integers(min_value=-100_000, max_value=100_000)
)
RATES = st.one_of(st.sampled_from([0, 500, 1900, 2000]), st.integers(min_value=0, max_value=10_000))


def oracle(numerator: int, denominator: int) -> int:
    """A quotient to the nearest whole number, worked out by the decimal library and not by the product.

    The quotient is cut, never rounded, before the last step: rounding twice would turn 0.4999... into a half.
    """
    with localcontext(Context(prec=80, rounding=ROUND_DOWN)):
        quotient = Decimal(numerator) / Decimal(denominator)
        return int(quotient.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(1, 2, 1), (-1, 2, -1), (3, 2, 2), (5, 2, 3), (-5, 2, -3), (4, 10, 0), (-4, 10, 0), (0, 7, 0), (7, 7, 1)],
)
def test_halves_go_away_from_zero(numerator: int, denominator: int, expected: int) -> None:
    assert round_half_up(numerator, denominator) == expected


@given(numerator=st.integers(), denominator=st.integers(min_value=1, max_value=10**9))
def test_rounding_agrees_with_decimal_arithmetic(numerator: int, denominator: int) -> None:
    numerator %= 10**40
    assert round_half_up(numerator, denominator) == oracle(numerator, denominator)
    assert round_half_up(-numerator, denominator) == -oracle(numerator, denominator)


@pytest.mark.parametrize(
    ("gross", "rate_bp", "vat"),
    [("120.00", 2000, "20.00"), ("24.99", 2000, "4.17"), ("0.03", 2000, "0.01"), ("21.00", 500, "1.00"),
     ("-24.99", 2000, "-4.17"), ("99.99", 0, "0.00"), ("0.02", 2000, "0.00")],
)  # fmt: skip
def test_the_vat_inside_a_gross_amount(gross: str, rate_bp: int, vat: str) -> None:
    assert vat_inside(Decimal(gross), rate_bp) == Decimal(vat)


@pytest.mark.parametrize(
    ("net", "rate_bp", "vat"),
    [("100.00", 2000, "20.00"), ("0.02", 2000, "0.00"), ("0.03", 2000, "0.01"), ("-0.03", 2000, "-0.01"),
     ("0.10", 500, "0.01"), ("-0.10", 500, "-0.01"), ("99.99", 0, "0.00")],
)  # fmt: skip
def test_the_vat_on_top_of_a_net_amount(net: str, rate_bp: int, vat: str) -> None:
    assert vat_on_top(Decimal(net), rate_bp) == Decimal(vat)


@given(pence=PENCE, rate_bp=RATES)
def test_a_refund_mirrors_its_sale_to_the_penny(pence: int, rate_bp: int) -> None:
    amount = from_pence(pence)
    assert vat_inside(-amount, rate_bp) == -vat_inside(amount, rate_bp)
    assert vat_on_top(-amount, rate_bp) == -vat_on_top(amount, rate_bp)


@given(pence=PENCE)
def test_pence_and_amount_say_the_same(pence: int) -> None:
    assert to_pence(from_pence(pence)) == pence
    assert from_pence(pence).as_tuple().exponent == -2


def test_an_amount_with_a_tenth_of_a_penny_is_refused_and_not_rounded() -> None:
    with pytest.raises(ValueError, match="more than two decimals"):
        to_pence(Decimal("1.005"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12.30", "12.30"), ("-12.3", "-12.30"), ("0", "0.00"), ("7", "7.00"), ("9999999999999999.99",) * 2],
)
def test_plain_amounts_are_read_with_two_decimals(text: str, expected: str) -> None:
    assert str(money(text)) == expected


@pytest.mark.parametrize(
    "text",
    ["", " ", "1.005", "1e2", "1E-2", "nan", "inf", "-Infinity", "1,00", "1 000.00", "+1.00", ".50", "1.", "--1",
     " 1.00", "1.00 ", "1.00\n", "0x10", "1_000", "£1.00", "12345678901234567.00", "٣.٠٠"],
)  # fmt: skip
def test_anything_that_is_not_plain_pounds_and_pence_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount of money"):
        money(text)


@given(
    pence=st.integers(min_value=-(10**12), max_value=10**12),
    weights=st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=30).filter(any),
)
@example(pence=100, weights=[1, 1, 1])
@example(pence=-100, weights=[1, 1, 1])
def test_a_shared_total_adds_up_exactly_and_no_part_is_a_penny_off(pence: int, weights: list[int]) -> None:
    total = from_pence(pence)
    parts = allocate(total, weights)
    assert sum(parts, from_pence(0)) == total
    assert len(parts) == len(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(to_pence(part) * sum(weights) - pence * weight) < sum(weights)
        assert weight or part == 0


def test_pennies_left_over_go_to_the_earlier_part() -> None:
    assert allocate(Decimal("1.00"), [1, 1, 1]) == [Decimal("0.34"), Decimal("0.33"), Decimal("0.33")]
    assert allocate(Decimal("-1.00"), [1, 1, 1]) == [Decimal("-0.34"), Decimal("-0.33"), Decimal("-0.33")]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [3, -1]])
def test_a_total_cannot_be_shared_over_nothing(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="shared over weights"):
        allocate(Decimal("1.00"), weights)


@pytest.mark.parametrize(
    ("amount", "rate", "expected"),
    [("10.00", "0.8605", "8.61"), ("-10.00", "0.8605", "-8.61"), ("1.00", "0.0049", "0.00")],
)
def test_a_translated_amount_is_rounded_away_from_zero_on_a_half(amount: str, rate: str, expected: str) -> None:
    assert translate(Decimal(amount), Decimal(rate)) == Decimal(expected)


# --- the SQL twins --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def macros() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database that knows the macros."""
    with duckdb.connect() as connection:
        connection.execute(dict(migrations())["0001_macros"])
        yield connection


def assert_twins_agree(connection: duckdb.DuckDBPyConnection, values: list[tuple[int, int]]) -> None:
    """For every (pence, rate): SQL, Python and the oracle say the same."""
    connection.execute("create or replace temp table sample (amount decimal(18, 2), pence hugeint, rate_bp integer)")
    connection.execute(
        "insert into sample select cast(amounts.amount as decimal(18, 2)), amounts.pence, amounts.rate_bp from ("
        "select unnest($1::varchar[]) as amount, unnest($2::hugeint[]) as pence, unnest($3::integer[]) as rate_bp"
        ") as amounts",
        [[str(from_pence(pence)) for pence, _ in values], [pence for pence, _ in values], [rate for _, rate in values]],
    )
    rows = connection.execute(
        "select amount, pence, rate_bp, to_pence(amount), from_pence(pence), vat_inside(amount, rate_bp),"
        " vat_on_top(amount, rate_bp), round_half_up(pence, cast(rate_bp + 1 as hugeint)) from sample"
    ).fetchall()
    assert len(rows) == len(values)
    for amount, pence, rate, sql_pence, sql_amount, sql_inside, sql_on_top, sql_rounded in rows:
        assert sql_pence == pence == to_pence(amount)
        assert sql_amount == amount == from_pence(pence)
        assert sql_inside == vat_inside(amount, rate) == from_pence(oracle(pence * rate, 10_000 + rate))
        assert sql_on_top == vat_on_top(amount, rate) == from_pence(oracle(pence * rate, 10_000))
        assert sql_rounded == round_half_up(pence, rate + 1) == oracle(pence, rate + 1)


def test_sql_and_python_agree_on_every_small_amount_and_common_rate(macros: duckdb.DuckDBPyConnection) -> None:
    assert_twins_agree(macros, [(pence, rate) for rate in (0, 500, 1900, 2000) for pence in range(-601, 602)])


def test_sql_and_python_agree_on_the_largest_amounts(macros: duckdb.DuckDBPyConnection) -> None:
    ends = [sign * (LARGEST_PENCE - step) for sign in (1, -1) for step in range(25)]
    assert_twins_agree(macros, [(pence, rate) for rate in (0, 1, 500, 1999, 2000, 9_999, 10_000) for pence in ends])


@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.tuples(PENCE, RATES), min_size=1, max_size=60))
def test_sql_and_python_agree_on_any_amount_and_rate(
    macros: duckdb.DuckDBPyConnection, values: list[tuple[int, int]]
) -> None:
    assert_twins_agree(macros, values)


def test_sql_money_is_decimal_and_never_floating(macros: duckdb.DuckDBPyConnection) -> None:
    (types,) = macros.execute(
        "select typeof(vat_inside(a, 2000)), typeof(vat_on_top(a, 2000)), typeof(from_pence(1))"
        " from (select cast(1 as decimal(18, 2)) as a)"
    ).fetchall()
    assert set(types) == {"DECIMAL(18,2)"}


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-07-31 22:59:59", "2026-07-31"),
        ("2026-07-31 23:26:00", "2026-08-01"),
        ("2026-01-31 23:59:59", "2026-01-31"),
        ("2026-03-29 00:30:00", "2026-03-29"),
        ("2026-10-25 00:30:00", "2026-10-25"),
    ],
)
def test_the_day_of_a_moment_is_londons(macros: duckdb.DuckDBPyConnection, moment: str, day: str) -> None:
    query = "select local_day(cast($1 as timestamp), 'Europe/London')::varchar"
    for session_zone in ("UTC", "Asia/Tokyo"):
        macros.execute(f"set TimeZone = '{session_zone}'")
        assert macros.execute(query, [moment]).fetchall() == [(day,)]
    macros.execute("reset TimeZone")
