"""The benchmark in short, and the bounds that the number of requests must keep on any machine."""

import json
from collections import Counter
from pathlib import Path

import pytest

from amazon_sage_assets_tests.benchmarks.request_costs import Costs, OrderCosts, measure, order_table, table
from amazon_sage_assets_tests.sample_town import ordered_town


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> Costs:
    folder: Path = tmp_path_factory.mktemp("costs")
    return measure(folder, accounts=("uk",), reports=2)


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> OrderCosts:
    """All orders of two months, as the town whose orders have been sent has counted them."""
    folder = ordered_town(tmp_path_factory)
    said, amazon, sage = (json.loads((folder / f"{n}.json").read_text()) for n in ("orders", "amazon", "sage"))
    return OrderCosts(said["changed orders"], said["delivered"], Counter(amazon), Counter(sage))


def test_a_document_costs_one_post_and_what_it_shares_with_the_others(costs: Costs) -> None:
    """Each is sent once; a transfer, whose answer has no number, is looked up once; days are asked about once."""
    for run in costs.postings:
        sent = {n: c for n, c in run.requests.items() if n.startswith(("POST /bank_", "POST /sales_"))}
        assert sum(sent.values()) == run.documents
        transfers = sent.get("POST /bank_transfer", 0)
        days = run.requests["POST /transaction_date_validation"]
        assert 0 < days <= run.documents
        # What sales orders need of Sage is read though none is sent; stock items that changed, before and after.
        assert [run.requests[f"GET {path}"] for path in ("/products", "/warehouses", "/sop_settings")] == [2, 1, 1]
        assert run.asked - run.documents - transfers - days - 4 <= 14  # Sage's records, and its banks before and after


def test_the_number_of_requests_does_not_depend_on_the_server_s_pace(costs: Costs) -> None:
    first, second = costs.postings
    assert (first.requests, first.documents) == (second.requests, second.documents)
    assert second.seconds > second.asked * second.latency


def test_amazon_is_asked_for_the_list_and_two_requests_per_report(costs: Costs) -> None:
    assert costs.settlements == 2
    assert costs.amazon["getReportDocument"] == costs.amazon["document"] == costs.settlements
    assert costs.amazon["getReports"] <= 2


def test_reading_orders_costs_amazon_at_most_three_requests_per_hundred_changed_ones(orders: OrderCosts) -> None:
    """A hundred orders are a page; whom they go to is asked for apart, and only of those that we still have to send."""
    assert orders.changed > 1000
    assert 1 <= orders.per_hundred <= 3
    assert orders.amazon["getOrder"] == 0  # none is asked for by itself
    assert orders.amazon["listTransactions"] <= orders.changed / 50
    assert orders.amazon["createReport"] <= 3 * 2  # of each kind one for each account


def test_an_order_costs_sage_one_post_and_a_despatch_one_look_more(orders: OrderCosts) -> None:
    """Looking for orders that may be there already, and despatches too, is done for twenty in one request."""
    sent, despatched = orders.sage["POST /sop_orders"], orders.sage["POST /sop_confirm_despatch"]
    assert sent + despatched == orders.documents
    together = orders.documents / 20
    assert orders.sage["GET /sop_orders"] <= sent / 20 + 5
    assert orders.sage["GET /sop_order_line_views"] <= despatched + despatched / 20 + 2
    assert orders.asked <= orders.documents + despatched + together + 25  # Sage's records and what became of the orders


def test_the_table_says_it_in_lines_that_fit_a_screen(costs: Costs, orders: OrderCosts) -> None:
    lines = [*order_table(orders), *table(costs)]
    assert any("per document" in line for line in lines)
    assert max(map(len, lines)) < 120
