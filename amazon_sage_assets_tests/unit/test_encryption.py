"""The working file under a key: what is in it cannot be read without, and everything else is as before."""

from pathlib import Path

import duckdb
import pytest

from amazon_sage_assets.company import Company
from amazon_sage_assets.settings import Environment
from amazon_sage_assets.warehouse import NotEncrypted, Warehouse

KEY = "a key with a ' in it"
WORDS = "Siân Wyn-Jones, Kettle Yard"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAZON_SAGE_WAREHOUSE_KEY", KEY)


def warehouse(folder: Path, *, encrypted: bool = True) -> Warehouse:
    return Warehouse(database=str(folder / "working.duckdb"), encrypted=encrypted, trial_cipher=True)


def write_secret(store: Warehouse) -> None:
    store.migrate()
    with store.transaction() as connection:
        connection.execute("create table raw.said as select $1 as words from range(1000)", [WORDS])


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


def test_what_is_in_an_encrypted_file_cannot_be_read_without_the_key(tmp_path: Path) -> None:
    write_secret(warehouse(tmp_path))
    assert WORDS.encode() not in bytes_of(tmp_path)
    with duckdb.connect() as connection, pytest.raises(duckdb.CatalogException, match="without a key"):
        connection.execute(f"attach '{tmp_path / 'working.duckdb'}' as tried")


def test_an_encrypted_file_is_read_migrated_and_published_as_any_other(tmp_path: Path) -> None:
    store = warehouse(tmp_path)
    write_secret(store)
    store.migrate()
    with store.read() as connection:
        assert connection.execute("select distinct words from raw.said").fetchall() == [(WORDS,)]
    counts = store.publish(tmp_path / "finance" / "amazon_sage.duckdb")
    with duckdb.connect(str(tmp_path / "finance" / "amazon_sage.duckdb"), read_only=True) as published:
        assert published.execute("select count(*) from finance.settlements").fetchall() == [(counts["settlements"],)]


def test_a_file_that_was_made_without_a_key_is_encrypted_when_it_is_next_written(tmp_path: Path) -> None:
    write_secret(warehouse(tmp_path, encrypted=False))
    assert WORDS.encode() in bytes_of(tmp_path)
    with warehouse(tmp_path).transaction() as connection:
        connection.execute("insert into raw.said values ('and more')")
    assert WORDS.encode() not in bytes_of(tmp_path)
    with warehouse(tmp_path).read() as connection:
        assert connection.execute("select count(*) from raw.said").fetchall() == [(1001,)]
        assert connection.execute("select count(*) from finance.orders").fetchall() == [(0,)]


def test_a_wrong_key_opens_nothing_and_is_not_said_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_secret(warehouse(tmp_path))
    monkeypatch.setenv("AMAZON_SAGE_WAREHOUSE_KEY", "another key")
    with pytest.raises(duckdb.Error) as refused, warehouse(tmp_path).read():
        pass
    assert "another key" not in str(refused.value)


def test_without_a_key_a_sentence_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMAZON_SAGE_WAREHOUSE_KEY")
    with pytest.raises(NotEncrypted, match="AMAZON_SAGE_WAREHOUSE_KEY"):
        warehouse(tmp_path).migrate()


def test_the_profile_switches_encryption_on(tmp_path: Path) -> None:
    profile = tmp_path / "amazon_sage.toml"
    profile.write_text(
        'company = "A"\n[privacy]\nencrypt = true\n[[accounts]]\nname = "uk"\nmarketplaces = ["Amazon.co.uk"]\n',
        encoding="utf-8",
    )
    company = Company.load(Environment(home=tmp_path, profile=profile))
    assert company.warehouse.encrypted
    assert KEY not in repr(company.warehouse)
