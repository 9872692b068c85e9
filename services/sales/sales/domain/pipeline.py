"""Stages of selling as data (S-18, S-19), and what must have been entered before one (S-21)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kernel.pure.errors import Checks
from sales.domain.errors import StageNotFound
from sales.domain.reading import read_text

REQUIREMENTS = ("amount", "probability", "proposal")
ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST = 100
_MOST_STAGES = 20


@dataclass(frozen=True)
class Stage:
    """`requires` are of REQUIREMENTS; `won` marks the deal."""

    id: str
    title: str
    probability: int
    requires: tuple[str, ...] = ()
    won: bool = False


@dataclass(frozen=True)
class Pipeline:
    id: str
    title: str
    stages: tuple[Stage, ...]

    @property
    def deal(self) -> Stage:
        """The stage that is entered by winning."""
        return next(stage for stage in self.stages if stage.won)

    def stage(self, stage_id: str) -> Stage:
        """Raises StageNotFound."""
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise StageNotFound(stage=stage_id)

    def after_deal(self, stage: Stage) -> bool:
        return self.stages.index(stage) > self.stages.index(self.deal)

    def required_by(self, stage: Stage) -> set[str]:
        """What the stages up to this one ask for: none can be passed over."""
        upto = self.stages[: self.stages.index(stage) + 1]
        return {requirement for passed in upto for requirement in passed.requires}

    def document(self) -> list[dict[str, Any]]:
        """The stages as JSON holds them."""
        return [{**vars(stage), "requires": list(stage.requires)} for stage in self.stages]

    @classmethod
    def of(cls, id: str, title: str, stages: list[Mapping[str, Any]]) -> Pipeline:
        """The pipeline with the stages of a document."""
        return cls(id, title, tuple(Stage(**{**s, "requires": tuple(s["requires"])}) for s in stages))


def read_pipeline(pipeline: Pipeline) -> Pipeline:
    """The pipeline itself. Raises Invalid naming every field that breaks a rule."""
    checks = Checks()
    _read_id(checks, "pipeline.id", pipeline.id)
    read_text(checks, "pipeline.title", pipeline.title, _LONGEST)
    if not 2 <= len(pipeline.stages) <= _MOST_STAGES:
        en, zh = f"must have 2 to {_MOST_STAGES} stages", f"必须有 2 至 {_MOST_STAGES} 个阶段"
        checks.refuse("pipeline.stages", "STAGE_COUNT", en, zh)
    if len({stage.id for stage in pipeline.stages}) < len(pipeline.stages):
        checks.refuse("pipeline.stages", "STAGE_IDS", "must have different ids", "编号不能重复")
    if [stage.won for stage in pipeline.stages].count(True) != 1 or pipeline.stages[0].won:
        en, zh = "must have one deal, which is not the first", "必须有且仅有一个成交阶段，且不能是第一个"
        checks.refuse("pipeline.stages", "ONE_DEAL", en, zh)
    for index, stage in enumerate(pipeline.stages[:_MOST_STAGES]):
        at = f"pipeline.stages[{index}]"
        _read_id(checks, f"{at}.id", stage.id)
        read_text(checks, f"{at}.title", stage.title, _LONGEST)
        if not 0 <= stage.probability <= 100:
            checks.refuse(f"{at}.probability", "RANGE", "must be 0 to 100", "必须在 0 至 100 之间")
        if not set(stage.requires) <= set(REQUIREMENTS):
            known = ", ".join(REQUIREMENTS)
            checks.refuse(f"{at}.requires", "REQUIREMENT", f"are of {known}", f"只能是 {known}")
    checks.raise_if_any()
    return pipeline


def _read_id(checks: Checks, field: str, text: str) -> None:
    if not ID.fullmatch(text):
        en, zh = "must be small letters, digits and _", "只能是小写字母、数字和下划线"
        checks.refuse(field, "NAME_FORMAT", en, zh)
