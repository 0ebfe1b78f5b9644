"""What Sage calls things: record ids of banks, tax codes and customers, and which nominal codes exist."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.outcomes import SageRefused

NominalKey = tuple[str, str, str]


@dataclass(frozen=True)
class Bank:
    """A cash-book account; `currency_id` is Sage's record id, `currency` the ISO code where Sage tells it."""

    id: int
    code: str
    nominal: NominalKey
    currency_id: int
    currency: str


@dataclass(frozen=True)
class ReferenceData:
    """One reading of Sage's records, small enough to be taken anew for each run."""

    banks: tuple[Bank, ...]
    tax_codes: Mapping[str, int]
    customers: Mapping[str, int]
    nominals: frozenset[NominalKey]
    base_currency_id: int
    customer_accounts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, client: SageClient, customer_accounts: Mapping[str, str]) -> "ReferenceData":
        """`customer_accounts` says which Sage customer stands for each Amazon site."""
        currencies = {row["id"]: row for row in client.read_all("/currencies", expand="currency_iso_code")}
        wanted = " or ".join(f"reference eq '{code}'" for code in sorted(set(customer_accounts.values())))
        customers = client.read_all("/customers", wanted, select=("id", "reference")) if wanted else []
        base = [row["id"] for row in currencies.values() if row.get("is_base_currency")]
        return cls(
            banks=tuple(_bank(row, currencies) for row in client.read_all("/banks")),
            tax_codes={str(row["code"]): int(row["id"]) for row in client.read_all("/tax_codes")},
            customers={str(row["reference"]): int(row["id"]) for row in customers},
            nominals=frozenset(
                (str(row["reference"]), str(row["cost_centre_code"] or ""), str(row["department_code"] or ""))
                for row in client.read_all(
                    "/nominal_codes", select=("id", "reference", "cost_centre_code", "department_code")
                )
            ),
            base_currency_id=int(base[0]) if base else 0,
            customer_accounts=dict(customer_accounts),
        )

    def bank(self, nominal_code: str) -> Bank:
        """The bank behind a nominal code. Raises SageRefused."""
        found = [bank for bank in self.banks if bank.nominal[0] == nominal_code]
        if len(found) != 1:
            raise SageRefused(
                f"Sage has {len(found) or 'no'} bank accounts with the nominal code {nominal_code}; one is needed."
            )
        return found[0]

    def tax_code(self, code: str) -> int:
        """Raises SageRefused."""
        if code not in self.tax_codes:
            known = ", ".join(sorted(self.tax_codes, key=lambda c: (len(c), c)))
            raise SageRefused(f"Sage has no tax code {code!r}; it has {known}. Correct it in vat_treatments.csv.")
        return self.tax_codes[code]

    def customer(self, marketplace: str) -> int:
        """The customer that stands for an Amazon site. Raises SageRefused."""
        account = self.customer_accounts.get(marketplace)
        if not account:
            raise SageRefused(
                f"No Sage customer is named for {marketplace or 'orders without a marketplace'}. Add it under "
                "[sage.customers] in the profile."
            )
        if account not in self.customers:
            raise SageRefused(f"Sage has no customer {account!r}, which [sage.customers] names for {marketplace}.")
        return self.customers[account]

    def is_foreign(self, bank: Bank) -> bool:
        return bank.currency_id not in (0, self.base_currency_id)


def _bank(row: Mapping[str, Any], currencies: Mapping[int, Mapping[str, Any]]) -> Bank:
    currency_id = int(row.get("account_currency_id") or 0)
    iso = (currencies.get(currency_id) or {}).get("currency_iso_code") or {}
    nominal = (
        str(row["bank_account_nominal_reference"]),
        str(row.get("bank_account_nominal_cost_centre") or ""),
        str(row.get("bank_account_nominal_department") or ""),
    )
    return Bank(int(row["id"]), str(row["code"]), nominal, currency_id, str(iso.get("code") or ""))
