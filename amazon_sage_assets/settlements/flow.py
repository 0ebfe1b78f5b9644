"""The whole flow in one go: land files, work out what is new or stale, remember exceptions, publish."""

import errno
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb

from amazon_sage_assets.company import Company
from amazon_sage_assets.control import control_rows, load_control
from amazon_sage_assets.landing import SETTLEMENT_REPORT, LandedDocument
from amazon_sage_assets.settlements.arrivals import (
    Examined,
    clear_scratch,
    examine,
    forget_canonical,
    land_and_examine,
    take_inbox,
)
from amazon_sage_assets.settlements.derivation import PYTHON_RELATIONS, attempt, derive, stale_settlements
from amazon_sage_assets.settlements.documents import reassign_accounts, register
from amazon_sage_assets.settlements.queue import refresh_queue
from amazon_sage_assets.sqlfiles import exception_files, relations
from amazon_sage_assets.tables import insert_rows, plain
from amazon_sage_assets.warehouse import first_row

# Where no order was ever read, nothing is asked about orders: asking costs more than all else of a small company.
_READS_ORDERS = """
select 1 from control.watermarks where source like 'amazon_orders/%'
union all select 1 from raw.amazon_orders union all select 1 from raw.reported_orders
union all select 1 from raw.unreadable_orders limit 1
"""
_ABOUT_ORDERS = {
    ("core", "core__orders"),
    ("core", "core__order_items"),
    ("core", "core__order_problems"),
    ("core", "document_problems"),
    ("core", "core__refunds"),
    ("raw", "unreadable_orders"),
    ("raw", "reported_orders"),
}


def load_company(connection: duckdb.DuckDBPyConnection, company: Company) -> None:
    """Bring profile and rules into the warehouse."""
    load_control(connection, control_rows(company.profile, company.rules))


def load_profile(company: Company) -> None:
    """Bring profile and rules into the warehouse, in a transaction of its own."""
    with company.warehouse.transaction() as connection:
        load_company(connection, company)


def refresh(company: Company, examined: Iterable[Examined] = ()) -> list[str]:
    """Bring the profile, the rules and new documents into the warehouse. Returns the settlements to work out anew.

    `examined` are documents that were looked at already; other new ones are looked at here.
    """
    clear_scratch(company)
    ready = {one.document.sha256: one for one in examined}
    documents = company.landing.documents(SETTLEMENT_REPORT)
    with company.warehouse.read() as connection:
        rows = connection.execute("select document_sha256 from raw.settlement_documents").fetchall()
    known = {sha256 for (sha256,) in rows}
    new = [
        ready.get(document.sha256) or examine(company, document)
        for document in documents
        if document.sha256 not in known
    ]
    with company.warehouse.transaction() as connection:
        load_company(connection, company)
        for one in new:
            register(connection, company, one)
        reassign_accounts(connection, company, documents)
        return stale_settlements(connection, company)


def settle(
    company: Company,
    paths: Sequence[Path],
    *,
    account: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[LandedDocument]:
    """Land files and work out every settlement that is new or stale, then publish. Returns the files' documents.

    Without files it takes what lies in the inbox.

    Each settlement is one transaction: what fails leaves the others as they are.
    """
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
    warehouse = company.warehouse
    warehouse.migrate()
    examined = []
    for path in paths:
        progress(f"landing {path.name}")
        examined.append(land_and_examine(company, path, "file", account))
    if not paths:
        progress("looking into the inbox")
        take_inbox(company, datetime.now(UTC), settle_seconds=0)  # somebody asked, so what lies there is meant
    progress("reading what is new")
    keys = refresh(company, examined)
    for number, key in enumerate(keys, start=1):
        progress(f"settlement {key} ({number} of {len(keys)})")
        attempt(company, key, partial(derive, company=company, key=key))
    conclude(company, datetime.now(UTC), progress)
    for one in examined:
        forget_canonical(company, one.document.sha256)
    return [one.document for one in examined]


def conclude(company: Company, now: datetime, progress: Callable[[str], None] = lambda _: None) -> dict[str, int]:
    """What follows any change: the outbox in step with the plan, exceptions noted, the file for finance anew."""
    with company.warehouse.transaction() as connection:
        load_company(connection, company)
        refresh_queue(connection, company.profile, now)
        note_exceptions(connection, now)
    progress("publishing")
    return company.warehouse.publish(company.environment.published_path)


def rebuild(company: Company, progress: Callable[[str], None] = lambda _: None) -> None:
    """Work everything out again from the landed documents. What people decided stays."""
    warehouse = company.warehouse
    with warehouse.connect() as connection:
        for sql_file in relations().values():
            if sql_file.replaced_by:
                connection.execute(f"drop table if exists {sql_file.relation}")
    warehouse.migrate()
    with warehouse.transaction() as connection:
        for table in (*PYTHON_RELATIONS, "control.derivations", "raw.settlement_documents"):
            connection.execute(f"delete from {table}")
    settle(company, [], progress=progress)


def note_exceptions(connection: duckdb.DuckDBPyConnection, seen_at: datetime) -> int:
    """Find every open exception, remember when each was first seen, forget the cleared ones. Returns how many are open.

    `seen_at` is also the moment as of which lateness is judged.
    """
    moment = plain(seen_at)
    connection.execute("delete from control.as_of")
    insert_rows(connection, "control.as_of", [(moment,)])
    connection.execute("delete from exceptions.open_exceptions")
    reads_orders = bool(connection.execute(_READS_ORDERS).fetchall())
    for sql_file in exception_files():
        if not reads_orders and _ABOUT_ORDERS & set(sql_file.dependencies):
            continue
        connection.execute(f"insert into exceptions.open_exceptions by name select * from {sql_file.relation}")
    connection.execute(
        "delete from control.exceptions_seen as seen where not exists (select 1 from exceptions.open_exceptions as e"
        " where e.code = seen.code and e.entity_type = seen.entity_type and e.entity_id = seen.entity_id)"
    )
    connection.execute(
        "insert into control.exceptions_seen select distinct code, entity_type, entity_id, $1::timestamp"
        " from exceptions.open_exceptions as e where not exists (select 1 from control.exceptions_seen as seen"
        " where e.code = seen.code and e.entity_type = seen.entity_type and e.entity_id = seen.entity_id)",
        [moment],
    )
    row = first_row(connection, "select count(*) from exceptions.open_exceptions")
    return int(row[0]) if row else 0
