"""What leads do changes their score; a high score makes an opportunity (S-06, S-07)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sales.domain.lead import Lead
from sales.domain.scoring import Fact, LeadRules, Mail, Place, Scorer, read_facts
from sales.usecases.mind_leads import mind_clock
from sales.usecases.ports import RESCORE, Work
from sales.usecases.sell import open_for_lead
from sales.usecases.tell_leads import tell_lead

UPDATE = "sales.leads.update"


def record_facts(work: Work, lead_id: UUID, facts: Sequence[Fact]) -> Lead:
    """Notes facts, each once by its key, and scores the lead anew.

    Raises Invalid, LeadNotFound, LeadIsClosed, SubjectRestricted.
    """
    facts = read_facts(facts, work.now)
    lead = work.leads.lend(lead_id, UPDATE)
    lead.require_open()
    work.refuse_restricted(lead.customer_id)
    work.leads.add_facts(lead_id, facts)
    work.audit("record_facts", "lead", lead_id, kinds=sorted({fact.kind for fact in facts}))
    return score_lead(work, lead)


def note_mails(work: Work, mails: Sequence[Mail]) -> None:
    """Takes over what customers did with messages, and scores their leads anew when it is news: of all
    who are one with them, but of nobody whose data rests."""
    told = [(mail.customer_id, fact) for mail in mails for fact in mail.facts()]
    concerned = work.customers.usable(work.leads.add_customer_facts(told))
    rescore_leads(work, work.leads.open_of(concerned))


def rescore_leads(work: Work, lead_ids: Sequence[UUID]) -> None:
    """Scores leads anew by the rules in force."""
    work.leads.hold(lead_ids)
    for lead_id in lead_ids:
        lead = work.leads.lend(lead_id, UPDATE)
        if lead.open:
            score_lead(work, lead)


def score_lead(work: Work, lead: Lead, *, tell: bool = True) -> Lead:
    """The lead, which is locked or new, with its present score and the reasons of it stored; with an
    opportunity once it has reached the threshold."""
    rules = work.rules.in_force()
    score = Scorer(rules).score(Place.of(lead), work.leads.facts(lead.id))
    work.leads.note_score(lead.id, rules.version, score)
    before = lead
    if score.score != lead.score:
        lead = lead.scored(score.score)
        work.leads.save(lead)
    if rules.hot(lead) and lead.opportunity_id is None:
        lead = open_for_lead(work, lead)
    mind_clock(work, lead)
    if tell and lead is not before:
        tell_lead(work, lead)
    return lead


def activate_rules(work: Work, version: int) -> LeadRules:
    """Puts a version in force; a job scores the open leads anew. Raises LeadRulesNotFound."""
    rules = work.rules.version(version)
    work.rules.activate(version)
    work.audit("activate", "lead_rules", version)
    work.defer(RESCORE)
    return rules
