"""What ticketing holds of a person goes: words, mails as they came, addresses. Tickets stay as figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from kernel.pure.erasure import Erasure
from ticketing.domain.events import TicketsChanged
from ticketing.usecases.keep_ticket import changed
from ticketing.usecases.ports import CLOSE_TIMER, Work


def note_addresses(work: Work, subject_ids: Sequence[UUID], emails: Sequence[str]) -> None:
    """A person will be erased: what came from these addresses is theirs, though nobody said so."""
    work.erasing.note_addresses(subject_ids, emails)
    work.audit("note_addresses", "customer", subject_ids[0], addresses=len(emails))


def erase_customers(work: Work, customer_ids: Sequence[UUID]) -> Erasure:
    """Erases these, who are one person; a second time finds nothing.

    Tickets end, whatever their status. Their addresses are forgotten once nothing was found by them: a
    mail may be on its way while the first order comes.
    """
    ticket_ids = work.erasing.tickets_of(customer_ids)
    for ticket_id in ticket_ids:
        ticket = work.tickets.lend_to_join(ticket_id)
        ticket.erase(work.now)
        work.tickets.save(ticket)
        work.cancel(CLOSE_TIMER, str(ticket.id))
        work.record(TicketsChanged((changed(ticket),)))
    rows = Counter(
        tickets=len(ticket_ids),
        messages=work.messages.erase_of(ticket_ids),
        surveys=work.surveys.erase_of(ticket_ids),
        mails=work.mails.destroy_of(ticket_ids),
        ticket_keys=work.erasing.destroy_keys(ticket_ids),
        customers=work.erasing.customers_of(customer_ids),
        classes=work.erasing.classes_of(customer_ids),
    )
    if not ticket_ids:
        work.erasing.forget_addresses(customer_ids)
    return Erasure({table: count for table, count in rows.items() if count})
