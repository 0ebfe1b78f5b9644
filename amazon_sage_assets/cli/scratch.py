"""A company over a copy of its state, for looking at what would come out."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amazon_sage_assets.company import Company


@contextmanager
def as_it_is(company: Company) -> Iterator[Company]:
    yield company


@contextmanager
def scratch_copy(company: Company) -> Iterator[Company]:
    """The same company over a copy of its state that is thrown away."""
    home = company.environment.home
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".dry-run-") as folder:
        copied = Company(company.environment.model_copy(update={"home": Path(folder)}), company.profile, company.rules)
        if company.environment.warehouse_path.exists():
            with company.warehouse.connect() as connection:
                connection.execute("checkpoint")
                copied.environment.warehouse_path.parent.mkdir(parents=True)
                shutil.copyfile(company.environment.warehouse_path, copied.environment.warehouse_path)
        if (landed := home / "landed").exists():
            shutil.copytree(landed, Path(folder) / "landed", copy_function=os.link)
        yield copied
