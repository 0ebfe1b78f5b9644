"""What a settlement report says of itself: whose, which, when, how much, and in which local format.

One pass over the canonical file, before any row is typed. Amazon writes dates and decimals in local formats, so the
format is decided once per file, from the file, and never guessed where two readings fit.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from amazon_sage_assets.amazon.settlement_report import CANONICAL, LineProblem, Normalised, UnreadableReport
from amazon_sage_assets.money import money

DATE_FORMATS = {
    "iso": "%Y-%m-%d",
    "dotted": "%d.%m.%Y",
    "year_slashed": "%Y/%m/%d",
    "day_slashed": "%d/%m/%Y",
    "month_slashed": "%m/%d/%Y",
    "day_slashed_short": "%d/%m/%y",
    "month_slashed_short": "%m/%d/%y",
}
POINT, COMMA = "point", "comma"

CANONICAL_COLUMNS = {name: "varchar" for name in CANONICAL}


@dataclass(frozen=True)
class Inspection:
    """A readable report's own statements. Times are UTC; `total_amount` is signed towards the seller."""

    layout: str
    encoding: str
    settlement_id: str
    start_at: datetime
    end_at: datetime
    deposit_date: date | None
    total_amount: Decimal
    currency: str
    currencies: tuple[str, ...]
    marketplaces: tuple[str, ...]
    decimals: str
    date_format: str
    line_count: int
    problems: tuple[LineProblem, ...] = field(default=())


def canonical_relation(connection: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyRelation:
    """The canonical file as text columns, empty fields as null. Quotes are ordinary characters in Amazon's files."""
    return connection.read_csv(
        str(path),
        header=False,
        sep="\t",
        quotechar="",
        escapechar="",
        columns=CANONICAL_COLUMNS,
        auto_detect=False,
    )


def inspect(path: Path, normalised: Normalised) -> Inspection:
    """Read a canonical file's statements. Raises UnreadableReport with a sentence for a person."""
    with duckdb.connect() as connection:
        canonical_relation(connection, path).create_view("report")
        facts = _rows(
            connection,
            "select trim(settlement_id) as settlement_id, trim(currency) as currency,"
            " trim(marketplace_name) as marketplace_name, count(*) as row_count,"
            " count(*) filter (',' in (rtrim(amount)[-3], rtrim(amount)[-2])) as comma_amounts,"
            " count(*) filter ('.' in (rtrim(amount)[-3], rtrim(amount)[-2])) as point_amounts,"
            " list({settlement_start_date: settlement_start_date, settlement_end_date: settlement_end_date,"
            " deposit_date: deposit_date, total_amount: total_amount, settlement_id: settlement_id,"
            " currency: currency}) filter (trim(total_amount) <> '') as summaries from report group by all",
        )
        summary = _only_summary(facts)
        dates = _date_format(connection, summary)
    total_text = summary["total_amount"].strip()
    decimals = _decimals(facts, total_text)
    settlement_ids = {fact["settlement_id"] for fact in facts if fact["settlement_id"]}
    if len(settlement_ids) > 1:
        raise UnreadableReport(
            f"The file holds lines of {len(settlement_ids)} settlements ({', '.join(sorted(settlement_ids)[:3])}). "
            "One file must be one settlement; download them one by one."
        )
    currencies = sorted({fact["currency"] for fact in facts if fact["currency"]})
    marketplaces = sorted({fact["marketplace_name"] for fact in facts if fact["marketplace_name"]})
    deposit = summary["deposit_date"].strip()
    return Inspection(
        layout=normalised.layout,
        encoding=normalised.encoding,
        settlement_id=_settlement_id(summary["settlement_id"]),
        start_at=_moment("settlement-start-date", summary["settlement_start_date"], dates),
        end_at=_moment("settlement-end-date", summary["settlement_end_date"], dates),
        deposit_date=_moment("deposit-date", deposit, dates).date() if deposit else None,
        total_amount=_total(total_text, decimals),
        currency=_currency(summary["currency"]),
        currencies=tuple(currencies),
        marketplaces=tuple(marketplaces),
        decimals=decimals,
        date_format=dates,
        line_count=sum(fact["row_count"] for fact in facts) - 1 + len(normalised.problems),
        problems=tuple(normalised.problems),
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _only_summary(facts: list[dict[str, Any]]) -> dict[str, str]:
    summaries = [summary for fact in facts for summary in fact["summaries"] or ()]
    if len(summaries) == 1:
        return {name: value or "" for name, value in summaries[0].items()}
    if summaries:
        raise UnreadableReport(f"The file has {len(summaries)} summary rows with a total-amount; one is expected.")
    if facts:
        raise UnreadableReport("The file has no summary row with a total-amount, so its lines cannot be proven.")
    raise UnreadableReport(
        "The file holds the column names and nothing else: no summary row. "
        "Amazon's download may have been cut short; download it again."
    )


def _settlement_id(text: str | None) -> str:
    value = (text or "").strip()
    if not re.fullmatch(r"[0-9A-Za-z-]{1,20}", value):
        raise UnreadableReport(f"The settlement-id {value!r} of the summary row is not an Amazon settlement id.")
    return value


def _currency(text: str) -> str:
    value = text.strip()
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise UnreadableReport(f"The currency {value!r} of the summary row is not a three-letter currency code.")
    return value


def _decimals(facts: list[dict[str, Any]], total: str) -> str:
    commas = sum(fact["comma_amounts"] for fact in facts) + bool(re.search(r",\d{1,2}$", total))
    points = sum(fact["point_amounts"] for fact in facts) + bool(re.search(r"\.\d{1,2}$", total))
    if commas and points:
        raise UnreadableReport(
            f"{commas} amounts are written with a decimal comma and {points} with a decimal point. "
            "The file was changed after download; take Amazon's original."
        )
    return COMMA if commas else POINT


def plain_amount(text: str, decimals: str) -> str:
    """An amount in the file's style as plain text: `1.234,50` in a comma file is `1234.50`."""
    value = text.strip()
    grouping, mark = (".", ",") if decimals == COMMA else (",", ".")
    if re.fullmatch(rf"-?\d{{1,3}}(\{grouping}\d{{3}})+(\{mark}\d{{1,2}})?", value):
        value = value.replace(grouping, "")
    return value.replace(mark, ".") if decimals == COMMA else value


def _total(text: str, decimals: str) -> Decimal:
    try:
        return money(plain_amount(text, decimals))
    except ValueError as error:
        raise UnreadableReport(f"The total-amount of the summary row cannot be read: {error}.") from None


def _date_format(connection: duckdb.DuckDBPyConnection, summary: dict[str, str]) -> str:
    """The one way to read this file's dates; for slashed dates every date of the file is asked."""
    sample = summary["settlement_start_date"].strip()
    for name, shape in (("iso", r"\d{4}-\d"), ("dotted", r"\d{1,2}\.\d"), ("year_slashed", r"\d{4}/\d")):
        if re.match(shape, sample):
            return name
    if not re.match(r"\d{1,2}/\d{1,2}/(\d{4}|\d{2})\b", sample):
        raise UnreadableReport(f"The settlement-start-date {sample!r} is in no date format that Amazon uses.")
    short = "" if re.match(r"\d{1,2}/\d{1,2}/\d{4}", sample) else "_short"
    (first, second), *_ = connection.execute(
        r"""
        select max(try_cast(regexp_extract(text, '^(\d+)/', 1) as integer)),
               max(try_cast(regexp_extract(text, '^\d+/(\d+)/', 1) as integer))
        from (
            select unnest([posted_date, posted_date_time, settlement_start_date, settlement_end_date, deposit_date])
                as text
            from report
        )
        """
    ).fetchall()
    if (first or 0) > 12 >= (second or 0):
        return f"day_slashed{short}"
    if (second or 0) > 12 >= (first or 0):
        return f"month_slashed{short}"
    raise UnreadableReport(
        f"The dates (such as {sample!r}) can be read as day/month or as month/day, and nothing in the file decides. "
        "Download the report from Seller Central in a language that writes the year first, or with dots."
    )


def _moment(column: str, text: str, date_format: str) -> datetime:
    """A UTC moment, without tzinfo as the warehouse keeps it."""
    value = utc_text(text)
    pattern = DATE_FORMATS[date_format]
    for candidate in (f"{pattern} %H:%M:%S", pattern):
        try:
            return datetime.strptime(value, candidate)  # noqa: DTZ007 - Amazon writes UTC
        except ValueError:
            continue
    raise UnreadableReport(f"The {column} {text.strip()!r} of the summary row is not a date in UTC.")


def utc_text(text: str) -> str:
    """The clock text of a UTC moment without its zone; a text in another zone is left as it is and will not parse."""
    return re.sub(r"(Z| UTC|\+00:?00)$", "", text.strip()).replace("T", " ")
