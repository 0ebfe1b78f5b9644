"""Commands about settlements: landing and working them out, and what people decide about their documents."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from amazon_sage_assets.cli.output import (
    SOME_NOT_READY,
    By,
    JsonFlag,
    app,
    out,
    print_exceptions,
    print_json,
    print_settlements,
    progress_line,
    published,
    query,
    speaking_plainly,
)
from amazon_sage_assets.cli.scratch import as_it_is, scratch_copy
from amazon_sage_assets.company import Company
from amazon_sage_assets.settings import ProfileError
from amazon_sage_assets.settlements import decisions, flow


@app.command()
def settle(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Settlement files; none: the inbox, and what rules changed.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="The seller account, where the file does not tell.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would come out and keep nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Land settlement files and work them out up to the posting plan.

    Exit code 0: all ready. 2: at least one is held or quarantined, or cannot be read.
    """
    with speaking_plainly():
        company = Company.load()
        if account and account not in {a.name for a in company.profile.accounts}:
            raise ProfileError(f"The profile has no account {account!r}.")
        with scratch_copy(company) if dry_run else as_it_is(company) as working, progress_line() as progress:
            landed = flow.settle(working, files or [], account=account, progress=progress)
            result = _result(working, [document.sha256 for document in landed] if files else None)
            result["published"] = None if dry_run else str(company.environment.published_path)
    if as_json:
        print_json(result)
    else:
        print_settlements(result["settlements"])
        print_exceptions(result["exceptions"])
        if dry_run:
            out.print("Dry run: nothing was kept.")
        else:
            out.print(f"Published for finance: {company.environment.published_path}")
    if result["unreadable"] or any(row["status"] in ("held", "quarantined") for row in result["settlements"]):
        raise typer.Exit(SOME_NOT_READY)


def _result(company: Company, sha256s: list[str] | None) -> dict[str, Any]:
    """What a settle run says: about the given documents, or about everything."""
    with company.warehouse.read() as connection:
        known = connection.execute(
            "select document_sha256, account, settlement_id, unreadable_reason from raw.settlement_documents"
            " where document_sha256 not in (select document_sha256 from control.discarded_documents)"
        ).fetchall()
        mine = [row for row in known if sha256s is None or row[0] in sha256s]
        wanted = {(row[1], row[2]) for row in mine if row[2]}
        settlements = [
            row
            for row in query(connection, "select * from finance.settlements")
            if (row["account"], row["settlement_id"]) in wanted
        ]
        settlement_ids = {row["settlement_id"] for row in settlements}
        documents = {row[0] for row in mine}
        exceptions = [
            row
            for row in query(connection, "select * from finance.exceptions")
            if row["settlement_id"] in settlement_ids or row["entity_id"] in documents
        ]
        unreadable = [{"document_sha256": row[0], "reason": row[3]} for row in mine if row[3]]
    return {
        "settlements": settlements,
        "unreadable": unreadable,
        "exceptions": exceptions,
    }


@app.command()
def rebuild() -> None:
    """Work everything out again from the landed documents. What people decided stays."""
    with speaking_plainly():
        company = Company.load()
        with progress_line() as progress:
            flow.rebuild(company, progress)
        print_settlements(published(company, "select * from finance.settlements"))


@app.command()
def choose(document: Annotated[str, typer.Argument(help="The beginning of the document's hash.")], by: By) -> None:
    """Of two documents that say different things about one settlement, choose the right one."""
    with speaking_plainly():
        company = Company.load()
        key = decisions.choose_document(company, document, by, datetime.now(UTC))
        flow.settle(company, [])
    out.print(f"Document {document} now stands for settlement {key}, chosen by {by}.")


@app.command()
def discard(document: Annotated[str, typer.Argument(help="The beginning of the document's hash.")], by: By) -> None:
    """Set an unreadable document aside. Its bytes stay landed."""
    with speaking_plainly():
        company = Company.load()
        decisions.discard_document(company, document, by, datetime.now(UTC))
        flow.settle(company, [])
    out.print(f"Document {document} was set aside by {by}.")
