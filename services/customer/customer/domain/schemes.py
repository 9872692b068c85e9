"""Schemes sort customers into classes. A customer has at most one class under each of several
schemes at once; a scheme's thresholds are versioned data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from customer.domain.purchases import Purchases


@dataclass(frozen=True)
class Verdict:
    """A class, empty for none, and the day on which time alone may change it (None: never)."""

    class_: str
    review_on: date | None


class Rule(Protocol):
    """The rule of one scheme, made from the scheme's data."""

    def decide(self, purchases: Purchases, today: date) -> Verdict: ...

    def explain(self) -> list[tuple[str, str, str]]:
        """(class, title, the rule in words with the thresholds in force), best first."""
        ...


@dataclass(frozen=True)
class Scheme:
    id: str
    version: int
    title: str
    rules: Mapping[str, Any]
