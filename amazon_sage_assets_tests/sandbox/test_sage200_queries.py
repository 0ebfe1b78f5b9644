"""Reading from the simulated Sage: filters, order, pages, children, and what is refused."""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from amazon_sage_assets.sandbox.sage200 import BASE
from amazon_sage_assets_tests.sandbox.sage_company import SageCompany

MANY = 50_000
REFERENCES = ("PO-1", "po-1", "O'Brien #7", "", "100%", "a_b", "Ä")
AMOUNTS = (1, 250, 99, 100, 12345, 100, 7)
DAYS = ("2026-01-01", "2026-01-31", "2026-02-01", "2026-03-05", "2026-03-05", "2026-03-06", "2026-12-31")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SageCompany]:
    """Seven bank receipts with awkward references. Nothing is written to it."""
    company = SageCompany(tmp_path_factory.mktemp("sage") / "full.db")
    with company.books.together():
        for reference, pence, day in zip(REFERENCES, AMOUNTS, DAYS, strict=True):
            line = {"code": "4000", "gross_value": Decimal(pence).scaleb(-2)}
            body = {"bank_id": 2143 + pence % 2, "reference": reference, "transaction_date": f"{day}T00:00:00Z"}
            company.books.enter("bank_receipt", {**body, "nominal_analysis_items": [line]})
    company.headers()
    yield company
    company.books.close()


def found(company: SageCompany, text: str) -> list[int]:
    """Which of the seven fit, by their place."""
    first = 70401
    return [row["id"] - first for row in company.get("bank_posted_transactions", filter=text, orderby="id")]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("reference eq 'PO-1'", [0, 1]),
        ("reference ne 'PO-1'", [2, 3, 4, 5, 6]),
        ("reference eq 'O''Brien #7'", [2]),
        ("reference eq ''", [3]),
        ("contains(reference,'%')", [4]),
        ("contains(reference, '_')", [5]),
        ("contains(reference,'')", [0, 1, 2, 3, 4, 5, 6]),
        ("startswith(reference,'po')", [0, 1]),
        ("endswith(reference,'-1')", [0, 1]),
        ("not startswith(reference,'po') and not (reference eq '')", [2, 4, 5, 6]),
        ("cheque_value eq 1", [3, 5]),
        ("cheque_value eq 1.00", [3, 5]),
        ("cheque_value gt 0.995", [1, 3, 4, 5]),
        ("cheque_value lt 1.001", [0, 2, 3, 5, 6]),
        ("cheque_value eq 1.001", []),
        ("cheque_value ge -1", [0, 1, 2, 3, 4, 5, 6]),
        ("transaction_date eq 2026-03-05", [3, 4]),
        ("transaction_date gt 2026-03-05", [5, 6]),
        ("transaction_date ge 2026-03-05T00:00:00Z and transaction_date lt 2026-03-06T00:00:00.000Z", [3, 4]),
        ("date_time_updated gt 2026-03-12T10:02:13.109Z", [0, 1, 2, 3, 4, 5, 6]),
        ("date_time_updated gt 2026-03-12T10:02:13.11Z", []),
        ("last_statement_date eq null", [0, 1, 2, 3, 4, 5, 6]),
        ("last_statement_date ne null", []),
        ("id gt 70405", [5, 6]),
        ("bank_id eq 2143 or bank_id eq 2144 and reference eq ''", [1, 3, 5]),
        ("(bank_id eq 2143 or bank_id eq 2144) and reference eq ''", [3]),
        ("bank_transaction_type eq 'BankAccountEntryTypeReceipt'", [0, 1, 2, 3, 4, 5, 6]),
        ("bank_transaction_type eq '0'", []),
        ("bank_transaction_type eq '1' and id eq 70401", [0]),
        ("bank.code eq 'MAIN'", [1, 3, 5]),
        ("contains(bank.description, 'wallet') and id lt 70404", [0, 2]),
    ],
)
def test_a_filter_finds_what_it_says(full: SageCompany, text: str, places: list[int]) -> None:
    assert found(full, text) == places


@pytest.mark.parametrize(
    "text",
    [
        "reference",
        "reference eq",
        "reference eq 'a",
        "reference = 'a'",
        "reference EQ 'a'",
        "reference eq PO-1",
        "reference eq 1",
        "id eq '1'",
        "id eq 1 and",
        "(id eq 1",
        "id eq 1)",
        "id eq 1 id eq 2",
        "nothing eq 1",
        "bank.nothing eq 1",
        "nobody.code eq 'x'",
        "contains(id, '1')",
        "contains(reference)",
        "matches(reference, 'a')",
        "transaction_date gt 2026-03-05T00:00:00",
        "transaction_date gt 2026-02-30",
        "transaction_date gt '2026-03-05'",
        "id eq 1; drop table banks",
        "cheque_value eq 1.",
        "cheque_value gt null",
        "cheque_value gt 999999999999999999",
        "not" + " not" * 60 + " id eq 1",
        "(" * 60 + "id eq 1" + ")" * 60,
        " or ".join(["id eq 1"] * 501),
    ],
)
def test_a_filter_that_is_none_is_refused(full: SageCompany, text: str) -> None:
    answer = full.ask("bank_posted_transactions", filter=text)
    assert answer.status_code == 400
    assert "$filter" in answer.json()["Message"]


TEXTS = st.sampled_from([*REFERENCES, "x", "1", "'", "PO"])
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
# Each term is the text of a filter, and the same condition on a row in Python.
Term = tuple[str, Callable[[dict[str, Any]], bool]]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def folded(text: str) -> str:
    """Upper and lower case alike, for the letters that every collation agrees on."""
    return "".join(c.lower() if c.isascii() else c for c in text)


terms: st.SearchStrategy[Term] = st.one_of(
    st.builds(
        lambda sign, value: (f"cheque_value {sign} {value}", lambda row: SIGNS[sign](row["cheque_value"], value)),
        st.sampled_from(sorted(SIGNS)),
        st.decimals(-2, 130, places=3, allow_nan=False),
    ),
    st.builds(
        lambda sign, text: (
            f"reference {sign} {quoted(text)}",
            lambda row: SIGNS[sign](folded(row["reference"]), folded(text)),
        ),
        st.sampled_from(["eq", "ne"]),
        TEXTS,
    ),
    st.builds(
        lambda text: (f"contains(reference,{quoted(text)})", lambda row: folded(text) in folded(row["reference"])),
        TEXTS,
    ),
    st.builds(
        lambda sign, day: (
            f"transaction_date {sign} {day}",
            lambda row: SIGNS[sign](row["transaction_date"][:10], day),
        ),
        st.sampled_from(sorted(SIGNS)),
        st.sampled_from([*DAYS, "2026-06-30"]),
    ),
)
conditions: st.SearchStrategy[Term] = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.builds(lambda a: (f"not ({a[0]})", lambda row: not a[1](row)), inner),
        st.builds(lambda a, b: (f"({a[0]}) and ({b[0]})", lambda row: a[1](row) and b[1](row)), inner, inner),
        st.builds(lambda a, b: (f"({a[0]}) or ({b[0]})", lambda row: a[1](row) or b[1](row)), inner, inner),
    ),
    max_leaves=6,
)


@given(condition=conditions)
@example(condition=("reference eq 'Ä'", lambda row: row["reference"] == "Ä"))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_filter_means_the_same_as_the_condition_in_python(full: SageCompany, condition: Term) -> None:
    text, fits = condition
    everything = full.get("bank_posted_transactions", orderby="id")
    wanted = [row["id"] for row in everything if fits(row)]
    assert [row["id"] for row in full.get("bank_posted_transactions", filter=text, orderby="id")] == wanted


@given(text=st.text(alphabet="()'ab eqor1.,-#%T:Z", max_size=40))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_the_server(full: SageCompany, text: str) -> None:
    assert full.ask("bank_posted_transactions", filter=text).status_code in (200, 400)


def test_pages_follow_one_another_without_gap_or_overlap(full: SageCompany) -> None:
    pages = [
        full.get("bank_posted_transactions", orderby="cheque_value desc, reference asc", top="2", skip=str(skip))
        for skip in (0, 2, 4, 6)
    ]
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    rows = [row for page in pages for row in page]
    assert [row["cheque_value"] for row in rows] == sorted((row["cheque_value"] for row in rows), reverse=True)
    assert len({row["id"] for row in rows}) == 7


@pytest.mark.parametrize(
    "parameters",
    [
        {"skip": "1"},
        {"top": "5001"},
        {"top": "-1"},
        {"top": "many"},
        {"orderby": "nothing"},
        {"orderby": "id up"},
        {"select": "id,nothing"},
        {"select": "bank.code"},
        {"expand": "customer"},
        {"count": "yes"},
        {"apply": "groupby"},
    ],
)
def test_query_options_that_do_not_fit_are_refused(full: SageCompany, parameters: dict[str, str]) -> None:
    answer = full.ask("bank_posted_transactions", **parameters)
    assert answer.status_code == 400
    assert answer.json()["Message"]


def test_children_come_only_when_they_are_expanded(full: SageCompany) -> None:
    [plain] = full.get("bank_posted_transactions", filter="id eq 70401")
    assert not {"bank", "nominal_analysis_items", "trade_items"} & set(plain)
    [row] = full.get(
        "bank_posted_transactions", filter="id eq 70401", select="id,bank.code", expand="bank,nominal_analysis_items"
    )
    assert set(row) == {"id", "bank", "nominal_analysis_items"}
    assert row["bank"] == {"code": "WALLET"}
    assert len(row["nominal_analysis_items"]) == 2


def test_a_count_and_the_names_of_the_fields_can_be_asked_for(full: SageCompany) -> None:
    assert full.get("bank_posted_transactions", filter="cheque_value eq 1", count="true") == 2
    plain = {row["name"] for row in full.get("banks", metadata="false")}
    assert {row["name"] for row in full.get("banks", metadata="true")} - plain == {
        "account_currency",
        "bank_account_nominal_code",
    }


def test_one_record_has_an_address_and_an_unknown_one_is_not_found(full: SageCompany) -> None:
    assert full.get("bank_posted_transactions/70403")["reference"] == "O'Brien #7"
    assert full.get("banks/2143", expand="account_currency")["account_currency"]["is_base_currency"] is True
    below = full.get("banks/2144/bank_posted_transactions", filter="cheque_value lt 1")
    assert [row["id"] for row in below] == [70401, 70403, 70407]
    for path in ("banks/1", "banks/1/bank_posted_transactions", "banks/x", "bank_views/2143", "banks/2143/banks"):
        assert full.ask(path).status_code == 404, path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "bank_accounts"),
        ("GET", "nominal_journals"),
        ("POST", "nominal_journals"),
        ("GET", "bank_payment"),
        ("GET", "sales_receipts"),
        ("POST", "bank_posted_transactions"),
        ("PUT", "banks/2143"),
        ("DELETE", "bank_posted_transactions/70401"),
        ("GET", ""),
    ],
)
def test_what_sage_does_not_have_is_not_found(full: SageCompany, method: str, path: str) -> None:
    answer = full.send(method, f"{BASE}/{path}", headers=full.headers())
    assert answer.status_code == 404
    assert answer.json()["Message"]


def test_numbers_are_written_with_their_pence(full: SageCompany) -> None:
    text = full.ask("bank_posted_transactions", filter="id eq 70402", select="cheque_value").text
    assert text == '[{"cheque_value": 2.50}]'


def test_five_hundred_rows_come_unless_more_are_asked_for(tmp_path: Path) -> None:
    """Also measures: a look-up of forty references and a page by id among fifty thousand entries stay quick."""
    sage = SageCompany(tmp_path / "many.db")
    bank, stamp = sage.bank("WALLET"), "2026-03-05T00:00:00.000000Z"
    with sage.books.together() as db:
        db.executemany(
            "insert into documents values (?, 'bank_receipt', ?, '', ?, 100, ?, null, 'LedgerCashBook', 'x', ?)",
            [(number, f"REF-{number}", stamp, bank, stamp) for number in range(10_000, 10_000 + MANY)],
        )
        db.execute(
            "insert into bank_entries (bank_id, type, direction, value, base_value, rate, description, reference, "
            "second_reference, transaction_date, posted, source, urn, user_name, created, updated) "
            "select bank_id, 'BankAccountEntryTypeReceipt', 1, value, value, 1000000, '', reference, '', "
            "transaction_date, posted, source, urn, user_name, posted, posted from documents order by urn"
        )
    assert len(sage.get("bank_posted_transactions")) == 500
    assert len(sage.get("bank_posted_transactions", top="5000")) == 5000
    names = " or ".join(f"reference eq 'ref-{number}'" for number in range(10_000, 60_000, 1250))
    started = time.perf_counter()
    assert len(sage.get("bank_posted_transactions", filter=names)) == 40
    page = sage.get("bank_posted_transactions", filter=f"id gt {70400 + MANY - 7}", orderby="id asc")
    assert [row["reference"] for row in page] == [f"REF-{number}" for number in range(59_993, 60_000)]
    assert sage.get("banks", filter="code eq 'WALLET'")[0]["balance"] == MANY
    assert time.perf_counter() - started < 1.0
    sage.books.close()
