"""Sessions: what a login starts, refresh tokens keep up and a logout ends."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

ACCESS_TOKEN_LIFE = timedelta(minutes=10)
# Longer than any access token, by what clocks of different machines may differ.
REVOCATIONS_KEPT = ACCESS_TOKEN_LIFE + timedelta(minutes=1)

_SECRET_BYTES = 32


@dataclass(frozen=True)
class Lifetimes:
    """`idle`: a session that is not refreshed for so long is over; `longest`: every session is."""

    idle: timedelta
    longest: timedelta


@dataclass(frozen=True)
class Session:
    id: UUID
    user_id: UUID
    created_at: datetime
    # Whatever happens, it ends then.
    expires_at: datetime
    ended: bool = False

    def over(self, now: datetime) -> bool:
        return self.ended or self.expires_at <= now


@dataclass(frozen=True)
class RefreshToken:
    """What is kept of a refresh token: never the token itself."""

    digest: bytes
    session_id: UUID
    expires_at: datetime
    used: bool = False


def start_session(id: UUID, user_id: UUID, now: datetime, lifetimes: Lifetimes) -> Session:
    return Session(id, user_id, now, now + lifetimes.longest)


def next_token(session: Session, now: datetime, lifetimes: Lifetimes) -> tuple[str, RefreshToken]:
    """A new refresh token of the session: its text for the caller, and what is kept of it."""
    text = new_secret()
    expires_at = min(now + lifetimes.idle, session.expires_at)
    return text, RefreshToken(digest(text), session.id, expires_at)


def new_secret() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def digest(secret: str) -> bytes:
    """What is stored of a secret of ours. It has 256 random bits, so a fast hash can't be guessed from."""
    return sha256(secret.encode()).digest()
