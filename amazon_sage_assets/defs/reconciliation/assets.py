"""From Sage's banks to each payout: what is expected, which line it is, and what Sage's own entries add up to."""

import dagster as dg

from amazon_sage_assets.defs.sql_assets import view_assets
from amazon_sage_assets.sqlfiles import relations

GROUP = "reconciliation"
VIEWS = (
    "staging.stg_sage__bank_entries",
    "core.core__bank_expectations",
    "core.core__bank_matches",
    "core.core__posted_totals",
)


@dg.definitions
def assets() -> dg.Definitions:
    files = relations()
    return dg.Definitions(assets=[view_assets(files[name].name, [files[name]], GROUP) for name in VIEWS])
