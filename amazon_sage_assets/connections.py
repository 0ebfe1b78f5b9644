"""Opens Sage 200 and Seller Central for a company: addresses from the profile, secrets from the environment."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr
from sp_api.base import Marketplaces  # type: ignore[import-untyped]

from amazon_sage_assets.amazon.client import Connection as AmazonConnection
from amazon_sage_assets.amazon.client import SellingPartner
from amazon_sage_assets.amazon.connection import LOGIN_HOST
from amazon_sage_assets.amazon.marketplaces import MARKETPLACES
from amazon_sage_assets.amazon.quotas import QuotaKeeper
from amazon_sage_assets.company import Company
from amazon_sage_assets.sage.client import Connection as SageConnection
from amazon_sage_assets.sage.client import Exchange, SageClient
from amazon_sage_assets.sage.tokens import Credentials
from amazon_sage_assets.settings import Account, Secrets


class NotConnected(Exception):  # noqa: N818
    """The environment lacks what a connection needs. The message names the variables."""


def has_sage(secrets: Secrets) -> bool:
    return bool(secrets.sage_client_id)


def has_amazon(secrets: Secrets, account: str) -> bool:
    return bool(secrets.lwa_app_id and secrets.amazon_refresh_token(account).get_secret_value())


@contextmanager
def sage_client(
    company: Company, secrets: Secrets | None = None, watch: Exchange | None = None
) -> Iterator[SageClient]:
    """A client for the company's Sage. Raises NotConnected."""
    secrets = secrets or Secrets()
    _need("Sage 200", SAGE_CLIENT_ID=secrets.sage_client_id, SAGE_CLIENT_SECRET=secrets.sage_client_secret)
    sage = company.profile.sage
    connection = SageConnection(
        address=company.environment.sage_address or sage.address,
        token_address=company.environment.sage_token_address or sage.token_address,
        credentials=Credentials(secrets.sage_client_id, secrets.sage_client_secret, secrets.sage_refresh_token),
        state=company.environment.connections,
        company=sage.company,
        read_seconds=sage.answer_within_seconds,
    )
    with SageClient(connection, watch) as client:
        yield client


def marketplace_ids(account: Account) -> list[str]:
    """Amazon's ids of an account's sites."""
    return [Marketplaces[MARKETPLACES[site].country].marketplace_id for site in account.marketplaces]


@contextmanager
def selling_partner(company: Company, account: Account, secrets: Secrets | None = None) -> Iterator[SellingPartner]:
    """A client for one seller account. Raises NotConnected."""
    secrets = secrets or Secrets()
    refresh_token = secrets.amazon_refresh_token(account.name)
    _need(
        f"Seller Central ({account.name})",
        LWA_APP_ID=secrets.lwa_app_id,
        LWA_CLIENT_SECRET=secrets.lwa_client_secret,
        **{f"SP_API_REFRESH_TOKEN_{account.name.upper()} or SP_API_REFRESH_TOKEN": refresh_token},
    )
    site = Marketplaces[MARKETPLACES[account.marketplaces[0]].country]
    environment, amazon = company.environment, company.profile.amazon
    connection = AmazonConnection(
        endpoint=environment.amazon_address or amazon.address or site.endpoint,
        token_host=environment.amazon_token_address or amazon.token_address or LOGIN_HOST,
        marketplace_id=site.marketplace_id,
        region=site.region,
        refresh_token=refresh_token,
        client_id=secrets.lwa_app_id,
        client_secret=secrets.lwa_client_secret,
    )
    state = environment.connections
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with SellingPartner(connection, QuotaKeeper(state=state / f"amazon_quotas_{account.name}.json")) as partner:
        yield partner


def connected(company: Company, secrets: Secrets) -> Iterator[tuple[Account, SellingPartner]]:
    """Every account that the environment connects, one after the other, each with an open client."""
    for account in company.profile.accounts:
        if has_amazon(secrets, account.name):
            with selling_partner(company, account, secrets) as partner:
                yield account, partner


def _need(what: str, **values: str | SecretStr) -> None:
    missing = [name for name, value in values.items() if value in ("", SecretStr(""))]
    if missing:
        raise NotConnected(f"{what} is not connected: the environment has no {', '.join(missing)}.")
