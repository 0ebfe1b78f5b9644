"""A simulated Sage company for each test that asks for one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from amazon_sage_assets_tests.sandbox.sage_company import SageCompany


@pytest.fixture
def make_sage(tmp_path: Path) -> Iterator[Callable[..., SageCompany]]:
    """A company whose Sage behaves by these options."""
    made: list[SageCompany] = []

    def make(**options: object) -> SageCompany:
        made.append(SageCompany(tmp_path / f"sage_{len(made)}.db", **options))
        return made[-1]

    yield make
    for company in made:
        company.books.close()


@pytest.fixture
def sage(make_sage: Callable[..., SageCompany]) -> SageCompany:
    return make_sage()
