"""Interactions in the database: the words of persons sealed, those of companies in clear."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from customer.domain.interaction import Interaction
from customer.store.timeline import CONTENT, SEALED_IN
from kernel.sql.crypto.sealing import Sealer

_ADD = """
    insert into interactions (id, customer_id, kind, channel, occurred_at, sealed, content, actor_id,
                              created_at)
    values (%(id)s, %(customer_id)s, %(kind)s, %(channel)s, %(occurred_at)s, %(sealed)s, %(content)s,
            %(actor_id)s, %(now)s)
"""


class InteractionRepository:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._connection = session.connection
        self._sealer = sealer
        self._now = now

    def add(self, interaction: Interaction, personal: bool) -> None:
        sealed = None
        if personal and interaction.content:
            sealed = self._sealer.seal(
                SEALED_IN, interaction.id, interaction.customer_id, {CONTENT: interaction.content}
            )
        params = {
            "id": interaction.id,
            "customer_id": interaction.customer_id,
            "kind": interaction.kind,
            "channel": interaction.channel,
            "occurred_at": interaction.occurred_at,
            "sealed": sealed,
            "content": None if personal else interaction.content,
            "actor_id": interaction.actor_id,
            "now": self._now,
        }
        self._connection().exec_driver_sql(_ADD, params)
