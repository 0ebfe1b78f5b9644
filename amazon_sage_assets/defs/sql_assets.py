"""Turns the files of sql/ into assets: dependencies, columns and lineage come from the SQL, the text from its head."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from amazon_sage_assets import sqlfiles
from amazon_sage_assets.company import Company
from amazon_sage_assets.defs.partitions import SETTLEMENT
from amazon_sage_assets.defs.resources import CompanyResource
from amazon_sage_assets.sqlfiles import SqlFile
from amazon_sage_assets.warehouse import first_row

WAREHOUSE_POOL = "warehouse"
OWNERS = ["team:finance"]

# Control tables are the profile and the rules; they are not assets, their changes are seen by the inbox sensor.
_NOT_ASSETS = ("control",)

Replace = Callable[[Company, SqlFile, str], None]


def asset_key(schema: str, name: str) -> dg.AssetKey:
    return dg.AssetKey([schema, name])


def dependencies(sql_file: SqlFile) -> list[dg.AssetKey]:
    return [asset_key(schema, name) for schema, name in sql_file.dependencies if schema not in _NOT_ASSETS]


def spec(sql_file: SqlFile, group: str, partitioned: bool) -> dg.AssetSpec:
    columns = sqlfiles.described()[sql_file.schema][sql_file.name]
    return dg.AssetSpec(
        key=asset_key(sql_file.schema, sql_file.name),
        deps=dependencies(sql_file),
        description=sql_file.description,
        group_name=group,
        kinds={"duckdb", "sql"},
        owners=OWNERS,
        tags={"layer": sql_file.schema},
        metadata={"dagster/column_schema": _schema(columns), "file": f"sql/{sql_file.schema}/{sql_file.name}.sql"},
        partitions_def=SETTLEMENT if partitioned else None,
    )


def _schema(columns: dict[str, str]) -> dg.TableSchema:
    return dg.TableSchema(columns=[dg.TableColumn(name, kind.lower()) for name, kind in columns.items()])


def lineage(sql_file: SqlFile) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(asset_key(schema, table), source) for schema, table, source in sources]
            for column, sources in sqlfiles.column_lineage(sql_file).items()
        }
    )


def view_assets(name: str, files: list[SqlFile], group: str) -> dg.AssetsDefinition:
    """Views as one step: they are always what their files say, so the step counts their rows."""

    @dg.multi_asset(name=name, specs=[spec(f, group, partitioned=False) for f in files], pool=WAREHOUSE_POOL)
    def views(company: CompanyResource) -> Iterator[dg.MaterializeResult]:
        warehouse = company.load().warehouse
        with warehouse.read() as connection:
            for sql_file in files:
                row = first_row(connection, f"select count(*) from {sql_file.relation}")
                yield dg.MaterializeResult(
                    asset_key=asset_key(sql_file.schema, sql_file.name),
                    metadata={
                        "dagster/row_count": row[0] if row else 0,
                        "dagster/column_lineage": lineage(sql_file),
                    },
                )

    return views


def settlement_asset(
    sql_file: SqlFile, group: str, replace: Replace, describe: Callable[[Any, Company, str], dict[str, Any]]
) -> dg.AssetsDefinition:
    """A relation that is replaced per settlement. `replace` works it out, `describe` adds metadata for people."""

    this = asset_key(sql_file.schema, sql_file.name)

    @dg.multi_asset(
        name=sql_file.name,
        specs=[spec(sql_file, group, partitioned=True)],
        pool=WAREHOUSE_POOL,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def relation(context: dg.AssetExecutionContext, company: CompanyResource) -> dg.MaterializeResult:
        loaded = company.load()
        for key in context.partition_keys:
            replace(loaded, sql_file, key)
            with loaded.warehouse.read() as connection:
                context.add_asset_metadata(describe(connection, loaded, key), this, key)
        return dg.MaterializeResult(metadata={"dagster/column_lineage": lineage(sql_file)})

    return relation
