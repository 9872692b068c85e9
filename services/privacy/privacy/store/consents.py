"""The ledger of consents, and the last word of each person on each purpose and channel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from kernel.pure.grants import Principal
from kernel.sql.crypto.blind import BlindIndex
from privacy.domain.consents import Channel, Proof, Said, State, Via, fingerprint, last_word
from privacy.domain.events import ChangedConsent

# The field whose blind index names persons in the ledger.
SUBJECT = "consent_subject"

_APPEND = text(
    "insert into consent_events (id, subject_ref, purpose_id, channel, state, effective_at, expires_at, via,"
    " proof, notice_id, major_version, separate, actor_kind, actor_id, recorded_at)"
    " values (:id, :subject_ref, :purpose_id, :channel, :state, :effective_at, :expires_at, :via,"
    " cast(:proof as jsonb), :notice_id, :major_version, :separate, :actor_kind, :actor_id, :recorded_at)"
)
_SETTLE = text(
    "insert into consents as held (subject_id, purpose_id, channel, version, event_id, state, weight,"
    " effective_at, expires_at, major_version)"
    " values (:subject_id, :purpose_id, :channel, 1, :id, :state, :weight, :effective_at, :expires_at,"
    " :major_version)"
    " on conflict (subject_id, purpose_id, channel) do update set version = held.version + 1,"
    " event_id = excluded.event_id, state = excluded.state, weight = excluded.weight,"
    " effective_at = excluded.effective_at, expires_at = excluded.expires_at,"
    " major_version = excluded.major_version"
    " where (held.effective_at, held.weight, held.event_id)"
    " < (excluded.effective_at, excluded.weight, excluded.event_id)"
    " returning version"
)
_DECIDES = text(
    "select e.*, c.subject_id from consents c join consent_events e on e.id = c.event_id"
    " where c.event_id = :id and c.subject_id = :subject_id for update of c"
)


class ConsentRepository:
    def __init__(self, session: Session, principal: Principal, blind: BlindIndex, now: datetime) -> None:
        self._session = session
        self._principal = principal
        self._blind = blind
        self._now = now

    def append(self, said: Sequence[Said]) -> list[str]:
        """Adds to the ledger; answers the fingerprints of the events."""
        refs = self._blind.tokens(SUBJECT, [str(one.subject_id) for one in said])
        self._session.execute(_APPEND, [self._row(one, ref) for one, ref in zip(said, refs, strict=True)])
        actor = (self._principal.kind.value, self._principal.id)
        return [fingerprint(one, ref, actor, self._now) for one, ref in zip(said, refs, strict=True)]

    def settle(self, said: Sequence[Said]) -> list[ChangedConsent]:
        """Takes over what decides now, of each person, purpose and channel; answers what changed."""
        changed = []
        keys = {one.key: [other for other in said if other.key == one.key] for one in said}
        # Keys in order, so that two batches can't deadlock.
        for key in sorted(keys):
            decisive = last_word(keys[key])
            assert decisive is not None
            row = self._session.execute(_SETTLE, _last_word_row(decisive)).first()
            if row is not None:
                subject_id, purpose_id, channel = key
                changed.append(
                    ChangedConsent(subject_id, purpose_id, channel.value, decisive.state.value, row.version)
                )
        return changed

    def decides(self, event_id: UUID, subject_id: UUID) -> Said | None:
        """The event when it still has the last word; None when something later was said."""
        row = self._session.execute(_DECIDES, {"id": event_id, "subject_id": subject_id}).first()
        return said_of(row, row.subject_id) if row else None

    def _row(self, one: Said, ref: bytes) -> dict[str, Any]:
        return {
            "id": one.id,
            "subject_ref": ref,
            "purpose_id": one.purpose_id,
            "channel": one.channel.value,
            "state": one.state.value,
            "effective_at": one.effective_at,
            "expires_at": one.expires_at,
            "via": one.via.value,
            "proof": json.dumps({name: value for name, value in vars(one.proof).items() if value}),
            "notice_id": one.notice_id,
            "major_version": one.major_version,
            "separate": one.separate,
            "actor_kind": self._principal.kind.value,
            "actor_id": self._principal.id,
            "recorded_at": self._now,
        }


def said_of(row: Any, subject_id: UUID) -> Said:
    """An event of the ledger from its row."""
    return Said(
        id=row.id,
        subject_id=subject_id,
        purpose_id=row.purpose_id,
        channel=Channel(row.channel),
        state=State(row.state),
        effective_at=row.effective_at,
        via=Via(row.via),
        proof=Proof(**row.proof),
        notice_id=row.notice_id,
        major_version=row.major_version,
        separate=row.separate,
        expires_at=row.expires_at,
    )


def _last_word_row(one: Said) -> dict[str, Any]:
    return {
        "subject_id": one.subject_id,
        "purpose_id": one.purpose_id,
        "channel": one.channel.value,
        "id": one.id,
        "state": one.state.value,
        "weight": one.rank[1],
        "effective_at": one.effective_at,
        "expires_at": one.expires_at,
        "major_version": one.major_version,
    }
