"""A person's data is erased: marketing holds ids and states only, so what waits goes and the counts stay.
Where messages to them went is forgotten, but for the list of addresses that are not written to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel.pure.erasure import Erasure
from marketing.domain.suppression import Reason
from marketing.usecases.note_engagement import stop_waiting
from marketing.usecases.ports import Work
from marketing.usecases.suppress_addresses import suppress


def erase_recipients(work: Work, customer_ids: Sequence[UUID]) -> Erasure:
    """Nothing that waits is sent to them any more. A second time finds nothing."""
    skipped = sum(stop_waiting(work, customer_id, "", "*", "ERASED") for customer_id in customer_ids)
    went_to = work.messages.forget_addresses(customer_ids)
    for channel, address in sorted(set(went_to), key=lambda place: place[1]):
        suppress(work, channel, "", address, Reason.ERASED)
    links = work.links.forget(customer_ids)
    return Erasure({"messages": skipped, "addresses": len(went_to), "links": links})
