"""Hiding a customer; after 30 days it is purged."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from customer.domain.customer import Customer
from customer.domain.events import CustomersRecorded
from customer.usecases.create_customers import recorded
from customer.usecases.ports import PURGE, Work
from kernel.pure.errors import StaleEtag

PERMISSION = "customer.customers.delete"
KEPT = timedelta(days=30)


def delete_customer(work: Work, customer_id: UUID, etag: str) -> Customer:
    """The customer, hidden from now on with all that were merged into it.

    `etag` is the version the caller has seen, or empty. Raises CustomerNotFound or StaleEtag.
    """
    customer = work.customers.lend(customer_id, PERMISSION)
    if etag and etag != str(customer.version):
        raise StaleEtag
    hidden = customer.deleted(work.now)
    work.customers.save(hidden, "delete")
    work.schedule(PURGE, str(hidden.id), work.now + KEPT)
    work.record(CustomersRecorded((recorded(hidden),)))
    work.audit("delete", "customer", hidden.id)
    return hidden


def purge_customers(work: Work, customer_ids: Collection[UUID]) -> list[UUID]:
    """Removes customers whose time to be brought back is over; answers which, with those merged into
    them. Only the audit and what sales knows of their orders remain."""
    purged = work.customers.purge(customer_ids)
    for customer_id in purged:
        work.audit("purge", "customer", customer_id)
    return purged
