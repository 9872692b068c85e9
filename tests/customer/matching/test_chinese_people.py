"""Duplicates among made-up Chinese people. The matcher was built on seeds below 1000; these judge it."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from customer.domain.matching import score, traits
from tests.customer.matching.judging import Verdict, judge_population, subject, together
from tests.support.people import Population, Record, population

SEEDS = range(1000, 1008)


@pytest.fixture(scope="module")
def judged() -> list[tuple[Population, Verdict]]:
    return [(people, judge_population(people)) for people in map(population, SEEDS)]


def test_duplicates_are_found_and_few_others(judged: list[tuple[Population, Verdict]]) -> None:
    verdicts = [verdict for _, verdict in judged]
    precision, recall = together(verdicts)
    assert precision >= 0.98, "\n".join(map(str, verdicts))
    assert recall >= 0.95, "\n".join(map(str, verdicts))


def test_no_pair_that_can_be_known_is_missed_by_the_keys(judged: list[tuple[Population, Verdict]]) -> None:
    for _, verdict in judged:
        assert verdict.blocked >= 0.99, verdict
        assert verdict.keys / verdict.records < 9, verdict
        assert len(verdict.compared) / verdict.records < 2, verdict


def test_what_is_not_found_is_mostly_shown_as_possible(judged: list[tuple[Population, Verdict]]) -> None:
    decisions = Counter(
        verdict.compared[pair].decision
        for _, verdict in judged
        for pair in verdict.truth - verdict.grouped
        if pair in verdict.compared
    )
    assert decisions["possible"] > decisions["different"], decisions


@pytest.mark.parametrize(
    ("relation", "share"), [("twins", 0.0), ("family", 0.004), ("colleagues", 0.004), ("namesakes", 0.0)]
)
def test_people_who_share_much_are_not_the_same(
    judged: list[tuple[Population, Verdict]], relation: str, share: float
) -> None:
    """Members of one household, firm or name as they were born, before anybody mistyped them."""
    pairs = [
        pair for people, _ in judged for group in groups(people, relation) for pair in combinations(group, 2)
    ]
    same = [pair for pair in pairs if are_same(*pair)]
    assert len(pairs) > 100
    assert len(same) <= share * len(pairs), [(a.full_name, b.full_name) for a, b in same]


def groups(people: Population, relation: str) -> list[list[Record]]:
    found: dict[int, list[Record]] = {}
    for record in people.records:
        if record.relation == relation and not record.distortions and record.id == f"p{record.person}":
            found.setdefault(record.group, []).append(record)
    return list(found.values())


def are_same(a: Record, b: Record) -> bool:
    return score(traits(subject(a)), traits(subject(b))).decision == "same"
