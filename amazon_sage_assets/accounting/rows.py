"""The row registry: which rule a settlement row's three labels meet.

Exact before prefix before regex; the longest prefix wins; two regex rules for one label is a question for finance,
not a choice for the machine. Case counts, outer blanks do not.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from amazon_sage_assets.accounting.rules import SettlementRowRule


class Labels(NamedTuple):
    """The three labels of a settlement row."""

    transaction_type: str
    amount_type: str
    amount_description: str


@dataclass(frozen=True)
class Match:
    """The rule for some labels, or why there is none. `rule` of status review is only a proposal."""

    labels: Labels
    rule: SettlementRowRule | None
    conflict: bool = False


class RowRegistry:
    def __init__(self, rules: Iterable[SettlementRowRule]) -> None:
        self._exact: dict[Labels, SettlementRowRule] = {}
        self._prefix: dict[str, list[SettlementRowRule]] = {}
        self._regex: dict[str, list[SettlementRowRule]] = {}
        for rule in rules:
            if rule.match == "exact":
                self._exact[Labels(rule.transaction_type, rule.amount_type, rule.amount_description)] = rule
            else:
                table = self._prefix if rule.match == "prefix" else self._regex
                table.setdefault(rule.transaction_type, []).append(rule)
        for candidates in self._prefix.values():
            candidates.sort(key=lambda rule: -len(rule.amount_type + rule.amount_description))

    def match(self, labels: Labels) -> Match:
        """The rule for these labels; a Match without a rule holds the settlement."""
        labels = Labels(*(label.strip() for label in labels))
        if exact := self._exact.get(labels):
            return Match(labels, exact)
        for rule in self._prefix.get(labels.transaction_type, ()):
            if labels.amount_type.startswith(rule.amount_type) and labels.amount_description.startswith(
                rule.amount_description
            ):
                return Match(labels, rule)
        fitting = [
            rule
            for rule in self._regex.get(labels.transaction_type, ())
            if re.fullmatch(rule.amount_type, labels.amount_type)
            and re.fullmatch(rule.amount_description, labels.amount_description)
        ]
        if len(fitting) == 1:
            return Match(labels, fitting[0])
        return Match(labels, None, conflict=len(fitting) > 1)
