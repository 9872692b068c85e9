"""Rules are tried on leads that are there, before they are put in force (X-10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sales.domain.scoring import Fact, LeadRules, Place, Scorer


@dataclass(frozen=True)
class Sample:
    """A lead as far as scoring it goes, with its present score."""

    lead_id: UUID
    score: int
    place: Place
    facts: tuple[Fact, ...]

    @classmethod
    def of(cls, row: Any) -> Sample:
        """The sample in a row; its facts are [kind, key, value, instant]."""
        place = Place(row.industry, row.province, row.city, row.source_channel)
        facts = (Fact(kind, key, value, datetime.fromisoformat(at)) for kind, key, value, at in row.facts)
        return cls(row.id, row.score, place, tuple(facts))


@dataclass(frozen=True)
class Change:
    lead_id: UUID
    before: int
    after: int


@dataclass(frozen=True)
class Tried:
    """What would come about. `changes`, the greatest first, are those of the score only."""

    leads: int
    reaching: int
    leaving: int
    changes: tuple[Change, ...]

    @property
    def changed(self) -> int:
        return len(self.changes)


def try_rules(rules: LeadRules, samples: Iterable[Sample], threshold_before: int) -> Tried:
    """Scores leads by `rules`; `threshold_before` is the one in force."""
    scorer = Scorer(rules)
    outcomes = [
        Change(sample.lead_id, sample.score, scorer.score(sample.place, sample.facts).score)
        for sample in samples
    ]
    hot = [(c.before >= threshold_before, c.after >= rules.threshold) for c in outcomes]
    changes = sorted(
        (c for c in outcomes if c.before != c.after), key=lambda c: (-abs(c.after - c.before), c.lead_id)
    )
    return Tried(
        leads=len(outcomes),
        reaching=hot.count((False, True)),
        leaving=hot.count((True, False)),
        changes=tuple(changes),
    )
