"""Between the messages about opportunities and contracts and what the use cases and queries know."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from crm.sales.v1 import contract_service_pb2 as contracts_rpc
from crm.sales.v1 import opportunity_service_pb2 as rpc
from crm.type.v1 import money_pb2
from kernel.pure.errors import Checks
from kernel.pure.money import Money
from sales.domain.contract import LineDraft, Template, TermsDraft
from sales.domain.opportunity import Figures
from sales.domain.pipeline import Pipeline, Stage
from sales.domain.reading import MoneyDraft, read_amount, read_day, read_id

_STATUS = {
    "open": rpc.OPPORTUNITY_STATUS_OPEN,
    "won": rpc.OPPORTUNITY_STATUS_WON,
    "lost": rpc.OPPORTUNITY_STATUS_LOST,
}
_LATEST = date(2999, 12, 31)


def figures(told: rpc.Opportunity) -> Figures:
    """What a message says of an opportunity. Raises Invalid naming every field that breaks a rule."""
    checks = Checks()
    amount = day = None
    if told.HasField("amount"):
        draft = MoneyDraft(told.amount.amount, told.amount.currency_code)
        amount = read_amount(checks, "opportunity.amount", draft)
    if not 0 <= told.probability <= 100:
        checks.refuse("opportunity.probability", "RANGE", "must be 0 to 100", "必须在 0 至 100 之间")
    if told.expected_close_on:
        day = read_day(checks, "opportunity.expected_close_on", told.expected_close_on, _LATEST)
    owner_id = read_id(checks, "opportunity.owner_id", told.owner_id) if told.owner_id else None
    checks.raise_if_any()
    # 0 is what a message says of a probability that nobody set.
    return Figures(amount, told.probability or None, day, owner_id)


def opportunity_message(row: Any) -> rpc.Opportunity:
    """An opportunity from a row of queries."""
    message = rpc.Opportunity(
        id=str(row.id),
        etag=str(row.version),
        customer_id=str(row.customer_id),
        lead_id=text_of(row.lead_id),
        owner_id=text_of(row.owner_id),
        pipeline=row.pipeline,
        stage=row.stage,
        status=_STATUS[row.status],
        probability=row.probability,
        expected_close_on=row.expected_close_on.isoformat() if row.expected_close_on else "",
        has_proposal=row.proposal_id is not None,
        loss_reason=row.loss_reason,
        contract_id=text_of(row.contract_id),
        create_time=row.created_at,
        update_time=row.updated_at,
    )
    if row.amount is not None:
        message.amount.CopyFrom(money(row.amount, row.currency))
    return message


def pipeline_message(pipeline: Pipeline) -> rpc.Pipeline:
    stages = [
        rpc.Stage(
            id=stage.id,
            title=stage.title,
            probability=stage.probability,
            requires=stage.requires,
            won=stage.won,
        )
        for stage in pipeline.stages
    ]
    return rpc.Pipeline(id=pipeline.id, title=pipeline.title, stages=stages)


def pipeline_draft(told: rpc.Pipeline) -> Pipeline:
    stages = (Stage(s.id, s.title, s.probability, tuple(s.requires), s.won) for s in told.stages)
    return Pipeline(told.id, told.title, tuple(stages))


def terms_draft(told: contracts_rpc.ContractTerms) -> TermsDraft:
    return TermsDraft(
        lines=[
            LineDraft(
                product=line.product,
                quantity=line.quantity,
                unit_price=MoneyDraft(line.unit_price.amount, line.unit_price.currency_code)
                if line.HasField("unit_price")
                else None,
            )
            for line in told.lines
        ],
        starts_on=told.starts_on,
        ends_on=told.ends_on,
        variables=dict(told.variables),
    )


def template_draft(told: contracts_rpc.ContractTemplate) -> Template:
    clauses = tuple((clause.title, clause.body) for clause in told.clauses)
    return Template(told.id, 0, told.title, clauses, tuple(told.variables))


def template_message(template: Any) -> contracts_rpc.ContractTemplate:
    """A template of the domain or a row of queries."""
    return contracts_rpc.ContractTemplate(
        id=template.id,
        version=template.version,
        title=template.title,
        clauses=[contracts_rpc.Clause(title=title, body=body) for title, body in template.clauses],
        variables=template.variables,
    )


def contract_message(row: Any) -> contracts_rpc.Contract:
    """A contract from a row of queries."""
    return contracts_rpc.Contract(
        id=str(row.id),
        etag=str(row.version),
        number=row.number,
        customer_id=str(row.customer_id),
        opportunity_id=text_of(row.opportunity_id),
        owner_id=text_of(row.owner_id),
        template_id=row.template_id,
        template_version=row.template_version,
        status=row.status,
        starts_on=row.starts_on.isoformat(),
        ends_on=row.ends_on.isoformat(),
        lines=[_line(product, quantity, price, row.currency) for product, quantity, price in row.lines],
        total=money(row.total, row.currency),
        size=row.size,
        sign_time=row.signed_at,
        renewed_by_id=text_of(row.renewed_by),
        create_time=row.created_at,
    )


def money(amount: Decimal, currency: str) -> money_pb2.Money:
    return money_pb2.Money(amount=f"{amount:f}", currency_code=currency)


def text_of(value: UUID | None) -> str:
    return str(value) if value else ""


def _line(product: str, quantity: str, price: str, currency: str) -> contracts_rpc.ContractLine:
    unit_price = Money(Decimal(price), currency)
    amount = unit_price.converted(Decimal(quantity), currency)
    return contracts_rpc.ContractLine(
        product=product,
        quantity=quantity,
        unit_price=money(unit_price.amount, currency),
        amount=money(amount.amount, currency),
    )
