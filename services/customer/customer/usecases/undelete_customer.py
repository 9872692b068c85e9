"""Bringing a deleted customer back."""

from __future__ import annotations

from uuid import UUID

from customer.domain.customer import Customer
from customer.domain.errors import CustomerNotDeleted
from customer.domain.events import CustomersRecorded
from customer.usecases.create_customers import recorded
from customer.usecases.delete_customer import PERMISSION
from customer.usecases.ports import PURGE, Work


def undelete_customer(work: Work, customer_id: UUID) -> Customer:
    """The customer, shown again. Raises CustomerNotFound or CustomerNotDeleted."""
    customer = work.customers.lend(customer_id, PERMISSION, deleted=True)
    if customer.deleted_at is None:
        raise CustomerNotDeleted(id=customer_id)
    shown = customer.undeleted()
    work.customers.save(shown, "undelete")
    work.cancel(PURGE, str(shown.id))
    work.record(CustomersRecorded((recorded(shown),)))
    work.audit("undelete", "customer", shown.id)
    return shown
