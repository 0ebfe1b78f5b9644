"""Settlement reports as Amazon delivers them, turned into one canonical layout.

A report reaches us in many dresses: 23 or 24 columns in any order, a byte-order mark, Windows or Japanese encodings,
CRLF, missing last fields, empty lines, the retired V1 layout. `normalise` writes them all as one plain UTF-8 file
with the columns of `CANONICAL` so that one SQL file can type it. It changes no value:
amounts and dates stay as Amazon wrote them. A line that cannot be laid out is kept aside, with its number and why.
"""

import codecs
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import IO

V2_COLUMNS = (
    "settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount", "currency",
    "transaction-type", "order-id", "merchant-order-id", "adjustment-id", "shipment-id", "marketplace-name",
    "amount-type", "amount-description", "amount", "fulfillment-id", "posted-date", "posted-date-time",
    "order-item-code", "merchant-order-item-id", "merchant-adjustment-item-id", "sku", "quantity-purchased",
    "promotion-id",
)  # fmt: skip
V2_REQUIRED = frozenset(V2_COLUMNS) - {
    "merchant-order-id", "adjustment-id", "shipment-id", "posted-date", "merchant-order-item-id",
    "merchant-adjustment-item-id", "quantity-purchased", "promotion-id",
}  # fmt: skip
V1_REQUIRED = frozenset(V2_COLUMNS[:8]) | {"price-type", "price-amount", "item-related-fee-type", "other-amount"}

# One line of the canonical file: the line of the original, the amount's place on it (V1 puts several on one), V2.
CANONICAL = ("line_number", "part", *(name.replace("-", "_") for name in V2_COLUMNS))

MAX_LINE_LENGTH = 65_536
_BLOCK = 1 << 20

# V1 names amounts in pairs of columns; Amazon's V1-to-V2 table gives the amount-type of each pair.
_V1_PAIRS = (
    ("price-type", "price-amount", "ItemPrice"),
    ("item-related-fee-type", "item-related-fee-amount", "ItemFees"),
    ("promotion-type", "promotion-amount", "Promotion"),
    ("shipment-fee-type", "shipment-fee-amount", "Shipment-Fees"),
    ("order-fee-type", "order-fee-amount", "OrderFees"),
    ("direct-payment-type", "direct-payment-amount", "DirectPayment"),
)
_V1_ORDER_TYPES = frozenset(
    {"Order", "Refund", "Order_Retrocharge", "Refund_Retrocharge", "Chargeback Refund", "A-to-z Guarantee Refund",
     "Liquidations", "Liquidations Adjustments"}
)  # fmt: skip
# V1 wrote the reimbursement's reason as transaction-type; V2 groups them under one amount-type.
_V1_REIMBURSEMENT_REASONS = frozenset(
    {"WAREHOUSE_LOST", "WAREHOUSE_LOST_MANUAL", "WAREHOUSE_DAMAGE", "WAREHOUSE_DAMAGE_EXCEPTION",
     "MISSING_FROM_INBOUND", "REMOVAL_ORDER_LOST", "REMOVAL_ORDER_DAMAGED", "MULTICHANNEL_ORDER_LOST",
     "MULTICHANNEL_ORDER_DAMAGED", "INBOUND_CARRIER_DAMAGE", "REVERSAL_REIMBURSEMENT", "FREE_REPLACEMENT_REFUND_ITEMS",
     "COMPENSATED_CLAWBACK", "MISSING_FROM_INBOUND_CLAWBACK", "RE_EVALUATION", "CS_ERROR_ITEMS",
     "CS_ERROR_NON_ITEMIZED", "INCORRECT_FEES_ITEMS", "INCORRECT_FEES_NON_ITEMIZED", "CUSTOMER_DAMAGE",
     "MULTICHANNEL_ORDER_LATE", "PAYMENT_RETRACTION_ITEMS", "CRETURN_WRONG_ITEM"}
)  # fmt: skip


class UnreadableReport(Exception):  # noqa: N818 - it names what the document is
    """The document is no settlement report that can be read. The message is a sentence for whoever sent it."""


@dataclass(frozen=True)
class LineProblem:
    """A line that could not be laid out: 1-based line number of the original, what is wrong, and the start of it."""

    line_number: int
    reason: str
    value: str


@dataclass
class Normalised:
    """How a report was read: `layout` is v2 or v1, `encoding` a Python codec name."""

    layout: str
    encoding: str
    problems: list[LineProblem] = field(default_factory=list)


def normalise(
    open_source: Callable[[], AbstractContextManager[IO[bytes]]], target: Path, charset: str | None = None
) -> Normalised:
    """Write the report as a canonical file. `charset` is what the sender declared, used where UTF-8 does not fit.

    Raises UnreadableReport, with a sentence for a person, when the document is no settlement report.
    """
    with open_source() as source:
        head = source.read(4096)
    _refuse_foreign(head)
    encodings = _candidate_encodings(head, charset)
    for encoding in encodings:
        try:
            with open_source() as source, target.open("wb") as out:
                return _normalise_as(encoding, source, out)
        except UnicodeDecodeError:
            continue
    raise UnreadableReport(
        f"The text cannot be decoded (tried {', '.join(encodings)}). Download the report again from Seller Central."
    )


def _refuse_foreign(head: bytes) -> None:
    """Say what a document is when it is clearly not a settlement report."""
    if not head.strip():
        raise UnreadableReport("The file is empty. Download the settlement report again from Seller Central.")
    signatures = (
        (b"PK\x03\x04", "a Word, Excel or zip file"),
        (b"\xd0\xcf\x11\xe0", "an old Word or Excel file"),
        (b"%PDF", "a PDF"),
        (b"\x1f\x8b", "a gzip archive; unpack it first"),
        (b"<?xml", "an XML file; Amazon ended XML settlement reports on 11 November 2026, take the V2 flat file"),
        (b"<", "a web page or XML file"),
        (b"{\\rtf", "a Word (RTF) file"),
        (b"{", "a JSON file"),
    )
    for signature, what in signatures:
        if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(signature):
            raise UnreadableReport(
                f"This is {what}, not a settlement report. "
                "Expected the tab-separated 'Flat file V2' from Seller Central."
            )


def _candidate_encodings(head: bytes, charset: str | None) -> list[str]:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ["utf-16"]
    legacy = "cp932" if b"JPY" in head or b"Amazon.co.jp" in head else "cp1252"
    declared = [charset] if charset and _is_codec(charset) else []
    return list(dict.fromkeys(["utf-8-sig", *declared, legacy]))


def _is_codec(name: str) -> bool:
    try:
        return codecs.lookup(name).name != "utf-8"
    except LookupError:
        return False


def _normalise_as(encoding: str, source: IO[bytes], out: IO[bytes]) -> Normalised:
    blocks = _blocks(encoding, source)
    first = next(blocks, "")
    header_line, _, rest = first.partition("\n")
    header = [name.strip().strip('"').strip().lower() for name in header_line.split("\t")]
    while header and not header[-1]:
        header.pop()
    repeated = {name for name in header if header.count(name) > 1}
    if repeated:
        raise UnreadableReport(f"The header names these columns twice: {', '.join(sorted(repeated))}.")
    names = set(header)
    if names >= V2_REQUIRED or names >= (V2_REQUIRED - {"posted-date-time"}) | {"posted-date"}:
        result = Normalised("v2", encoding)
        write = _v2_writer(header, out)
    elif names >= V1_REQUIRED:
        result = Normalised("v1", encoding)
        write = _v1_writer(header, out)
    elif "settlement-id" in names:
        missing = sorted(V2_REQUIRED - names)
        raise UnreadableReport(f"The header lacks these columns: {', '.join(missing)}. Is this another Amazon report?")
    else:
        shown = ", ".join(name for name in header[:4] if name)[:80]
        raise UnreadableReport(
            f"The first line is not the header of a settlement report (it begins: {shown!r}). "
            "Expected the tab-separated 'Flat file V2' from Seller Central."
        )
    number = 2
    for block in chain([rest], blocks):
        lines = block.split("\n")
        if not lines[-1]:
            lines.pop()
        if not _is_plain(block, lines, len(header)):
            laid_out = list(_laid_out(lines, number, len(header), result.problems))
            write([n for n, _ in laid_out], [line for _, line in laid_out])
        elif lines:
            write(range(number, number + len(lines)), lines)
        number += len(lines)
    return result


def _blocks(encoding: str, source: IO[bytes]) -> Iterator[str]:
    """The text in blocks that end with a line, with plain line ends."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    rest = ""
    while chunk := source.read(_BLOCK):
        head, newline, tail = (rest + decoder.decode(chunk)).rpartition("\n")
        if newline:
            text = head + newline
            yield text.replace("\r\n", "\n") if "\r" in text else text
        rest = tail
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest.removesuffix("\r")


def _is_plain(block: str, lines: Sequence[str], width: int) -> bool:
    """Whether every line of a block can be taken as it is: all fields there and nothing odd in it.

    Nearly every block is, so this is written for speed: a million lines take a tenth of a second.
    """
    return (
        set(map(str.count, lines, repeat("\t"))) <= {width - 1}
        and "\r" not in block
        and "\x00" not in block
        and not any(map(str.isspace, lines))
        and max(map(len, lines), default=0) <= MAX_LINE_LENGTH
    )


def _laid_out(
    lines: Sequence[str], first_number: int, width: int, problems: list[LineProblem]
) -> Iterator[tuple[int, str]]:
    """Number and text of each line, with `width` fields. Empty lines are passed over."""
    for number, line in enumerate(lines, start=first_number):
        if not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) == width - 1:
            fields.append("")  # Amazon sometimes leaves out the last field
        if len(fields) < width or any(field.strip() for field in fields[width:]):
            reason = f"has {len(fields)} fields where the header has {width}"
            problems.append(LineProblem(number, reason, line[:200]))
        elif len(line) > MAX_LINE_LENGTH or "\x00" in line or "\r" in line:
            problems.append(LineProblem(number, "holds characters that no settlement line has", line[:200]))
        else:
            yield number, "\t".join(fields[:width])


_Writer = Callable[[Iterable[int], Iterable[str]], None]


def _v2_writer(header: list[str], out: IO[bytes]) -> _Writer:
    """Copies lines as they are when the columns stand in Amazon's order, else puts each value under its own name."""
    width = len(header)
    if tuple(header) == V2_COLUMNS[:width]:
        padding = "\t" * (len(V2_COLUMNS) - width) + "\n"

        def copy(numbers: Iterable[int], lines: Iterable[str]) -> None:
            laid_out = [f"{number}\t1\t{line}{padding}" for number, line in zip(numbers, lines, strict=True)]
            out.write("".join(laid_out).encode())

        return copy
    places = [header.index(name) if name in header else None for name in V2_COLUMNS]

    def rearrange(numbers: Iterable[int], lines: Iterable[str]) -> None:
        for number, line in zip(numbers, lines, strict=True):
            values = line.split("\t")
            text = "\t".join("" if place is None else values[place] for place in places)
            out.write(f"{number}\t1\t{text}\n".encode())

    return rearrange


def _v1_writer(header: list[str], out: IO[bytes]) -> _Writer:
    """Lays a V1 line out as V2, one row per amount. A V1 line that only counts units carries no amount and no row."""

    def convert(numbers: Iterable[int], lines: Iterable[str]) -> None:
        for number, line in zip(numbers, lines, strict=True):
            row = {name: value.strip() for name, value in zip(header, line.split("\t"), strict=True)}
            if row["total-amount"]:
                _write_v1(out, number, 1, row, ("", "", "", ""))
                continue
            for part, amount in enumerate(_v1_amounts(row), start=1):
                _write_v1(out, number, part, row, amount)

    return convert


def _v1_amounts(row: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """(transaction-type, amount-type, amount-description, amount) of each amount on a V1 line."""
    kind = row["transaction-type"]
    pairs: tuple[tuple[str, str, str], ...] = _V1_PAIRS
    if row.get("other-fee-reason-description"):
        # Advertising: the name of the fee is the amount-type, its parts are told apart by the reason.
        name = row["item-related-fee-type"] or row["other-fee-reason-description"]
        if row["item-related-fee-amount"]:
            yield kind, name, "TransactionTotalAmount", row["item-related-fee-amount"]
        if row.get("other-fee-amount"):
            yield kind, name, row["other-fee-reason-description"], row["other-fee-amount"]
        pairs = tuple(pair for pair in _V1_PAIRS if pair[2] != "ItemFees")
    elif row.get("other-fee-amount"):
        yield kind, "OtherFees", "", row["other-fee-amount"]
    for type_column, amount_column, amount_type in pairs:
        if row.get(amount_column):
            if kind in _V1_ORDER_TYPES or amount_type != "ItemFees":
                yield kind, amount_type, row.get(type_column, ""), row[amount_column]
            else:
                yield kind, row[type_column], "TransactionTotalAmount", row[amount_column]
    if row.get("misc-fee-amount"):
        yield kind, "MiscFees", "", row["misc-fee-amount"]
    if row.get("other-amount"):
        group = "FBA Inventory Reimbursement" if kind in _V1_REIMBURSEMENT_REASONS else "other-transaction"
        yield "other-transaction", group, kind, row["other-amount"]


def _write_v1(out: IO[bytes], number: int, part: int, row: dict[str, str], amount: tuple[str, str, str, str]) -> None:
    transaction_type, amount_type, description, value = amount
    converted = {
        **row,
        "transaction-type": transaction_type or row["transaction-type"],
        "amount-type": amount_type,
        "amount-description": description,
        "amount": value,
        "posted-date-time": row.get("posted-date", ""),
    }
    values = [str(number), str(part), *(converted.get(name, "") for name in V2_COLUMNS)]
    out.write(("\t".join(values) + "\n").encode())
