"""The chain that makes audit rows tamper-evident: h(i) = SHA-256(h(i-1) || row(i)), and signed checkpoints.

Whoever holds rows, hashes and checkpoints can check them with nothing but this file and the public keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import ClassVar, NamedTuple

from kernel.pure.events import Event
from kernel.pure.signing import Signer, verifies

PURPOSE = "crm-audit-checkpoint"
# What stands before the first row of a service.
GENESIS = bytes(32)


@dataclass(frozen=True)
class AuditEntry:
    """One audit row as text, in the form that is hashed; `facts` is JSON with sorted keys."""

    id: str
    at: str
    actor_kind: str
    actor_id: str
    action: str
    object_type: str
    object_id: str
    facts: str
    trace_id: str


@dataclass(frozen=True)
class Checkpoint:
    """A signature over the chain up to and with `position` (decimal text); bytes are hexadecimal."""

    position: str
    hash: str
    signed_at: str
    key_id: str
    public_key: str
    signature: str


@dataclass(frozen=True)
class AuditSealed(Event):
    """Audit rows of the service named by the envelope's source were sealed; or only a checkpoint signed."""

    type: ClassVar[str] = "crm.event.v1.AuditSealed"

    # Decimal text: a busy service audits more than 32 bits can count.
    first_position: str
    previous_hash: str
    entries: tuple[AuditEntry, ...]
    hash: str
    checkpoint: Checkpoint | None


class Link(NamedTuple):
    """A row in its place: position, row, and the hash the chain has there."""

    position: int
    entry: AuditEntry
    hash: bytes


class Fault(NamedTuple):
    """The first place at which a chain is not what was signed, and why."""

    position: int
    why: str


def entry_of(at: datetime, facts: Mapping[str, object], trace_id: str | None, **texts: object) -> AuditEntry:
    """The entry of an audit row; `texts` are its other columns."""
    return AuditEntry(
        at=instant(at),
        facts=json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
        trace_id=trace_id or "",
        **{name: str(value) for name, value in texts.items()},
    )


def instant(at: datetime) -> str:
    """UTC with all six digits of a second, so that the same instant is always the same text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def chained(previous: bytes, entry: AuditEntry) -> bytes:
    """The hash of a row that follows `previous`."""
    canonical = json.dumps(astuple(entry), ensure_ascii=False, separators=(",", ":"))
    return sha256(previous + canonical.encode()).digest()


def sign(signer: Signer, service: str, position: int, hash: bytes, at: datetime) -> Checkpoint:
    """A checkpoint of the chain of `service`; `signer` signs for PURPOSE."""
    signed_at = instant(at)
    signature = signer.sign(_signed(service, str(position), hash.hex(), signed_at))
    return Checkpoint(
        str(position), hash.hex(), signed_at, signer.key_id, signer.public.hex(), signature.hex()
    )


def is_signed(checkpoint: Checkpoint, service: str, public: bytes) -> bool:
    """Whether the checkpoint was signed with this key, for this service and as it stands."""
    data = _signed(service, checkpoint.position, checkpoint.hash, checkpoint.signed_at)
    return verifies(public, PURPOSE, data, bytes.fromhex(checkpoint.signature))


def first_fault(
    service: str,
    links: Iterable[Link],
    checkpoints: Sequence[Checkpoint],
    public: bytes,
    *,
    start: int = 1,
    previous: bytes = GENESIS,
) -> Fault | None:
    """Walks a chain from position `start`, which follows the hash `previous`; None when all is well.

    Every row must stand in its place with its hash, every checkpoint be signed with `public` and say
    what the chain says there, and the chain reach as far as the last checkpoint.
    """
    signed = {int(checkpoint.position): checkpoint for checkpoint in checkpoints}
    expected = start
    for link in links:
        if link.position != expected:
            return Fault(expected, "MISSING")
        previous = chained(previous, link.entry)
        if previous != link.hash:
            return Fault(expected, "ALTERED")
        checkpoint = signed.pop(expected, None)
        if checkpoint is not None:
            if not is_signed(checkpoint, service, public):
                return Fault(expected, "CHECKPOINT_FORGED")
            if checkpoint.hash != previous.hex():
                return Fault(expected, "REWRITTEN")
        expected += 1
    if any(position >= expected for position in signed):
        return Fault(expected, "TRUNCATED")
    if any(position >= start for position in signed):
        return Fault(min(position for position in signed if position >= start), "CHECKPOINT_FORGED")
    return None


def _signed(service: str, position: str, hash: str, signed_at: str) -> bytes:
    return "|".join((service, position, hash, signed_at)).encode()
