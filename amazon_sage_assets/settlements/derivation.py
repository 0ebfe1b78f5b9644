"""One settlement worked out: staged, matched, validated, classified, journal, plan.

Each step is a function over an open transaction, so that the command line runs them in one go and each Dagster asset
runs its own. Steps are replaced per settlement: running one again gives the same rows.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import duckdb

from amazon_sage_assets.accounting.ownership import UNKNOWN_ACCOUNT
from amazon_sage_assets.accounting.posting_plan import JournalPart, Ledger, PlanError, PlannedDocument, Settlement, plan
from amazon_sage_assets.accounting.rows import Labels, RowRegistry
from amazon_sage_assets.amazon.inspection import DATE_FORMATS, canonical_relation
from amazon_sage_assets.amazon.settlement_report import normalise
from amazon_sage_assets.company import Company
from amazon_sage_assets.landing import SETTLEMENT_REPORT
from amazon_sage_assets.schemas import settlement_lines as line_schema
from amazon_sage_assets.settlements.arrivals import canonical_path
from amazon_sage_assets.sqlfiles import DOCUMENT_TEXT, relations, replace_rows
from amazon_sage_assets.tables import insert_rows
from amazon_sage_assets.warehouse import first_row

VALIDATION_BATCH = 250_000
LAYOUT = "layout"  # the field of a failure that was found before the line could be split into fields
CORE_RELATIONS = ("core.core__settlement_lines", "core.core__journal_parts", "core.core__journal_lines")
PYTHON_RELATIONS = ("core.row_matches", "core.planned_documents", "core.derivation_failures")

Result = TypeVar("Result")


def stage(connection: duckdb.DuckDBPyConnection, company: Company, key: str) -> None:
    """Type the lines of every document of a settlement, from the landed bytes. The first step: it forgets failures."""
    connection.execute("delete from core.derivation_failures where settlement_key = $1", [key])
    cursor = connection.execute("select * from raw.settlement_documents where settlement_key = $1", [key])
    names = [column[0] for column in cursor.description or ()]
    staged = relations()["staging.stg_amazon__settlement_lines"]
    for values in cursor.fetchall():
        header = dict(zip(names, values, strict=True))
        sha256 = header["document_sha256"]
        path = canonical_path(company, sha256)
        if not path.exists():
            normalise(partial(company.landing.open, SETTLEMENT_REPORT, sha256), path, header["encoding"])
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
        found: tuple[str | None, ...] = (None, None, None, "ambiguous" if match.conflict else "unmapped")
        if rule:
            found = (rule.row_group, rule.account_key, rule.vat_treatment, rule.status)
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
    is_sound = first_row(
        connection,
        "select 1 from core.core__settlements as s"
        " inner join core.core__proofs as p on s.settlement_key = p.settlement_key"
        " where s.settlement_key = $1 and p.is_sound and s.account <> $2 and not exists ("
        "select 1 from core.core__settlement_lines as l where l.settlement_key = $1 and l.problem is not null)",
        [key, UNKNOWN_ACCOUNT],
    )
    if is_sound is None:
        return []
    settlement = read_settlement(connection, key)
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


def read_settlement(connection: duckdb.DuckDBPyConnection, key: str) -> Settlement:
    """The header that a plan needs."""
    rows = connection.execute(
        "select s.account, s.settlement_id, s.marketplace, s.currency, s.end_day, s.deposit_date, s.total_amount,"
        " s.currency <> p.base_currency from core.core__settlements as s cross join control.profile as p"
        " where s.settlement_key = $1",
        [key],
    ).fetchall()
    return Settlement(*rows[0])


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


def clear(connection: duckdb.DuckDBPyConnection, key: str) -> None:
    """Remove everything that was worked out for a settlement. Its landed document stays."""
    tables = [f.relation for f in relations().values() if f.replaced_by == "settlement_key"]
    for table in (*tables, *PYTHON_RELATIONS, "control.derivations"):
        connection.execute(f"delete from {table} where settlement_key = $1", [key])


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
