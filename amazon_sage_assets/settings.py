"""The company profile (`amazon_sage.toml`), the environment and the secrets, each as one typed object."""

import os
import tomllib
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

PACKAGE = Path(__file__).parent
SAMPLE_PROFILE = PACKAGE / "sandbox" / "amazon_sage.toml"
PACKAGED_RULES = PACKAGE / "rules"
OPEN_END = date(9999, 12, 31)

CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
AccountName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,15}$")]


class ProfileError(Exception):
    """The profile cannot be used. The message names the file, the key and what is expected."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Account(_Part):
    """A seller account: its marketplaces as Amazon names them; `currency` narrows an account that settles in one."""

    name: AccountName
    marketplaces: tuple[str, ...]
    currency: CurrencyCode | None = None


class Route(_Part):
    """Who owns the revenue of orders of one account, marketplace and fulfilment, from a day until the next row's."""

    account: str
    marketplace: str
    fulfilment: Literal["AFN", "MFN"]
    owner: Literal["sop", "sop_daily", "settlement"] = "sop"
    vat_treatment: str
    valid_from: date
    valid_to: date | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.account, self.marketplace, self.fulfilment)


class Sage(_Part):
    """Where Sage 200 is, and what of it is used. The defaults are Sage 200 Professional."""

    address: str = "https://api.columbus.sage.com/uk/sage200extra/accounts/v1/"
    token_address: str = "https://id.sage.com/oauth/token"  # noqa: S105 - where tokens come from
    authorize_address: str = "https://id.sage.com/authorize"
    redirect_address: str = "https://127.0.0.1/sage"
    company: str = ""
    customers: dict[str, str] = {}
    warehouses: dict[str, str] = {}
    characters: Literal["unicode", "windows-1252"] = "unicode"
    answer_within_seconds: float = Field(120.0, gt=0)
    late_commit_seconds: float = Field(180.0, gt=0)


class Amazon(_Part):
    """Where Seller Central is. Empty means Amazon's own addresses for the account's marketplaces."""

    address: str = ""
    token_address: str = ""


class Payouts(_Part):
    """How a payout is matched to the bank: days around the deposit day, and how Amazon's credits read there."""

    days_before: int = Field(1, ge=0)
    working_days_after: int = Field(5, ge=0)
    bank_text: str = "amazon"


BY_PROFILE = 'profile (posting = "auto")'  # who approved, where nobody has to


class Orders(_Part):
    """How Amazon's orders become Sage orders, and when what comes of them is late.

    `send`: a Sage order moves no money, so by default nobody approves each one. `refunds`: what a refund becomes; a
    site of Sage without sales returns gets credit notes. `since`: the first day of orders to read, else the first day
    of any route whose orders are Sage orders. `negative_rounding`: whether Sage takes a free-text line below zero, for
    the penny by which its VAT per rate differs from the buyer's.
    """

    send: Literal["auto", "approve"] = "auto"
    refunds: Literal["credit_note", "sop_return"] = "credit_note"
    since: date | None = None
    tolerance: Decimal = Field(Decimal("0.02"), ge=0, max_digits=6, decimal_places=2)
    negative_rounding: bool = True
    unpaid_after_days: int = Field(30, ge=1)
    unreturned_after_days: int = Field(60, ge=1)


class Privacy(_Part):
    """How long names, addresses and telephone numbers are kept after an order was sent.

    `encrypt`: whether the working file and the file of personal data are encrypted; the key is in the environment.
    """

    erase_after_days: int = Field(30, ge=0)
    encrypt: bool = False


class Profile(_Part):
    """One company. Dates of postings are taken in `timezone`; see the README for every key."""

    company: str
    base_currency: CurrencyCode = Field("GBP", validation_alias=AliasChoices("base_currency", "currency"))
    established_in: CountryCode = "GB"
    vat_registered: bool = True
    timezone: str = "Europe/London"
    posting: Literal["approve", "auto"] = "approve"
    posting_route: Literal["cashbook", "journal_file"] = "cashbook"
    closed_period: Literal["hold", "next_open"] = "hold"
    rules: Path | None = None
    accounts: tuple[Account, ...]
    routes: tuple[Route, ...] = ()
    owners: dict[str, str] = {}
    local_vat: dict[str, str] = {}
    sage: Sage = Sage()
    amazon: Amazon = Amazon()
    payouts: Payouts = Payouts()
    orders: Orders = Orders()
    privacy: Privacy = Privacy()

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError) as error:
            raise ValueError(f"{value!r} is not a time zone such as Europe/London") from error
        return value

    @model_validator(mode="after")
    def _routes_are_sound(self) -> "Profile":
        names = [account.name for account in self.accounts]
        if len(set(names)) != len(names):
            raise ValueError("two accounts share a name")
        by_name = {account.name: account for account in self.accounts}
        for route in self.routes:
            if route.account not in by_name:
                raise ValueError(f"a route names the account {route.account!r}, which is not under [[accounts]]")
            if route.marketplace not in by_name[route.account].marketplaces:
                raise ValueError(
                    f"a route of {route.account!r} names {route.marketplace!r}, not one of its marketplaces"
                )
        dated_routes(self.routes)
        sites = {site for account in self.accounts for site in account.marketplaces}
        for site in self.local_vat.keys() - sites:
            raise ValueError(f"local_vat names {site!r}, which is not a marketplace of any account")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def orders_since(self) -> date | None:
        """The first day of orders to read; None where no route makes Sage orders."""
        starts = [route.valid_from for route in self.routes if route.owner != "settlement"]
        return self.orders.since or min(starts, default=None)


def dated_routes(routes: tuple[Route, ...]) -> list[tuple[Route, date]]:
    """Each route with its last day. Raises ValueError where ranges overlap or leave a gap."""
    dated = []
    ordered = sorted(routes, key=lambda r: (r.key, r.valid_from))
    for place, route in enumerate(ordered):
        following = ordered[place + 1] if place + 1 < len(ordered) else None
        next_start = following.valid_from if following and following.key == route.key else None
        last = route.valid_to or (next_start - timedelta(days=1) if next_start else OPEN_END)
        where = f"the routes of {' '.join(route.key)} from {route.valid_from}"
        if last < route.valid_from:
            raise ValueError(f"{where}: the range ends before it begins")
        if next_start and next_start <= last:
            raise ValueError(f"{where} overlap the ones from {next_start}")
        if next_start and next_start > last + timedelta(days=1):
            raise ValueError(f"{where} leave a gap between {last} and {next_start}")
        dated.append((route, last))
    return dated


class Environment(BaseSettings):
    """Where state lives and which profile is used: AMAZON_SAGE_HOME and AMAZON_SAGE_PROFILE.

    The four addresses overrule the profile's, so that the same profile can be tried against the sandbox.
    """

    model_config = SettingsConfigDict(env_prefix="AMAZON_SAGE_", extra="ignore")

    home: Path = Path("var")
    profile: Path | None = None
    sage_address: str | None = None
    sage_token_address: str | None = None
    amazon_address: str | None = None
    amazon_token_address: str | None = None

    @property
    def profile_path(self) -> Path:
        """The named profile, else `amazon_sage.toml` here, else the packaged sample."""
        if self.profile:
            return self.profile
        local = Path("amazon_sage.toml")
        return local if local.exists() else SAMPLE_PROFILE

    @property
    def warehouse_path(self) -> Path:
        return self.home / "warehouse" / "working.duckdb"

    @property
    def published_path(self) -> Path:
        return self.home / "finance" / "amazon_sage.duckdb"

    @property
    def inbox(self) -> Path:
        return self.home / "inbox" / "settlements"

    @property
    def scratch(self) -> Path:
        return self.home / "scratch"

    @property
    def connections(self) -> Path:
        """Tokens, request locks and quotas: readable by their owner alone."""
        return self.home / "connections"

    @property
    def personal_path(self) -> Path:
        """Names, addresses and telephone numbers of those whom we still send something. Nothing else holds any."""
        return self.home / "personal" / "recipients.duckdb"

    @property
    def journals(self) -> Path:
        """Import files for Sage, where the posting route is `journal_file`."""
        return self.home / "outgoing" / "journals"


class Secrets(BaseSettings):
    """What proves who we are. Read from the environment when a client is made, and kept nowhere else.

    An account of its own sign-in has it in SP_API_REFRESH_TOKEN_<ACCOUNT>, in capitals.
    """

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    sage_client_id: str = ""
    sage_client_secret: SecretStr = SecretStr("")
    sage_refresh_token: SecretStr = SecretStr("")
    lwa_app_id: str = ""
    lwa_client_secret: SecretStr = SecretStr("")
    sp_api_refresh_token: SecretStr = SecretStr("")
    amazon_sage_warehouse_key: SecretStr = SecretStr("")

    def amazon_refresh_token(self, account: str) -> SecretStr:
        own = os.environ.get(f"SP_API_REFRESH_TOKEN_{account.upper()}", "")
        return SecretStr(own) if own else self.sp_api_refresh_token


def load_profile(path: Path) -> Profile:
    """Read a profile. Raises ProfileError naming the file, the key and what is wrong."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ProfileError(
            f"There is no profile at {path}. Set AMAZON_SAGE_PROFILE to your amazon_sage.toml."
        ) from None
    except UnicodeDecodeError:
        raise ProfileError(f"{path} is not UTF-8 text. Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path} is not valid TOML: {error}.") from None
    try:
        profile = Profile.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(_say(problem["loc"], problem["msg"]) for problem in error.errors())
        raise ProfileError(f"{path} cannot be used: {problems}.") from None
    if profile.rules is not None and not profile.rules.is_absolute():
        profile = profile.model_copy(update={"rules": path.parent / profile.rules})
    return profile


def _say(location: tuple[str | int, ...], message: str) -> str:
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in location) or "the profile"
    return f"{where}: {message.removeprefix('Value error, ')}"


def rule_file(profile: Profile, name: str) -> Path:
    """The profile's own rule file where it has one, else the packaged one."""
    if profile.rules and (own := profile.rules / name).exists():
        return own
    return PACKAGED_RULES / name
