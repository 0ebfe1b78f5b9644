"""The asset graph: it loads, it says what sql/ says, and one run settles what has landed."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from amazon_sage_assets import sqlfiles
from amazon_sage_assets.definitions import defs
from amazon_sage_assets.defs import automation
from amazon_sage_assets.defs.automation import (
    orders_as_they_come,
    publish_finance,
    purge_each_night,
    settle_settlements,
    settlement_inbox,
)
from amazon_sage_assets.defs.partitions import SETTLEMENT
from amazon_sage_assets.defs.resources import CompanyResource
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.reports import commission, principal, row, write_report

JOURNAL = dg.AssetKey(["core", "core__journal_lines"])
GOOD = [principal("20.00"), row("Order", "ItemPrice", "Tax", "4.00"), commission("-4.40")]


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return defs()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


class Station:
    """A seller whose inbox is watched by the sensor, and the runs it asks for."""

    def __init__(
        self, seller: Seller, definitions: dg.Definitions, instance: dg.DagsterInstance, cursor: str | None = None
    ) -> None:
        self.seller = seller
        self.company = CompanyResource(home=str(seller.home), profile=str(seller.profile_path))
        self.definitions = dg.Definitions.merge(
            dg.Definitions(
                assets=definitions.assets, asset_checks=definitions.asset_checks, jobs=definitions.jobs,
                executor=definitions.executor, resources={"company": self.company},
            )
        )  # fmt: skip
        self.instance = instance
        self.cursor = cursor

    @property
    def inbox(self) -> Path:
        return self.seller.company.environment.inbox

    def drop(self, name: str, rows: list[dict[str, str]] | None = None, **header: Any) -> Path:
        """A finished file in the inbox, an hour old."""
        self.inbox.mkdir(parents=True, exist_ok=True)
        path = self.inbox / name
        if rows is None:
            path.write_text("Minutes of the meeting\n", encoding="utf-8")
        else:
            write_report(path, rows, **header)
        long_ago = datetime.now(UTC).timestamp() - 3600
        os.utime(path, (long_ago, long_ago))
        return path

    def tick(self) -> dg.SensorResult | dg.SkipReason:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={"company": self.company}
        )
        result = settlement_inbox(context)
        if isinstance(result, dg.SensorResult):
            self.cursor = result.cursor
            for request in result.dynamic_partitions_requests or []:
                self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        else:
            self.cursor = context.cursor
        return result  # type: ignore[return-value]

    def run(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        job = self.definitions.resolve_job_def(str(request.job_name))
        return job.execute_in_process(instance=self.instance, tags=request.tags, raise_on_error=False)

    def settle(self) -> list[dg.ExecuteInProcessResult]:
        result = self.tick()
        assert isinstance(result, dg.SensorResult)
        return [self.run(request) for request in result.run_requests or []]


@pytest.fixture
def station(seller: Seller, definitions: dg.Definitions, instance: dg.DagsterInstance) -> Station:
    return Station(seller, definitions, instance)


@pytest.fixture(scope="module")
def settled(
    definitions: dg.Definitions, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Station, dg.ExecuteInProcessResult]]:
    """Four files of the inbox, settled by the one run that the sensor asked for. For tests that only look."""
    folder = tmp_path_factory.mktemp("settled") / "seller"
    folder.mkdir()
    with dg.DagsterInstance.ephemeral() as instance:
        station = Station(Seller(folder), definitions, instance)
        station.drop("one.txt", GOOD)
        station.drop("two.txt", [principal("6.00")], settlement_id="24000000002")
        station.drop("bad.txt", [principal("6.00")], total="6.01", settlement_id="24000000003")
        station.drop("minutes.txt")
        (result,) = station.settle()
        assert result.success
        yield station, result


@pytest.fixture
def settled_before(settled: tuple[Station, dg.ExecuteInProcessResult], tmp_path: Path) -> Station:
    """The same in a folder of its own, for tests that go on from there."""
    station, _ = settled
    folder = tmp_path / "seller"
    shutil.copytree(station.seller.folder, folder)
    return Station(Seller(folder), station.definitions, station.instance, station.cursor)


def test_the_first_step_after_an_upgrade_brings_the_warehouse_up_to_date(seller: Seller) -> None:
    warehouse = seller.company.warehouse
    with warehouse.connect() as connection:
        connection.execute("delete from main.migrations where name = '0006_refunds'")
        connection.execute("drop table raw.sage_site")
        connection.execute("drop table outbox.covered_items")
    CompanyResource(home=str(seller.home), profile=str(seller.profile_path)).load_current()
    with warehouse.read() as connection:
        assert connection.execute("select count(*) from raw.sage_site").fetchall() == [(0,)]


def test_the_code_location_loads_and_every_file_of_sql_is_an_asset(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)
    graph = definitions.resolve_asset_graph()
    for sql_file in sqlfiles.relations().values():
        key = dg.AssetKey([sql_file.schema, sql_file.name])
        node = graph.get(key)
        wanted = {dg.AssetKey(list(d)) for d in sql_file.dependencies if d[0] != "control"}
        assert node.parent_keys == wanted, sql_file.relation
        assert node.description == sql_file.description
        assert (node.partitions_def == SETTLEMENT) == bool(sql_file.replaced_by)


def test_nothing_that_starts_by_itself_is_missing_from_the_automation_page(definitions: dg.Definitions) -> None:
    page = str(automation.__doc__)
    starters = [*(definitions.sensors or ()), *(definitions.schedules or ())]
    assert {one.name for one in starters} == {
        "settlement_inbox", "new_settlements", "bank_reading", "orders_as_they_come", "personal_data_purge",
        "posting_when_due",
    }  # fmt: skip
    assert [one.name for one in starters if f"- `{one.name}` " not in page] == []
    graph = definitions.resolve_asset_graph()
    assert not [key for key in graph.get_all_asset_keys() if graph.get(key).automation_condition]


def test_the_jobs_of_orders_do_what_their_names_say(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()

    def steps(job: Any) -> set[str]:
        return {key.to_user_string() for key in job.selection.resolve(graph)}

    of_orders, purging = steps(automation.orders), steps(automation.purge_personal_data)
    assert {"raw/amazon_orders", "core/core__orders", "sage/sales_orders", "finance/published_file"} <= of_orders
    assert not {"sage/posted_documents", "raw/amazon_payouts", "landed/settlement_reports"} & of_orders
    assert purging == {"control/erased_documents"}
    for job in (settle_settlements, publish_finance, automation.read_banks, automation.post_approved):
        assert not {"raw/amazon_orders", "sage/sales_orders", *purging} & steps(job), job.name
    assert definitions.resolve_job_def("orders").op_retry_policy is None
    (sending,) = (
        one for one in definitions.assets or ()
        if isinstance(one, dg.AssetsDefinition) and dg.AssetKey(["sage", "sales_orders"]) in one.keys
    )  # fmt: skip
    assert sending.op.retry_policy is None


CONNECTED = {"LWA_APP_ID": "an-app", "LWA_CLIENT_SECRET": "its secret", "SP_API_REFRESH_TOKEN": "a token"}
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A seller account is connected, and nothing else of the environment says so."""
    for account in ("UK", "DE"):
        monkeypatch.delenv(f"SP_API_REFRESH_TOKEN_{account}", raising=False)
    for name, value in CONNECTED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def kept_instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance that a schedule can look into."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    kept = dg.DagsterInstance.local_temp(str(folder))
    yield kept
    kept.dispose()


def begin(instance: dg.DagsterInstance, job: str, status: dg.DagsterRunStatus) -> str:
    """A run that is as far as that. Returns its id."""
    return instance.add_run(dg.DagsterRun(job_name=job, run_id=str(uuid.uuid4()), status=status)).run_id


def tick_of_orders(seller: Seller, instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    resource = CompanyResource(home=str(seller.home), profile=str(seller.profile_path))
    # Left open, the context would leave its own instance behind for the tests that follow.
    with dg.build_schedule_context(
        instance=instance, scheduled_execution_time=NOON, resources={"company": resource}
    ) as context:
        return orders_as_they_come(context)  # type: ignore[return-value]


@pytest.mark.usefixtures("connected")
def test_orders_are_read_every_quarter_of_an_hour(seller: Seller, kept_instance: dg.DagsterInstance) -> None:
    assert orders_as_they_come.cron_schedule == "*/15 * * * *"
    assert orders_as_they_come.default_status == dg.DefaultScheduleStatus.RUNNING
    request = tick_of_orders(seller, kept_instance)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == NOON.isoformat()  # the same quarter of an hour asks once


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    "status",
    [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING],
)
def test_orders_wait_while_their_last_run_goes_on(
    seller: Seller, kept_instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    assert dg.DagsterRunStatus.QUEUED in automation.UNFINISHED  # such a run needs a queue to be made here
    run_id = begin(kept_instance, "orders", status)
    skipped = tick_of_orders(seller, kept_instance)
    assert isinstance(skipped, dg.SkipReason)
    assert "still goes on" in str(skipped.skip_message)
    kept_instance.delete_run(run_id)
    assert isinstance(tick_of_orders(seller, kept_instance), dg.RunRequest)


@pytest.mark.usefixtures("connected")
def test_what_is_over_or_another_job_does_not_keep_orders_waiting(
    seller: Seller, kept_instance: dg.DagsterInstance
) -> None:
    for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED):
        begin(kept_instance, "orders", status)
    begin(kept_instance, "post_approved", dg.DagsterRunStatus.STARTED)
    assert isinstance(tick_of_orders(seller, kept_instance), dg.RunRequest)


def test_orders_are_quiet_while_nobody_is_connected(
    seller: Seller, kept_instance: dg.DagsterInstance, connected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LWA_APP_ID")
    skipped = tick_of_orders(seller, kept_instance)
    assert isinstance(skipped, dg.SkipReason)
    assert "No seller account is connected" in str(skipped.skip_message)


@pytest.mark.usefixtures("connected")
def test_orders_are_quiet_while_no_route_makes_sage_orders(seller: Seller, kept_instance: dg.DagsterInstance) -> None:
    seller.set_profile(uk_mfn="settlement")
    skipped = tick_of_orders(seller, kept_instance)
    assert isinstance(skipped, dg.SkipReason)
    assert "No route" in str(skipped.skip_message)


def test_personal_data_is_purged_every_night_whatever_is_connected(instance: dg.DagsterInstance) -> None:
    assert purge_each_night.cron_schedule == "15 3 * * *"
    assert purge_each_night.default_status == dg.DefaultScheduleStatus.RUNNING
    request = purge_each_night(dg.build_schedule_context(instance=instance, scheduled_execution_time=NOON))
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == "2026-03-02"


def test_every_asset_says_what_it_is_whose_it_is_and_what_made_it(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        assert node.group_name not in (None, "default"), key


def test_a_file_in_the_inbox_becomes_a_partition_a_journal_and_a_published_figure(
    settled: tuple[Station, dg.ExecuteInProcessResult],
) -> None:
    station, result = settled
    assert station.instance.get_dynamic_partitions(str(SETTLEMENT.name))[0] == "uk-24000000001"
    assert station.seller.statuses()["24000000001"] == "ready"
    assert not (station.inbox / "one.txt").exists()
    assert (station.inbox / "landed" / "one.txt").exists()
    event = journal_events(result)["uk-24000000001"]
    metadata = event.materialization.metadata
    assert metadata["wallet movement"].value == "19.60 GBP"
    assert "| 2026-03 | sales | 4000 | sales | 1 |  | 20.00 |" in str(metadata["journal"].value)
    assert str(metadata["from sales to payout"].value).startswith("![From sales to payout, GBP](data:image/svg+xml")
    passed = {(e.check_name, e.passed) for e in result.get_asset_check_evaluations()}
    assert ("total", True) in passed
    assert ("journal_balances", True) in passed
    assert {outcome for _, outcome in passed} == {True}


def journal_events(result: dg.ExecuteInProcessResult) -> dict[str | None, Any]:
    """What the run said of each settlement's journal."""
    return {
        event.partition: event
        for event in result.get_asset_materialization_events()
        if event.asset_key == JOURNAL and "wallet movement" in event.materialization.metadata
    }


def test_the_sensor_asks_once_for_a_file_and_again_only_when_rules_change(settled_before: Station) -> None:
    assert isinstance(settled_before.tick(), dg.SkipReason)
    settled_before.seller.set_profile(uk_afn="sop")
    (result,) = settled_before.settle()
    assert result.success
    lines = settled_before.seller.query(
        "select document from finance.journal_lines where settlement_id = '24000000001'"
    )
    assert {line["document"] for line in lines} == {"customer_receipts", "fees"}
    assert isinstance(settled_before.tick(), dg.SkipReason)


def test_a_file_that_is_still_being_written_waits(station: Station) -> None:
    path = station.drop("one.txt", GOOD)
    path.touch()
    assert isinstance(station.tick(), dg.SkipReason)
    assert path.exists()


def test_several_files_are_one_run_and_each_partition_shows_its_own_journal(
    settled: tuple[Station, dg.ExecuteInProcessResult],
) -> None:
    station, result = settled
    assert station.seller.statuses() == {"24000000001": "ready", "24000000002": "ready", "24000000003": "quarantined"}
    moved = {key: e.materialization.metadata["wallet movement"].value for key, e in journal_events(result).items()}
    assert moved == {"uk-24000000001": "19.60 GBP", "uk-24000000002": "6.00 GBP"}
    assert {"TOTAL_MISMATCH", "UNREADABLE_FILE"} <= set(station.seller.exceptions())


def test_a_file_that_is_no_settlement_still_publishes_its_exception(station: Station) -> None:
    station.drop("minutes.txt")
    result = station.tick()
    assert isinstance(result, dg.SensorResult)
    (request,) = result.run_requests or []
    assert request.job_name == publish_finance.name
    assert station.run(request).success
    assert list(station.seller.exceptions()) == ["UNREADABLE_FILE"]


def test_a_journal_that_does_not_balance_stops_the_run_before_a_plan_and_before_publishing(
    settled_before: Station,
) -> None:
    station = settled_before
    warehouse = station.seller.company.warehouse
    before = station.seller.query("select * from finance.settlements")
    with warehouse.transaction() as connection:
        connection.execute(
            "update core.core__journal_lines set debit = debit + 1 where account_key = 'wallet' and debit > 0"
        )
    broken = station.definitions.resolve_job_def("publish_finance").execute_in_process(
        instance=station.instance, raise_on_error=False
    )
    failed = {e.check_name for e in broken.get_asset_check_evaluations() if not e.passed}
    assert {"journal_balances", "wallet_moves_by_total"} <= failed
    published = {e.asset_key.path[-1] for e in broken.get_asset_materialization_events()}
    assert "published_file" not in published
    assert station.seller.query("select * from finance.settlements") == before


def test_the_posting_plan_is_only_reached_through_the_journal_gates(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    gates = {key.name for key in graph.asset_check_keys if key.asset_key == JOURNAL}
    assert gates == {"total", "balance", "coverage"}
    plan = graph.get(dg.AssetKey(["core", "planned_documents"]))
    assert JOURNAL in plan.parent_keys


def test_reading_the_definitions_needs_neither_profile_nor_warehouse(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AMAZON_SAGE_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("AMAZON_SAGE_PROFILE", str(tmp_path / "missing.toml"))
    assert defs().resolve_job_def(settle_settlements.name).name == "settle_settlements"
    assert not (tmp_path / "nowhere").exists()


def test_the_workspace_and_the_instance_of_this_repository_are_valid_and_keep_their_state_at_home(
    tmp_path: Path,
) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "DAGSTER_HOME": str(root), "AMAZON_SAGE_HOME": str(tmp_path)}
    before = {path.name for path in root.iterdir()}
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        cwd=root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in root.iterdir()} == before
