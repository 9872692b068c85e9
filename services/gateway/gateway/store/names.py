"""Display names of staff: sealed under each user's key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kernel.ops.logs import logger
from kernel.sql.crypto.errors import KeyringUnavailable
from kernel.sql.crypto.sealing import Sealer

log = logger(__name__)

_TABLE = "users"
_NAME = "display_name"


def seal_name(sealer: Sealer, user_id: UUID, name: str) -> bytes | None:
    """None for no name. Raises KeyringUnavailable or SubjectErased."""
    return sealer.seal(_TABLE, user_id, user_id, {_NAME: name}) if name else None


def open_names(sealer: Sealer, rows: Sequence[tuple[UUID, bytes | None]]) -> list[str | None]:
    """The names of (user id, sealed) rows, in order, with one question to the keyring.

    None where a name can't be read: while the keyring is away, users are shown without names.
    """
    page: Sequence[dict[str, Any] | None]
    try:
        page = sealer.open_page(_TABLE, [(user_id, user_id, sealed) for user_id, sealed in rows])
    except KeyringUnavailable:
        log.warning("names not readable", users=len(rows))
        page = [None] * len(rows)
    return [
        "" if sealed is None else (document[_NAME] if document else None)
        for (_, sealed), document in zip(rows, page, strict=True)
    ]
