"""From what somebody told of themselves to a customer (C-12): the known one, or a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from customer.domain.customer import NOBODY, Profile, checked
from customer.domain.duplicates import Hit, Pair, Party
from customer.domain.events import CustomersRecorded
from customer.usecases.check_duplicates import find_duplicates
from customer.usecases.create_customers import create_customer, recorded
from customer.usecases.ports import Work
from kernel.pure.clock import today
from kernel.pure.errors import Checks
from kernel.pure.ids import new_id

PERMISSION = "customer.customers.create"


@dataclass(frozen=True)
class Resolved:
    """The customer somebody is read through, and whose it is: NOBODY's perhaps."""

    customer_id: UUID
    owner_id: UUID
    created: bool


def resolve_person(work: Work, profile: Profile) -> Resolved:
    """The customer who is surely the one described, else a new one, beside whom those who may be the same
    are listed for review.

    A known customer stays as it is, but for an owner where it has none. Whoever describes the same one
    meanwhile waits, and finds it. Raises Invalid.
    """
    checks = Checks()
    profile = checked(profile, checks, "", today(work.clock))
    checks.raise_if_any()
    work.matches.hold([Party(new_id(), profile)])
    [found] = find_duplicates(work, [profile], PERMISSION)
    for hit in found:
        if hit.match.decision == "same":
            return _known(work, hit.customer_id, profile.owner_id)
    customer = create_customer(work, profile, allow_duplicate=True)
    work.pairs.put([_pair(hit, customer.id) for hit in found], since=work.now)
    return Resolved(customer.id, customer.owner_id, created=True)


def _known(work: Work, customer_id: UUID, owner_id: UUID | None) -> Resolved:
    customer = work.customers.lend(customer_id, PERMISSION)
    if customer.owner_id == NOBODY and owner_id is not None:
        customer = customer.changed(replace(customer.profile, owner_id=owner_id))
        work.customers.save(customer, "update", ["owner_id"])
        work.record(CustomersRecorded((recorded(customer),)))
        work.audit("update", "customer", customer.id, fields=["owner_id"])
    work.audit("resolve", "customer", customer.id)
    return Resolved(customer.id, customer.owner_id, created=False)


def _pair(hit: Hit, customer_id: UUID) -> Pair:
    """The known one is older, hence first."""
    return Pair(hit.customer_id, customer_id, hit.match.decision, hit.match.score, hit.match.reasons)
