"""Requests to erase as rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from kernel.pure.ids import new_id
from kernel.sql.uow import UnitOfWork
from privacy.domain.erasure import Erasure, Task
from privacy.domain.errors import ErasureNotFound, ErasureOpen
from privacy.store.reading import erasure_of

_COLUMNS = (
    "customer_id", "subject_ids", "state", "attempt", "check_from", "tries", "tasks", "evidence",
    "refusal_code", "refusal_reason", "received_at", "due_at", "closed_at",
)  # fmt: skip
_NAMES = ", ".join(_COLUMNS)
_VALUES = ", ".join(f"cast(:{name} as jsonb)" if name == "tasks" else f":{name}" for name in _COLUMNS)
_ADD = text(f"insert into erasures (id, {_NAMES}) values (:id, {_VALUES})")
_SAVE = text(f"update erasures set ({_NAMES}) = row ({_VALUES}) where id = :id")
_GET = text("select * from erasures where id = :id for update")
_HELD = text(
    "select * from erasures where state = 'held' and subject_ids && cast(:ids as uuid[]) order by id"
    " for update"
)
_CLOSED = text(
    "select * from erasures where state = 'closed' and closed_at >= :since and closed_at < :before"
    " order by id limit :limit for update"
)
_CERTIFY = text("update erasures set certificate = :document where id = :id")
_NOTE = text(
    "insert into erasure_log (id, erasure_id, at, what, facts)"
    " values (:id, :erasure_id, :at, :what, cast(:facts as jsonb))"
)
_RESTRICT = text(
    "insert into restrictions as held (subject_id, version, restricted) values (:id, 1, :restricted)"
    " on conflict (subject_id) do update set version = held.version + 1, restricted = :restricted"
    " returning version"
)


class ErasureRepository:
    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._session = work.session

    def add(self, erasure: Erasure) -> None:
        """Raises ErasureOpen when one for the same person is open."""
        try:
            with self._session.begin_nested():
                self._session.execute(_ADD, _row(erasure))
        except IntegrityError as error:
            raise ErasureOpen from error

    def get(self, erasure_id: UUID) -> Erasure:
        """The request, for nobody else until the transaction ends. Raises ErasureNotFound."""
        row = self._session.execute(_GET, {"id": erasure_id}).first()
        if row is None:
            raise ErasureNotFound
        return erasure_of(row)

    def held(self, subject_ids: Sequence[UUID]) -> list[Erasure]:
        """Those that wait for holds on one of these persons."""
        rows = self._session.execute(_HELD, {"ids": list(subject_ids)})
        return [erasure_of(row) for row in rows]

    def closed(self, since: datetime, before: datetime, limit: int) -> list[Erasure]:
        """Up to `limit` of those that were closed within this time, locked."""
        rows = self._session.execute(_CLOSED, {"since": since, "before": before, "limit": limit})
        return [erasure_of(row) for row in rows]

    def save(self, erasure: Erasure) -> None:
        self._session.execute(_SAVE, _row(erasure))

    def certify(self, erasure_id: UUID, document: str) -> None:
        self._session.execute(_CERTIFY, {"id": erasure_id, "document": document})

    def note(self, erasure_id: UUID, what: str, **facts: object) -> None:
        """Adds a line to the request's log."""
        row = {"id": new_id(), "erasure_id": erasure_id, "at": self._work.now, "what": what}
        self._session.execute(_NOTE, {**row, "facts": json.dumps(facts, default=str)})

    def restrict(self, subject_ids: Sequence[UUID], restricted: bool) -> dict[UUID, int]:
        """Notes whose data rests from now on, or no longer; answers the version of each."""
        return {
            subject_id: self._session.execute(
                _RESTRICT, {"id": subject_id, "restricted": restricted}
            ).scalar_one()
            for subject_id in sorted(subject_ids)
        }


def _row(erasure: Erasure) -> dict[str, Any]:
    row = {name: getattr(erasure, name) for name in ("id", *_COLUMNS)}
    tasks = {name: _document(task) for name, task in erasure.tasks.items()}
    return {
        **row,
        "state": erasure.state.value,
        "subject_ids": list(erasure.subject_ids),
        "tasks": json.dumps(tasks),
    }


def _document(task: Task) -> dict[str, Any]:
    return {
        "state": task.state.value,
        "found": sorted(task.found),
        "empty": sorted(task.empty),
        "counts": task.counts,
        "retained": [[one.basis, one.until.isoformat(), one.rows] for one in task.retained],
    }
