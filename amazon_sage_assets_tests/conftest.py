"""A seller in a folder of its own: a profile, a home, and what was published."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest

from amazon_sage_assets import verification
from amazon_sage_assets.company import Company
from amazon_sage_assets.settings import Environment
from amazon_sage_assets.settlements.flow import settle
from amazon_sage_assets.warehouse import Warehouse
from amazon_sage_assets_tests.reports import write_report

PROFILE = """
company = "Test Teapots Ltd"
base_currency = "GBP"
established_in = "{established_in}"
vat_registered = {vat_registered}
rules = "rules"
{top}
[[accounts]]
name = "uk"
marketplaces = ["Amazon.co.uk"]

[[accounts]]
name = "de"
marketplaces = ["Amazon.de"]

[[routes]]
account = "uk"
marketplace = "Amazon.co.uk"
fulfilment = "AFN"
owner = "{uk_afn}"
vat_treatment = "{uk_vat}"
valid_from = 2024-01-01

[[routes]]
account = "uk"
marketplace = "Amazon.co.uk"
fulfilment = "MFN"
owner = "{uk_mfn}"
vat_treatment = "{uk_vat}"
valid_from = 2024-01-01

[[routes]]
account = "de"
marketplace = "Amazon.de"
fulfilment = "AFN"
owner = "settlement"
vat_treatment = "{de_vat}"
valid_from = 2024-01-01
{bottom}
"""
DEFAULTS = {
    "established_in": "GB",
    "vat_registered": "true",
    "uk_afn": "settlement",
    "uk_mfn": "sop",
    "uk_vat": "uk_standard",
    "de_vat": "eu_local_sale",
    "top": "",
    "bottom": "",
}


@cache
def empty_warehouse() -> bytes:
    """A warehouse without a row, made once: making its relations takes longer than many a test."""
    with TemporaryDirectory() as folder:
        warehouse = Warehouse(database=str(Path(folder) / "new.duckdb"))
        warehouse.migrate()
        return warehouse.path.read_bytes()


class Seller:
    """A company over an empty home. `profile` fills the places of PROFILE above.

    Its warehouse is there and empty, but where `is_bare` says that even the home is not there yet.
    """

    def __init__(self, folder: Path, *, is_bare: bool = False, **profile: str) -> None:
        self.folder = folder
        self.profile_path = folder / "amazon_sage.toml"
        self.home = folder / "home"
        self.set_profile(**profile)
        warehouse = self.company.environment.warehouse_path
        if not is_bare and not warehouse.exists():
            warehouse.parent.mkdir(parents=True, exist_ok=True)
            warehouse.write_bytes(empty_warehouse())

    def set_profile(self, **profile: str) -> None:
        self.profile_path.write_text(PROFILE.format(**{**DEFAULTS, **profile}), encoding="utf-8")

    @property
    def company(self) -> Company:
        """Profile and rules as they are on disk now."""
        return Company.load(Environment(home=self.home, profile=self.profile_path))

    def file(self, name: str, rows: Iterable[Mapping[str, str]], total: str | None = None, **header: str) -> Path:
        """A settlement report in the seller's folder."""
        return write_report(self.folder / name, rows, total, **header)

    def settle(self, *paths: Path, account: str | None = None) -> None:
        settle(self.company, list(paths), account=account)

    def query(self, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
        """Rows of the published file."""
        with duckdb.connect(str(self.company.environment.published_path), read_only=True) as connection:
            cursor = connection.execute(sql, parameters)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def statuses(self) -> dict[str, str]:
        """Status by settlement id."""
        return {r["settlement_id"]: r["status"] for r in self.query("select * from finance.settlements")}

    def exceptions(self) -> dict[str, dict[str, Any]]:
        """Open exceptions by code; a code that stands twice fails the test that asks like this."""
        rows = self.query("select * from finance.exceptions")
        by_code = {row["code"]: row for row in rows}
        assert len(by_code) == len(rows), [row["code"] for row in rows]
        return by_code

    def failed_checks(self) -> list[str]:
        """What `verify` finds wrong."""
        company = self.company
        results = verification.verify(company.environment.published_path, company.landing)
        return [f"{result.name}: {failure}" for result in results for failure in result.failures]


@pytest.fixture
def seller(tmp_path: Path) -> Seller:
    """A UK company: FBA owned by the settlement, FBM by Sage orders; an account in Germany."""
    return Seller(tmp_path)


@pytest.fixture
def make_seller(tmp_path: Path) -> Callable[..., Seller]:
    """A seller with another profile; see PROFILE for the places that can be filled."""

    def make(**profile: str) -> Seller:
        folder = tmp_path / f"seller_{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return Seller(folder, **profile)

    return make
