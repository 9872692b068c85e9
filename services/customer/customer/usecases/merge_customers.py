"""Merging customers that are the same person or company (C-12)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from customer.domain.events import CustomersMerged, MergedCustomer
from customer.domain.merging import carried_along, check_request, to_absorb
from customer.usecases.classify_customers import classify_customers
from customer.usecases.ports import Work

PERMISSION = "customer.customers.merge"
_MOST_IN_AN_EVENT = 500


def merge_customers(work: Work, survivor_id: UUID, absorbed_ids: Sequence[UUID]) -> list[UUID]:
    """Lets up to 50 customers be read through a survivor; answers those that were not yet.

    Raises Invalid, CustomerNotFound, SurvivorAbsorbed, KindsDiffer or AlreadyMerged; nothing is
    merged then.
    """
    check_request(survivor_id, absorbed_ids)
    work.merges.alone()
    group = work.merges.groups([survivor_id, *absorbed_ids])
    work.purchases.hold(group)
    known = work.merges.members(group, PERMISSION)
    taken = to_absorb(survivor_id, absorbed_ids, known)
    if not taken:
        return []
    work.merges.decide(taken, survivor_id)
    moved = {*taken, *carried_along(taken, known.values())}
    links = work.merges.link(dict.fromkeys(moved, survivor_id))
    tell_links(work, links)
    work.merges.renew([survivor_id, *taken])
    work.customers.keep_versions([survivor_id, *taken], "merge")
    classify_customers(work, [survivor_id, *moved])
    work.pairs.merged([survivor_id, *moved, *carried_along([survivor_id], known.values())])
    for absorbed_id in taken:
        work.audit("merge", "customer", absorbed_id, survivor=str(survivor_id))
    return taken


def tell_links(work: Work, links: Sequence[MergedCustomer]) -> None:
    """Tells whom each of these customers is read through now."""
    for start in range(0, len(links), _MOST_IN_AN_EVENT):
        work.record(CustomersMerged(tuple(links[start : start + _MOST_IN_AN_EVENT])))
