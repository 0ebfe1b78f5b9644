"""The rule files that finance edits, read whole or refused whole.

Each file is a CSV with a fixed header. Every problem of a file is reported at once, with its line, so that a person
mends it in one go; a file with any problem is not used at all.
"""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from amazon_sage_assets.accounting.row_groups import ALL_GROUPS
from amazon_sage_assets.accounting.vat import BY_ORDER, SALES_ACCOUNTS
from amazon_sage_assets.settings import OPEN_END, Profile, rule_file

# Accounts that the journal itself uses, whatever the row rules name.
REQUIRED_ACCOUNTS = (
    *("wallet", "reserve_held", "debtors", "output_vat", "input_vat", "marketplace_tax", "bank_main", "debt_forward"),
    *("liquidation_sales", *sorted(set(SALES_ACCOUNTS.values()))),
)


class RuleFileError(Exception):
    """A rule file cannot be used. The message lists every problem with its line."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class SettlementRowRule(_Row):
    """What a row with these three labels is. `match` holds for amount_type and amount_description alike."""

    transaction_type: str = Field(min_length=1)
    amount_type: str = Field(min_length=1)
    amount_description: str
    match: Literal["exact", "prefix", "regex"]
    row_group: str
    account_key: str = Field(min_length=1)
    vat_treatment: str = Field(min_length=1)
    status: Literal["known", "review"]
    note: str = ""

    @field_validator("row_group")
    @classmethod
    def _known_group(cls, value: str) -> str:
        if value not in ALL_GROUPS:
            raise ValueError(f"{value!r} is not a row group")
        return value


class LedgerAccount(_Row):
    """A key used in rules and the Sage nominal account behind it."""

    account_key: str = Field(min_length=1)
    nominal_code: str = Field(min_length=1, max_length=8)
    cost_centre: str = Field("", max_length=3)
    department: str = Field("", max_length=3)
    name: str = ""


class VatTreatment(_Row):
    """A treatment while it is valid, both days included. `rate_bp` is in basis points: 2000 is 20%."""

    vat_treatment: str = Field(min_length=1)
    valid_from: date
    valid_to: date | None = None
    rate_bp: int | None = Field(None, ge=0, le=10_000)
    price_includes_vat: bool | None = None
    sage_tax_code: str = ""
    box_vat: Literal["", "1", "4", "1+4"] = ""
    box_net: Literal["", "6", "7", "6+7"] = ""
    note: str = ""

    @property
    def last_day(self) -> date:
        return self.valid_to or OPEN_END


class SkuAlias(_Row):
    """Which stock item of Sage a seller SKU is, and how many of it. A bundle has a row for each of its items."""

    account: str = Field(min_length=1)
    marketplace: str = Field(min_length=1)
    seller_sku: str = Field(min_length=1)
    stock_code: str = Field(min_length=1, max_length=30)
    units_per_sku: int = Field(1, ge=1)


@dataclass(frozen=True)
class RuleBook:
    """All rule files of a profile, checked against each other."""

    rows: tuple[SettlementRowRule, ...]
    accounts: tuple[LedgerAccount, ...]
    treatments: tuple[VatTreatment, ...]
    aliases: tuple[SkuAlias, ...] = ()


RowT = TypeVar("RowT", bound=_Row)


def load_rules(profile: Profile) -> RuleBook:
    """Read the profile's rule files. Raises RuleFileError listing what is wrong and where."""
    rows_path, accounts_path, vat_path = (
        rule_file(profile, name) for name in ("settlement_rows.csv", "accounts.csv", "vat_treatments.csv")
    )
    accounts = _read(accounts_path, LedgerAccount, lambda account: account.account_key)
    treatments = _read(vat_path, VatTreatment, lambda row: (row.vat_treatment, row.valid_from))
    rows = _read(
        rows_path,
        SettlementRowRule,
        lambda rule: (rule.transaction_type, rule.amount_type, rule.amount_description, rule.match),
    )
    missing = sorted(set(REQUIRED_ACCOUNTS) - {account.account_key for account in accounts})
    _refuse(accounts_path, [f"{key}: the journal needs this account_key" for key in missing])
    _check_treatments(vat_path, treatments)
    _check_rows(rows_path, rows, accounts, treatments)
    names = {treatment.vat_treatment for treatment in treatments}
    for route in profile.routes:
        if route.vat_treatment not in SALES_ACCOUNTS or route.vat_treatment not in names:
            raise RuleFileError(
                f"The route {' '.join(route.key)} names the VAT treatment {route.vat_treatment!r}, which no sale can "
                f"have. Use one of {', '.join(sorted(SALES_ACCOUNTS))}, with a row in {vat_path.name}."
            )
    for marketplace, key in profile.local_vat.items():
        if key not in {account.account_key for account in accounts}:
            raise RuleFileError(f"local_vat sends {marketplace} to {key!r}, which is not in {accounts_path.name}.")
    aliases_path = rule_file(profile, "sku_aliases.csv")
    aliases = _read(aliases_path, SkuAlias, lambda a: (a.account, a.marketplace, a.seller_sku, a.stock_code))
    known = {account.name: account.marketplaces for account in profile.accounts}
    _refuse(aliases_path, [
        f"{a.seller_sku}: the profile has no account {a.account!r} that sells on {a.marketplace!r}"
        for a in aliases if a.marketplace not in known.get(a.account, ())
    ])  # fmt: skip
    return RuleBook(tuple(rows), tuple(accounts), tuple(treatments), tuple(aliases))


def _read(path: Path, model: type[RowT], identity: Callable[[RowT], object]) -> list[RowT]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RuleFileError(f"{path.name} is not UTF-8 text. Save it as 'CSV UTF-8'.") from None
    reader = csv.DictReader(text.splitlines())
    wanted = list(model.model_fields)
    if list(reader.fieldnames or ()) != wanted:
        raise RuleFileError(f"{path.name}: the header must be exactly {','.join(wanted)}.")
    rows: list[RowT] = []
    problems: list[str] = []
    seen: dict[object, int] = {}
    for raw in reader:
        if None in raw or None in raw.values():
            problems.append(f"line {reader.line_num}: has more or fewer cells than the header")
            continue
        try:
            row = model.model_validate(_without_blanks(raw, model))
        except ValidationError as error:
            problems += [f"line {reader.line_num}: {_say(problem)}" for problem in error.errors()]
            continue
        if (first := seen.setdefault(identity(row), reader.line_num)) != reader.line_num:
            problems.append(f"line {reader.line_num}: says again what line {first} says")
        rows.append(row)
    _refuse(path, problems)
    return rows


def _without_blanks(raw: dict[str | Any, Any], model: type[_Row]) -> dict[str, Any]:
    """Cells without outer blanks; empty ones take the column's default, where it has one."""
    return {
        name: value.strip()
        for name, value in raw.items()
        if value.strip() or name not in model.model_fields or model.model_fields[name].is_required()
    }


def _say(problem: Any) -> str:
    column = ".".join(str(part) for part in problem["loc"])
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{column}: {message}"


def _refuse(path: Path, problems: Sequence[str]) -> None:
    if problems:
        shown = "\n  ".join(problems[:20])
        more = f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""
        raise RuleFileError(f"{path.name} is not used, because:\n  {shown}{more}")


def _check_treatments(path: Path, treatments: Sequence[VatTreatment]) -> None:
    problems = []
    for row in treatments:
        if row.vat_treatment != BY_ORDER and (row.rate_bp is None or row.price_includes_vat is None):
            problems.append(f"{row.vat_treatment}: needs rate_bp and price_includes_vat")
        if row.last_day < row.valid_from:
            problems.append(f"{row.vat_treatment} from {row.valid_from}: ends before it begins")
        for other in treatments:
            if other.vat_treatment == row.vat_treatment and row.valid_from < other.valid_from <= row.last_day:
                problems.append(f"{row.vat_treatment}: the rows from {row.valid_from} and {other.valid_from} overlap")
    _refuse(path, problems)


def _check_rows(
    path: Path,
    rows: Sequence[SettlementRowRule],
    accounts: Sequence[LedgerAccount],
    treatments: Sequence[VatTreatment],
) -> None:
    keys = {account.account_key for account in accounts}
    names = {treatment.vat_treatment for treatment in treatments}
    problems = []
    for rule in rows:
        label = f"{rule.transaction_type} / {rule.amount_type} / {rule.amount_description}"
        if rule.account_key not in keys:
            problems.append(f"{label}: account_key {rule.account_key!r} is not in accounts.csv")
        if rule.vat_treatment not in names:
            problems.append(f"{label}: vat_treatment {rule.vat_treatment!r} is not in vat_treatments.csv")
        if rule.match == "regex":
            for pattern in (rule.amount_type, rule.amount_description):
                try:
                    re.compile(pattern)
                except re.error as error:
                    problems.append(f"{label}: {pattern!r} is not a regular expression ({error})")
    _refuse(path, problems)
