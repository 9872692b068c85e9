"""The audit rows of all services as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from kernel.pure.audit_chain import Checkpoint, Link
from privacy.domain.errors import AuditBatchBroken

_KEY = text("select public_key from seal_keys where service = :service")
_PIN = text(
    "insert into seal_keys (service, public_key) values (:service, :public_key) on conflict do nothing"
)
_KEEP = """
    insert into sealed_entries (service, position, hash, id, at, actor_kind, actor_id, action, object_type,
        object_id, facts, trace_id, object_ids)
    select %(service)s, told.*, case when facts::jsonb ? 'ids'
        then array(select jsonb_array_elements_text(facts::jsonb->'ids')) else array[object_id] end
    from unnest(%(position)s::bigint[], %(hash)s::bytea[], %(id)s::uuid[], %(at)s::timestamptz[],
        %(actor_kind)s::text[], %(actor_id)s::text[], %(action)s::text[], %(object_type)s::text[],
        %(object_id)s::text[], %(facts)s::text[], %(trace_id)s::text[])
        as told(position, hash, id, at, actor_kind, actor_id, action, object_type, object_id, facts, trace_id)
    on conflict do nothing
"""
# Rows kept before under the same positions that say something else.
_FORKED = """
    select e.position from sealed_entries e
    join unnest(%(position)s::bigint[], %(hash)s::bytea[]) told(position, hash) using (position)
    where e.service = %(service)s and e.hash <> told.hash order by 1 limit 1
"""
_KEEP_CHECKPOINT = text(
    "insert into sealed_checkpoints (service, position, hash, signed_at, key_id, signature)"
    " values (:service, :position, :hash, :signed_at, :key_id, :signature) on conflict do nothing"
)
_COLUMNS = ("id", "at", "actor_kind", "actor_id", "action", "object_type", "object_id", "facts", "trace_id")


class AuditRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def key_of(self, service: str) -> bytes | None:
        """The public key a service signs with; None before its first checkpoint."""
        key = self._session.execute(_KEY, {"service": service}).scalar()
        return bytes(key) if key is not None else None

    def keep(self, service: str, links: Sequence[Link]) -> None:
        """Adds what is not kept yet. Raises AuditBatchBroken when something else stands there."""
        if not links:
            return
        columns: dict[str, list[object]] = {
            name: [getattr(link.entry, name) for link in links] for name in _COLUMNS
        }
        columns["position"] = [link.position for link in links]
        columns["hash"] = [link.hash for link in links]
        connection = self._session.connection()
        connection.exec_driver_sql(_KEEP, {**columns, "service": service})
        forked = connection.exec_driver_sql(_FORKED, {**columns, "service": service}).first()
        if forked is not None:
            raise AuditBatchBroken(service=service, position=forked.position)

    def keep_checkpoint(self, service: str, checkpoint: Checkpoint) -> None:
        """Adds a checkpoint that was found true; the key of the first one is the key of the service."""
        public_key = bytes.fromhex(checkpoint.public_key)
        self._session.execute(_PIN, {"service": service, "public_key": public_key})
        self._session.execute(
            _KEEP_CHECKPOINT,
            {
                "service": service,
                "position": int(checkpoint.position),
                "hash": bytes.fromhex(checkpoint.hash),
                "signed_at": datetime.fromisoformat(checkpoint.signed_at),
                "key_id": checkpoint.key_id,
                "signature": bytes.fromhex(checkpoint.signature),
            },
        )
