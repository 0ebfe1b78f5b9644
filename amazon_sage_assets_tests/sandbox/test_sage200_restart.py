"""A killed server comes back to the same company."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from amazon_sage_assets.sandbox.sage200 import Books, Refused
from amazon_sage_assets_tests.sandbox.sage_company import SageCompany

BOOK_UNTIL_KILLED = """
import sys
from pathlib import Path
from amazon_sage_assets.sandbox.sage200 import Books

books = Books(Path(sys.argv[1]))
line = {"code": "5100", "gross_value": 10}
while True:
    body = {"bank_id": 2144, "transaction_date": "2026-03-05T00:00:00Z", "nominal_analysis_items": [line]}
    print(books.enter("bank_payment", body), flush=True)
"""


def test_a_reopened_file_is_the_same_world(sage: SageCompany) -> None:
    line = {"code": "5100", "gross_value": 10}
    urn = sage.book("bank_payment", {"bank_id": sage.bank("WALLET"), "nominal_analysis_items": [line]})
    sage.books.change_setting("closed_period", "Acceptable")
    entries = sage.get("bank_posted_transactions", expand="nominal_analysis_items")
    figures, token = sage.figures(), sage.access_token
    sage.reopen()
    assert sage.figures() == figures
    assert sage.get("bank_posted_transactions", expand="nominal_analysis_items") == entries
    assert sage.access_token == token
    assert sage.get("system_settings")[0]["accounting_period_validation_type"] == "Acceptable"
    assert sage.book("bank_payment", {"bank_id": sage.bank("WALLET"), "nominal_analysis_items": [line]}) == urn + 1


def test_a_killed_process_leaves_every_document_whole(sage: SageCompany) -> None:
    arguments = [sys.executable, "-c", BOOK_UNTIL_KILLED, str(sage.path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(5)]
        os.kill(process.pid, signal.SIGKILL)
        said += [int(line) for line in process.stdout if line.endswith("\n")]
    sage.reopen()
    documents = sage.books.documents()
    urns = [document["urn"] for document in documents]
    assert urns == list(range(1327, 1327 + len(urns)))
    assert set(said) <= set(urns)
    total = 10 * len(urns)
    assert sage.ledger() == {"1250": f"-{total}.00", "5100": f"{total}.00"}


def test_two_openings_of_one_file_see_each_other(sage: SageCompany, tmp_path: Path) -> None:
    with Books(sage.path, sage.options, sage.clock) as other:
        line = {"code": "5100", "gross_value": 10}
        other.enter_by_hand("bank_payment", {"bank_id": sage.bank("WALLET"), "nominal_analysis_items": [line]})
    assert [row["user_name"] for row in sage.get("bank_posted_transactions")] == ["SARAH"]


def test_a_refused_document_among_many_leaves_nothing_and_a_failure_leaves_nothing_at_all(sage: SageCompany) -> None:
    good = {"bank_id": 2144, "nominal_analysis_items": [{"code": "5100", "gross_value": 10}]}
    late = {**good, "transaction_date": "2030-01-01T00:00:00Z"}
    with sage.books.together():
        first = sage.books.enter("bank_payment", good)
        with pytest.raises(Refused, match="not within a financial year"):
            sage.books.enter("bank_payment", late)
        assert sage.books.enter("bank_payment", good) == first + 1
    before = sage.figures()

    def both() -> None:
        with sage.books.together():
            sage.books.enter("bank_payment", good)
            sage.books.enter("bank_payment", late)

    with pytest.raises(Refused):
        both()
    assert sage.figures() == before
    assert sage.ledger() == {"1250": "-20.00", "5100": "20.00"}
