"""The settled examples and the agreed figures, once for every test that asks."""

import json
from pathlib import Path
from typing import Any

import pytest

from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.golden.settled import Books, Settled, land, profile_of
from amazon_sage_assets_tests.golden.worked_examples import CASES

AGREED = Path(__file__).parents[3] / "shared" / "contracts" / "accounting_examples.json"


@pytest.fixture(scope="session")
def settled_cases(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[Settled]]:
    """Every case settled, by its number: one company per place of establishment, one settling each."""
    settled = {}
    for country in sorted({case.established_in for case in CASES}):
        mine = [(number, case) for number, case in enumerate(CASES) if case.established_in == country]
        folder = tmp_path_factory.mktemp(f"established_in_{country}")
        books = Books(Seller(folder, established_in=country, bottom=profile_of(mine)))
        settled |= {number: land(books, number, case) for number, case in mine}
        books.seller.settle()
    return settled


@pytest.fixture(scope="session")
def agreed() -> dict[str, dict[str, Any]]:
    """The agreed examples by id, where they lie beside the project."""
    if not AGREED.exists():
        pytest.skip(f"{AGREED.name} is not beside the project, so these figures cannot be held against it")
    return {example["id"]: example for example in json.loads(AGREED.read_text(encoding="utf-8"))}
