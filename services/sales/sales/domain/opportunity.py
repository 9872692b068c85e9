"""An opportunity: what may be sold to whom, from the first contact to the deal (S-18 to S-22)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from kernel.pure.money import Money
from sales.domain.errors import DealNeedsWinning, NotWonYet, OpportunityIsOver, StageNeeds
from sales.domain.pipeline import Pipeline, Stage

LOSS_REASONS = ("price", "competitor", "no_need", "no_budget", "timing", "other")
LARGEST_PROPOSAL = 2 << 20
LONGEST_FILE_NAME = 200


class OpportunityStatus(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Figures(NamedTuple):
    """What sellers say of an opportunity; the names are those that an update may mention."""

    amount: Money | None = None
    probability: int | None = None
    expected_close_on: date | None = None
    owner_id: UUID | None = None


@dataclass(frozen=True)
class Opportunity:
    """`probability` None: nobody has said it, that of the stage is shown."""

    id: UUID
    version: int
    customer_id: UUID
    pipeline: str
    stage: str
    status: OpportunityStatus = OpportunityStatus.OPEN
    owner_id: UUID | None = None
    lead_id: UUID | None = None
    amount: Money | None = None
    probability: int | None = None
    expected_close_on: date | None = None
    proposal_id: UUID | None = None
    loss_reason: str = ""
    contract_id: UUID | None = None

    @property
    def open(self) -> bool:
        return self.status is OpportunityStatus.OPEN

    def missing(self, pipeline: Pipeline, stage: Stage) -> list[str]:
        """What a stage, or one before it, asks for and nobody has entered."""
        entered = {
            "amount": self.amount is not None,
            "probability": self.probability is not None,
            "proposal": self.proposal_id is not None,
        }
        return sorted(name for name in pipeline.required_by(stage) if not entered[name])

    def updated(self, pipeline: Pipeline, **figures: Any) -> Opportunity:
        """With other figures, but nothing gone that its stage asks for.

        Raises OpportunityIsOver, StageNeeds.
        """
        self.require_open()
        changed = replace(self, version=self.version + 1, **figures)
        changed._require(pipeline, pipeline.stage(self.stage))
        return changed

    def moved(self, pipeline: Pipeline, stage_id: str) -> Opportunity:
        """In another stage.

        Raises StageNotFound, OpportunityIsOver, DealNeedsWinning, NotWonYet, StageNeeds.
        """
        stage = pipeline.stage(stage_id)
        if self.status is OpportunityStatus.LOST:
            raise OpportunityIsOver
        if stage.won and self.open:
            raise DealNeedsWinning
        if pipeline.after_deal(stage) and self.open:
            raise NotWonYet
        if not self.open and not (stage.won or pipeline.after_deal(stage)):
            raise OpportunityIsOver
        self._require(pipeline, stage)
        return replace(self, version=self.version + 1, stage=stage.id)

    def won(self, pipeline: Pipeline, contract_id: UUID, amount: Money) -> Opportunity:
        """Won by a contract, which says what it is worth. Raises OpportunityIsOver, StageNeeds."""
        self.require_open()
        deal = pipeline.deal
        self._require(pipeline, deal)
        return replace(
            self,
            version=self.version + 1,
            stage=deal.id,
            status=OpportunityStatus.WON,
            contract_id=contract_id,
            amount=amount,
            probability=100,
        )

    def lost(self, reason: str) -> Opportunity:
        """Raises OpportunityIsOver."""
        self.require_open()
        return replace(
            self,
            version=self.version + 1,
            status=OpportunityStatus.LOST,
            loss_reason=reason,
            probability=0,
        )

    def require_open(self) -> None:
        if not self.open:
            raise OpportunityIsOver

    def _require(self, pipeline: Pipeline, stage: Stage) -> None:
        missing = self.missing(pipeline, stage)
        if missing:
            raise StageNeeds(stage=stage.id, missing=", ".join(missing))
