"""Opportunities and pipelines as rows."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.pure.grants import Principal
from kernel.pure.money import Money
from kernel.sql import scope
from sales.domain.errors import OpportunityNotFound, PipelineExists, PipelineNotFound
from sales.domain.opportunity import Opportunity, OpportunityStatus
from sales.domain.pipeline import Pipeline

_COLUMNS = """
    id, version, customer_id, lead_id, owner_id, pipeline, stage, status, amount, currency, probability,
    expected_close_on, proposal_id, loss_reason, contract_id
"""
# A lead that reaches the threshold twice at once makes one opportunity.
_INSERT = f"""
    insert into opportunities ({_COLUMNS}, created_at, updated_at)
    values (%(id)s, %(version)s, %(customer_id)s, %(lead_id)s, %(owner_id)s, %(pipeline)s, %(stage)s,
            %(status)s, %(amount)s, %(currency)s, %(probability)s, %(expected_close_on)s, %(proposal_id)s,
            %(loss_reason)s, %(contract_id)s, %(now)s, %(now)s)
"""
_UPDATE = """
    update opportunities set version = %(version)s, owner_id = %(owner_id)s, stage = %(stage)s,
        status = %(status)s, amount = %(amount)s, currency = %(currency)s, probability = %(probability)s,
        expected_close_on = %(expected_close_on)s, proposal_id = %(proposal_id)s,
        loss_reason = %(loss_reason)s, contract_id = %(contract_id)s, updated_at = %(now)s
    where id = %(id)s
"""
_LEND = f"select {_COLUMNS} from opportunities where id = %(id)s"
_LOCK = " for no key update"
_OPEN_OF = """
    select id from opportunities where customer_id = any(%(ids)s) and status = 'open'
    order by id for no key update
"""
_ENTER = "insert into stage_entries (opportunity_id, stage, entered_at) values (%(id)s, %(stage)s, %(now)s)"
_PIPELINE = "select id, title, stages from pipelines where id = %(id)s"
_ADD_PIPELINE = """
    insert into pipelines (id, title, stages) values (%(id)s, %(title)s, %(stages)s::jsonb)
    on conflict do nothing returning id
"""


class OpportunityRepository:
    def __init__(self, session: Session, principal: Principal, now: datetime) -> None:
        self._run = session.connection
        self._principal = principal
        self._now = now

    def add(self, opportunity: Opportunity) -> None:
        self._run().exec_driver_sql(_INSERT, self._row(opportunity))
        self._enter(opportunity)

    def lend(self, opportunity_id: UUID, permission: str | None) -> Opportunity:
        """The opportunity, locked, if the principal's grant of `permission` reaches its owner; None for
        what comes with a lead that was lent already.

        Raises OpportunityNotFound.
        """
        in_reach, params = "true", dict[str, Any]()
        if permission is not None:
            in_reach, params = scope.predicate(self._principal, permission, "owner_id")
        found = self._run().exec_driver_sql(
            f"{_LEND} and {in_reach} {_LOCK}", {**params, "id": opportunity_id}
        )
        row = found.first()
        if row is None:
            raise OpportunityNotFound
        return _opportunity(row)

    def open_of(self, customer_ids: Collection[UUID]) -> list[UUID]:
        """Ids of the open opportunities of customers, locked; their leads are locked before."""
        return list(self._run().exec_driver_sql(_OPEN_OF, {"ids": list(customer_ids)}).scalars())

    def save(self, opportunity: Opportunity, *, entered: bool = False) -> None:
        """Stores a changed opportunity; `entered` says that it is in another stage now."""
        self._run().exec_driver_sql(_UPDATE, self._row(opportunity))
        if entered:
            self._enter(opportunity)

    def pipeline(self, pipeline_id: str) -> Pipeline:
        """Raises PipelineNotFound."""
        row = self._run().exec_driver_sql(_PIPELINE, {"id": pipeline_id}).first()
        if row is None:
            raise PipelineNotFound(pipeline=pipeline_id)
        return Pipeline.of(row.id, row.title, row.stages)

    def add_pipeline(self, pipeline: Pipeline) -> None:
        """Raises PipelineExists."""
        stages = json.dumps(pipeline.document(), ensure_ascii=False)
        params = {"id": pipeline.id, "title": pipeline.title, "stages": stages}
        if self._run().exec_driver_sql(_ADD_PIPELINE, params).first() is None:
            raise PipelineExists(pipeline=pipeline.id)

    def _enter(self, opportunity: Opportunity) -> None:
        self._run().exec_driver_sql(
            _ENTER, {"id": opportunity.id, "stage": opportunity.stage, "now": self._now}
        )

    def _row(self, opportunity: Opportunity) -> dict[str, Any]:
        amount = opportunity.amount
        return {
            **vars(opportunity),
            "status": opportunity.status.value,
            "amount": amount.amount if amount else None,
            "currency": amount.currency if amount else None,
            "now": self._now,
        }


def _opportunity(row: Any) -> Opportunity:
    return Opportunity(
        id=row.id,
        version=row.version,
        customer_id=row.customer_id,
        lead_id=row.lead_id,
        owner_id=row.owner_id,
        pipeline=row.pipeline,
        stage=row.stage,
        status=OpportunityStatus(row.status),
        amount=Money.rounded(row.amount, row.currency) if row.currency else None,
        probability=row.probability,
        expected_close_on=row.expected_close_on,
        proposal_id=row.proposal_id,
        loss_reason=row.loss_reason,
        contract_id=row.contract_id,
    )
