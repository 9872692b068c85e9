"""What persons said goes into the ledger, and is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from kernel.pure.errors import Checks, Invalid, Violation
from kernel.pure.ids import new_id
from privacy.domain.consents import LARGEST_BATCH, Channel, Proof, Said, State, Via, check_said
from privacy.domain.errors import NoticeNotFound, PurposeNotFound, SubjectUnknown
from privacy.domain.events import ConsentsChanged
from privacy.usecases.ports import Work

EXPIRES = "consent_expires"


def record_consents(work: Work, said: Sequence[Said]) -> list[Said]:
    """Records up to 500 words at once, all or none. Answers them as they stand in the ledger.

    Raises Invalid, PurposeNotFound, NoticeNotFound, or SubjectUnknown when one is out of the caller's reach
    or erased.
    """
    if not 1 <= len(said) <= LARGEST_BATCH:
        raise Invalid.of(Violation("events", "BATCH_SIZE", "must be 1 to 500", "必须是 1 到 500 条"))
    checks = Checks()
    for index, one in enumerate(said):
        found = Checks()
        check_said(one, work.now, found)
        checks.found += [violation.within(f"events[{index}]") for violation in found.found]
    checks.raise_if_any()
    subject_ids = {one.subject_id for one in said}
    if not work.persons.in_reach(subject_ids) or work.erased(subject_ids):
        raise SubjectUnknown
    recorded = _with_terms(work, said)
    _write(work, recorded)
    return recorded


def withdraw(work: Work, subject_id: UUID, purpose_id: str, channel: Channel, via: Via, proof: Proof) -> Said:
    """Takes a consent back, as of now. Raises PurposeNotFound or SubjectUnknown."""
    one = Said(new_id(), subject_id, purpose_id, channel, State.WITHDRAWN, work.now, via, proof)
    return record_consents(work, [one])[0]


def expire(work: Work, event_id: UUID, subject_id: UUID) -> None:
    """A grant has come to its end: says so in the ledger, unless something later was said."""
    said = work.consents.decides(event_id, subject_id)
    if said is not None and said.expires_at is not None:
        ended = replace(
            said, id=new_id(), state=State.EXPIRED, effective_at=said.expires_at, expires_at=None,
            via=Via.SYSTEM, proof=Proof(),
        )  # fmt: skip
        _write(work, [ended])


def _with_terms(work: Work, said: Sequence[Said]) -> list[Said]:
    """With the major version of the notice that each was shown."""
    purposes = {one.purpose_id for one in said}
    if work.purposes.known(purposes) != purposes:
        raise PurposeNotFound
    notices = work.purposes.notices({one.notice_id for one in said if one.notice_id})
    recorded = []
    for one in said:
        if one.notice_id is not None:
            purpose_id, major_version = notices.get(one.notice_id, ("", 0))
            if purpose_id != one.purpose_id:
                raise NoticeNotFound
            one = replace(one, major_version=major_version)
        recorded.append(one)
    return recorded


def _write(work: Work, said: Sequence[Said]) -> None:
    fingerprints = work.consents.append(said)
    changed = work.consents.settle(said)
    if changed:
        work.record(ConsentsChanged(tuple(changed)))
    for one, fingerprint in zip(said, fingerprints, strict=True):
        if one.expires_at is not None:
            work.schedule(EXPIRES, str(one.id), one.expires_at, {"subject": str(one.subject_id)})
        work.audit(
            "record_consent", "customer", one.subject_id,
            event=str(one.id), purpose=one.purpose_id, channel=one.channel.value, state=one.state.value,
            sha256=fingerprint,
        )  # fmt: skip
