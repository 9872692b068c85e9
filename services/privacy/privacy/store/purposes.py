"""Purposes and notices as rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from privacy.domain.errors import PurposeExists, PurposeNotFound
from privacy.domain.purposes import Notice, Purpose

_ADD = text(
    "insert into purposes (id, title_zh, title_en, basis) values (:id, :title_zh, :title_en, :basis)"
    " on conflict do nothing returning id"
)
# Locked, so that versions of its notices have no gap and no twin.
_HOLD = text("select id from purposes where id = :id for update")
_LAST = text("select * from notices where purpose_id = :id order by version desc limit 1")
_PUBLISH = text(
    "insert into notices (id, purpose_id, version, major_version, text_zh, text_en, sha256, published_at)"
    " values (:id, :purpose_id, :version, :major_version, :text_zh, :text_en, :sha256, :published_at)"
)
_KNOWN = text("select id from purposes where id = any(cast(:ids as text[]))")
_NOTICES = text("select id, purpose_id, major_version from notices where id = any(cast(:ids as uuid[]))")


class PurposeRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, purpose: Purpose) -> None:
        """Raises PurposeExists."""
        row = {**vars(purpose), "basis": purpose.basis.value}
        if self._session.execute(_ADD, row).first() is None:
            raise PurposeExists

    def known(self, purpose_ids: Collection[str]) -> set[str]:
        return set(self._session.execute(_KNOWN, {"ids": list(purpose_ids)}).scalars())

    def last_notice(self, purpose_id: str) -> Notice | None:
        """The newest notice of a purpose, which stays the newest until the transaction ends."""
        if self._session.execute(_HOLD, {"id": purpose_id}).first() is None:
            raise PurposeNotFound
        row = self._session.execute(_LAST, {"id": purpose_id}).first()
        return _notice(row) if row else None

    def publish(self, notice: Notice) -> None:
        self._session.execute(_PUBLISH, {**vars(notice), "sha256": notice.sha256})

    def notices(self, notice_ids: Collection[UUID]) -> Mapping[UUID, tuple[str, int]]:
        rows = self._session.execute(_NOTICES, {"ids": list(notice_ids)})
        return {row.id: (row.purpose_id, row.major_version) for row in rows}


def _notice(row: Any) -> Notice:
    return Notice(
        id=row.id,
        purpose_id=row.purpose_id,
        version=row.version,
        major_version=row.major_version,
        text_zh=row.text_zh,
        text_en=row.text_en,
        published_at=row.published_at,
    )
