"""Ending sessions: refresh tokens stop working at once, access tokens when all services have heard."""

from __future__ import annotations

from uuid import UUID

from gateway.usecases.ports import Work


def end_session(work: Work, session_id: UUID, cause: str) -> None:
    """Ends one session and voids its access tokens; no error when it had ended."""
    work.sessions.end(session_id, work.now)
    # Not the instant at which this transaction began: a token may have been minted since.
    work.sessions.void_tokens(session_id, work.clock.now())
    work.audit("end_session", "session", session_id, cause=cause)


def revoke_sessions(work: Work, user_id: UUID) -> int:
    """Ends all sessions of a user; answers how many. Raises UserNotFound."""
    work.users.lend(user_id)
    ended = work.sessions.end_all(user_id, work.now)
    work.sessions.void_tokens(user_id, work.clock.now())
    work.audit("revoke_sessions", "user", user_id, sessions=ended)
    return ended
