"""Reads mails as they came."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

SEALED_IN = "mails"
_RAW = "select id, sealed from mails where id = %(id)s and state = 'stored'"
_LEFT = (
    "select id from mails where state = 'stored' and received_at < %(before)s order by received_at limit 100"
)


def get_raw(reader: Reader, sealer: Sealer, mail_id: UUID) -> bytes | None:
    """A mail that is still to be taken; None for any other."""
    row: Any = reader.row(_RAW, {"id": mail_id})
    return None if row is None else sealer.open_data(SEALED_IN, row.id, row.id, row.sealed)


def left_behind(reader: Reader, before: datetime) -> list[UUID]:
    """Ids of mails that came before an instant and were not taken yet."""
    return [row.id for row in reader.rows(_LEFT, {"before": before})]
