"""A command sent twice under one request id has one effect and one answer (AIP-155).

The answer is kept sealed under the key of its day, which is destroyed after 48 hours.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date
from hashlib import blake2b
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.dialects.postgresql import insert

from kernel.pure.errors import RequestIdReused, RequestInProgress
from kernel.sql import tables
from kernel.sql.crypto.sealing import open_bytes, seal_bytes
from kernel.sql.uow import UnitOfWork

_table = tables.idempotency
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
        body is another one.
        """
        day = work.now.astimezone(UTC).date()
        mark = insert(_table).values(
            caller=self.caller,
            method=self.method,
            request_id=self.request_id,
            request_mac=self._mac(day_key(day)),
            day=day,
        )
        claimed = work.session.execute(mark.on_conflict_do_nothing().returning(_table.c.day)).first()
        return None if claimed else self._replay(work, day_key)

    def answered(self, work: UnitOfWork, day_key: DayKey, answer: bytes) -> None:
        """Keeps the answer, in the transaction of the effect."""
        day = work.now.astimezone(UTC).date()
        sealed = seal_bytes(day_key(day), self._aad, answer)
        work.session.execute(update(_table).where(self._row()).values(answer=sealed))

    def _replay(self, work: UnitOfWork, day_key: DayKey) -> bytes:
        columns = (_table.c.request_mac, _table.c.day, _table.c.answer)
        row = work.session.execute(select(*columns).where(self._row())).first()
        if row is None or row.answer is None:
            raise RequestInProgress
        key = day_key(row.day)
        if not hmac.compare_digest(row.request_mac, self._mac(key)):
            raise RequestIdReused
        return open_bytes(key, self._aad, row.answer)

    def _row(self) -> ColumnElement[bool]:
        return and_(
            _table.c.caller == self.caller,
            _table.c.method == self.method,
            _table.c.request_id == self.request_id,
        )

    def _mac(self, key: bytes) -> bytes:
        return blake2b(self.body, key=key, digest_size=32).digest()
