"""The sample seller's world behind its servers, with a company beside it: what a team has on the first day.

Working out its settlements takes some seconds, so it is done once and every test that changes something has a copy.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import Result
from typer.testing import CliRunner

from amazon_sage_assets.cli import app
from amazon_sage_assets.company import Company
from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets.sandbox.servers import Addresses, serving
from amazon_sage_assets.sandbox.world import World, open_world
from amazon_sage_assets.settings import PACKAGED_RULES, SAMPLE_PROFILE, Environment
from amazon_sage_assets_tests.benchmarks.request_costs import counted

APPROVER = "Ann Controller"


@dataclass
class Town:
    """A home and the world outside it, in one folder. `printed` is everything that commands have said."""

    folder: Path
    world: World
    addresses: Addresses
    printed: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def profile(self) -> Path:
        return self.folder / "amazon_sage.toml"

    @property
    def environment(self) -> dict[str, str]:
        """What connects a process to this world."""
        return {
            **self.world.secrets,
            **self.addresses.environment,
            "AMAZON_SAGE_HOME": str(self.home),
            "AMAZON_SAGE_PROFILE": str(self.profile),
        }

    @property
    def company(self) -> Company:
        return Company.load(Environment(home=self.home, profile=self.profile))

    def run(self, *arguments: str | Path, code: int = 0, **environment: str) -> Result:
        """Run `amazon-sage` and expect an exit code. An empty variable is one that is not set."""
        result = CliRunner().invoke(app, [str(a) for a in arguments], env={**self.environment, **environment})
        self.printed.append(result.output)
        assert result.exit_code == code, (result.output, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    # What is known

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the published file."""
        with duckdb.connect(str(self.home / "finance" / "amazon_sage.duckdb"), read_only=True) as connection:
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def statuses(self) -> dict[str, str]:
        """Status by settlement key."""
        rows = self.query("select * from finance.settlements")
        return {f"{row['account']}-{row['settlement_id']}": row["status"] for row in rows}

    def keys(self, status: str) -> list[str]:
        return sorted(key for key, is_now in self.statuses().items() if is_now == status)

    def exceptions(self) -> list[tuple[str, str]]:
        """Code and settlement of what is open, as the sample seller tells what it is meant to raise."""
        return sorted((row["code"], row["settlement_id"] or "") for row in self.query("from finance.exceptions"))

    @property
    def documents(self) -> list[dict[str, Any]]:
        """What is in Sage's books."""
        return self.world.books.documents()

    @property
    def posted(self) -> list[str]:
        """The references of our documents in Sage's books: people and bank feeds enter theirs under other names."""
        return [document["reference"] for document in self.documents if document["user_name"] == "api"]

    def balances(self) -> dict[str, Decimal]:
        """Debit less credit per nominal code in Sage."""
        return {code: amount for (code, _, _), amount in self.world.books.trial_balance().items()}

    def in_books(self, statement: str, *values: object) -> int:
        """What somebody does to Sage's database past Sage. Returns how many rows it changed."""
        with self.world.books.store.writing() as db:
            return int(db.execute(statement, values).rowcount)

    # What people change

    def own_accounts(self, **nominal_codes: str) -> None:
        """The profile's own accounts.csv: the packaged one with other nominal codes."""
        lines = (PACKAGED_RULES / "accounts.csv").read_text(encoding="utf-8").splitlines()
        cells = [line.split(",", 2) for line in lines]
        changed = [",".join((key, nominal_codes.get(key, code), rest)) for key, code, rest in cells]
        rules = self.folder / "rules"
        rules.mkdir(exist_ok=True)
        (rules / "accounts.csv").write_text("\n".join(changed) + "\n", encoding="utf-8")


def secrets_of(sandbox: Path) -> set[str]:
    """Every password and token of a world: the given ones, and those that its servers have issued."""
    found = {json.loads((sandbox / "world.json").read_text(encoding="utf-8"))["secret"]}
    for name, table in (("seller_central", "access_tokens"), ("sage200", "tokens")):
        with closing(sqlite3.connect(sandbox / f"{name}.sqlite")) as store:
            found |= {token for (token,) in store.execute(f"select token from {table}")}
    return found


def told(secrets: set[str], texts: Iterable[str], *folders: Path) -> list[str]:
    """Where one of the secrets can be read: in a text, or in a file below a folder where none belongs."""
    found = [f"said: {secret} in {text[:80]}" for text in texts for secret in secrets if secret in text]
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not {"connections", "sandbox"} & set(path.relative_to(folder).parts):
                content = path.read_bytes()
                found += [f"{path}: {secret}" for secret in secrets if secret.encode() in content]
    return found


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    """The town in a folder: a new one, or as it was left. Its Sage answers without the wait of a real one."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "amazon_sage.toml").exists():
        shutil.copyfile(SAMPLE_PROFILE, folder / "amazon_sage.toml")
    world = open_world(
        folder / "sandbox", datetime.now(UTC).date(), rate_scale=1000.0, options=Options(latency_seconds=0)
    )
    try:
        with serving(world) as addresses:
            yield Town(folder, world, addresses)
    finally:
        world.close()


_KEPT: dict[str, Path] = {}


def fetched_town(factory: pytest.TempPathFactory) -> Path:
    """The folder of a town whose settlements have just been fetched and worked out. Copy it before changing it."""
    if "fetched" not in _KEPT:
        folder = factory.mktemp("fetched")
        with town(folder) as new:
            new.run("fetch")
        _KEPT["fetched"] = folder
    return _KEPT["fetched"]


def ordered_town(factory: pytest.TempPathFactory) -> Path:
    """The folder of a town whose orders have just been read and sent, no settlement yet. Copy it before changing it.

    What the command said is in `orders.json` there, what the servers were asked in `amazon.json` and `sage.json`.
    """
    if "ordered" not in _KEPT:
        folder = factory.mktemp("ordered")
        with town(folder) as new:
            (folder / "orders.json").write_text(new.run("orders", "--json").stdout, encoding="utf-8")
            for name, address in (("amazon", new.addresses.amazon), ("sage", new.addresses.sage)):
                (folder / f"{name}.json").write_text(json.dumps(counted(address)), encoding="utf-8")
        _KEPT["ordered"] = folder
    return _KEPT["ordered"]


@contextmanager
def copied(folder: Path, target: Path) -> Iterator[Town]:
    """A copy of a town that is at rest, opened."""
    shutil.copytree(folder, target)
    with town(target) as copy:
        yield copy
