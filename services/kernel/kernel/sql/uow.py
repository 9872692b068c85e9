"""The unit of work: one transaction of one service's database.

The door through which work comes in (gRPC method, event, timer, job) opens it and commits it once,
so that the effect, its facts, its audit rows and the mark that it was done are one transaction.
Use cases receive it open and never commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.jobs import deferral
from kernel.ops import trace
from kernel.pure.events import Event
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from kernel.sql import timers
from kernel.sql.engine import Reader, run_on
from kernel.sql.prepared import Params, Statement

if TYPE_CHECKING:
    from kernel.sql.app import App


_TELL = "insert into outbox (id, type, body) select * from unnest(%s::uuid[], %s::text[], %s::text[])"
_AUDIT = """
    insert into audit (id, at, actor_kind, actor_id, action, object_type, object_id, facts, trace_id)
    select * from jsonb_to_recordset(%s::jsonb) as noted (
        id uuid, at timestamptz, actor_kind text, actor_id text, action text, object_type text,
        object_id text, facts jsonb, trace_id text)
"""
_COMMIT: Statement = "commit", ()


class OpenReader(Reader):
    """Statements within an open transaction, which see what it has written."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def rows(self, sql: str, params: Params = ()) -> list[Any]:
        [rows] = self.run((sql, params))
        return rows

    def run(self, *statements: Statement) -> list[list[Any]]:
        """The rows of each statement, on one way to the database and back (kernel.sql.prepared.run)."""
        return run_on(self._session.connection(), *statements)


class UnitOfWork:
    """Services subclass it and add their repositories."""

    def __init__(self, app: App, principal: Principal) -> None:
        self.app = app
        self.principal = principal
        self.clock = app.clock
        # One instant for everything this transaction writes.
        self.now: datetime = app.clock.now()
        self.session = Session(app.engine, expire_on_commit=False, autoflush=False)
        # For answering with what was done, by the same queries as reads.
        self.reader = OpenReader(self.session)
        self._events: list[Event] = []
        self._audited: list[dict[str, Any]] = []
        self._discarded = False

    def record(self, event: Event) -> None:
        """Tells a fact: it is published after this transaction has committed, at least once."""
        self._events.append(event)

    def audit(self, action: str, object_type: str, object_id: object, **facts: object) -> None:
        """Notes who did what to which record. `facts` must not hold personal data."""
        self._audited.append(
            {
                "id": str(new_id()),
                "at": self.now.isoformat(),
                "actor_kind": self.principal.kind.value,
                "actor_id": self.principal.id,
                "action": action,
                "object_type": object_type,
                "object_id": str(object_id),
                "facts": facts,
                "trace_id": trace.trace_id() or None,
            }
        )

    def defer(self, job: str, *, lock: str | None = None, **arguments: object) -> None:
        """Lets the service's jobs process do `job` after this transaction has committed; of jobs with the
        same `lock` one at a time."""
        deferral.defer(self.session, job, arguments, lock=lock)

    def schedule(
        self, kind: str, key: str, due_at: datetime, payload: Mapping[str, Any] | None = None
    ) -> None:
        """Sets the timer (kind, key) to an instant, in place of an earlier setting."""
        timers.schedule(self.session, [timers.Timer(kind, key, due_at, dict(payload or {}))])

    def cancel(self, kind: str, key: str) -> None:
        """Forgets the timer (kind, key), if there is one."""
        timers.cancel(self.session, kind, [key])

    def discard(self) -> None:
        """Makes this a rehearsal: everything is checked against the database, nothing stays."""
        self._discarded = True

    def commit(self) -> None:
        """Writes what is pending and commits. Only doors call it."""
        self.session.flush()
        if self._discarded:
            return
        if self._events or self._audited:
            self.reader.run(*self._facts(), _COMMIT)
        # Finds nothing left to send then.
        self.session.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            # Rolls back what was not committed.
            self.session.close()

    def _facts(self) -> Iterator[Statement]:
        """What was told and what was audited."""
        if self._events:
            ids, types, bodies = zip(*map(self._row, self._events), strict=True)
            yield _TELL, (list(ids), list(types), list(bodies))
        if self._audited:
            yield _AUDIT, (json.dumps(self._audited),)

    def _row(self, event: Event) -> tuple[UUID, str, str]:
        """The outbox row: id, type, and the message as it will be published (CloudEvents 1.0 JSON)."""
        event_id = new_id()
        envelope = {
            "specversion": "1.0",
            "id": str(event_id),
            "type": event.type,
            "source": f"/crm/{self.app.service}",
            "subject": event.subject,
            "time": self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "traceparent": trace.current.get(),
            "data": event.data(),
        }
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
        return event_id, event.type, body
