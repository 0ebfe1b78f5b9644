"""What finance reads: the exceptions, the finance tables, and the published file."""

from datetime import UTC, datetime

import dagster as dg

from amazon_sage_assets.defs.resources import CompanyResource
from amazon_sage_assets.defs.settlements.assets import SETTLEMENT_STATUS
from amazon_sage_assets.defs.sql_assets import OWNERS, WAREHOUSE_POOL, asset_key, dependencies, view_assets
from amazon_sage_assets.settlements.flow import note_exceptions
from amazon_sage_assets.sqlfiles import exception_files, relations

GROUP = "finance"


OPEN = asset_key("exceptions", "open_exceptions")


# What the views read as well: a run that leaves the views out must still come after it.
_READ = {key for f in exception_files() for key in (asset_key(f.schema, f.name), *dependencies(f))}


@dg.asset(
    key=OPEN,
    deps=sorted(_READ),
    group_name="exceptions",
    kinds={"duckdb", "python"},
    owners=OWNERS,
    pool=WAREHOUSE_POOL,
)
def open_exceptions(company: CompanyResource) -> dg.MaterializeResult:
    """Every open exception in one table, and when each was first seen; cleared ones are forgotten."""
    with company.load().warehouse.transaction() as connection:
        count = note_exceptions(connection, datetime.now(UTC))
    return dg.MaterializeResult(metadata={"dagster/row_count": count})


@dg.definitions
def assets() -> dg.Definitions:
    files = relations().values()
    exceptions = [f for f in files if f.schema == "exceptions"]
    finance = [f for f in files if f.schema == "finance"]

    @dg.asset(
        key=["finance", "published_file"],
        deps=[*(asset_key(f.schema, f.name) for f in finance), OPEN],
        group_name=GROUP,
        kinds={"duckdb"},
        owners=OWNERS,
        pool=WAREHOUSE_POOL,
    )
    def published_file(company: CompanyResource) -> dg.MaterializeResult:
        """The file that finance opens: the finance tables, swapped in whole."""
        loaded = company.load()
        counts = loaded.warehouse.publish(loaded.environment.published_path)
        path = dg.MetadataValue.path(str(loaded.environment.published_path))
        return dg.MaterializeResult(metadata={"path": path, **{f"finance.{n}": c for n, c in counts.items()}})

    return dg.Definitions(
        assets=[
            view_assets("exceptions", exceptions, "exceptions"),
            open_exceptions,
            view_assets("settlement_status", [relations()[SETTLEMENT_STATUS]], GROUP),
            view_assets("finance", finance, GROUP),
            published_file,
        ]
    )
