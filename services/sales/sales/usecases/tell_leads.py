"""A lead's state is told to whoever listens."""

from __future__ import annotations

from sales.domain.events import ChangedLead, LeadsChanged
from sales.domain.lead import Lead
from sales.usecases.ports import Work


def tell_lead(work: Work, lead: Lead) -> None:
    work.record(
        LeadsChanged(
            (
                ChangedLead(
                    lead_id=lead.id,
                    version=lead.version,
                    customer_id=lead.customer_id,
                    status=lead.status.value,
                    score=lead.score,
                    owner_id=lead.owner_id,
                    source_channel=lead.source_channel,
                ),
            )
        )
    )
