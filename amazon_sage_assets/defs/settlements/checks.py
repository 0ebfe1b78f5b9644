"""Blocking checks: no plan from a journal that fails a gate, no published figure that fails an invariant."""

from collections.abc import Iterator, Sequence

import dagster as dg

from amazon_sage_assets import verification
from amazon_sage_assets.defs.resources import CompanyResource
from amazon_sage_assets.defs.sql_assets import WAREHOUSE_POOL, asset_key
from amazon_sage_assets.sqlfiles import GATE, SqlFile, checks, gates

JOURNAL = asset_key("core", "core__journal_lines")


def _blocking(name: str, files: Sequence[SqlFile], asset: dg.AssetKey | None) -> dg.AssetChecksDefinition:
    """One step that runs these checks. A check of finance tables belongs to the first table it reads."""
    owner = {f.name: asset or asset_key(*next(d for d in f.dependencies if d[0] == "finance")) for f in files}
    specs = [
        dg.AssetCheckSpec(f.name.removeprefix(GATE), asset=owner[f.name], blocking=True, description=f.description)
        for f in files
    ]

    @dg.multi_asset_check(name=name, specs=specs, pool=WAREHOUSE_POOL)
    def run(company: CompanyResource) -> Iterator[dg.AssetCheckResult]:
        with company.load().warehouse.read() as connection:
            for result in verification.run_checks(connection, files):
                shown = "\n".join(f"- {failure}" for failure in result.failures[:20])
                yield dg.AssetCheckResult(
                    asset_key=owner[result.name],
                    check_name=result.name.removeprefix(GATE),
                    passed=not result.failures,
                    metadata={"failures": len(result.failures), "which": dg.MetadataValue.md(shown or "none")},
                )

    return run


@dg.definitions
def blocking_checks() -> dg.Definitions:
    return dg.Definitions(
        asset_checks=[_blocking("journal_gates", gates(), JOURNAL), _blocking("invariants", checks(), None)]
    )
