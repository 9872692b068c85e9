"""Sessions, refresh tokens and revocations in the database."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Row, Table, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session as SqlSession

from gateway.domain.sessions import RefreshToken, Session
from gateway.store import tables

_sessions, _tokens = tables.sessions, tables.refresh_tokens


class SessionRepository:
    def __init__(self, session: SqlSession) -> None:
        self._session = session

    def add(self, session: Session) -> None:
        self._session.execute(
            insert(_sessions).values(
                id=session.id,
                user_id=session.user_id,
                created_at=session.created_at,
                expires_at=session.expires_at,
            )
        )

    def add_token(self, token: RefreshToken) -> None:
        self._session.execute(
            insert(_tokens).values(
                digest=token.digest, session_id=token.session_id, expires_at=token.expires_at
            )
        )

    def of_token(self, digest: bytes) -> tuple[Session, RefreshToken] | None:
        """The refresh token with this digest, and its session."""
        token_columns = (_tokens.c.digest, _tokens.c.used_at, _tokens.c.expires_at.label("token_expires_at"))
        query = (
            select(_sessions, *token_columns)
            .join(_tokens, _tokens.c.session_id == _sessions.c.id)
            .where(_tokens.c.digest == digest)
        )
        row = self._session.execute(query).first()
        if row is None:
            return None
        token = RefreshToken(row.digest, row.id, row.token_expires_at, used=row.used_at is not None)
        return _session(row), token

    def steady(self, session_id: UUID) -> Session | None:
        """The session, which nobody can end before the end of the transaction."""
        query = select(_sessions).where(_sessions.c.id == session_id).with_for_update(read=True)
        row = self._session.execute(query).first()
        return _session(row) if row else None

    def use_up(self, digest: bytes, now: datetime) -> bool:
        """Marks a refresh token as used; False when it was used before. Waits for who is using it."""
        unused = (_tokens.c.digest == digest, _tokens.c.used_at.is_(None))
        marked = update(_tokens).where(*unused).values(used_at=now).returning(_tokens.c.digest)
        return self._session.execute(marked).first() is not None

    def end(self, session_id: UUID, now: datetime) -> bool:
        """Ends a session; False when there is none or it had ended."""
        going = (_sessions.c.id == session_id, _sessions.c.ended_at.is_(None))
        ended = update(_sessions).where(*going).values(ended_at=now).returning(_sessions.c.id)
        return self._session.execute(ended).first() is not None

    def end_all(self, user_id: UUID, now: datetime) -> int:
        """Ends all sessions of a user; answers how many."""
        going = (_sessions.c.user_id == user_id, _sessions.c.ended_at.is_(None))
        ended = update(_sessions).where(*going).values(ended_at=now).returning(_sessions.c.id)
        return len(self._session.execute(ended).all())

    def void_tokens(self, subject_id: UUID, issued_before: datetime) -> None:
        """Revokes the access tokens issued to a user, service account or session until an instant."""
        self.void_all_tokens([subject_id], issued_before)

    def void_all_tokens(self, subject_ids: Collection[UUID], issued_before: datetime) -> None:
        """The same of many."""
        if not subject_ids:
            return
        statement = insert(tables.revocations)
        later = func.greatest(tables.revocations.c.issued_before, statement.excluded.issued_before)
        self._session.execute(
            statement.on_conflict_do_update(index_elements=["subject_id"], set_={"issued_before": later}),
            # In one order, so that two who revoke the same tokens don't wait for each other.
            [{"subject_id": subject, "issued_before": issued_before} for subject in sorted(subject_ids)],
        )

    def forget_tokens(self, now: datetime, most: int) -> int:
        """Deletes refresh tokens that have expired; answers how many, as the next two do."""
        return self._forget(_tokens, _tokens.c.digest, _tokens.c.expires_at <= now, most)

    def forget_sessions(self, now: datetime, ended_before: datetime, most: int) -> int:
        """Deletes sessions that have expired, or ended before an instant."""
        over = or_(_sessions.c.expires_at <= now, _sessions.c.ended_at <= ended_before)
        return self._forget(_sessions, _sessions.c.id, over, most)

    def forget_revocations(self, before: datetime, most: int) -> int:
        old = tables.revocations.c.issued_before <= before
        return self._forget(tables.revocations, tables.revocations.c.subject_id, old, most)

    def _forget(self, table: Table, key: Column[Any], over: ColumnElement[bool], most: int) -> int:
        chunk = select(key).where(over).limit(most).with_for_update(skip_locked=True)
        forgotten = delete(table).where(key.in_(chunk)).returning(key)
        return len(self._session.execute(forgotten).all())


def _session(row: Row[Any]) -> Session:
    return Session(row.id, row.user_id, row.created_at, row.expires_at, ended=row.ended_at is not None)
