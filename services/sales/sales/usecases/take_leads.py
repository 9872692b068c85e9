"""Leads come in, by hand, from other systems and by forms (S-01, S-03, S-07, S-09)."""

from __future__ import annotations

from uuid import UUID

from kernel.pure.clock import today
from kernel.pure.errors import Checks
from kernel.pure.grants import Scope
from kernel.pure.ids import new_id
from sales.domain.assignment import choose_owner
from sales.domain.errors import LeadCustomerNotFound, OwnerOutOfReach
from sales.domain.lead import Lead, LeadDraft, LeadStatus, read_lead
from sales.usecases.hand_out_leads import assign_by_rules, assign_to
from sales.usecases.ports import People, Work
from sales.usecases.score_leads import score_lead

CREATE = "sales.leads.create"


def take_lead(work: Work, people: People, draft: LeadDraft, request_id: UUID | None = None) -> Lead:
    """Stores a lead, scored and assigned. Its contact is found or recorded by the customer service first,
    idempotent by `request_id`.

    Without an owner it belongs to whoever enters it if they reach their own only, else to whom the rules
    choose. Raises Invalid, LeadCustomerNotFound, OwnerOutOfReach, CustomersUnreachable.
    """
    checks = Checks()
    draft = read_lead(draft, checks)
    checks.raise_if_any()
    owner_id = _named_owner(work, draft)
    lead = _new(work, draft, new_id())
    if draft.customer_id is None:
        wished = owner_id or choose_owner(lead, work.sellers.all(lock=False), today(work.clock)).owner_id
        customer_id = people.resolve(request_id or lead.id, draft, wished)
        lead = _new(work, draft, customer_id, lead.id)
    elif not work.customers.reached(draft.customer_id, CREATE):
        raise LeadCustomerNotFound
    else:
        work.refuse_restricted(draft.customer_id)
        lead = _new(work, draft, draft.customer_id, lead.id)
    work.leads.add(lead)
    work.audit("create", "lead", lead.id, source_channel=lead.source_channel)
    # Scored first: a hot lead's clock begins with its owner.
    lead = score_lead(work, lead, tell=False)
    return assign_to(work, lead, owner_id, "named") if owner_id else assign_by_rules(work, lead)


def _named_owner(work: Work, draft: LeadDraft) -> UUID | None:
    """Whose it is to be; None when the rules decide."""
    scope, me = work.principal.scope_of(CREATE), work.principal.user_id
    if draft.owner_id is None:
        return me if scope is Scope.OWN else None
    if draft.owner_id != me and not work.sellers.reaches(draft.owner_id, CREATE):
        raise OwnerOutOfReach
    return draft.owner_id


def _new(work: Work, draft: LeadDraft, customer_id: UUID, lead_id: UUID | None = None) -> Lead:
    return Lead(
        id=lead_id or customer_id,
        version=1,
        customer_id=customer_id,
        status=LeadStatus.NEW,
        score=0,
        source_channel=draft.source_channel,
        industry=draft.industry,
        province=draft.province,
        city=draft.city,
        requirement=draft.requirement,
        created_at=work.now,
    )
