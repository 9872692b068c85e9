"""Revocations and sessions: who waits for whom, and what is forgotten when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from gateway.domain.users import UserDraft
from gateway.store import queries
from gateway.usecases.end_sessions import end_session
from gateway.usecases.forget_sessions import forget_sessions
from gateway.usecases.sign_in import SignedIn, refresh_session, sign_in
from gateway.usecases.update_user import update_user
from gateway.wiring import GatewayApp
from kernel.pure.clock import FixedClock
from kernel.pure.grants import ANONYMOUS, Principal
from kernel.pure.ids import new_id
from tests.gateway.conftest import PASSWORD, MakeUser
from tests.support.servers import eventually

GATEWAY = Principal.service("gateway")
_WAITING = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


def signed_in(app: GatewayApp, login: str) -> SignedIn:
    with app.work(ANONYMOUS) as work:
        return sign_in(work, app.passwords, app.lifetimes, login, PASSWORD)


def count(app: GatewayApp, table: str) -> int:
    return len(app.reader.rows(f"select from {table}"))


def void(app: GatewayApp, subject_id: UUID) -> None:
    with app.work(GATEWAY) as work:
        work.sessions.void_tokens(subject_id, work.now)


def test_revocations_are_told_until_the_last_token_has_expired(app: GatewayApp, clock: FixedClock) -> None:
    void(app, subject := new_id())
    clock.instant += timedelta(minutes=10)
    [row] = queries.recent_revocations(app.reader, clock.now())
    assert row.subject_id == subject
    clock.instant += timedelta(minutes=2)
    assert not queries.recent_revocations(app.reader, clock.now())


def test_a_later_revocation_of_the_same_subject_counts(app: GatewayApp, clock: FixedClock) -> None:
    void(app, subject := new_id())
    clock.instant += timedelta(minutes=1)
    void(app, subject)
    clock.instant -= timedelta(seconds=30)
    void(app, subject)
    [row] = queries.recent_revocations(app.reader, clock.now())
    assert row.issued_before == clock.now() + timedelta(seconds=30)


def test_a_change_of_rights_waits_for_a_refresh_and_voids_its_token(
    app: GatewayApp, make_user: MakeUser, clock: FixedClock
) -> None:
    """Otherwise a token minted from the old rights, a moment after the revocation, would live on."""
    user = make_user("li.na", "seller")
    token = signed_in(app, "li.na").refresh_token
    with ThreadPoolExecutor(1) as other, app.work(ANONYMOUS) as work:
        refresh_session(work, app.lifetimes, token)
        changed = other.submit(_take_rights, app, user.id)
        eventually(lambda: app.reader.rows(_WAITING), seconds=5)
        minted_at = clock.instant = clock.instant + timedelta(seconds=1)
        work.commit()
        changed.result(timeout=10)
    [row] = queries.recent_revocations(app.reader, clock.now())
    assert row.issued_before >= minted_at


def test_a_logout_waits_for_a_refresh_and_voids_its_token(
    app: GatewayApp, make_user: MakeUser, clock: FixedClock
) -> None:
    make_user("li.na")
    session = signed_in(app, "li.na")
    with ThreadPoolExecutor(1) as other, app.work(ANONYMOUS) as work:
        refresh_session(work, app.lifetimes, session.refresh_token)
        ended = other.submit(_log_out, app, UUID(session.principal.session_id))
        eventually(lambda: app.reader.rows(_WAITING), seconds=5)
        minted_at = clock.instant = clock.instant + timedelta(seconds=1)
        work.commit()
        ended.result(timeout=10)
    [row] = queries.recent_revocations(app.reader, clock.now())
    assert row.issued_before >= minted_at


def _take_rights(app: GatewayApp, user_id: UUID) -> None:
    with app.work(GATEWAY) as work:
        update_user(work, user_id, "", UserDraft("", "", None, ()), {"role_ids"})


def _log_out(app: GatewayApp, session_id: UUID) -> None:
    with app.work(GATEWAY) as work:
        end_session(work, session_id, "logout")


def test_what_can_not_matter_any_more_is_forgotten(
    app: GatewayApp, make_user: MakeUser, clock: FixedClock
) -> None:
    make_user("li.na")
    for _ in range(3):
        session = signed_in(app, "li.na")
        _log_out(app, UUID(session.principal.session_id))
    going = signed_in(app, "li.na")
    with app.work(GATEWAY) as work:
        assert not forget_sessions(work, 100)
    assert (count(app, "sessions"), count(app, "revocations")) == (4, 3)
    clock.instant += timedelta(days=2)
    with app.work(GATEWAY) as work:
        assert forget_sessions(work, 2)
        assert not forget_sessions(work, 2)
    assert (count(app, "sessions"), count(app, "refresh_tokens"), count(app, "revocations")) == (1, 1, 0)
    with app.work(ANONYMOUS) as work:
        assert refresh_session(work, app.lifetimes, going.refresh_token).refresh_token
    clock.instant += app.lifetimes.longest
    with app.work(GATEWAY) as work:
        assert not forget_sessions(work, 100)
    assert (count(app, "sessions"), count(app, "refresh_tokens")) == (0, 0)
