"""Open, closed and future periods: how dates are classed, and when a posting reaches the nominal ledger."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from amazon_sage_assets_tests.sandbox.sage_company import SageCompany, parsed


def classed(sage: SageCompany, day: str, ledger: str = "LedgerNominal") -> str:
    body = {"date": f"{day}T00:00:00Z", "ledger_type": ledger}
    return str(parsed(sage.post("transaction_date_validation", body))["classification"])


def payment(sage: SageCompany, day: str) -> dict[str, Any]:
    line = {"code": "5100", "gross_value": 10}
    head = {"bank_id": sage.bank("WALLET"), "transaction_date": f"{day}T00:00:00Z", "reference": f"OF {day}"}
    return {**head, "nominal_analysis_items": [line]}


def test_an_open_period_is_normal_and_a_closed_one_is_refused(sage: SageCompany) -> None:
    assert classed(sage, "2026-01-31") == "Normal"
    sage.send("POST", "/_sandbox/close_period", json={"start": "2026-01-01"})
    assert classed(sage, "2026-01-31") == "Unacceptable"
    assert classed(sage, "2026-02-01") == "Normal"
    assert "closed accounting period" in sage.refuses("bank_payment", payment(sage, "2026-01-31"))
    sage.send("POST", "/_sandbox/open_period", json={"start": "2026-01-01"})
    sage.book("bank_payment", payment(sage, "2026-01-31"))
    assert sage.ledger() == {"1250": "-10.00", "5100": "10.00"}


def test_a_day_outside_all_financial_years_is_never_acceptable(sage: SageCompany) -> None:
    assert classed(sage, "2025-12-31") == classed(sage, "2027-01-01") == "Unacceptable"
    assert "not within a financial year" in sage.refuses("bank_payment", payment(sage, "2025-12-31"))


def test_where_closed_is_acceptable_the_posting_goes_to_the_next_open_period(sage: SageCompany) -> None:
    sage.books.change_setting("closed_period", "Acceptable")
    for month in (1, 2):
        sage.books.close_period(date(2026, month, 1))
    assert classed(sage, "2026-01-31") == "Acceptable"
    sage.book("bank_payment", payment(sage, "2026-01-31"))
    rows = sage.get("nominal_transaction_enquiry_views")
    assert {(row["transaction_date"], row["period_number"]) for row in rows} == {("2026-01-31T00:00:00Z", 3)}
    assert sage.ledger()["5100"] == "10.00"


def test_with_every_period_closed_nothing_can_be_posted(sage: SageCompany) -> None:
    sage.books.change_setting("closed_period", "Acceptable")
    for month in range(1, 13):
        sage.books.close_period(date(2026, month, 1))
    assert "No open accounting period" in sage.refuses("bank_payment", payment(sage, "2026-05-01"))


def test_a_future_posting_waits_until_its_period_opens(sage: SageCompany) -> None:
    sage.books.change_setting("number_open_periods", "3")
    assert classed(sage, "2026-03-31") == "Normal"
    assert classed(sage, "2026-04-01") == "Acceptable"
    sage.book("bank_payment", payment(sage, "2026-04-01"))
    assert sage.books.bank_balances()["WALLET"] == -10
    assert sage.books.trial_balance() == {}
    sage.books.close_period(date(2026, 1, 1))
    assert sage.ledger() == {"1250": "-10.00", "5100": "10.00"}


def test_previous_and_future_years_follow_their_own_rules(sage: SageCompany) -> None:
    sage.books.add_year(date(2025, 1, 1))
    sage.books.add_year(date(2027, 1, 1))
    sage.books.change_setting("number_open_periods", "36")
    sage.books.change_setting("previous_year", "Unacceptable")
    assert [classed(sage, f"{year}-06-01") for year in (2025, 2026, 2027)] == ["Unacceptable", "Normal", "Acceptable"]
    years = {row["financial_year_start_date"][:4]: row["year_relative_to_current_year"]
             for row in sage.get("financial_year_period_views")}  # fmt: skip
    assert years == {"2025": -1, "2026": 0, "2027": 1}


def test_periods_follow_the_months_of_a_year_that_starts_in_april(sage: SageCompany) -> None:
    sage.books.add_year(date(2027, 4, 1))
    rows = sage.get("financial_year_period_views", filter="financial_year_start_date eq 2027-04-01")
    assert [row["period_number"] for row in rows] == list(range(1, 13))
    assert rows[0]["financial_year_end_date"] == "2028-03-31T00:00:00Z"
    assert rows[10]["period_end_date"] == "2028-02-29T00:00:00Z"


def test_a_batch_ledger_waits_for_its_update(make_sage: Any) -> None:
    sage = make_sage(nominal_online=False)
    sage.book("bank_payment", payment(sage, "2026-03-01"))
    assert sage.get("system_settings")[0]["update_nominal_online"] is False
    assert sage.get("nominal_transaction_enquiry_views") == []
    [entry] = sage.get("bank_posted_transactions", expand="nominal_analysis_items")
    assert len(entry["nominal_analysis_items"]) == 2
    assert sage.send("POST", "/_sandbox/update_nominal").json() == {"postings": 2}
    assert len(sage.get("nominal_transaction_enquiry_views")) == 2
    assert sage.ledger()["5100"] == "10.00"


def test_each_line_may_have_its_own_day(sage: SageCompany) -> None:
    body = payment(sage, "2026-03-01")
    body["nominal_analysis_items"][0]["transaction_date"] = "2026-02-27T00:00:00Z"
    sage.book("bank_payment", body)
    rows = sage.get("nominal_transaction_enquiry_views", filter="debit gt 0")
    assert [row["period_number"] for row in rows] == [2]


def test_balances_of_an_account_are_of_the_current_year(sage: SageCompany) -> None:
    sage.books.add_year(date(2025, 1, 1))
    sage.book("bank_payment", payment(sage, "2025-06-01"))
    sage.book("bank_payment", payment(sage, "2026-03-01"))
    [wallet] = sage.get("nominal_codes", filter="reference eq '1250'")
    assert wallet["balance_year_to_date"] == Decimal(-10)
    assert wallet["brought_forward_balance"] == Decimal(-10)
    assert (wallet["debit_balance_year_to_date"], wallet["credit_balance_year_to_date"]) == (0, 10)


@pytest.mark.parametrize("body", [{"date": "2026-03-12"}, {}, {"date": "2026-03-12T00:00:00Z", "ledger_type": "Other"}])
def test_a_question_about_a_date_must_be_whole(sage: SageCompany, body: dict[str, str]) -> None:
    assert sage.refuses("transaction_date_validation", body)


def test_the_names_of_classes_and_ledgers_come_from_their_lists(sage: SageCompany) -> None:
    names = {row["value"] for row in sage.get("transaction_date_validation_classifications")}
    assert classed(sage, "2026-03-01") in names
    for row in sage.get("ledger_types"):
        assert classed(sage, "2026-03-01", row["value"]) == "Normal"
