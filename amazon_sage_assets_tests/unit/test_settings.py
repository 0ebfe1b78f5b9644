"""The company profile: what it defaults to, and how it says what is wrong with it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from amazon_sage_assets.settings import (
    OPEN_END,
    PACKAGED_RULES,
    SAMPLE_PROFILE,
    Environment,
    Profile,
    ProfileError,
    dated_routes,
    load_profile,
    rule_file,
)

SMALLEST = """
company = "Test Teapots Ltd"

[[accounts]]
name = "uk"
marketplaces = ["Amazon.co.uk"]
"""
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A profile file with this content."""

    def written(content: str) -> Path:
        path = tmp_path / "teapots.toml"
        path.write_text(content, encoding="utf-8")
        return path

    return written


def route(first: str, last: str | None = None, fulfilment: str = "AFN", **changes: str) -> str:
    keys = {
        "account": "uk",
        "marketplace": "Amazon.co.uk",
        "fulfilment": fulfilment,
        "vat_treatment": "uk_standard",
        **changes,
    }
    lines = [f'{key} = "{value}"' for key, value in keys.items()] + [f"valid_from = {first}"]
    return "\n".join(["\n[[routes]]", *lines, *([f"valid_to = {last}"] if last else []), ""])


ROUTED = SMALLEST + route("2026-01-01")


def refusal(path: Path) -> str:
    with pytest.raises(ProfileError) as caught:
        load_profile(path)
    return str(caught.value)


def test_a_profile_needs_a_company_and_an_account_and_defaults_the_rest(write: Write) -> None:
    profile = load_profile(write(SMALLEST))
    assert profile.model_dump(exclude={"company", "accounts"}) == {
        "base_currency": "GBP",
        "established_in": "GB",
        "vat_registered": True,
        "timezone": "Europe/London",
        "posting": "approve",
        "posting_route": "cashbook",
        "closed_period": "hold",
        "rules": None,
        "routes": (),
        "owners": {},
        "local_vat": {},
        "sage": {
            "address": "https://api.columbus.sage.com/uk/sage200extra/accounts/v1/",
            "token_address": "https://id.sage.com/oauth/token",
            "authorize_address": "https://id.sage.com/authorize",
            "redirect_address": "https://127.0.0.1/sage",
            "company": "",
            "customers": {},
            "warehouses": {},
            "characters": "unicode",
            "answer_within_seconds": 120.0,
            "late_commit_seconds": 180.0,
        },
        "amazon": {"address": "", "token_address": ""},
        "payouts": {"days_before": 1, "working_days_after": 5, "bank_text": "amazon"},
        "orders": {
            "send": "auto",
            "since": None,
            "tolerance": Decimal("0.02"),
            "negative_rounding": True,
            "refunds": "credit_note",
            "unpaid_after_days": 30,
            "unreturned_after_days": 60,
        },
        "privacy": {"erase_after_days": 30, "encrypt": False},
    }
    assert profile.zone.key == "Europe/London"


def test_a_route_is_owned_by_sage_orders_unless_it_says_otherwise(write: Write) -> None:
    (only,) = load_profile(write(SMALLEST + route("2026-01-01"))).routes
    assert (only.owner, only.valid_to) == ("sop", None)


def test_orders_are_read_from_the_first_day_of_any_route_that_makes_sage_orders(write: Write) -> None:
    settled = route("2025-01-01", fulfilment="MFN", owner="settlement")
    daily = route("2026-03-01", fulfilment="MFN", owner="sop_daily")
    later = route("2026-03-01", "2026-06-30", owner="settlement") + route("2026-07-01")
    assert load_profile(write(SMALLEST)).orders_since is None
    assert load_profile(write(SMALLEST + settled)).orders_since is None
    assert load_profile(write(SMALLEST + later)).orders_since == date(2026, 7, 1)
    assert load_profile(write(SMALLEST + daily + later)).orders_since == date(2026, 3, 1)


def test_orders_are_read_from_the_day_that_the_profile_names(write: Write) -> None:
    profile = load_profile(write(ROUTED + "\n[orders]\nsince = 2026-05-01\n"))
    assert profile.orders_since == date(2026, 5, 1)


def test_the_tolerance_of_an_order_is_exact_pennies(write: Write) -> None:
    profile = load_profile(write(ROUTED + "\n[orders]\ntolerance = 0.1\n"))
    assert profile.orders.tolerance == Decimal("0.10")


def test_the_sample_profile_loads() -> None:
    assert load_profile(SAMPLE_PROFILE).accounts


def test_the_base_currency_may_be_called_currency(write: Write) -> None:
    assert load_profile(write(f'currency = "EUR"\n{ROUTED}')).base_currency == "EUR"
    assert load_profile(write(f'base_currency = "EUR"\n{ROUTED}')).base_currency == "EUR"


def test_a_profile_saved_with_a_byte_order_mark_loads(write: Write) -> None:
    assert load_profile(write(f"\ufeff{ROUTED.lstrip()}")).company == "Test Teapots Ltd"


def test_the_rules_folder_is_relative_to_the_profile(write: Write, tmp_path: Path) -> None:
    profile = load_profile(write(f'rules = "our rules"\n{ROUTED}'))
    assert profile.rules == tmp_path / "our rules"


def test_an_absolute_rules_folder_stays_as_it_is(write: Write, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert load_profile(write(f'rules = "{elsewhere.as_posix()}"\n{ROUTED}')).rules == elsewhere


def test_a_rule_file_in_the_folder_replaces_the_packaged_one_and_only_that_one(write: Write, tmp_path: Path) -> None:
    profile = load_profile(write(f'rules = "rules"\n{ROUTED}'))
    assert rule_file(profile, "accounts.csv") == PACKAGED_RULES / "accounts.csv"
    (tmp_path / "rules").mkdir()
    own = tmp_path / "rules" / "accounts.csv"
    own.touch()
    assert rule_file(profile, "accounts.csv") == own
    assert rule_file(profile, "vat_treatments.csv") == PACKAGED_RULES / "vat_treatments.csv"


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (SMALLEST.replace("company", "compny"), "company"),
        (SMALLEST.replace("company", "compny"), "compny"),
        ('company = "X"\n', "accounts"),
        (f'posting = "maybe"\n{SMALLEST}', "posting"),
        (f'posting_route = "post"\n{SMALLEST}', "posting_route"),
        (f'closed_period = "skip"\n{SMALLEST}', "closed_period"),
        (f'timezone = "London"\n{SMALLEST}', "timezone"),
        (f'base_currency = "pounds"\n{SMALLEST}', "base_currency"),
        (f'established_in = "England"\n{SMALLEST}', "established_in"),
        (f'vat_registered = "perhaps"\n{SMALLEST}', "vat_registered"),
        (SMALLEST.replace('"uk"', '"UK"'), "accounts.1.name"),
        (SMALLEST + 'colour = "blue"\n', "accounts.1.colour"),
        (SMALLEST + route("2026-01-01", fulfilment="FBA"), "routes.1.fulfilment"),
        (SMALLEST + route("2026-01-01", owner="sage"), "routes.1.owner"),
        (SMALLEST + route("2026-01-01") + route("2026-02-30"), "2026-02-30"),
        (SMALLEST + route("2026-01-01") + 'valid_from_day = "x"\n', "routes.1.valid_from_day"),
        (SMALLEST + "\n[owner]\nfinance = 'x'\n", "owner"),
        (SMALLEST + "\n[sage]\ncharacters = 'latin-1'\n", "sage.characters"),
        (SMALLEST + "\n[sage.warehouses]\nMFN = 7\n", "sage.warehouses.MFN"),
        (SMALLEST + "\n[orders]\nsend = 'never'\n", "orders.send"),
        (SMALLEST + "\n[orders]\nsince = 'spring'\n", "orders.since"),
        (SMALLEST + "\n[orders]\ntolerance = -0.01\n", "orders.tolerance"),
        (SMALLEST + "\n[orders]\ntolerance = 0.005\n", "orders.tolerance"),
        (SMALLEST + "\n[orders]\nunpaid_after_days = 0\n", "orders.unpaid_after_days"),
        (SMALLEST + "\n[orders]\nunreturned_after_days = 0\n", "orders.unreturned_after_days"),
        (SMALLEST + "\n[orders]\nsent = 'auto'\n", "orders.sent"),
        (SMALLEST + "\n[privacy]\nerase_after_days = -1\n", "privacy.erase_after_days"),
        (SMALLEST + "\n[privacy]\nencrypt = 'sometimes'\n", "privacy.encrypt"),
    ],
)  # fmt: skip
def test_each_mistake_names_the_file_and_the_key(write: Write, content: str, key: str) -> None:
    path = write(content)
    message = refusal(path)
    assert str(path) in message
    if key == "2026-02-30":  # no TOML at all: the parser says where
        assert "line" in message
    else:
        assert f"{key}:" in message


def test_several_mistakes_are_said_at_once(write: Write) -> None:
    message = refusal(write(f'posting = "maybe"\ntimezone = "London"\nholiday = true\n{SMALLEST}'))
    assert all(f"{key}:" in message for key in ("posting", "timezone", "holiday"))


def test_a_missing_profile_says_where_it_was_looked_for_and_what_to_set(tmp_path: Path) -> None:
    message = refusal(tmp_path / "nowhere.toml")
    assert str(tmp_path / "nowhere.toml") in message
    assert "AMAZON_SAGE_PROFILE" in message


def test_broken_toml_names_the_file_and_the_line(write: Write) -> None:
    path = write('company = "Test\n')
    assert str(path) in refusal(path)
    assert "line 1" in refusal(path)


def test_two_accounts_with_one_name_are_refused(write: Write) -> None:
    assert "two accounts share a name" in refusal(write(SMALLEST + SMALLEST.split("\n\n")[1]))


def test_a_route_of_an_unknown_account_or_marketplace_is_refused(write: Write) -> None:
    assert "'de'" in refusal(write(SMALLEST + route("2026-01-01", account="de")))
    assert "'Amazon.de'" in refusal(write(SMALLEST + route("2026-01-01", marketplace="Amazon.de")))


@pytest.mark.parametrize(
    "routes",
    [
        route("2026-01-01", "2026-06-30") + route("2026-06-30"),
        route("2026-06-30") + route("2026-01-01", "2026-06-30"),
        route("2026-01-01") + route("2026-01-01"),
        route("2026-01-01", "2026-12-31") + route("2026-02-01", "2026-03-31"),
    ],
    ids=["one day", "one day, the later first", "the same day", "one inside the other"],
)
def test_overlapping_routes_are_refused_and_named(write: Write, routes: str) -> None:
    path = write(SMALLEST + routes)
    message = refusal(path)
    assert str(path) in message
    assert "uk Amazon.co.uk AFN" in message
    assert "overlap" in message


def test_a_gap_between_routes_is_refused_and_named(write: Write) -> None:
    message = refusal(write(SMALLEST + route("2026-01-01", "2026-06-29") + route("2026-07-01")))
    assert "uk Amazon.co.uk AFN" in message
    assert "gap between 2026-06-29 and 2026-07-01" in message


def test_a_route_that_ends_before_it_begins_is_refused(write: Write) -> None:
    assert "ends before it begins" in refusal(write(SMALLEST + route("2026-06-30", "2026-06-29")))


def test_routes_of_different_fulfilment_do_not_touch_each_other(write: Write) -> None:
    profile = load_profile(write(SMALLEST + route("2026-01-01") + route("2026-01-01", fulfilment="MFN")))
    assert len(profile.routes) == 2


def test_an_open_route_lasts_until_the_day_before_the_next_one(write: Write) -> None:
    profile = load_profile(write(SMALLEST + route("2026-07-01") + route("2026-01-01")))
    assert [(r.valid_from, last) for r, last in dated_routes(profile.routes)] == [
        (date(2026, 1, 1), date(2026, 6, 30)),
        (date(2026, 7, 1), OPEN_END),
    ]


def test_a_loaded_profile_cannot_be_changed(write: Write) -> None:
    profile: Profile = load_profile(write(ROUTED))
    with pytest.raises(ValueError, match="frozen"):
        profile.company = "Another"  # type: ignore[misc]


# --- the environment ------------------------------------------------------------------------------------------------


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and an environment that says nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("AMAZON_SAGE_HOME", "AMAZON_SAGE_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_state_lives_under_var_and_the_sample_profile_is_used_when_nothing_is_said(nowhere: Path) -> None:
    environment = Environment()
    assert environment.home == Path("var")
    assert environment.profile_path == SAMPLE_PROFILE
    assert environment.published_path == Path("var/finance/amazon_sage.duckdb")
    assert environment.inbox == Path("var/inbox/settlements")


def test_a_profile_in_the_working_folder_comes_before_the_sample(nowhere: Path) -> None:
    (nowhere / "amazon_sage.toml").write_text(SMALLEST, encoding="utf-8")
    assert Environment().profile_path == Path("amazon_sage.toml")


def test_the_environment_names_home_and_profile(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAZON_SAGE_HOME", str(nowhere / "state"))
    monkeypatch.setenv("AMAZON_SAGE_PROFILE", str(nowhere / "ours.toml"))
    environment = Environment()
    assert environment.home == nowhere / "state"
    assert environment.profile_path == nowhere / "ours.toml"
