"""Resources: the company, read from the environment when a run starts."""

import dagster as dg

from amazon_sage_assets.company import Company
from amazon_sage_assets.settings import Environment


class CompanyResource(dg.ConfigurableResource):
    """The profile and state of one company. Empty paths mean AMAZON_SAGE_HOME and AMAZON_SAGE_PROFILE."""

    home: str = ""
    profile: str = ""

    def load(self) -> Company:
        given = {name: value for name, value in (("home", self.home), ("profile", self.profile)) if value}
        return Company.load(Environment(**given))

    def load_current(self) -> Company:
        """The same with the warehouse of this version: for steps that may be the first after an upgrade."""
        company = self.load()
        company.warehouse.migrate()
        return company


@dg.definitions
def resources() -> dg.Definitions:
    return dg.Definitions(resources={"company": CompanyResource()})
