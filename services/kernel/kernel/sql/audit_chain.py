"""Sealing: audit rows that have committed are put into the service's chain and told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from kernel.ops import metrics
from kernel.pure.audit_chain import (
    GENESIS,
    PURPOSE,
    AuditEntry,
    AuditSealed,
    Checkpoint,
    Fault,
    Link,
    chained,
    entry_of,
    first_fault,
    instant,
    sign,
)
from kernel.pure.grants import Principal
from kernel.pure.signing import Signer

if TYPE_CHECKING:
    from kernel.sql.app import App
    from kernel.sql.uow import UnitOfWork

# Rows sealed and told at once, and the text of their facts beyond which a batch ends.
BATCH = 500
_LARGEST = 1_000_000
CHECKPOINT_EVERY = timedelta(minutes=5)
CHECKPOINT_ROWS = 10_000

_TURN = text("select pg_try_advisory_xact_lock(hashtext('kernel.audit_chain'))")
_LAST = text("select position, hash from audit_chain order by position desc limit 1")
_LAST_SIGNED = text("select position, signed_at from audit_checkpoints order by position desc limit 1")
_TAKE = text(
    "with due as (select audit_id, sum(octet_length(a.facts::text)) over (order by a.id) as size"
    "  from (select audit_id from audit_unsealed order by audit_id limit :batch) u"
    "  join audit a on a.id = u.audit_id),"
    " taken as (delete from audit_unsealed where audit_id in"
    "  (select audit_id from due where size <= :largest"
    "   union (select audit_id from due order by size limit 1)) returning audit_id)"
    " select a.* from audit a join taken on a.id = audit_id order by a.id"
)
_APPEND = text(
    "insert into audit_chain (position, audit_id, hash)"
    " select * from unnest(cast(:positions as bigint[]), cast(:ids as uuid[]), cast(:hashes as bytea[]))"
)
_SIGN = text(
    "insert into audit_checkpoints (position, hash, signed_at, key_id, signature)"
    " values (:position, :hash, :at, :key_id, :signature)"
)
_WALK = """
    select c.position, c.hash, a.* from audit_chain c join audit a on a.id = c.audit_id
    where c.position > %(after)s order by c.position limit 5000
"""
_SIGNED = "select position, hash, signed_at, key_id, signature from audit_checkpoints order by position"


def signer_of(app: App) -> Signer:
    """Signs the checkpoints of a service; its key is in the service's keyring."""
    return Signer(app.keyring.service_key("audit-checkpoints", "1"), PURPOSE)


def seal_audit(app: App) -> int:
    """Seals one batch of audit rows and signs a checkpoint when one is due; answers how many it sealed.

    One at a time does it, whoever comes first. May raise KeyringUnavailable and SQLAlchemy's errors.
    """
    signer = signer_of(app)
    with app.work(Principal.service(app.service)) as work:
        if not work.session.execute(_TURN).scalar_one():
            return 0
        last = work.session.execute(_LAST).first()
        position, before = (last.position, bytes(last.hash)) if last else (0, GENESIS)
        rows = work.session.execute(_TAKE, {"batch": BATCH, "largest": _LARGEST}).all()
        entries = [_entry(row) for row in rows]
        hashes: list[bytes] = []
        for entry in entries:
            hashes.append(chained(hashes[-1] if hashes else before, entry))
        if rows:
            positions = list(range(position + 1, position + 1 + len(rows)))
            ids = [row.id for row in rows]
            work.session.execute(_APPEND, {"positions": positions, "ids": ids, "hashes": hashes})
        end, after = position + len(rows), hashes[-1] if hashes else before
        checkpoint = _checkpoint(work, signer, end, after)
        if rows or checkpoint:
            work.record(AuditSealed(str(position + 1), before.hex(), tuple(entries), after.hex(), checkpoint))
    metrics.audit_sealed.inc(len(rows))
    return len(rows)


def check_audit(app: App) -> Fault | None:
    """Walks the whole chain of this service's own rows; None when it is what was signed."""
    checkpoints = [
        Checkpoint(
            str(row.position), row.hash.hex(), instant(row.signed_at), row.key_id, "", row.signature.hex()
        )
        for row in app.reader.rows(_SIGNED)
    ]
    return first_fault(app.service, _links(app), checkpoints, signer_of(app).public)


def _checkpoint(work: UnitOfWork, signer: Signer, position: int, hash: bytes) -> Checkpoint | None:
    last = work.session.execute(_LAST_SIGNED).first()
    unsigned = position - (last.position if last else 0)
    waited = last is None or work.now - last.signed_at >= CHECKPOINT_EVERY
    if not unsigned or not (waited or unsigned >= CHECKPOINT_ROWS):
        return None
    made = sign(signer, work.app.service, position, hash, work.now)
    work.session.execute(
        _SIGN,
        {"position": position, "hash": hash, "at": work.now, "key_id": made.key_id,
         "signature": bytes.fromhex(made.signature)},
    )  # fmt: skip
    return made


def _links(app: App) -> Iterator[Link]:
    after = 0
    while rows := app.reader.rows(_WALK, {"after": after}):
        for row in rows:
            yield Link(row.position, _entry(row), bytes(row.hash))
        after = rows[-1].position


def _entry(row: Any) -> AuditEntry:
    return entry_of(
        row.at,
        row.facts,
        row.trace_id,
        id=row.id,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        action=row.action,
        object_type=row.object_type,
        object_id=row.object_id,
    )
