"""The profile and the rule files as the `control` tables that SQL reads, and a fingerprint of both."""

import hashlib
from typing import Any

import duckdb

from amazon_sage_assets.accounting.rules import RuleBook
from amazon_sage_assets.accounting.vat import BY_ORDER, SALES_ACCOUNTS
from amazon_sage_assets.amazon.marketplaces import EU_COUNTRIES, MARKETPLACES
from amazon_sage_assets.settings import Profile, dated_routes
from amazon_sage_assets.tables import insert_rows


def control_rows(profile: Profile, rules: RuleBook) -> dict[str, list[tuple[Any, ...]]]:
    """The content of each control table."""
    region = "GB" if profile.established_in == "GB" else "EU" if profile.established_in in EU_COUNTRIES else "ELSEWHERE"
    return {
        "profile": [(profile.company, profile.base_currency, profile.established_in, region, profile.timezone)],
        "marketplaces": [(m.name, m.region, m.local_fees) for m in MARKETPLACES.values()],
        "routes": _route_rows(profile),
        "ledger_accounts": [
            (a.account_key, a.nominal_code, a.cost_centre, a.department, a.name) for a in rules.accounts
        ],
        "vat_treatments": [_treatment_row(profile, t) for t in rules.treatments if t.vat_treatment != BY_ORDER],
        "sales_accounts": list(SALES_ACCOUNTS.items()),
        "local_vat": list(profile.local_vat.items()),
        "payout_rules": [
            (
                profile.payouts.days_before,
                profile.payouts.working_days_after,
                profile.payouts.bank_text,
                profile.posting_route,
            )
        ],
        "sku_aliases": [(a.account, a.marketplace, a.seller_sku, a.stock_code, a.units_per_sku) for a in rules.aliases],
        "site_currencies": [(m.name, m.currency) for m in MARKETPLACES.values()],
        "order_rules": [
            (profile.orders.tolerance, profile.orders.unpaid_after_days, profile.orders.unreturned_after_days)
        ],
    }


def _route_rows(profile: Profile) -> list[tuple[Any, ...]]:
    """The dated routes; where every fulfilment of a marketplace says the same, also one for rows that name none."""
    rows = [
        (r.account, r.marketplace, r.fulfilment, r.owner, r.vat_treatment, r.valid_from, last)
        for r, last in dated_routes(profile.routes)
    ]
    said: dict[tuple[str, str], dict[str, list[tuple[Any, ...]]]] = {}
    for account, marketplace, fulfilment, *rest in rows:
        said.setdefault((account, marketplace), {}).setdefault(fulfilment, []).append(tuple(rest))
    for (account, marketplace), by_fulfilment in said.items():
        first, *others = by_fulfilment.values()
        if all(other == first for other in others):
            rows += [(account, marketplace, "", *rest) for rest in first]
    return rows


def _treatment_row(profile: Profile, treatment: Any) -> tuple[Any, ...]:
    """A company that is not registered for VAT reclaims and declares none: what Amazon charges is cost."""
    registered = profile.vat_registered
    return (
        treatment.vat_treatment,
        treatment.valid_from,
        treatment.last_day,
        treatment.rate_bp,
        treatment.price_includes_vat,
        treatment.sage_tax_code,
        treatment.box_vat if registered else "",
        treatment.box_net if registered else "",
    )


def load_control(connection: duckdb.DuckDBPyConnection, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    """Replace the control tables. Call it inside a transaction."""
    for table, content in rows.items():
        connection.execute(f"delete from control.{table}")
        insert_rows(connection, f"control.{table}", content)


def fingerprint(profile: Profile, rules: RuleBook) -> str:
    """Changes when a rule, a route, an account or a VAT treatment changes: what a settlement is worked out with."""
    others = ("payout_rules", "sku_aliases", "site_currencies", "order_rules")  # change no settlement
    used = {name: rows for name, rows in control_rows(profile, rules).items() if name not in others}
    return hashlib.sha256(repr((used, rules.rows)).encode()).hexdigest()
