"""What people say a payout is, kept with their name and the time."""

from datetime import datetime

import duckdb

from amazon_sage_assets.tables import insert_rows, plain


class UnknownLine(Exception):  # noqa: N818
    """No such settlement waits for a bank line, or no such line could be its payout."""


def choose_line(connection: duckdb.DuckDBPyConnection, settlement: str, line: str, by: str, now: datetime) -> str:
    """Say which bank line a settlement's payout is. Returns the settlement's key. Raises UnknownLine."""
    rows = connection.execute(
        "select e.settlement_key, e.nominal_code, e.amount, e.currency from core.core__bank_expectations as e"
        " inner join core.core__settlements as s on e.settlement_key = s.settlement_key"
        " where e.document = 'payout' and (s.settlement_key = $1 or s.settlement_id = $1)",
        [settlement],
    ).fetchall()
    if len(rows) != 1:
        raise UnknownLine(f"{settlement!r} is no settlement that expects a payout.")
    key, nominal_code, amount, currency = rows[0]
    found = connection.execute(
        "select amount, message_key from staging.stg_sage__bank_entries"
        " where cast(bank_transaction_id as varchar) = $1 and nominal_code = $2",
        [line, nominal_code],
    ).fetchall()
    if not found:
        raise UnknownLine(f"The bank {nominal_code} has no line {line}; finance.bank_lines shows them.")
    if found[0][1] is not None:
        raise UnknownLine(f"The bank line {line} is a document of ours ({found[0][1]}).")
    if found[0][0] != amount:
        raise UnknownLine(f"The bank line {line} is {found[0][0]} {currency}, the payout is {amount} {currency}.")
    taken = connection.execute(
        "select settlement_key from control.payout_choices where bank_transaction_id = $1 and settlement_key <> $2",
        [line, key],
    ).fetchall()
    if taken:
        raise UnknownLine(f"The bank line {line} was chosen for settlement {taken[0][0]} already.")
    connection.execute("delete from control.payout_choices where settlement_key = $1", [key])
    insert_rows(connection, "control.payout_choices", [(key, line, by, plain(now))])
    return str(key)
