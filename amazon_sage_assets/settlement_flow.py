"""The settlements flow, step by step: landed document -> lines -> journal -> posting plan.

Each step is a function over an open transaction, so that the command line runs them in one go and each Dagster asset
runs its own. Steps are replaced per settlement: running one again gives the same rows.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar
from uuid import uuid4

import duckdb

from amazon_sage_assets.accounting.ownership import UNKNOWN_ACCOUNT, account_for, marketplace_for
from amazon_sage_assets.accounting.posting_plan import JournalPart, Ledger, PlanError, PlannedDocument, Settlement, plan
from amazon_sage_assets.accounting.rows import Labels, RowRegistry
from amazon_sage_assets.accounting.rules import RuleBook, load_rules
from amazon_sage_assets.amazon.inspection import DATE_FORMATS, Inspection, canonical_relation, inspect
from amazon_sage_assets.amazon.settlement_report import UnreadableReport, normalise
from amazon_sage_assets.control import control_rows, fingerprint, insert_rows, load_control
from amazon_sage_assets.landing import SETTLEMENT_REPORT, LandedDocument, Landing
from amazon_sage_assets.schemas import settlement_lines as line_schema
from amazon_sage_assets.settings import Environment, Profile, load_profile
from amazon_sage_assets.sqlfiles import DOCUMENT_TEXT, relations, replace_rows
from amazon_sage_assets.warehouse import Warehouse, first_row

VALIDATION_BATCH = 250_000
LAYOUT = "layout"  # the field of a failure that was found before the line could be split into fields
PYTHON_RELATIONS = ("core.row_matches", "core.planned_documents", "core.derivation_failures")


Result = TypeVar("Result")


@dataclass(frozen=True)
class Company:
    """Everything the flow works with: where state lives, the profile and its rules."""

    environment: Environment
    profile: Profile
    rules: RuleBook

    @classmethod
    def load(cls, environment: Environment | None = None) -> "Company":
        """Raises ProfileError or RuleFileError with a sentence for a person."""
        environment = environment or Environment()
        profile = load_profile(environment.profile_path)
        return cls(environment, profile, load_rules(profile))

    @property
    def landing(self) -> Landing:
        return Landing(self.environment.home)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(database=str(self.environment.warehouse_path))

    @property
    def rules_fingerprint(self) -> str:
        return fingerprint(self.profile, self.rules)


@dataclass(frozen=True)
class Examined:
    """A landed report after a first look: what it says of itself, or why it cannot be read."""

    document: LandedDocument
    inspection: Inspection | None
    unreadable_reason: str | None


def land_report(company: Company, path: Path, source: str, account: str | None = None) -> LandedDocument:
    """Keep a settlement report's bytes. The same bytes again are the same document."""
    return company.landing.land_file(path, SETTLEMENT_REPORT, source, datetime.now(UTC), account)


def take_inbox(company: Company, now: datetime, settle_seconds: float = 5.0) -> list[LandedDocument]:
    """Land every finished file of the inbox and move it to `landed/` beside it. A file still being written waits."""
    inbox = company.environment.inbox
    inbox.mkdir(parents=True, exist_ok=True)
    landed = []
    for path in sorted(inbox.iterdir()):
        if not path.is_file() or path.name.startswith(".") or path.suffix in (".part", ".tmp", ".crdownload"):
            continue
        if now.timestamp() - path.stat().st_mtime < settle_seconds:
            continue
        landed.append(land_report(company, path, "inbox"))
        done = inbox / "landed"
        done.mkdir(exist_ok=True)
        path.replace(done / path.name)
    return landed


def settlement_key(company: Company, document: LandedDocument) -> str | None:
    """The key of a landed document's settlement, without the warehouse; None where it cannot be read."""
    inspection = examine(company, document).inspection
    _forget_canonical(company, document.sha256)
    if inspection is None:
        return None
    account, _ = _whose(company.profile, document.given_account, inspection.currency, list(inspection.marketplaces))
    return f"{account}-{inspection.settlement_id}"


def examine(company: Company, document: LandedDocument) -> Examined:
    """Lay the report out and read its header. The canonical file stays in the scratch folder until it is staged."""
    target = _canonical_path(company, document.sha256)
    inspection, reason = _lay_out(
        lambda: company.landing.open(SETTLEMENT_REPORT, document.sha256), target, document.first.charset
    )
    return Examined(document, inspection, reason)


def land_and_examine(company: Company, path: Path, source: str, account: str | None = None) -> Examined:
    """Land a file and read it at the same time: packing the bytes and laying out the lines use a core each."""
    draft = _canonical_path(company, uuid4().hex)
    before = path.stat()
    with ThreadPoolExecutor(max_workers=1) as packing:
        landing = packing.submit(land_report, company, path, source, account)
        inspection, reason = _lay_out(lambda: path.open("rb"), draft, None)
        document = landing.result()
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        draft.unlink(missing_ok=True)
        return examine(company, document)  # the file changed meanwhile: only the landed bytes count
    if inspection:
        draft.replace(_canonical_path(company, document.sha256))
    return Examined(document, inspection, reason)


def _lay_out(
    open_source: Callable[[], AbstractContextManager[IO[bytes]]], target: Path, charset: str | None
) -> tuple[Inspection | None, str | None]:
    """The report's statements, or the reason why it cannot be read."""
    try:
        return inspect(target, normalise(open_source, target, charset)), None
    except UnreadableReport as error:
        target.unlink(missing_ok=True)
        return None, str(error)


def _canonical_path(company: Company, sha256: str) -> Path:
    company.environment.scratch.mkdir(parents=True, exist_ok=True)
    return company.environment.scratch / f"{sha256}.{os.getpid()}.tsv"


def _clear_scratch(company: Company) -> None:
    """Remove canonical files that runs which no longer live left behind."""
    for path in company.environment.scratch.glob("*.tsv"):
        pid = path.name.split(".")[1]
        try:
            os.kill(int(pid), 0)
        except (ProcessLookupError, ValueError):
            path.unlink(missing_ok=True)
        except PermissionError:
            continue


def _forget_canonical(company: Company, sha256: str) -> None:
    _canonical_path(company, sha256).unlink(missing_ok=True)


# --- documents ------------------------------------------------------------------------------------------------------


def load_company(connection: duckdb.DuckDBPyConnection, company: Company) -> None:
    """Bring profile and rules into the warehouse."""
    load_control(connection, control_rows(company.profile, company.rules))


def register(connection: duckdb.DuckDBPyConnection, company: Company, examined: Examined) -> str | None:
    """Note a landed document. Returns its settlement's key, or None for one that cannot be read."""
    document, inspection = examined.document, examined.inspection
    row: dict[str, Any] = {
        "document_sha256": document.sha256,
        "file_name": document.first.name,
        "source": document.first.source,
        "landed_at": datetime.fromisoformat(document.first.landed_at).astimezone(UTC).replace(tzinfo=None),
        "byte_count": document.byte_count,
        "given_account": document.given_account,
        "unreadable_reason": examined.unreadable_reason,
    }
    if inspection:
        account, marketplace = _whose(
            company.profile, document.given_account, inspection.currency, list(inspection.marketplaces)
        )
        row |= {
            "layout": inspection.layout,
            "encoding": inspection.encoding,
            "settlement_key": f"{account}-{inspection.settlement_id}",
            "account": account,
            "settlement_id": inspection.settlement_id,
            "marketplace": marketplace,
            "marketplaces": list(inspection.marketplaces),
            "currency": inspection.currency,
            "currencies": list(inspection.currencies),
            "start_at": inspection.start_at,
            "end_at": inspection.end_at,
            "deposit_date": inspection.deposit_date,
            "total_amount": inspection.total_amount,
            "decimals": inspection.decimals,
            "date_format": inspection.date_format,
            "line_count": inspection.line_count,
        }
    connection.execute("delete from raw.settlement_documents where document_sha256 = $1", [document.sha256])
    names, places = ", ".join(row), ", ".join(f"${name}" for name in row)
    connection.execute(f"insert into raw.settlement_documents ({names}) values ({places})", row)
    if not inspection:
        return None
    connection.execute("delete from raw.line_failures where document_sha256 = $1", [document.sha256])
    insert_rows(
        connection,
        "raw.line_failures",
        [(document.sha256, p.line_number, LAYOUT, p.value, p.reason) for p in inspection.problems],
    )
    return str(row["settlement_key"])


def _whose(profile: Profile, given: str | None, currency: str, marketplaces: list[str]) -> tuple[str, str | None]:
    name = account_for(profile.accounts, currency, marketplaces, given)
    account = next((a for a in profile.accounts if a.name == name), None)
    return name, marketplace_for(account, currency, marketplaces)


def reassign_accounts(
    connection: duckdb.DuckDBPyConnection, company: Company, documents: Iterable[LandedDocument]
) -> None:
    """Give documents to the accounts that origins and profile name today; clear what stood under another key."""
    given_accounts = {document.sha256: document.given_account for document in documents}
    rows = connection.execute(
        "select document_sha256, settlement_key, settlement_id, currency, marketplaces, marketplace"
        " from raw.settlement_documents where settlement_key is not null"
    ).fetchall()
    for sha256, key, settlement_id, currency, marketplaces, marketplace in rows:
        given = given_accounts.get(sha256)
        account, site = _whose(company.profile, given, currency, marketplaces)
        if (f"{account}-{settlement_id}", site) != (key, marketplace):
            connection.execute(
                "update raw.settlement_documents set given_account = $1, account = $2, settlement_key = $3,"
                " marketplace = $4 where document_sha256 = $5",
                [given, account, f"{account}-{settlement_id}", site, sha256],
            )
            clear(connection, key)


def clear(connection: duckdb.DuckDBPyConnection, key: str) -> None:
    """Remove everything that was worked out for a settlement. Its landed document stays."""
    tables = [f.relation for f in relations().values() if f.replaced_by == "settlement_key"]
    for table in (*tables, *PYTHON_RELATIONS, "control.derivations"):
        connection.execute(f"delete from {table} where settlement_key = $1", [key])


# --- one settlement -------------------------------------------------------------------------------------------------


def stage(connection: duckdb.DuckDBPyConnection, company: Company, key: str) -> None:
    """Type the lines of every document of a settlement, from the landed bytes. The first step: it forgets failures."""
    connection.execute("delete from core.derivation_failures where settlement_key = $1", [key])
    cursor = connection.execute("select * from raw.settlement_documents where settlement_key = $1", [key])
    names = [column[0] for column in cursor.description or ()]
    staged = relations()["staging.stg_amazon__settlement_lines"]
    for values in cursor.fetchall():
        header = dict(zip(names, values, strict=True))
        sha256 = header["document_sha256"]
        path = _canonical_path(company, sha256)
        if not path.exists():
            normalise(lambda sha256=sha256: company.landing.open(SETTLEMENT_REPORT, sha256), path, header["encoding"])
        canonical_relation(connection, path).create_view(DOCUMENT_TEXT)
        replace_rows(connection, staged, {**header, "date_format": DATE_FORMATS[header["date_format"]]})
        connection.execute(f"drop view {DOCUMENT_TEXT}")
        path.unlink()
        controls = relations()["staging.stg_amazon__document_controls"]
        replace_rows(connection, controls, {"document_sha256": sha256})


def match_rows(connection: duckdb.DuckDBPyConnection, company: Company, key: str) -> None:
    """Find the rule of each distinct triple of labels in the standing document."""
    triples = connection.execute(
        "select l.transaction_type, l.amount_type, l.amount_description, count(*), coalesce(sum(l.amount), 0)"
        " from staging.stg_amazon__settlement_lines as l"
        " inner join core.core__settlements as s on l.document_sha256 = s.document_sha256"
        " where s.settlement_key = $1 group by all order by all",
        [key],
    ).fetchall()
    registry = RowRegistry(company.rules.rows)
    rows = []
    for *labels, line_count, amount in triples:
        match = registry.match(Labels(*labels))
        rule = match.rule
        if rule:
            found = (rule.row_group, rule.account_key, rule.vat_treatment, rule.status)
        else:
            found = (None, None, None, "ambiguous" if match.conflict else "unmapped")
        rows.append((key, *labels, *found, line_count, amount))
    connection.execute("delete from core.row_matches where settlement_key = $1", [key])
    insert_rows(connection, "core.row_matches", rows)


def validate(connection: duckdb.DuckDBPyConnection, key: str) -> int:
    """Hold the standing document's lines against the schema and keep what fails. Returns how many failures."""
    row = first_row(connection, "select document_sha256 from core.core__settlements where settlement_key = $1", [key])
    if row is None:
        return 0
    sha256 = row[0]
    connection.execute("delete from raw.line_failures where document_sha256 = $1 and field <> $2", [sha256, LAYOUT])
    connection.execute(
        "insert into raw.line_failures"
        " select document_sha256, line_number, problem, coalesce(problem_value, ''),"
        " problem || case problem when 'amount' then ' is not an amount of money in this file''s style'"
        " when 'posted-date-time' then ' is not a date in this file''s format, in UTC'"
        " else ' is empty or not valid' end"
        " from staging.stg_amazon__settlement_lines where document_sha256 = $1 and problem is not null",
        [sha256],
    )
    for batch in _batches(connection, key, sha256):
        failures = [(sha256, f.line_number, f.field, f.value, f.reason) for f in line_schema.failures(batch)]
        insert_rows(connection, "raw.line_failures", failures)
    count = first_row(connection, "select count(*) from raw.line_failures where document_sha256 = $1", [sha256])
    return int(count[0]) if count else 0


def _batches(connection: duckdb.DuckDBPyConnection, key: str, sha256: str) -> Iterator[Any]:
    """Typed lines with their row group, a bounded number at a time."""
    last = first_row(
        connection,
        "select coalesce(max(line_number), 0) from staging.stg_amazon__settlement_lines where document_sha256 = $1",
        [sha256],
    )
    columns = ", ".join("m.row_group" if c == "row_group" else f"l.{c}" for c in line_schema.COLUMNS)
    for start in range(0, (last[0] if last else 0) + 1, VALIDATION_BATCH):
        yield connection.sql(
            f"select {columns} from staging.stg_amazon__settlement_lines as l"
            " left join core.row_matches as m on m.settlement_key = $key and l.transaction_type = m.transaction_type"
            " and l.amount_type = m.amount_type and l.amount_description = m.amount_description"
            " where l.document_sha256 = $sha256 and l.problem is null"
            " and l.line_number >= $start and l.line_number < $stop",
            params={"key": key, "sha256": sha256, "start": start, "stop": start + VALIDATION_BATCH},
        ).pl()


def replace_relation(connection: duckdb.DuckDBPyConnection, name: str, key: str) -> None:
    """Work out one SQL relation of `core` anew for a settlement."""
    replace_rows(connection, relations()[name], {"settlement_key": key})


def plan_documents(connection: duckdb.DuckDBPyConnection, key: str) -> list[PlannedDocument]:
    """The Sage documents of a settlement; none while it has no journal or lacks a nominal code."""
    connection.execute("delete from core.planned_documents where settlement_key = $1", [key])
    header = first_row(
        connection,
        "select s.account, s.settlement_id, s.marketplace, s.currency, s.end_day, s.deposit_date, s.total_amount"
        " from core.core__settlements as s inner join core.core__proofs as p on s.settlement_key = p.settlement_key"
        " where s.settlement_key = $1 and p.is_sound and s.account <> $2 and not exists ("
        "select 1 from core.core__settlement_lines as l where l.settlement_key = $1 and l.problem is not null)",
        [key, UNKNOWN_ACCOUNT],
    )
    if header is None:
        return []
    settlement = Settlement(*header)
    parts = connection.execute(
        "select period, document, document_date, account_key, vat_treatment, vat_code, amount, net, vat"
        " from core.core__journal_parts where settlement_key = $1 order by all",
        [key],
    ).fetchall()
    accounts = connection.execute(
        "select account_key, nominal_code, cost_centre, department, name from core.core__ledger_accounts"
        " where currency = $1 and nominal_code is not null",
        [settlement.currency],
    ).fetchall()
    ledger = {name: Ledger(*rest) for name, *rest in accounts}
    missing = {part[3] for part in parts} | ({"wallet"} if parts else set())
    if missing - ledger.keys():
        return []  # NOMINAL_UNKNOWN says which
    documents = plan(settlement, [JournalPart(*part) for part in parts], ledger)
    insert_rows(
        connection,
        "core.planned_documents",
        [
            (
                key, d.message_key, "sage", d.kind, d.document, d.period, d.document_date, d.remote_reference,
                d.amount, d.currency, d.payload, d.payload_hash,
            )
            for d in documents
        ],
    )  # fmt: skip
    return documents


CORE_RELATIONS = ("core.core__settlement_lines", "core.core__journal_parts", "core.core__journal_lines")


def derive(connection: duckdb.DuckDBPyConnection, company: Company, key: str) -> None:
    """Work a settlement out from its landed documents to its posting plan."""
    stage(connection, company, key)
    match_rows(connection, company, key)
    validate(connection, key)
    for name in CORE_RELATIONS:
        replace_relation(connection, name, key)
    plan_documents(connection, key)
    mark_derived(connection, company, key)


def attempt(company: Company, key: str, step: Callable[[duckdb.DuckDBPyConnection], Result]) -> Result | None:
    """One step of a settlement in one transaction. Where it fails, note why, so that the others go on; returns None."""
    try:
        with company.warehouse.transaction() as connection:
            return step(connection)
    except (duckdb.DataError, duckdb.OperationalError, PlanError, ArithmeticError, ValueError) as error:
        with company.warehouse.transaction() as connection:
            clear(connection, key)
            insert_rows(connection, "core.derivation_failures", [(key, str(error).splitlines()[0])])
        return None


def mark_derived(connection: duckdb.DuckDBPyConnection, company: Company, key: str) -> None:
    """Note with which rules and documents a settlement was worked out."""
    connection.execute("delete from control.derivations where settlement_key = $1", [key])
    connection.execute(
        f"insert into control.derivations select settlement_key, $2, documents from ({_DOCUMENTS_NOW})"
        " where settlement_key = $1",
        [key, company.rules_fingerprint],
    )


# What each settlement would be worked out from: its documents, and the one a person chose.
_DOCUMENTS_NOW = (
    "select d.settlement_key, md5(string_agg(d.document_sha256, ' ' order by d.document_sha256)"
    " || ' ' || coalesce(max(c.document_sha256), '')) as documents"
    " from raw.settlement_documents as d"
    " left join control.document_choices as c on d.settlement_key = c.settlement_key"
    " where d.settlement_key is not null group by d.settlement_key"
)


def stale_settlements(connection: duckdb.DuckDBPyConnection, company: Company) -> list[str]:
    """Settlements that were worked out with other rules or documents than those of now, or never."""
    rows = connection.execute(
        f"select n.settlement_key from ({_DOCUMENTS_NOW}) as n"
        " left join control.derivations as d on n.settlement_key = d.settlement_key"
        " and n.documents = d.documents_fingerprint and d.rules_fingerprint = $1"
        " where d.settlement_key is null order by n.settlement_key",
        [company.rules_fingerprint],
    ).fetchall()
    return [key for (key,) in rows]


# --- all settlements ------------------------------------------------------------------------------------------------


def note_exceptions(connection: duckdb.DuckDBPyConnection, seen_at: datetime) -> int:
    """Remember when each open exception was first seen and forget the cleared ones. Returns how many are open."""
    connection.execute(
        "delete from control.exceptions_seen as seen where not exists ("
        "select 1 from exceptions.open_exceptions as e where e.code = seen.code"
        " and e.entity_type = seen.entity_type and e.entity_id = seen.entity_id)"
    )
    connection.execute(
        "insert into control.exceptions_seen select distinct code, entity_type, entity_id, $1::timestamp"
        " from exceptions.open_exceptions as e where not exists (select 1 from control.exceptions_seen as seen"
        " where e.code = seen.code and e.entity_type = seen.entity_type and e.entity_id = seen.entity_id)",
        [seen_at.astimezone(UTC).replace(tzinfo=None)],
    )
    row = first_row(connection, "select count(*) from exceptions.open_exceptions")
    return int(row[0]) if row else 0


def refresh(company: Company, examined: Iterable[Examined] = ()) -> list[str]:
    """Bring the profile, the rules and new documents into the warehouse. Returns the settlements to work out anew.

    `examined` are documents that were looked at already; other new ones are looked at here.
    """
    _clear_scratch(company)
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
    progress("reading what is new")
    keys = refresh(company, examined)
    for number, key in enumerate(keys, start=1):
        progress(f"settlement {key} ({number} of {len(keys)})")
        attempt(company, key, lambda connection, key=key: derive(connection, company, key))
    with warehouse.transaction() as connection:
        note_exceptions(connection, datetime.now(UTC))
    progress("publishing")
    warehouse.publish(company.environment.published_path)
    for one in examined:
        _forget_canonical(company, one.document.sha256)
    return [one.document for one in examined]


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


class UnknownDocument(Exception):  # noqa: N818
    """No document, or more than one, begins with the given characters."""


def choose_document(company: Company, sha256: str, by: str, at: datetime) -> str:
    """Let a document stand for its settlement. Returns the settlement's key. Raises UnknownDocument."""
    with company.warehouse.transaction() as connection:
        key, full = _one_document(connection, sha256, "settlement_key is not null")
        connection.execute("delete from control.document_choices where settlement_key = $1", [key])
        moment = at.astimezone(UTC).replace(tzinfo=None)
        insert_rows(connection, "control.document_choices", [(key, full, by, moment)])
    return str(key)


def discard_document(company: Company, sha256: str, by: str, at: datetime) -> None:
    """Set an unreadable document aside; its bytes stay landed. Raises UnknownDocument."""
    with company.warehouse.transaction() as connection:
        _, full = _one_document(connection, sha256, "unreadable_reason is not null")
        connection.execute("delete from control.discarded_documents where document_sha256 = $1", [full])
        insert_rows(connection, "control.discarded_documents", [(full, by, at.astimezone(UTC).replace(tzinfo=None))])


def _one_document(connection: duckdb.DuckDBPyConnection, sha256: str, condition: str) -> tuple[str | None, str]:
    rows = connection.execute(
        "select settlement_key, document_sha256 from raw.settlement_documents"
        f" where starts_with(document_sha256, $1) and {condition}",
        [sha256.lower()],
    ).fetchall()
    if len(rows) != 1 or len(sha256) < 8:
        raise UnknownDocument(
            f"{len(rows)} documents begin with {sha256!r}; give 8 characters or more of one that fits."
        )
    return rows[0][0], rows[0][1]
