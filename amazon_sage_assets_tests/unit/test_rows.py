"""Which rule a settlement row meets."""

import pytest

from amazon_sage_assets.accounting.rows import Labels, RowRegistry
from amazon_sage_assets.accounting.rules import SettlementRowRule


def rule(transaction_type: str, amount_type: str, description: str, match: str, note: str) -> SettlementRowRule:
    return SettlementRowRule.model_validate(
        {
            "transaction_type": transaction_type,
            "amount_type": amount_type,
            "amount_description": description,
            "match": match,
            "row_group": "other_fee",
            "account_key": "fees_other",
            "vat_treatment": "fee_uk",
            "status": "known",
            "note": note,
        }
    )


def met(registry: RowRegistry, *labels: str) -> str | None:
    """The note of the rule these labels meet."""
    match = registry.match(Labels(*labels))
    return match.rule.note if match.rule else None


REGISTRY = RowRegistry(
    [
        rule("Fee", "^Storage.*$", "^.+$", "regex", "regex"),
        rule("Fee", "Storage", "Base", "prefix", "prefix"),
        rule("Fee", "Storage Fee", "Base fee", "exact", "exact"),
    ]
)


@pytest.mark.parametrize(
    ("amount_type", "description", "expected"),
    [
        ("Storage Fee", "Base fee", "exact"),
        ("Storage Fee", "Base fee March", "prefix"),
        ("Storage", "Base", "prefix"),
        ("Storage Fee", "Tax on fee", "regex"),
        ("Removal", "Base fee", None),
    ],
)
def test_exact_comes_before_prefix_before_regex(amount_type: str, description: str, expected: str | None) -> None:
    assert met(REGISTRY, "Fee", amount_type, description) == expected


def test_the_longest_prefix_wins_in_whatever_order_the_file_names_them() -> None:
    rules = [
        rule("Fee", "EPR", "Base", "prefix", "short"),
        rule("Fee", "EPR", "Base fee for", "prefix", "long"),
        rule("Fee", "EPR", "Base fee", "prefix", "middle"),
    ]
    for ordered in (rules, rules[::-1]):
        registry = RowRegistry(ordered)
        assert met(registry, "Fee", "EPR", "Base fee for Germany") == "long"
        assert met(registry, "Fee", "EPR", "Base fee, France") == "middle"
        assert met(registry, "Fee", "EPR", "Base") == "short"


def test_a_prefix_holds_for_both_labels() -> None:
    registry = RowRegistry([rule("Fee", "EPR", "Base", "prefix", "prefix")])
    assert met(registry, "Fee", "EPR Germany", "Discount") is None
    assert met(registry, "Fee", "The EPR", "Base") is None


def test_a_prefix_that_names_a_type_only_takes_any_description() -> None:
    registry = RowRegistry([rule("Fee", "EPR", "", "prefix", "prefix")])
    assert met(registry, "Fee", "EPR", "") == "prefix"
    assert met(registry, "Fee", "EPR", "whatever") == "prefix"


def test_a_regex_must_fit_the_whole_of_both_labels() -> None:
    registry = RowRegistry([rule("Fee", "Coupon", "[0-9]+", "regex", "regex")])
    assert met(registry, "Fee", "Coupon", "123") == "regex"
    assert met(registry, "Fee", "Coupon", "123 more") is None
    assert met(registry, "Fee", "Coupons", "123") is None


def test_two_regex_rules_for_one_row_are_a_conflict_and_neither_is_chosen() -> None:
    registry = RowRegistry(
        [rule("Fee", "Coupon.*", ".*", "regex", "one"), rule("Fee", ".*Fee", ".*", "regex", "another")]
    )
    match = registry.match(Labels("Fee", "CouponFee", "x"))
    assert (match.rule, match.conflict) == (None, True)
    assert registry.match(Labels("Fee", "Coupon", "x")).conflict is False
    assert met(registry, "Fee", "Coupon", "x") == "one"


def test_an_exact_rule_settles_what_two_regex_rules_would_dispute() -> None:
    registry = RowRegistry(
        [
            rule("Fee", "Coupon.*", ".*", "regex", "one"),
            rule("Fee", ".*Fee", ".*", "regex", "another"),
            rule("Fee", "CouponFee", "x", "exact", "exact"),
        ]
    )
    assert met(registry, "Fee", "CouponFee", "x") == "exact"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_case_counts_in_every_label(place: int) -> None:
    labels = ["Fee", "Storage Fee", "Base fee"]
    labels[place] = labels[place].upper()
    registry = RowRegistry([rule("Fee", "Storage Fee", "Base fee", "exact", "exact")])
    assert met(registry, *labels) is None


@pytest.mark.parametrize("place", [0, 1, 2])
def test_outer_blanks_do_not_count_in_any_label(place: int) -> None:
    labels = ["Fee", "Storage Fee", "Base fee"]
    labels[place] = f"  {labels[place]} "
    assert met(REGISTRY, *labels) == "exact"


def test_inner_blanks_count() -> None:
    registry = RowRegistry([rule("Fee", "Storage Fee", "Base fee", "exact", "exact")])
    assert met(registry, "Fee", "Storage  Fee", "Base fee") is None


def test_the_transaction_type_is_always_equal() -> None:
    for match in ("exact", "prefix", "regex"):
        registry = RowRegistry([rule("Fee", "Storage", "Base", match, match)])
        assert met(registry, "Fee", "Storage", "Base") == match
        assert met(registry, "Fees", "Storage", "Base") is None


def test_a_row_that_no_rule_knows_has_no_rule_and_no_conflict() -> None:
    match = RowRegistry([]).match(Labels("Fee", "Storage", "Base"))
    assert (match.rule, match.conflict) == (None, False)
