"""The benchmark in short, and the bounds that the number of requests must keep on any machine."""

from pathlib import Path

import pytest

from amazon_sage_assets_tests.benchmarks.request_costs import Costs, measure, table


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> Costs:
    folder: Path = tmp_path_factory.mktemp("costs")
    return measure(folder, accounts=("uk",), reports=2)


def test_a_document_costs_one_post_and_what_it_shares_with_the_others(costs: Costs) -> None:
    """Each is sent once; a transfer, whose answer has no number, is looked up once; days are asked about once."""
    for run in costs.postings:
        sent = {n: c for n, c in run.requests.items() if n.startswith(("POST /bank_", "POST /sales_"))}
        assert sum(sent.values()) == run.documents
        transfers = sent.get("POST /bank_transfer", 0)
        days = run.requests["POST /transaction_date_validation"]
        assert 0 < days <= run.documents
        assert run.asked - run.documents - transfers - days <= 15  # Sage's records, and its banks before and after


def test_the_number_of_requests_does_not_depend_on_the_server_s_pace(costs: Costs) -> None:
    first, second = costs.postings
    assert (first.requests, first.documents) == (second.requests, second.documents)
    assert second.seconds > second.asked * second.latency


def test_amazon_is_asked_for_the_list_and_two_requests_per_report(costs: Costs) -> None:
    assert costs.settlements == 2
    assert costs.amazon["getReportDocument"] == costs.amazon["document"] == costs.settlements
    assert costs.amazon["getReports"] <= 2


def test_the_table_says_it_in_lines_that_fit_a_screen(costs: Costs) -> None:
    lines = list(table(costs))
    assert any("per document" in line for line in lines)
    assert max(map(len, lines)) < 120
