"""The rule files: the packaged ones are sound, and a bad one is refused whole with every problem named."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from amazon_sage_assets.accounting.rules import REQUIRED_ACCOUNTS, RuleBook, RuleFileError, load_rules
from amazon_sage_assets.settings import PACKAGED_RULES, SAMPLE_PROFILE, Profile, load_profile

REPOSITORY = Path(__file__).resolve().parents[2]
CONTRACT = REPOSITORY.parent / "shared" / "contracts" / "rules"
ROWS, ACCOUNTS, TREATMENTS = "settlement_rows.csv", "accounts.csv", "vat_treatments.csv"
ALIASES = "sku_aliases.csv"

RULE_FILE_COLUMNS = {
    ROWS: ("transaction_type,amount_type,amount_description,match,row_group,account_key,vat_treatment,status,note"),
    ACCOUNTS: "account_key,nominal_code,cost_centre,department,name",
    TREATMENTS: ("vat_treatment,valid_from,valid_to,rate_bp,price_includes_vat,sage_tax_code,box_vat,box_net,note"),
    ALIASES: "account,marketplace,seller_sku,stock_code,units_per_sku",
    "carriers.csv": "sage_courier,amazon_carrier_code,amazon_carrier_name",
}
GOOD_ROW = "Fee,Storage,Base,exact,storage,fees_storage,fee_uk,known,"
ROUTE = {
    "account": "uk",
    "marketplace": "Amazon.co.uk",
    "fulfilment": "AFN",
    "vat_treatment": "uk_standard",
    "valid_from": "2026-01-01",
}
Load = Callable[..., RuleBook]


def profile_with(folder: Path, **changes: object) -> Profile:
    content = {
        "company": "Test Teapots Ltd",
        "accounts": [{"name": "uk", "marketplaces": ["Amazon.co.uk"]}],
        "routes": [ROUTE],
        "rules": folder,
    }
    return Profile.model_validate(content | changes)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Rules where one packaged file has been replaced by these lines below the right header."""

    def loaded(name: str, *lines: str, header: str | None = None, **profile: object) -> RuleBook:
        text = "\n".join([RULE_FILE_COLUMNS[name] if header is None else header, *lines, ""])
        (tmp_path / name).write_text(text, encoding="utf-8")
        return load_rules(profile_with(tmp_path, **profile))

    return loaded


def refusal(load: Load, name: str, *lines: str, **more: object) -> str:
    with pytest.raises(RuleFileError) as caught:
        load(name, *lines, **more)
    return str(caught.value)


def packaged(name: str) -> list[str]:
    return (PACKAGED_RULES / name).read_text(encoding="utf-8").splitlines()[1:]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


# --- the packaged files ---------------------------------------------------------------------------------------------


def test_the_packaged_rules_load_for_the_sample_profile() -> None:
    rules = load_rules(load_profile(SAMPLE_PROFILE))
    assert len(rules.rows) == len(rows_of(PACKAGED_RULES / ROWS))
    assert set(REQUIRED_ACCOUNTS) <= {account.account_key for account in rules.accounts}


@pytest.mark.parametrize("name", RULE_FILE_COLUMNS)
def test_each_packaged_file_has_the_columns_finance_was_promised(name: str) -> None:
    first, *_ = (PACKAGED_RULES / name).read_text(encoding="utf-8").splitlines()
    assert first == RULE_FILE_COLUMNS[name]


@pytest.mark.skipif(not CONTRACT.is_dir(), reason="the rule contract is not beside this repository")
def test_the_packaged_rows_say_what_the_contract_says() -> None:
    def facts(path: Path) -> dict[tuple[str, ...], tuple[str, ...]]:
        labels = ("transaction_type", "amount_type", "amount_description")
        values = ("match", "row_group", "account_key", "vat_treatment", "status")
        return {tuple(r[c] for c in labels): tuple(r[c] for c in values) for r in rows_of(path)}

    assert facts(PACKAGED_RULES / ROWS) == facts(CONTRACT / ROWS)
    assert len(rows_of(PACKAGED_RULES / ROWS)) == len(rows_of(CONTRACT / ROWS))


@pytest.mark.skipif(not CONTRACT.is_dir(), reason="the rule contract is not beside this repository")
def test_the_packaged_vat_treatments_and_accounts_say_what_the_contract_says() -> None:
    def treatments(path: Path) -> list[tuple[str, ...]]:
        return sorted(tuple(value for name, value in r.items() if name != "note") for r in rows_of(path))

    assert treatments(PACKAGED_RULES / TREATMENTS) == treatments(CONTRACT / TREATMENTS)
    ours = {r["account_key"]: r["nominal_code"] for r in rows_of(PACKAGED_RULES / ACCOUNTS)}
    for account in rows_of(CONTRACT / ACCOUNTS):
        assert ours[account["account_key"]] == account["nominal_code"]


# --- what a profile's own file may be -------------------------------------------------------------------------------


def test_a_file_of_the_profile_replaces_the_packaged_one_whole(load: Load) -> None:
    rules = load(ROWS, GOOD_ROW)
    assert [rule.amount_type for rule in rules.rows] == ["Storage"]
    assert len(rules.treatments) == len(packaged(TREATMENTS))


def test_a_spreadsheet_may_leave_a_byte_order_mark_and_blanks_around_a_value(load: Load) -> None:
    rules = load(
        ROWS,
        "Fee, Storage ,Base ,exact, storage, fees_storage,fee_uk ,known, note",
        header="\ufeff" + RULE_FILE_COLUMNS[ROWS],
    )
    (only,) = rules.rows
    assert (only.amount_type, only.match, only.note) == ("Storage", "exact", "note")


def test_truth_is_written_true_or_false_and_an_empty_end_is_open(load: Load) -> None:
    rules = load(TREATMENTS, *packaged(TREATMENTS), "island,2026-01-01,,1000,true,7,4,7,")
    (island,) = [t for t in rules.treatments if t.vat_treatment == "island"]
    assert (island.price_includes_vat, island.valid_to, island.last_day.year) == (True, None, 9999)


# --- what is refused ------------------------------------------------------------------------------------------------


def test_every_problem_of_a_file_is_listed_with_its_line_at_once(load: Load) -> None:
    message = refusal(
        load,
        ROWS,
        GOOD_ROW,
        "Fee,Storage,Tax,exakt,storage,fees_storage,fee_uk,known,",
        "Fee,Storage,Discount,exact,warehouse,fees_storage,fee_uk,known,",
        "Fee,Storage,Refund,exact,storage,,fee_uk,sure,",
        "Fee,Storage",
        "Fee,Storage,More,exact,storage,fees_storage,fee_uk,known,,extra",
        GOOD_ROW,
    )
    assert message.startswith("settlement_rows.csv is not used")
    assert "line 2" not in message.replace("what line 2 says", "")
    for expected in (
        "line 3: match",
        "line 4: row_group: 'warehouse' is not a row group",
        "line 5: account_key",
        "line 5: status",
        "line 6: has more or fewer cells than the header",
        "line 7: has more or fewer cells than the header",
        "line 8: says again what line 2 says",
    ):
        assert expected in message


def test_a_wrong_header_names_the_file_and_the_right_header(load: Load) -> None:
    message = refusal(load, ACCOUNTS, "wallet,1250", header="account_key,code")
    assert message == f"accounts.csv: the header must be exactly {RULE_FILE_COLUMNS[ACCOUNTS]}."


def test_an_empty_file_is_refused(load: Load) -> None:
    assert "the header must be exactly" in refusal(load, ROWS, header="")


def test_an_account_that_no_rule_file_names_is_refused_with_the_row(load: Load) -> None:
    message = refusal(load, ROWS, GOOD_ROW.replace("fees_storage", "fees_storag"))
    assert "Fee / Storage / Base: account_key 'fees_storag' is not in accounts.csv" in message


def test_a_vat_treatment_that_no_rule_file_names_is_refused_with_the_row(load: Load) -> None:
    message = refusal(load, ROWS, GOOD_ROW.replace("fee_uk", "fee_uq"))
    assert "Fee / Storage / Base: vat_treatment 'fee_uq' is not in vat_treatments.csv" in message


def test_a_broken_regular_expression_is_refused_with_the_row(load: Load) -> None:
    message = refusal(load, ROWS, GOOD_ROW.replace("Storage,Base,exact", "Stor(age,Base,regex"))
    assert "Fee / Stor(age / Base" in message
    assert "regular expression" in message


@pytest.mark.parametrize(
    "rows",
    [
        ("island,2026-01-01,,1000,true,7,4,7,", "island,2026-06-01,,1200,true,7,4,7,"),
        ("island,2026-01-01,2026-06-01,1000,true,7,4,7,", "island,2026-06-01,,1200,true,7,4,7,"),
        ("island,2026-06-01,,1200,true,7,4,7,", "island,2026-01-01,2026-12-31,1000,true,7,4,7,"),
    ],
    ids=["open end", "one day", "the later first"],
)
def test_overlapping_dates_of_one_vat_treatment_are_refused(load: Load, rows: tuple[str, str]) -> None:
    message = refusal(load, TREATMENTS, *packaged(TREATMENTS), *rows)
    assert "vat_treatments.csv" in message
    assert "island: the rows from 2026-01-01 and 2026-06-01 overlap" in message


def test_dates_that_meet_without_overlap_are_accepted(load: Load) -> None:
    rows = ("island,2026-01-01,2026-05-31,1000,true,7,4,7,", "island,2026-06-01,,1200,true,7,4,7,")
    rules = load(TREATMENTS, *packaged(TREATMENTS), *rows)
    assert [t.rate_bp for t in rules.treatments if t.vat_treatment == "island"] == [1000, 1200]


def test_a_treatment_that_starts_twice_on_a_day_is_refused(load: Load) -> None:
    twice = "island,2026-01-01,,1000,true,7,4,7,"
    assert "says again what line" in refusal(load, TREATMENTS, *packaged(TREATMENTS), twice, twice)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("island,2026-01-01,,,true,7,4,7,", "island: needs rate_bp and price_includes_vat"),
        ("island,2026-01-01,,1000,,7,4,7,", "island: needs rate_bp and price_includes_vat"),
        ("island,2026-06-01,2026-05-31,1000,true,7,4,7,", "island from 2026-06-01: ends before it begins"),
        ("island,01/01/2026,,1000,true,7,4,7,", "valid_from"),
        ("island,2026-01-01,,-1,true,7,4,7,", "rate_bp"),
        ("island,2026-01-01,,20%,true,7,4,7,", "rate_bp"),
        ("island,2026-01-01,,1000,true,7,2,7,", "box_vat"),
        ("island,2026-01-01,,1000,true,7,4,8,", "box_net"),
        ("island,2026-01-01,,1000,sometimes,7,4,7,", "price_includes_vat"),
    ],
)
def test_a_vat_treatment_that_makes_no_sense_is_refused(load: Load, row: str, problem: str) -> None:
    assert problem in refusal(load, TREATMENTS, *packaged(TREATMENTS), row)


def test_every_account_the_journal_needs_and_lacks_is_named(load: Load) -> None:
    lines = [line for line in packaged(ACCOUNTS) if not line.startswith(("wallet,", "debtors,"))]
    message = refusal(load, ACCOUNTS, *lines)
    assert "wallet: the journal needs this account_key" in message
    assert "debtors: the journal needs this account_key" in message


def test_an_account_that_stands_twice_is_refused(load: Load) -> None:
    lines = packaged(ACCOUNTS)
    assert f"line {len(lines) + 2}: says again what line 2 says" in refusal(load, ACCOUNTS, *lines, lines[0])


@pytest.mark.parametrize(
    ("line", "column"),
    [("x,,,,X", "nominal_code"), ("x,123456789,,,X", "nominal_code"), ("x,1,LONG,,X", "cost_centre"),
     ("x,1,,LONG,X", "department")],
)  # fmt: skip
def test_a_code_that_sage_cannot_hold_is_refused(load: Load, line: str, column: str) -> None:
    assert f": {column}:" in refusal(load, ACCOUNTS, *packaged(ACCOUNTS), line)


def test_codes_keep_their_leading_zeros(load: Load) -> None:
    rules = load(ACCOUNTS, *packaged(ACCOUNTS), "x,0012,001,01,X")
    assert (rules.accounts[-1].nominal_code, rules.accounts[-1].cost_centre) == ("0012", "001")


def test_a_route_whose_vat_treatment_no_sale_can_have_is_refused(load: Load) -> None:
    message = refusal(load, ROWS, GOOD_ROW, routes=[{**ROUTE, "vat_treatment": "fee_uk"}])
    assert "uk Amazon.co.uk AFN" in message
    assert "'fee_uk'" in message


def test_an_account_for_local_vat_that_does_not_exist_is_refused(load: Load) -> None:
    message = refusal(load, ROWS, GOOD_ROW, local_vat={"Amazon.co.uk": "vat_de"})
    assert "Amazon.co.uk" in message
    assert "'vat_de'" in message


# --- which stock item a seller SKU is -------------------------------------------------------------------------------


def test_a_seller_sku_may_be_several_of_a_stock_item_or_a_bundle_of_some(load: Load) -> None:
    rules = load(
        ALIASES,
        "uk,Amazon.co.uk,CUP-X6,CUP-01,6",
        "uk,Amazon.co.uk,TEA-SET,KETTLE-01,1",
        "uk,Amazon.co.uk,TEA-SET,CUP-01,",
    )
    assert [(a.seller_sku, a.stock_code, a.units_per_sku) for a in rules.aliases] == [
        ("CUP-X6", "CUP-01", 6), ("TEA-SET", "KETTLE-01", 1), ("TEA-SET", "CUP-01", 1),
    ]  # fmt: skip


def test_without_a_file_of_its_own_a_company_has_no_aliases(tmp_path: Path) -> None:
    assert load_rules(profile_with(tmp_path)).aliases == ()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("usa,Amazon.co.uk,CUP-X6,CUP-01,6", "CUP-X6: the profile has no account 'usa' that sells on 'Amazon.co.uk'"),
        ("uk,Amazon.de,CUP-X6,CUP-01,6", "CUP-X6: the profile has no account 'uk' that sells on 'Amazon.de'"),
        ("uk,Amazon.co.uk,CUP-X6,CUP-01,0", "line 3: units_per_sku"),
        ("uk,Amazon.co.uk,CUP-X6,CUP-01,-1", "line 3: units_per_sku"),
        ("uk,Amazon.co.uk,CUP-X6,CUP-01,0.5", "line 3: units_per_sku"),
        ("uk,Amazon.co.uk,,CUP-01,6", "line 3: seller_sku"),
        ("uk,Amazon.co.uk,CUP-X6,,6", "line 3: stock_code"),
        (f"uk,Amazon.co.uk,CUP-X6,{'C' * 31},6", "line 3: stock_code"),
        ("uk,Amazon.co.uk,CUP-X2,CUP-01,3", "line 3: says again what line 2 says"),
    ],
)
def test_an_alias_that_makes_no_sense_is_refused(load: Load, line: str, problem: str) -> None:
    message = refusal(load, ALIASES, "uk,Amazon.co.uk,CUP-X2,CUP-01,2", line)
    assert message.startswith("sku_aliases.csv is not used")
    assert problem in message
    assert "line 2:" not in message
