"""Between the messages about leads and what the use cases and queries know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from crm.sales.v1 import follow_up_service_pb2, lead_pb2
from kernel.pure.ids import new_id, parse_id
from kernel.pure.masking import mask_all
from kernel.rpc.reading import instant
from sales.domain.follow_up import FollowUp
from sales.domain.lead import Contact, LeadDraft
from sales.domain.scoring import COUNTED, Fact, LeadRules, ScoreRule

_STATUS = {
    "new": lead_pb2.LEAD_STATUS_NEW,
    "working": lead_pb2.LEAD_STATUS_WORKING,
    "qualified": lead_pb2.LEAD_STATUS_QUALIFIED,
    "closed": lead_pb2.LEAD_STATUS_CLOSED,
}
_WORDS = ("content", "feedback", "next_step")


def lead_draft(lead: lead_pb2.Lead, contact: lead_pb2.LeadContact | None) -> LeadDraft:
    return LeadDraft(
        source_channel=lead.source_channel,
        industry=lead.industry,
        province=lead.province,
        city=lead.city,
        requirement=lead.requirement,
        owner_id=parse_id(lead.owner_id, "lead.owner_id") if lead.owner_id else None,
        customer_id=parse_id(lead.customer_id, "lead.customer_id") if lead.customer_id else None,
        contact=contact_draft(contact) if contact is not None else None,
    )


def contact_draft(told: lead_pb2.LeadContact) -> Contact:
    return Contact(told.full_name, tuple(told.phones), tuple(told.emails), told.company_name)


def lead_message(row: Any, words: Mapping[str, str]) -> lead_pb2.Lead:
    """A lead from a row of queries and its opened words."""
    lead = lead_pb2.Lead(
        id=str(row.id),
        etag=str(row.version),
        customer_id=str(row.customer_id),
        status=_STATUS[row.status],
        score=row.score,
        owner_id=_id(row.owner_id),
        source_channel=row.source_channel,
        industry=row.industry,
        province=row.province,
        city=row.city,
        opportunity_id=_id(row.opportunity_id),
        create_time=row.created_at,
        update_time=row.updated_at,
        follow_up_time=row.followed_at,
    )
    requirement = words.get("requirement", "")
    lead.requirement = requirement if row.clear else mask_all(requirement)
    if requirement and not row.clear:
        lead.masked_fields.append("requirement")
    return lead


def facts(told: Sequence[lead_pb2.LeadFact], now: datetime) -> list[Fact]:
    return [
        Fact(
            kind=fact.kind,
            key=fact.key or str(new_id()),
            value=1 if fact.kind in COUNTED else fact.value,
            at=instant(fact, "occur_time", f"facts[{index}].occur_time") or now,
        )
        for index, fact in enumerate(told)
    ]


def score_message(row: Any) -> lead_pb2.LeadScore:
    return lead_pb2.LeadScore(
        score=row.score,
        rules_version=row.rules_version,
        inputs={name: _text(value) for name, value in row.inputs.items()},
        reasons=[lead_pb2.ScoreReason(rule=rule, points=points) for rule, points in row.reasons],
        create_time=row.created_at,
    )


def assignment_message(row: Any) -> lead_pb2.LeadAssignment:
    return lead_pb2.LeadAssignment(
        owner_id=_id(row.owner_id),
        way=row.way,
        matched=row.matched,
        candidates=row.candidates,
        equals=row.equals,
        passed_over=row.passed_over,
        create_time=row.created_at,
    )


def rules_draft(told: lead_pb2.LeadRules) -> LeadRules:
    return LeadRules(
        version=0,
        score_rules=tuple(ScoreRule(r.name, r.condition, r.points) for r in told.score_rules),
        target_industries=tuple(told.target_industries),
        threshold=told.threshold,
        return_after=_duration(told, "return_after"),
        first_follow_up=_duration(told, "first_follow_up"),
        second_follow_up=_duration(told, "second_follow_up"),
        claims_a_day=told.claims_a_day,
        most_held=told.most_held,
    )


def rules_message(rules: LeadRules, in_force: bool, created_at: datetime | None) -> lead_pb2.LeadRules:
    return lead_pb2.LeadRules(
        version=rules.version,
        score_rules=[
            lead_pb2.ScoreRule(name=r.name, condition=r.condition, points=r.points) for r in rules.score_rules
        ],
        target_industries=rules.target_industries,
        threshold=rules.threshold,
        return_after=rules.return_after,
        first_follow_up=rules.first_follow_up,
        second_follow_up=rules.second_follow_up,
        claims_a_day=rules.claims_a_day,
        most_held=rules.most_held,
        in_force=in_force,
        create_time=created_at,
    )


def profile_message(seller: Any) -> lead_pb2.SellerProfile:
    """The profile of a seller of the domain, or of a row of queries."""
    return lead_pb2.SellerProfile(
        user_id=str(seller.user_id),
        provinces=seller.provinces,
        industries=seller.industries,
        capacity=seller.capacity,
        absent_from=seller.absent_from.isoformat() if seller.absent_from else "",
        absent_until=seller.absent_until.isoformat() if seller.absent_until else "",
        held=seller.held,
    )


def follow_up_draft(told: follow_up_service_pb2.FollowUp, now: datetime) -> FollowUp:
    return FollowUp(
        method=told.method,
        content=told.content,
        feedback=told.feedback,
        next_step=told.next_step,
        occurred_at=instant(told, "occur_time", "follow_up.occur_time") or now,
        remind_at=instant(told, "remind_time", "follow_up.remind_time"),
    )


def follow_up_message(row: Any, words: Mapping[str, str], clear: bool) -> follow_up_service_pb2.FollowUp:
    shown = {name: words.get(name, "") for name in _WORDS}
    masked = [] if clear else [name for name, value in shown.items() if value]
    shown |= {name: mask_all(shown[name]) for name in masked}
    return follow_up_service_pb2.FollowUp(
        id=str(row.id),
        lead_id=str(row.lead_id),
        actor_id=row.actor_id,
        method=row.method,
        occur_time=row.occurred_at,
        remind_time=row.remind_at,
        masked_fields=masked,
        **shown,
    )


def reminder_message(row: Any) -> follow_up_service_pb2.Reminder:
    return follow_up_service_pb2.Reminder(
        id=str(row.id),
        lead_id=str(row.lead_id),
        user_id=str(row.user_id),
        kind=row.kind,
        due_time=row.due_at,
        raise_time=row.raised_at,
    )


def _duration(told: lead_pb2.LeadRules, field: str) -> timedelta:
    try:
        length: timedelta = getattr(told, field).ToTimedelta()
        return length
    except (ValueError, OverflowError):
        return timedelta(0)


def _id(value: UUID | None) -> str:
    return str(value) if value else ""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
