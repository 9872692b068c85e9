"""What a scenario answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from tests.faults.history import Findings
from tests.faults.world import World


@dataclass(frozen=True)
class Scale:
    """How large a scenario is run: 1 is as promised, less for a look."""

    of: float = 1.0

    def __call__(self, count: int) -> int:
        return max(1, round(count * self.of))


@dataclass
class Result:
    """`wrong` says, in sentences, what was not as promised besides lost and duplicated effects."""

    id: str
    seed: int
    commands: int = 0
    kills: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    def found(self, where: str, findings: Findings) -> None:
        """Takes the findings of a check over."""
        self.lost += len(findings.lost)
        self.duplicated += len(findings.duplicated)
        if not findings.clean:
            example = sorted(findings.lost | findings.duplicated | findings.unexpected)[:3]
            self.wrong.append(
                f"{where}: {len(findings.lost)} lost, {len(findings.duplicated)} twice,"
                f" {len(findings.unexpected)} unexpected, as {example}"
            )

    def demand(self, holds: bool, sentence: str) -> None:
        """Notes the sentence when it does not hold."""
        if not holds:
            self.wrong.append(sentence)

    @property
    def ok(self) -> bool:
        return not self.wrong

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok}


# Runs on a settled installation, draws all chance from `random`, leaves the installation settled.
Scenario = Callable[[World, Random, Scale, Result], None]
