"""Stages are data; none can be passed over without what it asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kernel.pure.errors import Invalid
from kernel.pure.ids import new_id
from kernel.pure.money import Money
from sales.domain.errors import DealNeedsWinning, NotWonYet, OpportunityIsOver, StageNeeds, StageNotFound
from sales.domain.opportunity import Opportunity
from sales.domain.pipeline import Pipeline, Stage, read_pipeline

PIPELINE = Pipeline(
    "house",
    "看房",
    (
        Stage("first", "初步接触", 10),
        Stage("talk", "商务谈判", 70, ("amount", "probability", "proposal")),
        Stage("deal", "成交", 100, won=True),
        Stage("after", "售后", 100),
    ),
)
AMOUNT = Money.parse("1000.00", "CNY")
BARE = Opportunity(id=new_id(), version=1, customer_id=new_id(), pipeline="house", stage="first")
READY = replace(BARE, amount=AMOUNT, probability=60, proposal_id=new_id())


@pytest.mark.parametrize("name", ["amount", "probability", "proposal_id"])
def test_negotiation_asks_for_amount_probability_and_proposal(name: str) -> None:
    with pytest.raises(StageNeeds) as refused:
        replace(READY, **{name: None}).moved(PIPELINE, "talk")
    assert refused.value.metadata["missing"] == name.removesuffix("_id")
    assert READY.moved(PIPELINE, "talk").stage == "talk"


def test_a_gate_can_not_be_passed_over_by_winning() -> None:
    with pytest.raises(StageNeeds):
        BARE.won(PIPELINE, new_id(), AMOUNT)
    won = READY.won(PIPELINE, new_id(), AMOUNT)
    assert (won.stage, won.status, won.probability) == ("deal", "won", 100)


def test_the_deal_is_entered_by_winning_only_and_after_it_comes_what_follows() -> None:
    with pytest.raises(DealNeedsWinning):
        READY.moved(PIPELINE, "deal")
    with pytest.raises(NotWonYet):
        READY.moved(PIPELINE, "after")
    won = READY.won(PIPELINE, new_id(), AMOUNT)
    assert won.moved(PIPELINE, "after").stage == "after"
    with pytest.raises(OpportunityIsOver):
        won.moved(PIPELINE, "talk")


def test_what_is_lost_stays_lost() -> None:
    lost = READY.lost("price")
    assert (lost.status, lost.probability, lost.stage) == ("lost", 0, "first")
    for again in (lambda: lost.moved(PIPELINE, "talk"), lambda: lost.lost("price")):
        with pytest.raises(OpportunityIsOver):
            again()


def test_a_stage_that_is_none_is_not_found() -> None:
    with pytest.raises(StageNotFound):
        BARE.moved(PIPELINE, "nowhere")


@pytest.mark.parametrize(
    "stages",
    [
        PIPELINE.stages[:1],
        (PIPELINE.stages[2], PIPELINE.stages[0]),
        PIPELINE.stages[:2],
        (*PIPELINE.stages, PIPELINE.stages[0]),
        (PIPELINE.stages[0], replace(PIPELINE.stages[2], requires=("magic",))),
        (PIPELINE.stages[0], replace(PIPELINE.stages[2], probability=101)),
    ],
)
def test_a_pipeline_without_one_deal_after_a_beginning_is_refused(stages: tuple[Stage, ...]) -> None:
    with pytest.raises(Invalid):
        read_pipeline(replace(PIPELINE, stages=stages))


def test_a_pipeline_survives_its_document() -> None:
    assert Pipeline.of("house", "看房", PIPELINE.document()) == read_pipeline(PIPELINE)
