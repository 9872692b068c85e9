"""Duplicates among the made-up people of FEBRL, by one setting that is not tuned to a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from customer.domain.matching import Subject
from tests.customer.matching.judging import as_archived, febrl, febrl_truth, judge

FILES = [("febrl1.csv", 500), ("febrl2.csv", 1934)]
# As the file's columns tell them, and as an archive keeps people: one full name, one address line.
READINGS = [pytest.param(lambda person: person, id="in columns"), pytest.param(as_archived, id="archived")]
Reading = Callable[[Subject], Subject]


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(("name", "pairs"), FILES)
def test_duplicates_are_found_with_the_id_number(name: str, pairs: int, reading: Reading) -> None:
    people = {id: reading(person) for id, person in febrl(name).items()}
    verdict = judge(people, febrl_truth(people))
    assert len(verdict.truth) == pairs
    assert verdict.precision >= 0.995, verdict
    assert verdict.recall >= 0.99, verdict


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(("name", "pairs"), FILES)
def test_duplicates_are_found_without_the_id_number(name: str, pairs: int, reading: Reading) -> None:
    people = {id: replace(reading(person), id_number="") for id, person in febrl(name).items()}
    verdict = judge(people, febrl_truth(people))
    assert len(verdict.truth) == pairs
    assert verdict.precision >= 0.99, verdict
    assert verdict.recall >= 0.98, verdict


@pytest.mark.parametrize("name", ["febrl1.csv", "febrl2.csv"])
def test_the_keys_bring_few_others_together(name: str) -> None:
    people = febrl(name)
    verdict = judge(people, febrl_truth(people))
    assert verdict.keys / verdict.records < 10
    assert len(verdict.compared) / verdict.records < 2
