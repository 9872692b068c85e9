"""Persons whose data must rest or is gone, as each service holds them; asked by every use of their data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.ops import metrics
from kernel.pure.errors import Precondition
from kernel.sql.engine import Reader

if TYPE_CHECKING:
    from kernel.sql.uow import UnitOfWork

_RESTRICT = """
    insert into restricted_subjects (subject_id, version, restricted)
    select * from unnest(%(ids)s::uuid[], %(versions)s::int[], %(restricted)s::bool[])
    on conflict (subject_id) do update set version = excluded.version, restricted = excluded.restricted
    where restricted_subjects.version < excluded.version
"""
_RESTRICTED = "select subject_id from restricted_subjects where restricted and subject_id = any(%(ids)s)"
_REMEMBER = """
    insert into erased_subjects (mac, request_id) select unnest(%(macs)s::bytea[]), %(request)s
    on conflict do nothing
"""
_ERASED = "select mac from erased_subjects where mac = any(%(macs)s)"


class SubjectRestricted(Precondition):
    """Somebody would use the data of a person who asked for its erasure, or whose request is looked at."""

    reason = "SUBJECT_RESTRICTED"
    en = "The data of this person is restricted: it may be stored and not used."
    zh = "该个人的信息已被限制处理：只能存储，不能使用。"


def restrict(session: Session, told: Sequence[tuple[UUID, int, bool]]) -> None:
    """Applies (subject id, version, restricted) rows that are newer than what is held."""
    # One statement can't touch a row twice: of a subject told twice the greater version stays.
    newest = {row[0]: row for row in sorted(told, key=lambda row: row[1])}
    if not newest:
        return
    ids, versions, states = (list(column) for column in zip(*newest.values(), strict=True))
    session.connection().exec_driver_sql(_RESTRICT, {"ids": ids, "versions": versions, "restricted": states})


def restricted(reader: Reader, subject_ids: Iterable[UUID]) -> set[UUID]:
    """Those of `subject_ids` whose data may not be used now."""
    ids = list(subject_ids)
    return {row.subject_id for row in reader.rows(_RESTRICTED, {"ids": ids})} if ids else set()


def refuse_restricted(reader: Reader, subject_ids: Iterable[UUID]) -> None:
    """Raises SubjectRestricted when one of them is."""
    if restricted(reader, subject_ids):
        raise SubjectRestricted


def remember_erased(work: UnitOfWork, subject_ids: Iterable[UUID], request_id: UUID) -> None:
    """Leaves a tombstone for each: a keyed hash, by which nobody learns who it was."""
    macs = list(_macs(work, subject_ids))
    work.session.connection().exec_driver_sql(_REMEMBER, {"macs": macs, "request": request_id})


def erased(work: UnitOfWork, subject_ids: Iterable[UUID]) -> set[UUID]:
    """Those of `subject_ids` that have a tombstone here."""
    by_mac = _macs(work, subject_ids)
    rows = work.reader.rows(_ERASED, {"macs": list(by_mac)}) if by_mac else []
    return {by_mac[bytes(row.mac)] for row in rows}


def drop_erased(work: UnitOfWork, handler: str, subject_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the subjects of a late event that must be ignored; `handler` names who counts them."""
    gone = erased(work, subject_ids)
    if gone:
        metrics.late_for_erased.labels(handler).inc(len(gone))
    return gone


def _macs(work: UnitOfWork, subject_ids: Iterable[UUID]) -> dict[bytes, UUID]:
    key = work.app.keyring.service_key("erased-subjects", "1")
    return {
        blake2b(subject_id.bytes, key=key, digest_size=16).digest(): subject_id for subject_id in subject_ids
    }
