"""A command sent twice under one request id has one effect and one answer (AIP-155).

The answer is kept sealed under the key of its day, which is destroyed after 48 hours; it goes earlier when
somebody it speaks of is erased, and is not given again while their data must rest.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from hashlib import blake2b
from typing import Any
from uuid import UUID

from kernel.pure.errors import AnswerErased, RequestIdReused, RequestInProgress
from kernel.sql.crypto.sealing import open_bytes, seal_bytes
from kernel.sql.subjects import refuse_restricted
from kernel.sql.uow import UnitOfWork

_THIS = "caller = %(caller)s and method = %(method)s and request_id = %(request_id)s"
_CLAIM = """
    insert into idempotency (caller, method, request_id, request_mac, day)
    values (%(caller)s, %(method)s, %(request_id)s, %(mac)s, %(day)s)
    on conflict do nothing returning day
"""
_ANSWERED = f"update idempotency set answer = %(answer)s, subject_ids = %(subjects)s where {_THIS}"
_GIVEN = f"select request_mac, day, answer, subject_ids, erased from idempotency where {_THIS}"
_ERASE = """
    update idempotency set answer = null, erased = true
    where answer is not null and subject_ids && %(ids)s::uuid[]
"""
# Whom an answer speaks of it names by their ids, as text.
_ID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")

DayKey = Callable[[date], bytes]


@dataclass(frozen=True)
class Request:
    """One command as it came: who, which method, which request id, which body."""

    caller: str
    method: str
    request_id: UUID
    body: bytes

    @property
    def _aad(self) -> bytes:
        return f"{self.caller}|{self.method}|{self.request_id}".encode()

    def claim(self, work: UnitOfWork, day_key: DayKey) -> bytes | None:
        """None when this is the first time; else the answer given then.

        Waits for a transaction that is carrying out the same request. Raises RequestIdReused when the
        body is another one; SubjectRestricted or AnswerErased when the answer speaks of somebody whose data
        must rest since, or is gone.
        """
        day = work.now.astimezone(UTC).date()
        claimed = self._run(work, _CLAIM, mac=self._mac(day_key(day)), day=day)
        return None if claimed else self._replay(work, day_key)

    def answered(self, work: UnitOfWork, day_key: DayKey, answer: bytes) -> None:
        """Keeps the answer, in the transaction of the effect."""
        day = work.now.astimezone(UTC).date()
        subjects = [UUID(found.decode()) for found in set(_ID.findall(answer))]
        self._run(work, _ANSWERED, answer=seal_bytes(day_key(day), self._aad, answer), subjects=subjects)

    def _replay(self, work: UnitOfWork, day_key: DayKey) -> bytes:
        row = next(iter(self._run(work, _GIVEN)), None)
        if row is None or (row.answer is None and not row.erased):
            raise RequestInProgress
        key = day_key(row.day)
        if not hmac.compare_digest(row.request_mac, self._mac(key)):
            raise RequestIdReused
        if row.erased:
            raise AnswerErased
        if not work.app.decides_on_rest:
            refuse_restricted(work.reader, row.subject_ids)
        return open_bytes(key, self._aad, row.answer)

    def _run(self, work: UnitOfWork, sql: str, **values: object) -> list[Any]:
        named = {"caller": self.caller, "method": self.method, "request_id": self.request_id}
        return work.reader.rows(sql, {**named, **values})

    def _mac(self, key: bytes) -> bytes:
        return blake2b(self.body, key=key, digest_size=32).digest()


def erase_answers(work: UnitOfWork, subject_ids: Sequence[UUID]) -> int:
    """Erases the answers that speak of these; how many there were. A second time finds nothing."""
    return work.session.connection().exec_driver_sql(_ERASE, {"ids": list(subject_ids)}).rowcount
