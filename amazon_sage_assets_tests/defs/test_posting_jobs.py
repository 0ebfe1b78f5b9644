"""The jobs, the sensor and the schedules between Seller Central, Sage and the bank, against the served sample world."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from amazon_sage_assets.definitions import defs
from amazon_sage_assets.defs import automation
from amazon_sage_assets.defs.automation import RANGE_END, RANGE_START
from amazon_sage_assets.defs.partitions import SETTLEMENT
from amazon_sage_assets.defs.resources import CompanyResource
from amazon_sage_assets.defs.sql_assets import WAREHOUSE_POOL
from amazon_sage_assets.landing import SETTLEMENT_REPORT
from amazon_sage_assets.posting.approval import approve
from amazon_sage_assets_tests.sample_town import APPROVER, Town, copied, fetched_town

SALES_ORDERS = dg.AssetKey(["sage", "sales_orders"])
POSTED = dg.AssetKey(["sage", "posted_documents"])
READING = dg.AssetKey(["sage", "bank_reading"])
FETCHED = dg.AssetKey(["landed", "settlement_reports"])
PUBLISHED = dg.AssetKey(["finance", "published_file"])
MORNING = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
NOT_CONNECTED = {
    "LWA_APP_ID": "", "SP_API_REFRESH_TOKEN_UK": "", "SP_API_REFRESH_TOKEN_DE": "", "SP_API_REFRESH_TOKEN": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return defs()


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose settlements are fetched, for tests that send nothing and change nothing."""
    with copied(fetched_town(tmp_path_factory), tmp_path_factory.mktemp("looked_at") / "town") as town:
        yield town


@pytest.fixture
def connected(looked_at: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The environment of this process is that town's."""
    set_environment(monkeypatch, looked_at)
    return looked_at


def set_environment(monkeypatch: pytest.MonkeyPatch, town: Town) -> None:
    for name, value in town.environment.items():
        monkeypatch.setenv(name, value)


class Office:
    """A town of one's own with the jobs over it."""

    def __init__(self, town: Town, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self.town, self.definitions, self.instance = town, definitions, instance
        instance.add_dynamic_partitions(str(SETTLEMENT.name), list(town.statuses()))

    def approve(self, *keys: str) -> None:
        with self.town.company.warehouse.transaction() as connection:
            approve(connection, keys, APPROVER, datetime.now(UTC))

    def run(self, job: str, *, settlement: str = "", config: dict[str, Any] | None = None) -> dg.ExecuteInProcessResult:
        """Run a job in this process, for one settlement where it has partitions."""
        tags = {RANGE_START: settlement, RANGE_END: settlement} if settlement else None
        resolved = self.definitions.resolve_job_def(job)
        return resolved.execute_in_process(instance=self.instance, tags=tags, run_config=config, raise_on_error=False)

    def tags(self, result: dg.ExecuteInProcessResult) -> dict[str, str]:
        """The run's tags that people search by."""
        run = self.instance.get_run_by_id(result.run_id)
        assert run
        return {name: value for name, value in run.tags.items() if name.startswith(("settlement/", "approved_by"))}

    def waiting(self) -> dict[str, str]:
        """Status of what the outbox holds, by settlement; the only one or several joined."""
        with self.town.company.warehouse.read() as connection:
            rows = connection.execute(
                "select settlement_key, string_agg(distinct status, ' ') from outbox.messages group by all"
            ).fetchall()
        return dict(rows)


@pytest.fixture
def office(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    definitions: dg.Definitions,
) -> Iterator[Office]:
    with (
        copied(fetched_town(tmp_path_factory), tmp_path / "town") as town,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        set_environment(monkeypatch, town)
        yield Office(town, definitions, instance)


def materialised(result: dg.ExecuteInProcessResult) -> dict[dg.AssetKey, dict[str, Any]]:
    """Metadata by asset."""
    return {
        event.asset_key: {name: entry.value for name, entry in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }


# --- what the jobs are ----------------------------------------------------------------------------------------------


def selected(definitions: dg.Definitions, job: dg.AssetSelection) -> set[dg.AssetKey]:
    return set(job.resolve(definitions.resolve_asset_graph()))


@pytest.mark.parametrize("job", [automation.settle_settlements, automation.publish_finance, automation.read_banks])
def test_a_job_that_is_not_for_posting_has_no_step_that_sends(definitions: dg.Definitions, job: Any) -> None:
    keys = selected(definitions, job.selection)
    assert POSTED not in keys
    assert PUBLISHED in keys


def test_settling_and_publishing_ask_nobody_outside(definitions: dg.Definitions) -> None:
    remote = selected(definitions, automation.REMOTE)
    assert {POSTED, READING, FETCHED} < remote
    for job in (automation.settle_settlements, automation.publish_finance):
        assert selected(definitions, job.selection) & remote == set()
    assert selected(definitions, automation.fetch_settlement_reports.selection) == {FETCHED}


@pytest.mark.parametrize("job", [automation.post_approved, automation.close_settlement])
def test_a_job_that_posts_looks_at_the_outbox_and_publishes(definitions: dg.Definitions, job: Any) -> None:
    keys = selected(definitions, job.selection)
    assert {POSTED, PUBLISHED, dg.AssetKey(["outbox", "messages"])} <= keys
    assert READING not in keys
    assert FETCHED not in keys


def test_nothing_on_the_way_to_posting_starts_by_itself_and_no_retry_wraps_it(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    upstream = dg.AssetSelection.assets(POSTED).upstream().resolve(graph)
    assert dg.AssetKey(["raw", "settlement_documents"]) in upstream
    assert [key for key in upstream if graph.get(key).automation_condition] == []
    (posting,) = (
        one for one in definitions.assets or () if isinstance(one, dg.AssetsDefinition) and POSTED in one.keys
    )
    assert posting.op.retry_policy is None
    assert definitions.resolve_job_def("post_approved").op_retry_policy is None


def test_posting_does_not_keep_other_runs_from_the_warehouse(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    assert graph.get(POSTED).pools == graph.get(READING).pools == graph.get(SALES_ORDERS).pools == {"sage"}
    made_with_orders = next(
        one.keys
        for one in definitions.assets or ()
        if isinstance(one, dg.AssetsDefinition) and SALES_ORDERS in one.keys
    )
    assert graph.get(dg.AssetKey(["outbox", "messages"])).pools == {WAREHOUSE_POOL}
    for key in graph.get_all_asset_keys():
        is_figure = key.path[0] in ("staging", "core", "exceptions", "finance") and key not in made_with_orders
        if is_figure and graph.get(key).is_executable:
            assert graph.get(key).pools == {WAREHOUSE_POOL}, key


# --- fetching -------------------------------------------------------------------------------------------------------


def test_the_fetching_job_lands_every_report_once(
    connected: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, definitions: dg.Definitions
) -> None:
    monkeypatch.setenv("AMAZON_SAGE_HOME", str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def("fetch_settlement_reports")
        first, second = (job.execute_in_process(instance=instance) for _ in range(2))
    reports = connected.world.seller.reports()
    ids = {account: sum(len(r.report_ids) for r in reports if r.account == account) for account in ("uk", "de")}
    said = {"landed in all": len(reports), **{f"new from {account}": count for account, count in ids.items()}}
    assert materialised(first)[FETCHED] == said
    assert materialised(second)[FETCHED] == {"landed in all": len(reports), "new from uk": 0, "new from de": 0}
    landed = CompanyResource().load().landing
    assert len(landed.documents(SETTLEMENT_REPORT)) == len(reports)
    assert not (tmp_path / "warehouse").exists()


def new_settlements() -> dg.RunRequest | dg.SkipReason:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, resources={"company": CompanyResource()})
        return automation.new_settlements(context)  # type: ignore[return-value]


def test_the_sensor_is_quiet_while_no_seller_account_is_connected(
    connected: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in NOT_CONNECTED.items():
        monkeypatch.setenv(name, value)
    said = new_settlements()
    assert isinstance(said, dg.SkipReason)
    assert "No seller account is connected" in str(said.skip_message)


def test_the_sensor_asks_for_one_run_of_new_reports_and_for_the_same_one_until_they_are_landed(
    connected: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = new_settlements()
    assert isinstance(said, dg.SkipReason)
    assert said.skip_message == "Seller Central has no settlement report that is not landed."

    monkeypatch.setenv("AMAZON_SAGE_HOME", str(tmp_path))
    first, again = new_settlements(), new_settlements()
    assert isinstance(first, dg.RunRequest)
    assert isinstance(again, dg.RunRequest)
    assert first.run_key == again.run_key
    count = sum(len(report.report_ids) for report in connected.world.seller.reports())
    assert first.tags["reports"] == str(count)
    assert list(tmp_path.glob("landed/**/*.zst")) == []  # asking is not fetching

    monkeypatch.setenv("SP_API_REFRESH_TOKEN_DE", "")
    fewer = new_settlements()
    assert isinstance(fewer, dg.RunRequest)
    assert fewer.run_key != first.run_key


# --- schedules ------------------------------------------------------------------------------------------------------


def morning(schedule: Any) -> dg.RunRequest | dg.SkipReason:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=MORNING, resources={"company": CompanyResource()}
        )
        return schedule(context)  # type: ignore[no-any-return]


def test_the_banks_are_read_each_morning_where_sage_is_connected(
    connected: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = morning(automation.bank_reading)
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == "2026-11-20"
    monkeypatch.setenv("SAGE_CLIENT_ID", "")
    said = morning(automation.bank_reading)
    assert isinstance(said, dg.SkipReason)
    assert "Sage 200 is not connected" in str(said.skip_message)


def test_posting_starts_by_itself_only_where_the_profile_says_so(
    connected: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = morning(automation.posting_when_due)
    assert isinstance(said, dg.SkipReason)
    assert said.skip_message == 'The profile says posting = "approve": a person starts posting.'

    automatic = tmp_path / "amazon_sage.toml"
    text = connected.profile.read_text(encoding="utf-8")
    automatic.write_text(text.replace('posting = "approve"', 'posting = "auto"'), encoding="utf-8")
    monkeypatch.setenv("AMAZON_SAGE_PROFILE", str(automatic))
    asked = morning(automation.posting_when_due)
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == "2026-11-20"
    monkeypatch.setenv("SAGE_CLIENT_ID", "")
    said = morning(automation.posting_when_due)
    assert isinstance(said, dg.SkipReason)
    assert "Sage 200 is not connected" in str(said.skip_message)


# --- approval -------------------------------------------------------------------------------------------------------


def approving(*settlements: str, by: str = APPROVER) -> dict[str, Any]:
    return {"ops": {"approve_settlements": {"config": {"settlements": list(settlements), "by": by}}}}


def test_the_approval_job_approves_all_or_nothing_and_names_the_settlements_on_its_run(office: Office) -> None:
    first, second, *_ = office.town.keys("ready")
    (held,) = office.town.keys("held")
    refused = office.run("approve_settlement", config=approving(first, held))
    assert not refused.success
    assert office.waiting()[first] == "planned"
    assert office.tags(refused) == {}
    (failure,) = (event for event in refused.all_events if event.is_step_failure)
    assert f"Settlement {held} is held and cannot be approved." in str(failure.step_failure_data)

    done = office.run("approve_settlement", config=approving(first, second))
    assert done.success
    waiting = office.waiting()
    assert {key for key, status in waiting.items() if status == "approved"} == {first, second}
    assert office.tags(done) == {
        f"settlement/{first}": "approved", f"settlement/{second}": "approved", "approved_by": APPROVER,
    }  # fmt: skip
    assert office.town.keys("approved") == [first, second]  # published, too
    assert office.town.posted == []


# --- posting --------------------------------------------------------------------------------------------------------


def test_the_posting_job_sends_what_is_approved_and_names_the_settlements_on_its_run(office: Office) -> None:
    chosen, *others = office.town.keys("ready")
    office.approve(chosen)
    done = office.run("post_approved")
    assert done.success
    sent = office.town.query("from finance.postings where status = 'delivered'")
    assert {f"{row['settlement_id']}" for row in sent} == {chosen.split("-")[1]}
    assert sorted(office.town.posted) == sorted(row["remote_reference"] for row in sent)
    assert office.tags(done) == {f"settlement/{chosen}": "posted"}
    counts = materialised(done)[POSTED]
    assert counts["delivered"] == len(sent)
    assert counts["rejected"] == counts["held"] == counts["not yet proven"] == 0
    assert office.town.keys("posted") == [chosen]
    assert office.town.keys("ready") == others
    assert {evaluation.passed for evaluation in done.get_asset_check_evaluations()} == {True}


def test_posting_sends_nothing_when_a_journal_fails_its_proof(office: Office) -> None:
    chosen, *_ = office.town.keys("ready")
    office.approve(chosen)
    before = office.town.documents
    with office.town.company.warehouse.transaction() as connection:
        connection.execute(
            "update core.core__journal_lines set debit = debit + 0.01 where rowid ="
            " (select min(rowid) from core.core__journal_lines where settlement_key = $1 and debit > 0)",
            [chosen],
        )
    failed = office.run("post_approved")
    assert not failed.success
    (failure,) = (event for event in failed.all_events if event.is_step_failure)
    assert failure.step_key == "post_to_sage"
    assert "Nothing was sent: a journal fails its proof." in str(failure.step_failure_data)
    assert office.town.documents == before
    assert office.waiting()[chosen] == "approved"
    assert office.tags(failed) == {}


def test_settling_again_sends_nothing_and_leaves_an_approval_standing(office: Office) -> None:
    chosen, *_ = office.town.keys("ready")
    office.approve(chosen)
    before = office.town.documents
    done = office.run("settle_settlements", settlement=chosen)
    assert done.success
    assert POSTED not in materialised(done)
    assert office.town.documents == before
    assert office.waiting()[chosen] == "approved"
    assert office.town.keys("approved") == [chosen]


def test_closing_works_a_settlement_out_posts_what_is_approved_and_reconciles(office: Office) -> None:
    chosen, *_ = office.town.keys("ready")
    office.approve(chosen)
    done = office.run("close_settlement", settlement=chosen)
    assert done.success
    assert office.tags(done) == {f"settlement/{chosen}": "posted"}
    (row,) = office.town.query(f"from finance.payout_reconciliation where account || '-' || settlement_id = '{chosen}'")
    assert row["header_total"] == row["wallet_movement"] == row["posted_total"]
    assert row["difference"] == 0
    assert office.town.keys("posted") == [chosen]
    assert len(office.town.posted) == materialised(done)[POSTED]["delivered"] > 0


def test_reading_the_banks_sees_what_people_entered_and_sends_nothing(office: Office) -> None:
    chosen, *_ = office.town.keys("ready")
    office.approve(chosen)
    by_hand = next(line for line in office.town.world.seller.bank_lines() if line.settlement_id)
    before = office.town.documents
    done = office.run("read_banks")
    assert done.success
    assert office.town.documents == before
    assert office.waiting()[chosen] == "approved"
    (row,) = office.town.query(f"from finance.payout_reconciliation where settlement_id = '{by_hand.settlement_id}'")
    assert row["bank_amount"] == row["payout_amount"] == by_hand.amount
    assert row["bank_date"] == by_hand.date
    assert row["posted_total"] == Decimal(0)
    assert "BANK_WITHOUT_SETTLEMENT" in {code for code, _ in office.town.exceptions()}
    assert materialised(done)[READING]["new or changed entries"] == len(before) + 1  # a transfer is in two banks
