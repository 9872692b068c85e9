"""Changing a customer."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from customer.domain.customer import OWN_CHANGEABLE, Customer, Profile, changed_fields, checked
from customer.domain.errors import ExternalIdTaken, OwnerOutOfReach
from customer.domain.events import CustomersRecorded
from customer.domain.survivors import edited, shown
from customer.usecases.check_duplicates import PERMISSION as READ
from customer.usecases.create_customers import recorded
from customer.usecases.find_holders import holder_of
from customer.usecases.ports import Work
from kernel.pure.clock import today
from kernel.pure.errors import Checks, PermissionDenied, StaleEtag
from kernel.pure.grants import Scope

PERMISSION = "customer.customers.update"


def update_customer(
    work: Work, customer_id: UUID, etag: str, change: Callable[[Profile], Profile]
) -> Customer:
    """The customer after `change` of the profile that it shows.

    A survivor shows what it absorbed, too: it takes over only what `change` made different.
    `etag` is the version the caller has seen, or empty. Raises CustomerNotFound, StaleEtag, Invalid,
    OwnerOutOfReach, ValueOfAbsorbed, ExternalIdTaken, or as in creating DuplicateElsewhere and
    TooManyQuestions; PermissionDenied for what customers may not change of themselves.
    """
    customer = work.customers.lend(customer_id, PERMISSION)
    if etag and etag != str(customer.version):
        raise StaleEtag
    absorbed = work.customers.absorbed(customer.id)
    checks, day = Checks(), today(work.clock)
    wanted = change(shown(customer.profile, absorbed))
    wanted = checked(wanted, checks, "customer", day, members=1 + len(absorbed))
    checks.raise_if_any()
    profile = checked(edited(customer.profile, absorbed, wanted), checks, "customer", day)
    checks.raise_if_any()
    fields = changed_fields(customer.profile, profile)
    if not fields:
        return customer
    if work.principal.scope_of(PERMISSION) is Scope.SELF and not OWN_CHANGEABLE.issuperset(fields):
        raise PermissionDenied(permission=PERMISSION)
    changed = customer.changed(profile)
    if changed.owner_id != customer.owner_id and not work.customers.reaches(changed.owner_id, PERMISSION):
        raise OwnerOutOfReach(id=changed.owner_id)
    added = set(profile.external_ids) - set(customer.profile.external_ids)
    taken = holder_of(work, sorted(added), work.customers.holders(added, READ))
    if taken is not None:
        raise ExternalIdTaken(source=taken[0].source, value=taken[0].value)
    work.customers.save(changed, "update", fields)
    work.record(CustomersRecorded((recorded(changed),)))
    work.audit("update", "customer", changed.id, fields=fields)
    return changed
