"""What a scenario answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.faults.history import Findings
from tests.faults.laws import Breach
from tests.faults.world import World


@dataclass(frozen=True)
class Scale:
    """How large a scenario is run: 1 is as promised, less for a look."""

    of: float = 1.0

    def __call__(self, count: int) -> int:
        return max(1, round(count * self.of))


@dataclass
class Result:
    """`wrong` says, in sentences, what was not as promised; `broken` names the laws that were broken."""

    id: str
    seed: int
    commands: int = 0
    kills: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def found(self, where: str, findings: Findings) -> None:
        """Takes the findings of a check over."""
        self.lost += len(findings.lost)
        self.duplicated += len(findings.duplicated)
        if not findings.clean:
            example = sorted(findings.lost | findings.duplicated | findings.unexpected)[:3]
            self.broken.add(where)
            self.wrong.append(
                f"{where}: {len(findings.lost)} lost, {len(findings.duplicated)} twice,"
                f" {len(findings.unexpected)} unexpected, as {example}"
            )

    def take(self, breaches: Iterable[Breach]) -> None:
        """Notes which laws were broken."""
        for breach in breaches:
            self.lost += breach.count if breach.kind == "lost" else 0
            self.duplicated += breach.count if breach.kind == "twice" else 0
            self.broken.add(breach.law)
            self.wrong.append(str(breach))

    def demand(self, holds: bool, sentence: str) -> None:
        """Notes the sentence when it does not hold."""
        if not holds:
            self.wrong.append(sentence)

    @property
    def ok(self) -> bool:
        return not self.wrong

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "seed": self.seed,
            "commands": self.commands,
            "kills": self.kills,
            "lost": self.lost,
            "duplicated": self.duplicated,
            "ok": self.ok,
            "wrong": self.wrong,
            "figures": self.figures,
        }


# Runs on a settled installation, draws all chance from `random`, leaves the installation settled.
Scenario = Callable[[World, Random, Scale, Result], None]
