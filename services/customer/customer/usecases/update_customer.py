"""Changing a customer."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from customer.domain.customer import OWN_CHANGEABLE, Customer, Profile, changed_fields, checked
from customer.domain.errors import ExternalIdTaken
from customer.domain.events import CustomersRecorded
from customer.usecases.create_customers import recorded
from customer.usecases.ports import Work
from kernel.pure.clock import today
from kernel.pure.errors import Checks, PermissionDenied, StaleEtag
from kernel.pure.grants import Scope

PERMISSION = "customer.customers.update"


def update_customer(
    work: Work, customer_id: UUID, etag: str, change: Callable[[Profile], Profile]
) -> Customer:
    """The customer after `change` of its profile.

    `etag` is the version the caller has seen, or empty. Raises CustomerNotFound, StaleEtag, Invalid,
    ExternalIdTaken, or PermissionDenied for what customers may not change of themselves.
    """
    customer = work.customers.lend(customer_id, PERMISSION)
    if etag and etag != str(customer.version):
        raise StaleEtag
    checks = Checks()
    profile = checked(change(customer.profile), checks, "customer", today(work.clock))
    checks.raise_if_any()
    for external_id, holder in work.customers.holders(profile.external_ids).items():
        if holder != customer.id:
            raise ExternalIdTaken(source=external_id.source, value=external_id.value)
    changed = customer.changed(profile)
    fields = changed_fields(customer.profile, profile)
    if not fields:
        return customer
    if work.principal.scope_of(PERMISSION) is Scope.SELF and not OWN_CHANGEABLE.issuperset(fields):
        raise PermissionDenied(permission=PERMISSION)
    work.customers.save(changed, "update", fields)
    work.record(CustomersRecorded((recorded(changed),)))
    work.audit("update", "customer", changed.id, fields=fields)
    return changed
