"""Forms by which customers tell their concerns."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from ticketing.usecases.ports import Form

_ADD = "insert into ticket_forms (id, title, key, created_at) values (%(id)s, %(title)s, %(key)s, %(now)s)"
_GET = "select id, title, key from ticket_forms where id = %(id)s"


class FormRepository:
    def __init__(self, session: Session, now: datetime) -> None:
        self._connection = session.connection
        self._now = now

    def add(self, form: Form) -> None:
        self._connection().exec_driver_sql(_ADD, {**vars(form), "now": self._now})

    def get(self, form_id: UUID) -> Form | None:
        row = self._connection().exec_driver_sql(_GET, {"id": form_id}).first()
        return None if row is None else Form(row.id, row.title, row.key)
