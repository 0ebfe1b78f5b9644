"""The code location: everything under defs/, run in one process."""

from pathlib import Path

import dagster as dg

from amazon_sage_assets.amazon.library_logs import keep_secrets_out


@dg.definitions
def defs() -> dg.Definitions:
    """One process per run: the same steps took ten times as long in processes of their own."""
    keep_secrets_out()
    found = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(found, dg.Definitions(executor=dg.in_process_executor))
