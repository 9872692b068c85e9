"""Who has an external id already (C-03): told only to those whom that customer concerns."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from customer.domain.customer import ExternalId
from customer.domain.errors import DuplicateElsewhere
from customer.usecases.check_duplicates import count_question, forget_question
from customer.usecases.ports import Holder, Work


def holder_of(
    work: Work, external_ids: Collection[ExternalId], holders: Mapping[ExternalId, Holder]
) -> tuple[ExternalId, Holder] | None:
    """The first of these external ids that a customer within the caller's reach has, and who that is;
    None when all are free.

    `holders` are those of `work.customers.holders`. Asking is counted like a question after duplicates.
    Raises DuplicateElsewhere when only somebody out of reach has one, or TooManyQuestions.
    """
    if not external_ids:
        return None
    count_question(work)
    taken = [(key, holders[key]) for key in external_ids if key in holders]
    for key, holder in taken:
        if holder.within_reach:
            forget_question(work)
            return key, holder
    for _, holder in taken:
        # A refusal may roll this transaction back; that somebody learnt of it stays.
        work.audit_apart("refuse_external_id", "customer", holder.id)
        raise DuplicateElsewhere(team_id=holder.team_id or "")
    forget_question(work)
    return None
