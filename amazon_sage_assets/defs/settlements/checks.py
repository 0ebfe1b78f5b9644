"""Blocking checks: no plan from a journal that fails a gate, no published figure that fails an invariant."""

from collections.abc import Iterator, Sequence

import dagster as dg

from amazon_sage_assets import verification
from amazon_sage_assets.defs.resources import CompanyResource
from amazon_sage_assets.defs.sql_assets import WAREHOUSE_POOL, asset_key
from amazon_sage_assets.sqlfiles import GATE, SqlFile, checks, gates

JOURNAL = asset_key("core", "core__journal_lines")
SETTLEMENTS = asset_key("finance", "settlements")


def _blocking(name: str, files: Sequence[SqlFile], asset: dg.AssetKey) -> dg.AssetChecksDefinition:
    """One step that runs these files as blocking checks of an asset."""
    specs = [
        dg.AssetCheckSpec(f.name.removeprefix(GATE), asset=asset, blocking=True, description=f.description)
        for f in files
    ]

    @dg.multi_asset_check(name=name, specs=specs, pool=WAREHOUSE_POOL)
    def run(company: CompanyResource) -> Iterator[dg.AssetCheckResult]:
        with company.load().warehouse.read() as connection:
            for result in verification.run_checks(connection, files):
                shown = "\n".join(f"- {failure}" for failure in result.failures[:20])
                yield dg.AssetCheckResult(
                    asset_key=asset,
                    check_name=result.name.removeprefix(GATE),
                    passed=not result.failures,
                    metadata={"failures": len(result.failures), "which": dg.MetadataValue.md(shown or "none")},
                )

    return run


@dg.definitions
def blocking_checks() -> dg.Definitions:
    return dg.Definitions(
        asset_checks=[_blocking("journal_gates", gates(), JOURNAL), _blocking("invariants", checks(), SETTLEMENTS)]
    )
