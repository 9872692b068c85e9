"""Recording what happened with a customer (C-05, C-07, C-34)."""

from __future__ import annotations

from uuid import UUID

from customer.domain.interaction import Interaction, InteractionDraft, checked
from customer.usecases.ports import Work
from kernel.pure.errors import Checks
from kernel.pure.ids import new_id

PERMISSION = "customer.interactions.create"


def record_interaction(work: Work, customer_id: UUID, draft: InteractionDraft) -> Interaction:
    """Keeps an interaction of a customer, or of the one that it was merged into.

    Raises CustomerNotFound, Invalid, or SubjectErased for a person whose data were erased.
    """
    customer = work.standing.of(customer_id, PERMISSION)
    checks = Checks()
    draft = checked(draft, checks, "interaction", work.now)
    checks.raise_if_any()
    interaction = Interaction(
        id=new_id(),
        customer_id=customer.id,
        kind=draft.kind,
        channel=draft.channel,
        content=draft.content,
        occurred_at=draft.occurred_at or work.now,
        actor_id=work.principal.id,
    )
    work.interactions.add(interaction, personal=customer.kind == "person")
    work.audit("create", "interaction", interaction.id, customer=str(customer.id), kind=interaction.kind)
    return interaction
