"""Taking a merged customer out again (C-12)."""

from __future__ import annotations

from uuid import UUID

from customer.domain.merging import to_release, tree_of
from customer.usecases.classify_customers import classify_customers
from customer.usecases.merge_customers import PERMISSION, tell_links
from customer.usecases.ports import Work


def unmerge_customer(work: Work, customer_id: UUID) -> UUID:
    """Lets an absorbed customer stand for itself again; answers the survivor it was taken out of.

    Whoever had been merged into it before comes along. What was edited since the merge stays with
    the survivor. Raises CustomerNotFound or NotMerged.
    """
    work.merges.alone()
    group = work.merges.groups([customer_id])
    work.purchases.hold(group)
    survivor_id = to_release(customer_id, work.merges.members(group, PERMISSION))
    decisions = work.merges.decisions(group)
    work.merges.decide([customer_id], decisions[customer_id], undone=True)
    tree = tree_of(customer_id, decisions)
    links = work.merges.link({member: None if member == customer_id else customer_id for member in tree})
    tell_links(work, links)
    work.merges.renew([survivor_id, customer_id])
    work.customers.keep_versions([survivor_id, customer_id], "unmerge")
    classify_customers(work, [survivor_id, *tree])
    # Nothing merges them again but somebody who wants it.
    work.pairs.part(tree, set(group) - tree)
    work.audit("unmerge", "customer", customer_id, survivor=str(survivor_id))
    return survivor_id
