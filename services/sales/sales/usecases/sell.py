"""Opportunities open, move through the stages of their pipeline, are won or lost (S-07, S-18 to S-22)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from kernel.pure.errors import Checks, StaleEtag
from kernel.pure.ids import new_id
from sales.domain.contract import Contract, TermsDraft, read_terms
from sales.domain.errors import LeadCustomerNotFound, OwnerOutOfReach
from sales.domain.events import ChangedOpportunity, OpportunitiesChanged, OpportunityWon
from sales.domain.lead import Lead
from sales.domain.opportunity import LARGEST_PROPOSAL, LONGEST_FILE_NAME, LOSS_REASONS, Figures, Opportunity
from sales.domain.reading import read_text
from sales.usecases.keep_contracts import draft_contract
from sales.usecases.mind_leads import end_lead, mind_clock
from sales.usecases.ports import Work

UPDATE = "sales.opportunities.update"


def open_for_lead(work: Work, lead: Lead) -> Lead:
    """The lead, which is locked or new, with an opportunity; with the one it has, if it has one."""
    if lead.opportunity_id is not None:
        return lead
    opportunity = _new(work, lead.customer_id, work.default_pipeline, lead.owner_id, lead.id)
    lead = lead.qualified(opportunity.id)
    work.leads.save(lead)
    _store(work, opportunity)
    return lead


def follow_lead(work: Work, lead: Lead) -> None:
    """An open opportunity goes where its lead goes, whoever owns it: who may give the lead was asked."""
    if lead.opportunity_id is not None:
        opportunity = work.opportunities.lend(lead.opportunity_id, None)
        if opportunity.open and opportunity.owner_id != lead.owner_id:
            _save(
                work,
                replace(opportunity, version=opportunity.version + 1, owner_id=lead.owner_id),
                "follow_lead",
            )


def create_opportunity(work: Work, customer_id: UUID, pipeline: str, told: Figures) -> Opportunity:
    """A new opportunity in the first stage; the caller's when no owner is told.

    Raises PipelineNotFound, LeadCustomerNotFound, OwnerOutOfReach.
    """
    if not work.customers.reached(customer_id, UPDATE):
        raise LeadCustomerNotFound
    work.refuse_restricted(customer_id)
    owner_id = told.owner_id or work.principal.user_id
    _check_owner(work, owner_id)
    opportunity = _new(work, customer_id, pipeline or work.default_pipeline, owner_id, None)
    opportunity = replace(opportunity, **{**told._asdict(), "owner_id": owner_id})
    _store(work, opportunity)
    return opportunity


def update_opportunity(
    work: Work, opportunity_id: UUID, etag: str, told: Figures, names: Collection[str]
) -> Opportunity:
    """The opportunity with the figures that `names` names changed.

    Raises OpportunityNotFound, OpportunityIsOver, OwnerOutOfReach, StaleEtag, and StageNeeds when what
    its stage asks for would be gone.
    """
    opportunity, lead = _lend(work, opportunity_id)
    opportunity.require_open()
    if etag and etag != str(opportunity.version):
        raise StaleEtag
    if "owner_id" in names:
        _check_owner(work, told.owner_id)
    changes = {name: value for name, value in told._asdict().items() if name in names}
    changed = opportunity.updated(work.opportunities.pipeline(opportunity.pipeline), **changes)
    return _worked_on(work, lead, _save(work, changed, "update", fields=sorted(changes)))


def attach_proposal(work: Work, opportunity_id: UUID, file_name: str, data: bytes) -> Opportunity:
    """Keeps the proposal, in place of an earlier one.

    Raises Invalid, OpportunityNotFound, OpportunityIsOver.
    """
    checks = Checks()
    name = read_text(checks, "file_name", file_name, LONGEST_FILE_NAME)
    if not 1 <= len(data) <= LARGEST_PROPOSAL:
        checks.refuse("data", "FILE_SIZE", "must be 1 byte to 2 MiB", "必须为 1 字节到 2 MiB")
    checks.raise_if_any()
    opportunity, lead = _lend(work, opportunity_id)
    opportunity.require_open()
    work.refuse_restricted(opportunity.customer_id)
    document_id = new_id()
    work.documents.add(document_id, opportunity.customer_id, "operational", name, data)
    changed = replace(opportunity, version=opportunity.version + 1, proposal_id=document_id)
    changed = _save(work, changed, "attach_proposal")
    if opportunity.proposal_id is not None:
        work.documents.forget(opportunity.proposal_id)
    return _worked_on(work, lead, changed)


def move_stage(work: Work, opportunity_id: UUID, stage: str) -> Opportunity:
    """Raises OpportunityNotFound, and whatever is in the way of the stage."""
    opportunity, lead = _lend(work, opportunity_id)
    moved = opportunity.moved(work.opportunities.pipeline(opportunity.pipeline), stage)
    if moved.stage == opportunity.stage:
        return opportunity
    return _worked_on(work, lead, _save(work, moved, "move", entered=True, stage=stage))


def win_opportunity(
    work: Work, opportunity_id: UUID, template_id: str, terms: TermsDraft
) -> tuple[Opportunity, Contract]:
    """Won, with a contract that a job will render and sign.

    Raises Invalid, OpportunityNotFound, OpportunityIsOver, StageNeeds, TemplateNotFound.
    """
    opportunity, lead = _lend(work, opportunity_id)
    opportunity.require_open()
    work.refuse_restricted(opportunity.customer_id)
    template = work.contracts.template(template_id)
    contract = draft_contract(work, template, read_terms(terms, template), opportunity)
    pipeline = work.opportunities.pipeline(opportunity.pipeline)
    won = opportunity.won(pipeline, contract.id, contract.terms.total)
    won = _save(work, won, "win", entered=True, contract_id=str(contract.id))
    total = contract.terms.total
    work.record(
        OpportunityWon(
            opportunity_id=won.id,
            version=won.version,
            customer_id=won.customer_id,
            owner_id=won.owner_id,
            contract_id=contract.id,
            amount=total.amount,
            currency=total.currency,
            won_at=work.now,
        )
    )
    _end_with(work, lead)
    return won, contract


def lose_opportunity(work: Work, opportunity_id: UUID, reason: str) -> Opportunity:
    """Raises Invalid, OpportunityNotFound, OpportunityIsOver."""
    if reason not in LOSS_REASONS:
        checks = Checks()
        known = ", ".join(LOSS_REASONS)
        checks.refuse("reason", "UNKNOWN_REASON", f"is one of {known}", f"必须是 {known} 之一")
        checks.raise_if_any()
    opportunity, lead = _lend(work, opportunity_id)
    lost = _save(work, opportunity.lost(reason), "lose", reason=reason)
    _end_with(work, lead)
    return lost


def _new(
    work: Work, customer_id: UUID, pipeline: str, owner_id: UUID | None, lead_id: UUID | None
) -> Opportunity:
    first = work.opportunities.pipeline(pipeline).stages[0]
    return Opportunity(
        id=new_id(),
        version=1,
        customer_id=customer_id,
        pipeline=pipeline,
        stage=first.id,
        owner_id=owner_id,
        lead_id=lead_id,
    )


def _store(work: Work, opportunity: Opportunity) -> None:
    work.opportunities.add(opportunity)
    work.audit("create", "opportunity", opportunity.id, pipeline=opportunity.pipeline)
    _tell(work, opportunity)


def _save(
    work: Work,
    opportunity: Opportunity,
    action: str,
    *,
    entered: bool = False,
    **facts: object,
) -> Opportunity:
    work.opportunities.save(opportunity, entered=entered)
    work.audit(action, "opportunity", opportunity.id, **facts)
    _tell(work, opportunity)
    return opportunity


def _lend(work: Work, opportunity_id: UUID) -> tuple[Opportunity, Lead | None]:
    """The opportunity and the lead it came of, both locked; the lead first, as by whoever works on leads.

    Raises OpportunityNotFound.
    """
    lead = work.leads.lend_of(opportunity_id)
    return work.opportunities.lend(opportunity_id, UPDATE), lead


def _worked_on(work: Work, lead: Lead | None, opportunity: Opportunity) -> Opportunity:
    """Work on an opportunity is work on its lead, which has its time anew."""
    if lead is not None:
        mind_clock(work, lead, anew=True)
    return opportunity


def _check_owner(work: Work, owner_id: UUID | None) -> None:
    me = work.principal.user_id
    if owner_id is not None and owner_id != me and not work.sellers.reaches(owner_id, UPDATE):
        raise OwnerOutOfReach


def _end_with(work: Work, lead: Lead | None) -> None:
    """The lead has come to its end with its opportunity."""
    if lead is not None and lead.open:
        end_lead(work, lead)


def _tell(work: Work, opportunity: Opportunity) -> None:
    amount = opportunity.amount
    stage = work.opportunities.pipeline(opportunity.pipeline).stage(opportunity.stage)
    shown = stage.probability if opportunity.probability is None else opportunity.probability
    work.record(
        OpportunitiesChanged(
            (
                ChangedOpportunity(
                    opportunity_id=opportunity.id,
                    version=opportunity.version,
                    customer_id=opportunity.customer_id,
                    owner_id=opportunity.owner_id,
                    pipeline=opportunity.pipeline,
                    stage=opportunity.stage,
                    status=opportunity.status.value,
                    amount=amount.amount if amount else None,
                    currency=amount.currency if amount else "",
                    probability=shown,
                    expected_close_on=opportunity.expected_close_on,
                ),
            )
        )
    )
