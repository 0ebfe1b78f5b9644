"""Looks at everything a month-end depends on, before it does: profile, credentials, and that Sage has what we name."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from amazon_sage_assets.accounting.rules import LedgerAccount
from amazon_sage_assets.amazon.client import SellingPartner
from amazon_sage_assets.amazon.errors import AmazonError, PayoutsUnavailable
from amazon_sage_assets.amazon.finances_api import payouts
from amazon_sage_assets.amazon.marketplaces import MARKETPLACES
from amazon_sage_assets.amazon.sellers_api import participations
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import NotConnected, marketplace_ids, sage_client, selling_partner
from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.outcomes import SageError
from amazon_sage_assets.sage.reference_data import ReferenceData
from amazon_sage_assets.sage.sop_records import SopRecords, nobody
from amazon_sage_assets.settings import Secrets

BANK_ACCOUNTS = ("wallet", "reserve_held", "bank_main", "bank_card")
PLACEHOLDERS = ("95", "99")


@dataclass(frozen=True)
class Finding:
    """`level` is ok, warning or problem; `says` is a sentence with what to do."""

    level: str
    area: str
    says: str


def examine(company: Company, now: datetime, secrets: Secrets | None = None) -> Iterator[Finding]:
    """Every finding, good ones too. Nothing is changed anywhere."""
    secrets = secrets or Secrets()
    profile = company.profile
    yield Finding(
        "ok", "profile", f"{profile.company}: {len(profile.accounts)} accounts and {len(profile.routes)} routes"
    )
    for account in profile.accounts:
        for site in account.marketplaces:
            if not any(r.account == account.name and r.marketplace == site for r in profile.routes):
                yield Finding("problem", "profile", f"{account.name} sells on {site} and has no route. Add [[routes]].")
    yield from _sage(company, secrets)
    for account in profile.accounts:
        area = f"Seller Central {account.name}"
        try:
            with selling_partner(company, account, secrets) as partner:
                sites = {p.marketplace_id for p in participations(partner) if p.is_active}
                for site, identifier in zip(account.marketplaces, marketplace_ids(account), strict=True):
                    if identifier in sites:
                        yield Finding("ok", area, f"signed in; sells on {site}.")
                    else:
                        yield Finding("problem", area, f"signed in, but does not sell on {site} there.")
                yield from _payouts(partner, area, now)
        except NotConnected as error:
            yield Finding("warning", area, f"{error} Reports can still be dropped into the inbox.")
        except AmazonError as error:
            yield Finding("problem", area, str(error))


def _payouts(partner: SellingPartner, area: str, now: datetime) -> Iterator[Finding]:
    try:
        payouts(partner, now - timedelta(days=1))
    except PayoutsUnavailable:
        yield Finding("ok", area, "Amazon does not list its payouts for this seller; the bank alone tells.")
    else:
        yield Finding("ok", area, "Amazon lists its payouts.")


def _sage(company: Company, secrets: Secrets) -> Iterator[Finding]:
    try:
        with sage_client(company, secrets) as client:
            client.get("/system_settings")
            yield Finding("ok", "Sage 200", "signed in, and the company is there.")
            yield from _records(company, client)
    except NotConnected as error:
        yield Finding("warning", "Sage 200", f"{error} Nothing can be posted.")
    except SageError as error:
        yield Finding("problem", "Sage 200", str(error))


def _records(company: Company, client: SageClient) -> Iterator[Finding]:
    """Every nominal code, bank, tax code and customer that the rules name."""
    customers = company.profile.sage.customers
    records = ReferenceData.read(client, customers)
    used = _accounts_in_use(company)
    missing = [a for a in used if (a.nominal_code, a.cost_centre, a.department) not in records.nominals]
    for account in missing:
        name = "/".join(filter(None, (account.nominal_code, account.cost_centre, account.department)))
        yield Finding("problem", "nominal codes", f"{account.account_key} names {name}, which Sage has not. "
                      "Correct accounts.csv or add it in Sage.")  # fmt: skip
    if not missing:
        yield Finding("ok", "nominal codes", f"all {len(used)} in use of accounts.csv exist in Sage.")
    yield from _banks(company, records)
    for treatment in company.rules.treatments:
        code = treatment.sage_tax_code
        if code and code not in records.tax_codes:
            hint = " 95 and 99 are placeholders: replace them by your own codes." if code in PLACEHOLDERS else ""
            yield Finding("problem", "tax codes", f"{treatment.vat_treatment} names tax code {code}, which Sage has "
                          f"not. Correct vat_treatments.csv.{hint}")  # fmt: skip
    if not {t.sage_tax_code for t in company.rules.treatments if t.sage_tax_code} - records.tax_codes.keys():
        yield Finding("ok", "tax codes", "every code of vat_treatments.csv exists in Sage.")
    if company.profile.orders_since:
        yield from _orders(company, client)
    sop_sites = sorted({r.marketplace for r in company.profile.routes if r.owner != "settlement"})
    for site in sop_sites:
        try:
            records.customer(site)
        except SageError as error:
            yield Finding("problem", "customers", str(error))
        else:
            yield Finding("ok", "customers", f"{site} is customer {customers[site]} in Sage.")


def _orders(company: Company, client: SageClient) -> Iterator[Finding]:
    """What sales orders need: warehouses, and settings of Sage that change how orders are built."""
    names = company.profile.sage.warehouses
    records = SopRecords.read(client, {}, names, windows_1252=False, recipient=nobody)
    for route in company.profile.routes:
        if route.owner != "settlement":
            try:
                records.warehouse(route.marketplace, route.fulfilment)
            except SageError as error:
                yield Finding("problem", "warehouses", str(error))
            else:
                name = names.get(f"{route.marketplace} {route.fulfilment}") or names.get(route.fulfilment)
                yield Finding("ok", "warehouses", f"{route.fulfilment} on {route.marketplace} goes from {name}.")
    if company.profile.orders.refunds == "sop_return":
        if client.has("/sop_returns"):
            yield Finding("ok", "refunds", "Sage has sales returns, so refunds become those.")
        else:
            yield Finding("warning", "refunds", "This version of Sage has no sales returns, or its user may not read "
                          "them, so refunds become credit notes.")  # fmt: skip
    if not records.may_set_nominal:
        yield Finding("warning", "sales orders", "Sage does not let orders name nominal codes, so sales go to the "
                      "accounts of the stock items. Allow it under SOP settings, or check those accounts.")  # fmt: skip


def _currencies(company: Company) -> set[str]:
    sites = (site for account in company.profile.accounts for site in account.marketplaces)
    return {MARKETPLACES[site].currency for site in sites if site in MARKETPLACES}


def _accounts_in_use(company: Company) -> list[LedgerAccount]:
    """Every account but those of a currency that no account of the profile settles in."""
    every = {marketplace.currency for marketplace in MARKETPLACES.values()}
    unused = tuple(f"_{currency.lower()}" for currency in every - _currencies(company))
    return [account for account in company.rules.accounts if not account.account_key.endswith(unused)]


def _banks(company: Company, records: ReferenceData) -> Iterator[Finding]:
    """With journal files the wallet, the reserve and the card are nominal codes; only the main bank is a bank."""
    cashbook = company.profile.posting_route == "cashbook"
    by_key = {account.account_key: account for account in company.rules.accounts}
    base = company.profile.base_currency
    currencies = {
        MARKETPLACES[s].currency for a in company.profile.accounts for s in a.marketplaces if s in MARKETPLACES
    }
    for currency in sorted(currencies):
        for name in BANK_ACCOUNTS if cashbook else ("bank_main",):
            own = by_key.get(f"{name}_{currency.lower()}") if currency != base else None
            account = own or by_key.get(name)
            if account is None:
                continue
            try:
                bank = records.bank(account.nominal_code)
            except SageError as error:
                yield Finding("problem", "banks", f"{account.account_key}: {error}")
                continue
            if bank.currency and bank.currency != currency:
                level = "warning" if name in ("bank_main", "bank_card") else "problem"
                says = (
                    f"{name} of {currency} settlements is the Sage bank {bank.code}, kept in {bank.currency}. "
                    f"Its documents are refused; name {name}_{currency.lower()} in accounts.csv."
                )
                yield Finding(level, "banks", says)
            else:
                yield Finding("ok", "banks", f"{name} in {currency} is the Sage bank {bank.code}.")
