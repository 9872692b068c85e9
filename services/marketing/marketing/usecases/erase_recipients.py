"""A person's data is erased: marketing holds ids and states only, so what waits goes and the counts stay."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel.pure.erasure import Erasure
from marketing.usecases.note_engagement import stop_waiting
from marketing.usecases.ports import Work


def erase_recipients(work: Work, customer_ids: Sequence[UUID]) -> Erasure:
    """Nothing that waits is sent to them any more. A second time finds nothing."""
    skipped = sum(stop_waiting(work, customer_id, "", "*", "ERASED") for customer_id in customer_ids)
    return Erasure({"messages": skipped, "links": work.links.forget(customer_ids)})
