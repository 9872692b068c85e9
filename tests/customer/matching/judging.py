"""Measuring a matcher against people whose truth is known."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from customer.domain.matching import (
    Match,
    Subject,
    Traits,
    blocking_keys,
    clusters,
    contradict,
    score,
    traits,
)
from kernel.pure.contact import normalize_email, normalize_phone
from tests.support.people import Population, Record

DATA = Path(__file__).parent / "data"
# A key that more people share is no key; what a store would count as capped.
BLOCK_CAP = 100

Pair = frozenset[str]


@dataclass(frozen=True)
class Verdict:
    """What a matcher found among `records` people by way of the blocking keys.

    `same` are the pairs decided the same, `grouped` all pairs within the clusters made of them;
    precision and recall are those of the clusters.
    """

    records: int
    truth: frozenset[Pair]
    compared: Mapping[Pair, Match]
    grouped: frozenset[Pair]
    keys: int

    @property
    def same(self) -> frozenset[Pair]:
        return frozenset(pair for pair, match in self.compared.items() if match.decision == "same")

    @property
    def precision(self) -> float:
        return len(self.grouped & self.truth) / len(self.grouped)

    @property
    def recall(self) -> float:
        return len(self.grouped & self.truth) / len(self.truth)

    @property
    def blocked(self) -> float:
        """The share of the true pairs that a key brings together."""
        return sum(pair in self.compared for pair in self.truth) / len(self.truth)

    def __str__(self) -> str:
        possible = sum(match.decision == "possible" for match in self.compared.values())
        right = len(self.same & self.truth)
        alone = f"{right / len(self.same):.4f}, {right / len(self.truth):.4f}"
        return (
            f"{self.records} people, {len(self.truth)} pairs: precision {self.precision:.4f}, "
            f"recall {self.recall:.4f} (pairs alone {alone}), "
            f"reached by a key {self.blocked:.4f}, {possible} possible; {self.keys / self.records:.1f} keys "
            f"and {len(self.compared) / self.records:.2f} candidates a record"
        )


def judge(people: Mapping[str, Subject], truth: Iterable[Pair]) -> Verdict:
    """Compares whoever shares a key, each pair once."""
    read = {id: traits(person) for id, person in people.items()}
    blocks: dict[str, list[str]] = {}
    for id, person in read.items():
        for key in blocking_keys(person):
            blocks.setdefault(key, []).append(id)
    pairs = {
        frozenset(pair)
        for block in blocks.values()
        if len(block) <= BLOCK_CAP
        for pair in combinations(block, 2)
    }
    compared = {pair: _score(read, pair) for pair in pairs}
    same = [(*sorted(pair), match.score) for pair, match in compared.items() if match.decision == "same"]
    groups = clusters(same, lambda a, b: contradict(read[a], read[b]))
    grouped = frozenset(frozenset(pair) for group in groups for pair in combinations(group, 2))
    return Verdict(len(people), frozenset(truth), compared, grouped, sum(map(len, blocks.values())))


def _score(read: Mapping[str, Traits], pair: Pair) -> Match:
    a, b = sorted(pair)
    return score(read[a], read[b])


# FEBRL: made-up people of Australia.


def febrl(name: str) -> dict[str, Subject]:
    """The people of a FEBRL file, by record id."""
    with (DATA / name).open(newline="") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    return {row["rec_id"]: _febrl_subject(row) for row in rows}


def _febrl_subject(row: dict[str, str]) -> Subject:
    born = row["date_of_birth"]
    return Subject(
        given_name=row["given_name"],
        surname=row["surname"],
        birth_date=f"{born[:4]}-{born[4:6]}-{born[6:]}" if born else "",
        id_number=row["soc_sec_id"],
        address=(row["street_number"], row["address_1"], row["address_2"]),
        city=row["suburb"],
        postcode=row["postcode"],
        province=row["state"],
    )


def as_archived(person: Subject) -> Subject:
    """The same person as an archive keeps them: one full name, one street address."""
    return replace(
        person,
        full_name=f"{person.given_name} {person.surname}".strip(),
        given_name="",
        surname="",
        address=(", ".join(filter(None, person.address)),),
    )


def febrl_truth(ids: Iterable[str]) -> set[Pair]:
    """rec-12-org and rec-12-dup-0 are one person."""
    people: dict[str, list[str]] = {}
    for id in ids:
        people.setdefault(id.split("-")[1], []).append(id)
    return {frozenset(pair) for same in people.values() for pair in combinations(same, 2)}


# Chinese people of the generator.


def subject(record: Record) -> Subject:
    """A record as it is after an import has brought its phones and e-mails into normal form."""
    return Subject(
        full_name=record.full_name,
        phones=tuple(_normal(normalize_phone, record.phones)),
        emails=tuple(_normal(normalize_email, record.emails)),
        birth_date=record.birth_date,
        id_number=record.id_number,
        address=(record.street_address,) if record.street_address else (),
        city=record.city,
        province=record.province,
    )


def _normal(normalize: Callable[[str], str], texts: Iterable[str]) -> Iterator[str]:
    """What can be normalised; an import refuses the rest."""
    for text in texts:
        try:
            yield normalize(text)
        except ValueError:
            continue


def judge_population(people: Population) -> Verdict:
    return judge({record.id: subject(record) for record in people.records}, people.pairs)


def together(verdicts: Sequence[Verdict]) -> tuple[float, float]:
    """(precision, recall) over several populations."""
    right = sum(len(verdict.grouped & verdict.truth) for verdict in verdicts)
    found = sum(len(verdict.grouped) for verdict in verdicts)
    return right / found, right / sum(len(verdict.truth) for verdict in verdicts)
