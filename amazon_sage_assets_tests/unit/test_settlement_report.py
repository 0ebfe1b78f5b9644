"""Settlement reports in every dress that Amazon, Excel or a mail program gives them, read to the same statements."""

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_sage_assets.amazon.inspection import Inspection, inspect, plain_amount
from amazon_sage_assets.amazon.settlement_report import (
    CANONICAL,
    V2_COLUMNS,
    LineProblem,
    Normalised,
    UnreadableReport,
    normalise,
)
from amazon_sage_assets_tests.reports import HEADER, commission, principal, report_text, row

Rows = Sequence[Mapping[str, str]]

SALE = [principal("20.00"), row("Order", "ItemPrice", "Tax", "4.00"), commission("-4.40")]
TOTAL = Decimal("19.60")


@dataclass(frozen=True)
class Reading:
    """A report as it was read: how, what it says of itself, and its lines by canonical column."""

    normalised: Normalised
    inspection: Inspection
    lines: list[dict[str, str]]

    def column(self, name: str) -> list[str]:
        """One column of the lines, without the summary row."""
        return [line[name] for line in self.lines if not line["total_amount"].strip()]


Read = Callable[..., Reading]


def moment(text: str) -> datetime:
    """A UTC moment, as the warehouse keeps it."""
    return datetime.fromisoformat(text)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a report given as text or bytes."""

    def reading(content: str | bytes, charset: str | None = None) -> Reading:
        return read_report(tmp_path, content, charset)

    return reading


def read_report(folder: Path, content: str | bytes, charset: str | None = None) -> Reading:
    raw = content.encode() if isinstance(content, str) else content
    target = folder / "canonical.tsv"
    normalised = normalise(lambda: io.BytesIO(raw), target, charset)
    inspection = inspect(target, normalised)
    text = target.read_bytes().decode("utf-8")
    lines = [dict(zip(CANONICAL, line.split("\t"), strict=True)) for line in text.removesuffix("\n").split("\n")]
    return Reading(normalised, inspection, lines)


def table(columns: Sequence[str], rows: Iterable[Mapping[str, str]], line_end: str = "\n") -> str:
    """Rows under a header, tab-separated."""
    lines = [list(columns), *([r.get(name, "") for name in columns] for r in rows)]
    return "".join("\t".join(line) + line_end for line in lines)


def v2_rows(rows: Rows, total: str, **header: str) -> list[dict[str, str]]:
    """The summary row and the lines below it."""
    summary = {**HEADER, **{name.replace("_", "-"): value for name, value in header.items()}, "total-amount": total}
    return [summary, *({**r, "settlement-id": summary["settlement-id"]} for r in rows)]


def with_dates(start: str, end: str, deposit: str, posted: str) -> str:
    """A one-sale report with these dates."""
    rows = [principal("20.00", posted_date_time=posted, posted_date=posted.partition(" ")[0])]
    dates = {"settlement_start_date": start, "settlement_end_date": end, "deposit_date": deposit}
    return report_text(rows, **dates)


def refusal(read: Read, content: str | bytes) -> str:
    """The sentence with which a document is refused."""
    with pytest.raises(UnreadableReport) as refused:
        read(content)
    sentence = str(refused.value)
    assert sentence.endswith((".", "?")), sentence
    return sentence


# --- columns and lines ----------------------------------------------------------------------------------------------


def test_a_report_says_whose_period_it_is_and_what_it_pays(read: Read) -> None:
    said = read(report_text(SALE)).inspection
    assert (said.layout, said.encoding, said.decimals, said.date_format) == ("v2", "utf-8-sig", "point", "dotted")
    assert (said.settlement_id, said.currency, said.total_amount) == ("24000000001", "GBP", TOTAL)
    assert (said.start_at, said.end_at) == (moment("2026-03-01 06:00"), moment("2026-03-14 06:00"))
    assert (said.deposit_date, said.line_count, said.problems) == (date(2026, 3, 16), 3, ())
    assert (said.currencies, said.marketplaces) == (("GBP",), ("Amazon.co.uk",))


def test_a_report_of_23_columns_reads_like_one_of_24(read: Read) -> None:
    rows = v2_rows(SALE, "19.60")
    full, older = read(table(V2_COLUMNS, rows)), read(table(V2_COLUMNS[:23], rows))
    assert older.lines == full.lines
    assert older.inspection == full.inspection


def test_a_line_may_lack_its_last_field_or_have_an_empty_one_too_many(read: Read) -> None:
    lines = report_text(SALE).splitlines()
    short = [line.removesuffix("\t") for line in lines]
    long = [*lines[:2], *(line + "\t" for line in lines[2:-1]), lines[-1] + "\t  \t"]
    plain = read(report_text(SALE))
    assert [line.count("\t") for line in short] == [23, 22, 22, 22, 22]
    assert read("\n".join(short)).lines == read("\n".join(long)).lines == plain.lines


def test_a_header_may_end_in_a_tab_too(read: Read) -> None:
    text = "".join(line + "\t\n" for line in report_text(SALE).splitlines())
    assert read(text).lines == read(report_text(SALE)).lines


@pytest.mark.parametrize("trail", ["\n", "\n\n\n", "   \n", "\r\n\r\n", "\t\t\t\n", "\t" * 23 + "\n"])
def test_empty_lines_behind_the_last_one_say_nothing(read: Read, trail: str) -> None:
    plain, trailed = read(report_text(SALE)), read(report_text(SALE) + trail)
    assert trailed.lines == plain.lines
    assert trailed.inspection == plain.inspection


def test_empty_lines_in_between_do_not_shift_the_line_numbers(read: Read) -> None:
    header, summary, *rest = report_text(SALE).splitlines()
    spaced = "\n".join([header, summary, "", *rest[:2], "  ", rest[2]]) + "\n"
    assert [int(number) for number in read(spaced).column("line_number")] == [4, 5, 7]


def test_the_last_line_may_lack_its_line_end(read: Read) -> None:
    assert read(report_text(SALE).rstrip("\n")).lines == read(report_text(SALE)).lines


def test_windows_line_ends_are_no_part_of_the_last_value(read: Read) -> None:
    rows = [principal("20.00", promotion_id="SUMMER")]
    crlf = read(report_text(rows).replace("\n", "\r\n"))
    assert crlf.lines == read(report_text(rows)).lines
    assert crlf.column("promotion_id") == ["SUMMER"]


def test_blanks_behind_amounts_do_not_count(read: Read) -> None:
    rows = [{**r, "amount": r["amount"] + "    "} for r in SALE]
    said = read(report_text(rows, total="19.60      ")).inspection
    assert (said.total_amount, said.decimals, said.line_count) == (TOTAL, "point", 3)


def test_columns_may_stand_in_any_order_and_unknown_ones_are_passed_over(read: Read) -> None:
    rows = v2_rows([principal("20.00", promotion_id="SUMMER")], "20.00")
    plain = read(table(V2_COLUMNS, rows))
    shuffled = [*V2_COLUMNS, "price-in-2027"]
    random.Random(7).shuffle(shuffled)
    assert read(table(shuffled, [{**r, "price-in-2027": "9.99"} for r in rows])).lines == plain.lines
    assert read(table([*V2_COLUMNS, "price-in-2027"], rows)).lines == plain.lines


def test_column_names_are_read_whatever_their_case_quotes_and_blanks(read: Read) -> None:
    first, rest = report_text(SALE).split("\n", 1)
    dressed = "\t".join(f' "{name.upper()}" ' for name in first.split("\t"))
    assert read(f"{dressed}\n{rest}").lines == read(report_text(SALE)).lines


def test_quotes_inside_fields_are_ordinary_characters(read: Read) -> None:
    skus = ['SKU "large"', '"', '"open', "it's", "back\\slash", "#1;2,3"]
    rows = [principal("1.00", sku=sku) for sku in skus]
    reading = read(report_text(rows))
    assert reading.column("sku") == skus
    assert (reading.inspection.line_count, reading.inspection.total_amount) == (6, Decimal("6.00"))


def test_equal_lines_are_all_kept(read: Read) -> None:
    assert read(report_text([principal("1.00")] * 5)).column("line_number") == ["3", "4", "5", "6", "7"]


def test_a_line_that_cannot_be_laid_out_is_kept_aside_with_its_number_and_the_others_are_read(read: Read) -> None:
    lines = report_text(SALE).splitlines()
    broken = [
        "torn",
        "a\tb\tc",
        lines[2] + "\tone\ttoo many",
        lines[3].replace("SKU-A", "SKU\0A"),
        lines[3] + "x" * 70000,
    ]
    reading = read("\n".join([*lines[:3], *broken, *lines[3:]]))
    assert [problem.line_number for problem in reading.inspection.problems] == [4, 5, 6, 7, 8]
    reasons = [problem.reason for problem in reading.inspection.problems]
    assert reasons[0] == "has 1 fields where the header has 24"
    assert reasons[1] == "has 3 fields where the header has 24"
    assert reasons[2] == "has 26 fields where the header has 24"
    assert all(reason == "holds characters that no settlement line has" for reason in reasons[3:])
    assert all(len(problem.value) <= 200 for problem in reading.inspection.problems)
    assert reading.column("line_number") == ["3", "9", "10"]
    assert reading.inspection.line_count == 8


def test_a_long_report_is_read_whole_and_a_torn_line_deep_inside_keeps_its_number(read: Read) -> None:
    rows = [principal("1.00", sku=f"Théière {number}") for number in range(14_000)]
    lines = report_text(rows).splitlines()
    torn_at = 11_000
    lines[torn_at - 1] = "24000000001\ttorn"
    text = "\n".join(lines) + "\n"
    assert len(text) > 2_000_000
    reading = read(text)
    wanted = LineProblem(torn_at, "has 2 fields where the header has 24", "24000000001\ttorn")
    assert reading.inspection.problems == (wanted,)
    numbers = [int(number) for number in reading.column("line_number")]
    assert numbers == [number for number in range(3, 14_003) if number != torn_at]
    assert reading.column("sku") == [f"Théière {n - 3}" for n in numbers]


# --- encodings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written_as", "read_as"),
    [("utf-8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig"), ("cp1252", "cp1252"), ("utf-16", "utf-16")],
)
def test_accents_and_currency_signs_survive_every_western_encoding(read: Read, written_as: str, read_as: str) -> None:
    text = report_text([principal("20.00", sku="Théière £5 / €6")])
    reading = read(text.encode(written_as))
    assert reading.column("sku") == ["Théière £5 / €6"]
    assert reading.inspection.encoding == read_as
    assert reading.lines == read(text).lines


@pytest.mark.parametrize("written_as", ["cp932", "utf-8", "utf-16"])
def test_a_japanese_report_is_read_in_its_own_encoding(read: Read, written_as: str) -> None:
    rows = [principal("1200", sku="急須ティーポット", marketplace_name="Amazon.co.jp")]
    dates = ("2026/03/01 06:00:00 UTC", "2026/03/14 06:00:00 UTC", "2026/03/16 06:00:00 UTC")
    start, end, deposit = dates
    text = report_text(rows, currency="JPY", settlement_start_date=start, settlement_end_date=end, deposit_date=deposit)
    reading = read(text.encode(written_as))
    assert reading.column("sku") == ["急須ティーポット"]
    said = reading.inspection
    assert (said.total_amount, said.currency, said.date_format) == (Decimal("1200.00"), "JPY", "year_slashed")


def test_the_declared_charset_decides_where_the_text_is_not_utf_8(read: Read) -> None:
    text = report_text([principal("20.00", sku="Čajová konvice")])
    assert read(text.encode("cp1250"), charset="cp1250").column("sku") == ["Čajová konvice"]
    assert read(text.encode(), charset="cp1250").column("sku") == ["Čajová konvice"]


def test_a_declared_charset_that_nobody_knows_is_passed_over(read: Read) -> None:
    text = report_text([principal("20.00", sku="Théière")])
    assert read(text.encode("cp1252"), charset="x-unknown-charset").column("sku") == ["Théière"]


def test_text_in_no_known_encoding_is_refused(read: Read) -> None:
    raw = report_text([principal("20.00", sku="SKU-@")]).encode().replace(b"@", b"\x81\xff")
    assert "cannot be decoded" in refusal(read, raw)


# --- dates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dates", "found"),
    [
        (("2026-03-01 06:00:00 UTC", "2026-03-14 06:00:00 UTC", "2026-03-16"), "iso"),
        (("2026-03-01T06:00:00+00:00", "2026-03-14T06:00:00Z", "2026-03-16"), "iso"),
        (("01.03.2026 06:00:00 UTC", "14.03.2026 06:00:00 UTC", "16.03.2026"), "dotted"),
        (("2026/03/01 06:00:00 UTC", "2026/03/14 06:00:00 UTC", "2026/03/16"), "year_slashed"),
        (("01/03/2026 06:00:00 UTC", "14/03/2026 06:00:00 UTC", "16/03/2026"), "day_slashed"),
        (("03/01/2026 06:00:00 UTC", "03/14/2026 06:00:00 UTC", "03/16/2026"), "month_slashed"),
        (("01/03/26 06:00:00 UTC", "14/03/26 06:00:00 UTC", "16/03/26"), "day_slashed_short"),
        (("03/01/26 06:00:00 UTC", "03/14/26 06:00:00 UTC", "03/16/26"), "month_slashed_short"),
    ],
)
def test_every_date_format_says_the_same_days(read: Read, dates: tuple[str, str, str], found: str) -> None:
    said = read(with_dates(*dates, posted=dates[0])).inspection
    assert said.date_format == found
    assert (said.start_at, said.end_at) == (moment("2026-03-01 06:00"), moment("2026-03-14 06:00"))
    assert said.deposit_date == date(2026, 3, 16)


@pytest.mark.parametrize(("posted", "found"), [("13/01/2026", "day_slashed"), ("01/13/2026", "month_slashed")])
def test_one_line_deep_in_the_file_can_decide_between_day_and_month(read: Read, posted: str, found: str) -> None:
    text = with_dates("01/02/2026 06:00:00 UTC", "02/03/2026 06:00:00 UTC", "03/03/2026", f"{posted} 10:00:00 UTC")
    said = read(text).inspection
    assert said.date_format == found
    assert said.start_at == (moment("2026-02-01 06:00") if found == "day_slashed" else moment("2026-01-02 06:00"))


def test_slashed_dates_that_nothing_decides_are_refused(read: Read) -> None:
    text = with_dates("01/02/2026 06:00:00 UTC", "02/03/2026 06:00:00 UTC", "03/03/2026", "05/02/2026 10:00:00 UTC")
    sentence = refusal(read, text)
    assert "day/month or as month/day" in sentence
    assert "01/02/2026" in sentence


def test_slashed_dates_that_contradict_each_other_are_refused(read: Read) -> None:
    text = with_dates("01/13/2026 06:00:00 UTC", "25/01/2026 06:00:00 UTC", "27/01/2026", "14/01/2026 10:00:00 UTC")
    refusal(read, text)


@pytest.mark.parametrize("start", ["1 March 2026", "yesterday", "20260301", ""])
def test_a_date_in_no_format_of_amazons_is_refused(read: Read, start: str) -> None:
    assert "settlement-start-date" in refusal(read, report_text(SALE, settlement_start_date=start))


def test_a_summary_date_in_another_zone_than_utc_is_refused(read: Read) -> None:
    sentence = refusal(read, report_text(SALE, settlement_end_date="14.03.2026 06:00:00 PST"))
    assert "settlement-end-date" in sentence
    assert "UTC" in sentence


def test_a_report_need_not_say_when_the_money_comes(read: Read) -> None:
    assert read(report_text(SALE, deposit_date="")).inspection.deposit_date is None


def test_a_report_with_days_and_no_times_is_read(read: Read) -> None:
    columns = [name for name in V2_COLUMNS if name != "posted-date-time"]
    reading = read(table(columns, v2_rows(SALE, "19.60")))
    assert reading.column("posted_date") == ["05.03.2026"] * 3


# --- decimals -------------------------------------------------------------------------------------------------------


def test_a_decimal_comma_is_read_with_and_without_thousands(read: Read) -> None:
    rows = [principal("20.00"), principal("20.00")]
    rows[0]["amount"], rows[1]["amount"] = "1.234,50", "95,00"
    said = read(report_text(rows, total="1.329,50")).inspection
    assert (said.decimals, said.total_amount) == ("comma", Decimal("1329.50"))


@pytest.mark.parametrize(
    ("text", "decimals", "plain"),
    [
        ("95,00", "comma", "95.00"),
        ("1.234,50", "comma", "1234.50"),
        ("-12.345.678,9", "comma", "-12345678.9"),
        ("1.234", "comma", "1234"),
        ("95.00", "point", "95.00"),
        ("1,234.50", "point", "1234.50"),
        ("-1,234,567", "point", "-1234567"),
        ("  20.00   ", "point", "20.00"),
    ],
)
def test_an_amount_is_made_plain_in_the_style_of_its_file(text: str, decimals: str, plain: str) -> None:
    assert plain_amount(text, decimals) == plain


@pytest.mark.parametrize("total", ["19.60", "19,60"])
def test_a_file_with_both_styles_is_refused(read: Read, total: str) -> None:
    rows = [principal("20.00"), commission("-0.40")]
    rows[0]["amount"] = "20,00"
    sentence = refusal(read, report_text(rows, total=total))
    assert "decimal comma" in sentence
    assert "decimal point" in sentence


def test_a_file_of_whole_numbers_needs_no_style(read: Read) -> None:
    said = read(report_text([principal("20"), commission("-4")])).inspection
    assert said.total_amount == Decimal("16.00")


@pytest.mark.parametrize("total", ["nineteen", "19.605", "1,9,6.00", "+-3", "12345678901234567.00"])
def test_a_total_that_is_no_money_is_refused(read: Read, total: str) -> None:
    assert "total-amount" in refusal(read, report_text(SALE, total=total))


# --- the retired V1 layout ------------------------------------------------------------------------------------------

V1_COLUMNS = (
    "settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount", "currency",
    "transaction-type", "order-id", "merchant-order-id", "adjustment-id", "shipment-id", "marketplace-name",
    "shipment-fee-type", "shipment-fee-amount", "order-fee-type", "order-fee-amount", "fulfillment-id", "posted-date",
    "order-item-code", "merchant-order-item-id", "merchant-adjustment-item-id", "sku", "quantity-purchased",
    "price-type", "price-amount", "item-related-fee-type", "item-related-fee-amount", "misc-fee-amount",
    "other-fee-amount", "other-fee-reason-description", "promotion-id", "promotion-type", "promotion-amount",
    "direct-payment-type", "direct-payment-amount", "other-amount",
)  # fmt: skip
V1_AMOUNTS = tuple(name for name in V1_COLUMNS if name.endswith("-amount") and name != "total-amount")
V1_SUMMARY = {
    "settlement-id": "23000000001",
    "settlement-start-date": "2025-07-31T22:07:18+00:00",
    "settlement-end-date": "2025-08-14T22:07:18+00:00",
    "deposit-date": "2025-08-16T22:07:18+00:00",
    "currency": "CAD",
}
V1_ITEM = {
    "transaction-type": "Order",
    "order-id": "702-0000001-0000001",
    "marketplace-name": "Amazon.ca",
    "fulfillment-id": "AFN",
    "order-item-code": "60000000000001",
    "sku": "SKU-A",
}


def v1_text(lines: Rows, total: str, columns: Sequence[str] = V1_COLUMNS) -> str:
    common = {"settlement-id": V1_SUMMARY["settlement-id"], "posted-date": "2025-08-05T20:13:08+00:00"}
    return table(columns, [{**V1_SUMMARY, "total-amount": total}, *({**common, **line} for line in lines)])


def triples(reading: Reading) -> list[tuple[str, str, str, str]]:
    names = ("transaction_type", "amount_type", "amount_description", "amount")
    return list(zip(*(reading.column(name) for name in names), strict=True))


def test_a_v1_report_becomes_one_line_per_amount(read: Read) -> None:
    lines = [
        {**V1_ITEM, "quantity-purchased": "2"},
        {**V1_ITEM, "price-type": "Principal", "price-amount": "20.00"},
        {
            **V1_ITEM,
            "price-type": "Shipping",
            "price-amount": "3.00",
            "promotion-id": "FREE",
            "promotion-type": "Shipping",
            "promotion-amount": "-3.00",
        },
        {**V1_ITEM, "item-related-fee-type": "Commission", "item-related-fee-amount": "-3.00    "},
        {"transaction-type": "Subscription Fee", "other-amount": "-32.09"},
        {"transaction-type": "WAREHOUSE_DAMAGE", "sku": "SKU-A", "quantity-purchased": "1", "other-amount": "7.50"},
        {
            "transaction-type": "ServiceFee",
            "item-related-fee-type": "Cost of Advertising",
            "item-related-fee-amount": "-10.00",
            "other-fee-amount": "-1.30",
            "other-fee-reason-description": "TransactionTaxAmount",
        },
    ]
    reading = read(v1_text(lines, "-18.89"))
    assert triples(reading) == [
        ("Order", "ItemPrice", "Principal", "20.00"),
        ("Order", "ItemPrice", "Shipping", "3.00"),
        ("Order", "Promotion", "Shipping", "-3.00"),
        ("Order", "ItemFees", "Commission", "-3.00"),
        ("other-transaction", "other-transaction", "Subscription Fee", "-32.09"),
        ("other-transaction", "FBA Inventory Reimbursement", "WAREHOUSE_DAMAGE", "7.50"),
        ("ServiceFee", "Cost of Advertising", "TransactionTotalAmount", "-10.00"),
        ("ServiceFee", "Cost of Advertising", "TransactionTaxAmount", "-1.30"),
    ]
    places = list(zip(reading.column("line_number"), reading.column("part"), strict=True))
    assert places == [("4", "1"), ("5", "1"), ("5", "2"), ("6", "1"), ("7", "1"), ("8", "1"), ("9", "1"), ("9", "2")]
    said = reading.inspection
    assert (said.layout, said.date_format, said.currency) == ("v1", "iso", "CAD")
    assert (said.total_amount, said.line_count) == (Decimal("-18.89"), 8)
    assert (said.start_at, said.deposit_date) == (moment("2025-07-31 22:07:18"), date(2025, 8, 16))
    assert set(reading.column("posted_date_time")) == {"2025-08-05T20:13:08+00:00"}
    assert reading.column("order_item_code")[:4] == ["60000000000001"] * 4


def test_a_v1_line_that_only_counts_units_carries_no_amount(read: Read) -> None:
    reading = read(v1_text([{**V1_ITEM, "quantity-purchased": "1"}], "0.00"))
    assert reading.column("line_number") == []
    assert reading.inspection.line_count == 0


def test_a_v1_report_without_the_promotion_columns_and_with_an_empty_last_line_is_read(read: Read) -> None:
    columns = [name for name in V1_COLUMNS if not name.startswith("promotion")]
    lines = [
        {"transaction-type": "Inbound Transportation Fee", "shipment-id": "FBA00TEST000", "other-amount": "-321.69"},
        {"transaction-type": "Subscription Fee", "other-amount": "-32.09"},
        {"transaction-type": "Successful charge", "other-amount": "32.09    "},
    ]
    reading = read(v1_text(lines, "-321.69", columns) + "\n")
    assert [amount for *_, amount in triples(reading)] == ["-321.69", "-32.09", "32.09"]
    assert reading.inspection.total_amount == Decimal("-321.69")


V1_PENCE = st.integers(-9999, 9999).map(lambda pence: str(Decimal(pence).scaleb(-2)))
V1_LINE = st.fixed_dictionaries(
    {"transaction-type": st.sampled_from(["Order", "Refund", "ServiceFee", "Storage Fee", "WAREHOUSE_LOST"])},
    optional=dict.fromkeys(V1_AMOUNTS, V1_PENCE),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(V1_LINE, max_size=4))
def test_no_amount_of_a_v1_line_is_lost(tmp_path_factory: pytest.TempPathFactory, lines: Rows) -> None:
    reading = read_report(tmp_path_factory.mktemp("v1"), v1_text(lines, "0.00"))
    written = [line[name] for line in lines for name in V1_AMOUNTS if name in line]
    assert sorted(amount for *_, amount in triples(reading)) == sorted(written)


def test_a_v1_line_with_a_reason_keeps_its_other_amounts_too(read: Read) -> None:
    line = {
        **V1_ITEM,
        "price-type": "Principal",
        "price-amount": "20.00",
        "other-fee-amount": "-1.30",
        "other-fee-reason-description": "TransactionTaxAmount",
    }
    reading = read(v1_text([line], "18.70"))
    assert sorted(amount for *_, amount in triples(reading)) == ["-1.30", "20.00"]


# --- what is no settlement report -----------------------------------------------------------------------------------


def word_document() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty"),
        (b" \r\n\n", "The file is empty"),
        (word_document(), "a Word, Excel or zip file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "an old Word or Excel file"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF"),
        (gzip.compress(report_text(SALE).encode(), mtime=0), "a gzip archive; unpack it first"),
        (b'<?xml version="1.0"?>\n<AmazonEnvelope/>', "an XML file; Amazon ended XML settlement reports"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<AmazonEnvelope/>', "an XML file; Amazon ended XML settlement reports"),
        (b"<!DOCTYPE html><html></html>", "a web page or XML file"),
        (json.dumps({"errors": []}).encode(), "a JSON file"),
        (b"Minutes of the meeting\nPresent: all\n", "not the header of a settlement report"),
        (report_text(SALE).replace("\t", ",").encode(), "not the header of a settlement report"),
        (bytes(5000), "not the header of a settlement report"),
    ],
    ids=["empty", "blank", "docx", "doc", "pdf", "gzip", "xml", "xml with bom", "html", "json", "text", "csv", "nul"],
)
def test_what_is_no_settlement_report_is_refused_with_its_own_sentence(read: Read, content: bytes, says: str) -> None:
    assert says in refusal(read, content)


def test_another_amazon_report_is_told_by_the_columns_it_lacks(read: Read) -> None:
    columns = [name for name in V2_COLUMNS if name not in ("amount", "total-amount")]
    sentence = refusal(read, table(columns, v2_rows(SALE, "19.60")))
    assert "lacks these columns: amount, total-amount" in sentence


def test_a_column_that_stands_twice_is_refused(read: Read) -> None:
    assert "twice: amount" in refusal(read, table([*V2_COLUMNS, "amount"], v2_rows(SALE, "19.60")))


def test_a_header_alone_is_refused(read: Read) -> None:
    assert "nothing else" in refusal(read, table(V2_COLUMNS, []))


def test_a_report_without_its_summary_row_or_with_two_is_refused(read: Read) -> None:
    summary, *lines = v2_rows(SALE, "19.60")
    assert "no summary row" in refusal(read, table(V2_COLUMNS, lines))
    assert "2 summary rows" in refusal(read, table(V2_COLUMNS, [summary, *lines, summary]))


def test_lines_of_two_settlements_in_one_file_are_refused(read: Read) -> None:
    summary, first, *others = v2_rows(SALE, "19.60")
    text = table(V2_COLUMNS, [summary, {**first, "settlement-id": "24000000002"}, *others])
    assert "2 settlements (24000000001, 24000000002)" in refusal(read, text)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({"settlement_id": "24 000"}, "settlement-id '24 000'"),
        ({"currency": "£"}, "currency '£'"),
        ({"currency": ""}, "currency"),
    ],
)
def test_a_summary_row_that_does_not_say_what_it_must_is_refused(read: Read, header: dict[str, str], says: str) -> None:
    assert says in refusal(read, report_text(SALE, **header))


# --- any rows in any dress ------------------------------------------------------------------------------------------

WESTERN = "Théière"  # an accent before a plain letter is never valid UTF-8 in a Windows encoding
JAPANESE = "ティーポット"
TEXT = st.text(alphabet="aB7 -_/.,;:#'\"\\|&+()<>=%@$*?~`^[]{}", max_size=12)


def text_of(alphabet: str) -> st.SearchStrategy[str]:
    return st.one_of(TEXT, st.text(alphabet=f"aB7 -{alphabet}", max_size=8))


@dataclass(frozen=True)
class Dress:
    """How the same report is written."""

    encoding: str
    columns: tuple[str, ...]
    line_end: str
    last_fields: str  # "all", or without the last empty one, or with one more
    trailing_lines: str
    comma: bool
    thousands: bool
    blanks: int

    def write(self, rows: Rows) -> bytes:
        lines = [list(self.columns)]
        lines += [[self._value(name, r.get(name, "")) for name in self.columns] for r in rows]
        text = "".join(self._ended("\t".join(line)) for line in lines)
        return (text + self.trailing_lines).encode(self.encoding)

    def _value(self, name: str, value: str) -> str:
        if name not in ("amount", "total-amount") or not value:
            return value
        if self.thousands:
            value = f"{Decimal(value):,.2f}"
        if self.comma:
            value = value.translate(str.maketrans(".,", ",."))
        return value + " " * self.blanks

    def _ended(self, line: str) -> str:
        if self.last_fields == "one less" and line.endswith("\t"):
            line = line.removesuffix("\t")
        return line + ("\t" if self.last_fields == "one more" else "") + self.line_end


@st.composite
def dressed_reports(draw: st.DrawFn) -> tuple[Rows, Dress]:
    """A report's rows and a dress that can hold them."""
    japanese = draw(st.booleans())
    words = text_of("急須ー円" if japanese else "éß£€")
    marketplace, currency = ("Amazon.co.jp", "JPY") if japanese else ("Amazon.co.uk", "GBP")
    with_promotion = draw(st.booleans())
    rows = []
    for pence in draw(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=6)):
        changes = {name: draw(words) for name in ("order_id", "sku", "shipment_id", "merchant_order_id")}
        promotion = draw(words) if with_promotion else ""
        amount = f"{Decimal(pence).scaleb(-2):.2f}"
        rows.append(principal(amount, **changes, promotion_id=promotion, marketplace_name=marketplace))
    rows.append(principal("1.00", sku=JAPANESE if japanese else WESTERN, marketplace_name=marketplace))
    total = f"{sum(Decimal(r['amount']) for r in rows):.2f}"
    columns = V2_COLUMNS if with_promotion else draw(st.sampled_from([V2_COLUMNS, V2_COLUMNS[:23]]))
    encodings = ["utf-8", "utf-8-sig", "utf-16", "cp932" if japanese else "cp1252"]
    dress = Dress(
        encoding=draw(st.sampled_from(encodings)),
        columns=tuple(draw(st.permutations([*columns, "a-new-column"])) if draw(st.booleans()) else columns),
        line_end=draw(st.sampled_from(["\n", "\r\n"])),
        last_fields=draw(st.sampled_from(["all", "one less", "one more"])),
        trailing_lines=draw(st.sampled_from(["", "\n", "\r\n \r\n"])),
        comma=draw(st.booleans()),
        thousands=draw(st.booleans()),
        blanks=draw(st.integers(0, 3)),
    )
    return v2_rows(rows, total, currency=currency), dress


@settings(max_examples=50, deadline=None)
@given(dressed_reports())
def test_whatever_its_dress_a_report_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, report: tuple[Rows, Dress]
) -> None:
    rows, dress = report
    folder = tmp_path_factory.mktemp("dresses")
    plain = read_report(folder, table(V2_COLUMNS, rows))
    dressed = read_report(folder, dress.write(rows))
    how = {"encoding": plain.inspection.encoding, "decimals": plain.inspection.decimals}
    assert replace(dressed.inspection, **how) == plain.inspection
    assert dressed.inspection.decimals == ("comma" if dress.comma else "point")
    assert values(dressed) == values(plain)
    assert values(plain) == [tuple(r.get(name, "") for name in V2_COLUMNS) for r in rows]


def values(reading: Reading) -> list[tuple[str, ...]]:
    """What each line says, with its amounts as plain text."""
    amounts = ("total_amount", "amount")
    names = [name.replace("-", "_") for name in V2_COLUMNS]
    decimals = reading.inspection.decimals
    return [
        tuple(plain_amount(line[name], decimals) if name in amounts else line[name] for name in names)
        for line in reading.lines
    ]
