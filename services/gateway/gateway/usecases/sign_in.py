"""Signing in by password, staying signed in, and the exchange of a service account's secret."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gateway.domain.errors import (
    ClientRefused,
    PasswordChangeRequired,
    ProviderTokenRefused,
    RefreshTokenReused,
    SessionOver,
    SignInRefused,
)
from gateway.domain.identities import ForeignIdentity
from gateway.domain.roles import granted
from gateway.domain.sessions import Lifetimes, Session, digest, next_token, start_session
from gateway.domain.users import User, normalize_login
from gateway.usecases.ports import Passwords, Work
from kernel.pure.grants import Principal, PrincipalKind
from kernel.pure.ids import new_id


@dataclass(frozen=True)
class SignedIn:
    """Whom to mint an access token for, and the refresh token, empty for service accounts."""

    principal: Principal
    refresh_token: str


def sign_in(work: Work, passwords: Passwords, lifetimes: Lifetimes, login: str, password: str) -> SignedIn:
    """Starts a session of the user with this login. Raises SignInRefused or PasswordChangeRequired."""
    known = work.users.password_of(normalize_login(login))
    if not passwords.matches(known.stored if known else None, password) or known is None:
        raise SignInRefused
    user = work.users.steady(known.user_id)
    if user is None or user.disabled:
        raise SignInRefused
    if known.given:
        raise PasswordChangeRequired
    session = start_session(new_id(), user.id, work.now, lifetimes)
    work.sessions.add(session)
    work.audit("sign_in", "user", user.id, session=str(session.id))
    return _continued(work, lifetimes, user, session)


def sign_in_as(work: Work, lifetimes: Lifetimes, identity: ForeignIdentity) -> SignedIn:
    """Starts a session of the user whom a provider knows so. Raises ProviderTokenRefused."""
    user_id = work.users.linked(identity.issuer, identity.subject_digest)
    if user_id is None and identity.login:
        known = work.users.password_of(normalize_login(identity.login))
        user_id = known.user_id if known else None
    user = work.users.steady(user_id) if user_id else None
    if user is None or user.disabled:
        raise ProviderTokenRefused
    session = start_session(new_id(), user.id, work.now, lifetimes)
    work.sessions.add(session)
    work.audit("sign_in", "user", user.id, session=str(session.id), issuer=identity.issuer)
    return _continued(work, lifetimes, user, session)


def refresh_session(work: Work, lifetimes: Lifetimes, refresh_token: str) -> SignedIn:
    """Uses a refresh token up for a new one; grants are those of now.

    Raises SessionOver, or RefreshTokenReused: then the caller must end the session in a transaction
    of its own, for this one is undone.
    """
    known = work.sessions.of_token(digest(refresh_token))
    if known is None:
        raise SessionOver
    session, token = known
    # In this order, as those who change rights do: user, then session. The session is held last, so
    # that a caller who hears of the reuse can end it.
    user = work.users.steady(session.user_id)
    if not work.sessions.use_up(token.digest, work.now):
        raise RefreshTokenReused(session.id)
    held = work.sessions.steady(session.id)
    if user is None or user.disabled or held is None or held.over(work.now) or token.expires_at <= work.now:
        raise SessionOver
    return _continued(work, lifetimes, user, held)


def exchange_secret(work: Work, client_id: UUID, client_secret: str) -> SignedIn:
    """Who the service account is. Each token has a session id of its own, so that a logout voids
    that token only. Raises ClientRefused."""
    account, secrets = work.service_accounts.find(client_id) or (None, None)
    if account is None or secrets is None or not secrets.fit(digest(client_secret), work.now):
        raise ClientRefused
    if account.disabled:
        raise ClientRefused
    grants = granted(work.roles.of(account.role_ids))
    principal = Principal(PrincipalKind.SERVICE_ACCOUNT, str(account.id), grants, session_id=str(new_id()))
    return SignedIn(principal, "")


def _continued(work: Work, lifetimes: Lifetimes, user: User, session: Session) -> SignedIn:
    text, token = next_token(session, work.now, lifetimes)
    work.sessions.add_token(token)
    principal = Principal(
        PrincipalKind.USER,
        str(user.id),
        granted(work.roles.of(user.role_ids)),
        session_id=str(session.id),
        team_id=user.team_id,
        customer_id=user.customer_id,
    )
    return SignedIn(principal, text)
