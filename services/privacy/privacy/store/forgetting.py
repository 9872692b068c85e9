"""What the privacy service itself holds of a person, taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from kernel.sql.crypto.blind import BlindIndex
from privacy.store.consents import SUBJECT

_DELETES = {
    "consents": text("delete from consents where subject_id = any(cast(:ids as uuid[]))"),
    "persons": text("delete from persons where person_id = any(cast(:ids as uuid[]))"),
    "links": text(
        "delete from links where customer_id = any(cast(:ids as uuid[]))"
        " or survivor_id = any(cast(:ids as uuid[]))"
    ),
    "timers": text("delete from timers where payload->>'subject' = any(cast(:texts as text[]))"),
}
_PROOFS = text("select count(*) from consent_events where subject_ref = any(cast(:refs as bytea[]))")


class Forgetting:
    def __init__(self, session: Session, blind: BlindIndex) -> None:
        self._session = session
        self._blind = blind

    def forget(self, subject_ids: Sequence[UUID]) -> dict[str, int]:
        """Deletes what names the person; answers the rows by table."""
        params: dict[str, Any] = {"ids": list(subject_ids), "texts": [str(one) for one in subject_ids]}
        gone = {}
        for table, delete in _DELETES.items():
            result: Any = self._session.execute(delete, params)
            gone[table] = result.rowcount
        return gone

    def proofs(self, subject_ids: Sequence[UUID]) -> int:
        """Events of the ledger that stay: they prove what was allowed, and name nobody."""
        refs = self._blind.tokens(SUBJECT, [str(one) for one in subject_ids])
        return int(self._session.execute(_PROOFS, {"refs": refs}).scalar_one())
