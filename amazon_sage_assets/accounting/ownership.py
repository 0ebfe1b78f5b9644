"""Whose a settlement is. Which owner an order's revenue has is the dated route table (`settings.Route`)."""

from collections.abc import Sequence

from amazon_sage_assets.amazon.marketplaces import MARKETPLACES
from amazon_sage_assets.settings import Account

UNKNOWN_ACCOUNT = "unknown"


def account_for(
    accounts: Sequence[Account], currency: str, marketplaces: Sequence[str], given: str | None = None
) -> str:
    """The seller account of a report: the one it came with, else the only one whose marketplaces and currency fit.

    Marketplaces that are not Amazon's own sites (multi-channel orders say `Non-Amazon`) decide nothing.
    Two fits or none is `unknown`, and a person decides.
    """
    if given and given in {account.name for account in accounts}:
        return given
    sites = [name for name in marketplaces if not is_foreign(name)]
    fits = [
        account.name
        for account in accounts
        if currency in settles_in(account) and all(site in account.marketplaces for site in sites)
    ]
    return fits[0] if len(fits) == 1 else UNKNOWN_ACCOUNT


def is_foreign(marketplace: str) -> bool:
    """Whether a marketplace name stands for sales outside Amazon's sites."""
    return marketplace.startswith("Non-Amazon") or marketplace.endswith("Prod Marketplace")


def settles_in(account: Account) -> set[str]:
    """The currencies an account's settlements come in."""
    if account.currency:
        return {account.currency}
    return {MARKETPLACES[name].currency for name in account.marketplaces if name in MARKETPLACES}


def marketplace_for(account: Account | None, currency: str, marketplaces: Sequence[str]) -> str | None:
    """The one marketplace of a settlement: the site its rows name, else the account's only site in that currency.

    A settlement whose rows name several sites has none, and its blank rows stay without one.
    """
    sites = [name for name in marketplaces if not is_foreign(name)]
    if sites:
        return sites[0] if len(sites) == 1 else None
    if account is None:
        return None
    candidates = [
        name
        for name in account.marketplaces
        if name not in MARKETPLACES or MARKETPLACES[name].currency == currency or account.currency == currency
    ]
    return candidates[0] if len(candidates) == 1 else None
