"""One company: where its state lives, its profile and its rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from amazon_sage_assets.accounting.ownership import account_for, marketplace_for
from amazon_sage_assets.accounting.posting_plan import Ledger
from amazon_sage_assets.accounting.rules import RuleBook, load_rules
from amazon_sage_assets.control import fingerprint
from amazon_sage_assets.landing import Landing
from amazon_sage_assets.settings import Environment, Profile, load_profile
from amazon_sage_assets.warehouse import Warehouse


@dataclass(frozen=True)
class Company:
    """Everything the flow works with: where state lives, the profile and its rules."""

    environment: Environment
    profile: Profile
    rules: RuleBook

    @classmethod
    def load(cls, environment: Environment | None = None) -> "Company":
        """Raises ProfileError or RuleFileError with a sentence for a person."""
        environment = environment or Environment()
        profile = load_profile(environment.profile_path)
        return cls(environment, profile, load_rules(profile))

    @property
    def landing(self) -> Landing:
        return Landing(self.environment.home)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(database=str(self.environment.warehouse_path), encrypted=self.profile.privacy.encrypt)

    def whose(self, given: str | None, currency: str, marketplaces: Sequence[str]) -> tuple[str, str | None]:
        """The account and the marketplace of a settlement; `given` is the account that it was said to be of."""
        name = account_for(self.profile.accounts, currency, marketplaces, given)
        account = next((a for a in self.profile.accounts if a.name == name), None)
        return name, marketplace_for(account, currency, marketplaces)

    @property
    def no_vat_code(self) -> str:
        """The Sage tax code of what is no supply: the one of `outside_scope`, newest row."""
        rows = [t for t in self.rules.treatments if t.vat_treatment == "outside_scope"]
        return max(rows, key=lambda t: t.valid_from).sage_tax_code if rows else ""

    @property
    def rounding_account(self) -> Ledger:
        """Where the pennies go by which VAT or money misses; without a code where accounts.csv names none."""
        for account in self.rules.accounts:
            if account.account_key == "rounding":
                return Ledger(account.nominal_code, account.cost_centre, account.department, account.name)
        return Ledger("", "", "", "")

    @property
    def rules_fingerprint(self) -> str:
        return fingerprint(self.profile, self.rules)
