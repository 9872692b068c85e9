"""Classifying a customer under every scheme at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from customer.domain.purchases import Purchases
from customer.domain.rfm import Rfm
from customer.domain.schemes import Rule, Scheme, Verdict
from customer.domain.spend_tier import SpendTier

_RULES: Mapping[str, Callable[[Mapping[str, Any]], Rule]] = {"spend_tier": SpendTier.of, "rfm": Rfm.of}
# Ids of the schemes there are rules for.
SCHEMES = tuple(_RULES)


@dataclass(frozen=True)
class Classifier:
    """The schemes in force, ready to decide."""

    schemes: tuple[tuple[Scheme, Rule], ...]

    @classmethod
    def of(cls, schemes: Iterable[Scheme]) -> Classifier:
        return cls(tuple((scheme, rule_of(scheme)) for scheme in schemes))

    def decide(self, purchases: Purchases, today: date) -> list[tuple[Scheme, Verdict]]:
        """One verdict for each scheme."""
        return [(scheme, rule.decide(purchases, today)) for scheme, rule in self.schemes]


def rule_of(scheme: Scheme) -> Rule:
    """The rule that a scheme's data stands for."""
    return _RULES[scheme.id](scheme.rules)
