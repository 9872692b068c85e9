"""Requests to erase, read from their rows."""

from __future__ import annotations

from datetime import date
from typing import Any

from kernel.pure.erasure import RetainedRows
from privacy.domain.erasure import Erasure, State, Task, TaskState


def erasure_of(row: Any) -> Erasure:
    """A request from its row."""
    return Erasure(
        id=row.id,
        customer_id=row.customer_id,
        received_at=row.received_at,
        due_at=row.due_at,
        state=State(row.state),
        subject_ids=tuple(row.subject_ids),
        attempt=row.attempt,
        check_from=row.check_from,
        tries=row.tries,
        tasks={name: _task(document) for name, document in row.tasks.items()},
        evidence=row.evidence,
        refusal_code=row.refusal_code,
        refusal_reason=row.refusal_reason,
        closed_at=row.closed_at,
    )


def _task(document: dict[str, Any]) -> Task:
    return Task(
        state=TaskState(document["state"]),
        found=set(document["found"]),
        empty=set(document["empty"]),
        counts=document["counts"],
        retained=tuple(
            RetainedRows(basis, date.fromisoformat(until), rows)
            for basis, until, rows in document["retained"]
        ),
    )
