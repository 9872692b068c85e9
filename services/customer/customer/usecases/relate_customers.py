"""Saying, and taking back, that two customers have to do with each other (C-03)."""

from __future__ import annotations

from uuid import UUID

from customer.domain.errors import CustomerNotFound, RelationExists, RelationNotFound
from customer.domain.relation import Relation, RelationDraft, check_ends, checked, refuse_itself
from customer.usecases.ports import Work
from kernel.pure.errors import Checks
from kernel.pure.ids import new_id

# A relation belongs to the customer it begins at; the other one must be known to whoever names it.
FROM, TO = "customer.customers.update", "customer.customers.read"
_AT = "relation"


def relate_customers(work: Work, draft: RelationDraft) -> Relation:
    """Relates two customers, or those that they were merged into.

    A new first contact of a company takes the place of the one before. Two customers have one
    relation of a kind, whichever way. Raises CustomerNotFound, Invalid or RelationExists.
    """
    checks = Checks()
    draft = checked(draft, checks, _AT)
    checks.raise_if_any()
    work.standing.hold([draft.from_id, draft.to_id])
    start, end = work.standing.of(draft.from_id, FROM), work.standing.of(draft.to_id, TO)
    if start.id == end.id:
        refuse_itself(checks, _AT)
    check_ends(draft.kind, start.kind, end.kind, checks, _AT)
    checks.raise_if_any()
    if work.relations.between(draft.kind, start.id, end.id):
        raise RelationExists(kind=draft.kind, from_id=start.id, to_id=end.id)
    relation = Relation(new_id(), draft.kind, start.id, end.id, draft.role, draft.primary)
    if relation.primary:
        for replaced in work.relations.demote(end.id):
            work.audit("update", "relation", replaced, fields=["primary"])
    work.relations.add(relation)
    work.audit("create", "relation", relation.id, kind=relation.kind, ends=[str(start.id), str(end.id)])
    return relation


def separate_customers(work: Work, relation_id: UUID) -> None:
    """Takes a relation back, with those that say the same of customers merged into its ends.

    Raises RelationNotFound, also when one of its ends is out of reach.
    """
    relation = work.relations.find(relation_id)
    if relation is None:
        raise RelationNotFound(id=relation_id)
    work.standing.hold([relation.from_id, relation.to_id])
    try:
        work.standing.of(relation.from_id, FROM)
        work.standing.of(relation.to_id, TO)
    except CustomerNotFound:
        raise RelationNotFound(id=relation_id) from None
    removed = {relation_id, *work.relations.between(relation.kind, relation.from_id, relation.to_id)}
    work.relations.remove(removed)
    for gone in sorted(removed):
        work.audit(
            "delete", "relation", gone, kind=relation.kind, ends=[str(relation.from_id), str(relation.to_id)]
        )
