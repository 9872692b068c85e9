"""Leads come in, by hand, from other systems and by forms (S-01, S-03, S-07, S-09)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kernel.pure.clock import today
from kernel.pure.errors import Checks
from kernel.pure.grants import Scope
from kernel.pure.ids import new_id
from sales.domain.assignment import Roster
from sales.domain.errors import LeadCustomerNotFound, OwnerOutOfReach
from sales.domain.lead import Lead, LeadDraft, LeadStatus, read_lead
from sales.usecases.hand_out_leads import assign_by_rules, assign_to
from sales.usecases.ports import People, Work
from sales.usecases.score_leads import score_lead

CREATE = "sales.leads.create"


@dataclass(frozen=True)
class KnownLead:
    """A lead that is about to come in, whose customer is known; `owner_id` None: the rules decide."""

    lead: Lead
    owner_id: UUID | None


def take_lead(work: Work, people: People, draft: LeadDraft, request_id: UUID | None = None) -> Lead:
    """Stores a lead, scored and assigned; `know_lead` and then `keep_lead`."""
    return keep_lead(work, know_lead(work, people, roster(work), draft, request_id))


def roster(work: Work) -> Roster:
    """The sellers as they are now; nobody waits for them."""
    return Roster(work.sellers.all(lock=False), work.now, today(work.clock))


def know_lead(
    work: Work, people: People, sellers: Roster, draft: LeadDraft, request_id: UUID | None = None
) -> KnownLead:
    """The lead with its customer, whom the customer service finds or records, idempotent by `request_id`.
    Locks nothing: of several leads all are known before the first is kept.

    Without an owner it belongs to whoever enters it if they reach their own only, else to whom the rules
    choose. Raises Invalid, LeadCustomerNotFound, OwnerOutOfReach, CustomersUnreachable, SubjectRestricted.
    """
    checks = Checks()
    draft = read_lead(draft, checks)
    checks.raise_if_any()
    owner_id = _named_owner(work, draft)
    lead = _new(work, draft, new_id())
    if draft.customer_id is None:
        customer_id = people.resolve(request_id or lead.id, draft, owner_id or sellers.expect(lead))
    elif work.customers.reached(draft.customer_id, CREATE):
        customer_id = draft.customer_id
    else:
        raise LeadCustomerNotFound
    work.refuse_restricted(customer_id)
    return KnownLead(_new(work, draft, customer_id, lead.id), owner_id)


def keep_lead(work: Work, known: KnownLead) -> Lead:
    """Stores a lead, scored and assigned. Raises SubjectErased."""
    lead, owner_id = known.lead, known.owner_id
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
