"""Whose a settlement is, and which marketplace its blank rows belong to."""

import pytest

from amazon_sage_assets.accounting.ownership import (
    UNKNOWN_ACCOUNT,
    account_for,
    is_foreign,
    marketplace_for,
    settles_in,
)
from amazon_sage_assets.settings import Account

UK = Account(name="uk", marketplaces=("Amazon.co.uk",))
DE = Account(name="de", marketplaces=("Amazon.de",))
FR = Account(name="fr", marketplaces=("Amazon.fr",))
EUROPE = Account(name="europe", marketplaces=("Amazon.de", "Amazon.fr", "Amazon.co.uk"))
EUROS_ONLY = Account(name="euros", marketplaces=("Amazon.de", "Amazon.co.uk"), currency="EUR")


@pytest.mark.parametrize(
    ("accounts", "currency", "marketplaces", "expected"),
    [
        ([UK, DE], "GBP", ["Amazon.co.uk"], "uk"),
        ([UK, DE], "EUR", ["Amazon.de"], "de"),
        ([UK, DE], "GBP", [], "uk"),
        ([UK, DE], "GBP", ["Amazon.co.uk", "Non-Amazon UK"], "uk"),
        ([UK, DE], "GBP", ["SI UK Prod Marketplace"], "uk"),
        ([UK, EUROPE], "EUR", ["Amazon.de", "Amazon.fr"], "europe"),
        ([UK, EUROS_ONLY], "GBP", ["Amazon.co.uk"], "uk"),
    ],
)
def test_a_report_belongs_to_the_one_account_that_fits(
    accounts: list[Account], currency: str, marketplaces: list[str], expected: str
) -> None:
    assert account_for(accounts, currency, marketplaces) == expected


@pytest.mark.parametrize(
    ("accounts", "currency", "marketplaces"),
    [
        ([UK, DE], "USD", ["Amazon.com"]),
        ([UK, DE], "EUR", ["Amazon.co.uk"]),
        ([DE, FR], "EUR", []),
        ([UK, EUROPE], "GBP", ["Amazon.co.uk"]),
        ([DE, FR], "EUR", ["Amazon.de", "Amazon.fr"]),
        ([UK], "GBP", ["amazon.co.uk"]),
    ],
    ids=["no currency", "wrong currency", "two fit", "two hold the site", "sites of two accounts", "case counts"],
)
def test_a_report_that_fits_no_account_or_two_is_unknown(
    accounts: list[Account], currency: str, marketplaces: list[str]
) -> None:
    assert account_for(accounts, currency, marketplaces) == UNKNOWN_ACCOUNT


def test_a_given_account_decides_where_two_fit() -> None:
    assert account_for([DE, FR], "EUR", [], given="fr") == "fr"


def test_a_given_account_that_the_profile_does_not_name_decides_nothing() -> None:
    assert account_for([UK, DE], "GBP", ["Amazon.co.uk"], given="gone") == "uk"


def test_an_account_settles_in_its_marketplaces_currencies_unless_it_names_one() -> None:
    assert settles_in(EUROPE) == {"EUR", "GBP"}
    assert settles_in(EUROS_ONLY) == {"EUR"}


@pytest.mark.parametrize(
    ("name", "foreign"),
    [("Non-Amazon UK", True), ("Non-Amazon", True), ("SI UK Prod Marketplace", True), ("Amazon.co.uk", False)],
)
def test_only_amazons_own_sites_are_marketplaces(name: str, foreign: bool) -> None:
    assert is_foreign(name) is foreign


@pytest.mark.parametrize(
    ("account", "currency", "marketplaces", "expected"),
    [
        (UK, "GBP", ["Amazon.co.uk"], "Amazon.co.uk"),
        (UK, "GBP", ["Amazon.co.uk", "Non-Amazon UK"], "Amazon.co.uk"),
        (UK, "GBP", [], "Amazon.co.uk"),
        (UK, "GBP", ["Non-Amazon UK"], "Amazon.co.uk"),
        (EUROPE, "GBP", [], "Amazon.co.uk"),
        (EUROPE, "EUR", [], None),
        (EUROPE, "EUR", ["Amazon.de", "Amazon.fr"], None),
        (None, "GBP", [], None),
        (None, "GBP", ["Amazon.co.uk"], "Amazon.co.uk"),
    ],
)
def test_a_settlement_has_one_marketplace_or_none(
    account: Account | None, currency: str, marketplaces: list[str], expected: str | None
) -> None:
    assert marketplace_for(account, currency, marketplaces) == expected
