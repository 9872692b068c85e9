"""What privacy asks of the archive: that the data of persons rests, or is erased (P-10)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from customer.domain.events import CustomersRecorded
from customer.usecases.ports import PURGE, Work
from kernel.pure.erasure import Erasure


def erase_subjects(work: Work, customer_ids: Collection[UUID]) -> Erasure:
    """Erases what is held of these, who are one person; a shell without name, deleted, keeps the facts.

    Companies are no data subjects, and stay. A second time nothing is found. Their keys are the
    caller's to destroy.
    """
    rows, shells = work.erasing.erase(customer_ids)
    for customer_id in customer_ids:
        work.cancel(PURGE, str(customer_id))
    if shells:
        work.record(CustomersRecorded(tuple(shells)))
    return Erasure(rows)
