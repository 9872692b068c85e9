"""What a service sealed is checked before it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.pure.audit_chain import AuditEntry, Checkpoint, Link, chained, is_signed
from privacy.domain.errors import AuditBatchBroken


@dataclass(frozen=True)
class Batch:
    """Audit rows that a service says it sealed, from `first` on; `hash` is the chain's after the last one."""

    service: str
    first: int
    previous: bytes
    entries: Sequence[AuditEntry]
    hash: bytes
    checkpoint: Checkpoint | None


def links_of(batch: Batch, public: bytes | None) -> list[Link]:
    """The rows of a batch with their hashes, found to be what the batch says.

    `public` is the key the service is known by; None before its first checkpoint. Raises AuditBatchBroken.
    """
    links: list[Link] = []
    hash = batch.previous
    for position, entry in enumerate(batch.entries, start=batch.first):
        hash = chained(hash, entry)
        links.append(Link(position, entry, hash))
    if hash != batch.hash:
        raise AuditBatchBroken(service=batch.service, position=batch.first)
    if batch.checkpoint is not None and not _holds(batch, batch.checkpoint, public):
        raise AuditBatchBroken(service=batch.service, position=batch.checkpoint.position)
    return links


def _holds(batch: Batch, checkpoint: Checkpoint, public: bytes | None) -> bool:
    key = public or bytes.fromhex(checkpoint.public_key)
    end = batch.first + len(batch.entries) - 1
    return (
        checkpoint.position == str(end)
        and checkpoint.hash == batch.hash.hex()
        and is_signed(checkpoint, batch.service, key)
    )
