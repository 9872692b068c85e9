"""Signing in, refreshing, exchanging a secret: who gets which principal, and who is refused."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from gateway.domain.errors import ClientRefused, RefreshTokenReused, SessionOver, SignInRefused
from gateway.domain.users import UserDraft
from gateway.usecases.create_user import create_service_account
from gateway.usecases.end_sessions import end_session, revoke_sessions
from gateway.usecases.sign_in import SignedIn, exchange_secret, refresh_session, sign_in
from gateway.usecases.update_user import update_user
from gateway.wiring import GatewayApp
from kernel.pure.clock import FixedClock
from kernel.pure.grants import ANONYMOUS, Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from tests.gateway.conftest import PASSWORD, MakeUser

GATEWAY = Principal.service("gateway")


def signed_in(app: GatewayApp, login: str, password: str = PASSWORD) -> SignedIn:
    with app.work(ANONYMOUS) as work:
        return sign_in(work, app.passwords, app.lifetimes, login, password)


def refreshed(app: GatewayApp, token: str) -> SignedIn:
    with app.work(ANONYMOUS) as work:
        return refresh_session(work, app.lifetimes, token)


def test_a_login_answers_the_grants_of_all_roles_and_the_team(app: GatewayApp, make_user: MakeUser) -> None:
    user = make_user("li.na", "seller", "sales_manager")
    principal = signed_in(app, " Li.Na").principal
    assert principal.kind is PrincipalKind.USER
    assert principal.id == str(user.id)
    assert principal.team_id is None
    assert principal.grants["customer.customers.read"] is Scope.SUBTREE
    assert UUID(principal.session_id)


def test_wrong_login_wrong_password_and_disabled_look_the_same(app: GatewayApp, make_user: MakeUser) -> None:
    make_user("li.na", "seller")
    make_user("gone", "seller", disabled=True)
    for login, password in (("nobody", PASSWORD), ("li.na", "wrong password!"), ("gone", PASSWORD)):
        with pytest.raises(SignInRefused):
            signed_in(app, login, password)


def test_an_unknown_login_costs_a_verification_too(app: GatewayApp) -> None:
    class Watching:
        asked: list[str | None] = []  # noqa: RUF012

        def hash(self, password: str) -> str:
            return password

        def matches(self, stored: str | None, password: str) -> bool:
            self.asked.append(stored)
            return False

    watching = Watching()
    with app.work(ANONYMOUS) as work, pytest.raises(SignInRefused):
        sign_in(work, watching, app.lifetimes, "nobody", PASSWORD)
    assert watching.asked == [None]


def test_a_refresh_keeps_the_session_and_takes_the_rights_of_now(
    app: GatewayApp, make_user: MakeUser
) -> None:
    user = make_user("li.na", "seller")
    first = signed_in(app, "li.na")
    with app.work(GATEWAY) as work:
        update_user(work, user.id, "", UserDraft("", "", None, ("auditor",)), {"role_ids"})
    second = refreshed(app, first.refresh_token)
    assert second.principal.session_id == first.principal.session_id
    assert second.refresh_token != first.refresh_token
    assert "gateway.roles.read" in second.principal.grants
    assert "customer.customers.update" not in second.principal.grants


def test_a_refresh_token_is_used_once(app: GatewayApp, make_user: MakeUser) -> None:
    make_user("li.na")
    first = signed_in(app, "li.na")
    refreshed(app, first.refresh_token)
    with pytest.raises(RefreshTokenReused) as reuse:
        refreshed(app, first.refresh_token)
    assert str(reuse.value.session_id) == first.principal.session_id


def test_nothing_refreshes_an_ended_session(app: GatewayApp, make_user: MakeUser) -> None:
    make_user("li.na")
    first = signed_in(app, "li.na")
    other = signed_in(app, "li.na")
    with app.work(GATEWAY) as work:
        end_session(work, UUID(first.principal.session_id), "logout")
    with pytest.raises(SessionOver):
        refreshed(app, first.refresh_token)
    assert refreshed(app, other.refresh_token).refresh_token


def test_revoking_ends_all_sessions_of_the_user_and_no_other(app: GatewayApp, make_user: MakeUser) -> None:
    user = make_user("li.na")
    make_user("wang.fang")
    mine = [signed_in(app, "li.na") for _ in range(2)]
    other = signed_in(app, "wang.fang")
    with app.work(GATEWAY) as work:
        assert revoke_sessions(work, user.id) == 2
    for session in mine:
        with pytest.raises(SessionOver):
            refreshed(app, session.refresh_token)
    assert refreshed(app, other.refresh_token).refresh_token


def test_a_disabled_user_can_neither_sign_in_nor_refresh(app: GatewayApp, make_user: MakeUser) -> None:
    user = make_user("li.na")
    session = signed_in(app, "li.na")
    with app.work(GATEWAY) as work:
        update_user(work, user.id, "", UserDraft("", "", None, (), disabled=True), {"disabled"})
    with pytest.raises(SignInRefused):
        signed_in(app, "li.na")
    with pytest.raises(SessionOver):
        refreshed(app, session.refresh_token)


def test_an_idle_session_is_over(app: GatewayApp, make_user: MakeUser, clock: FixedClock) -> None:
    make_user("li.na")
    session = signed_in(app, "li.na")
    clock.instant += app.lifetimes.idle
    with pytest.raises(SessionOver):
        refreshed(app, session.refresh_token)


def test_no_session_lasts_longer_than_the_longest(
    app: GatewayApp, make_user: MakeUser, clock: FixedClock
) -> None:
    make_user("li.na")
    token, started = signed_in(app, "li.na").refresh_token, clock.instant
    while clock.instant - started < app.lifetimes.longest - timedelta(days=5):
        clock.instant += timedelta(days=5)
        token = refreshed(app, token).refresh_token
    clock.instant += timedelta(days=5)
    with pytest.raises(SessionOver):
        refreshed(app, token)


def test_an_invented_refresh_token_is_refused(app: GatewayApp) -> None:
    for token in ("", "x" * 43):
        with pytest.raises(SessionOver):
            refreshed(app, token)


def test_a_service_account_exchanges_its_secret(app: GatewayApp) -> None:
    with app.work(GATEWAY) as work:
        account, secret = create_service_account(work, "ERP", ("integration",))
    with app.work(ANONYMOUS) as work:
        done = exchange_secret(work, account.id, secret)
        again = exchange_secret(work, account.id, secret)
    assert done.refresh_token == ""
    assert done.principal.kind is PrincipalKind.SERVICE_ACCOUNT
    assert done.principal.id == str(account.id)
    assert done.principal.grants["sales.orders.write"] is Scope.ALL
    assert done.principal.session_id != again.principal.session_id


def test_a_wrong_secret_or_an_unknown_account_is_refused(app: GatewayApp) -> None:
    with app.work(GATEWAY) as work:
        account, secret = create_service_account(work, "ERP", ("integration",))
    for client_id, client_secret in ((account.id, "wrong"), (new_id(), secret), (account.id, "")):
        with app.work(ANONYMOUS) as work, pytest.raises(ClientRefused):
            exchange_secret(work, client_id, client_secret)


def test_neither_secrets_nor_tokens_nor_passwords_are_stored(app: GatewayApp, make_user: MakeUser) -> None:
    make_user("li.na")
    session = signed_in(app, "li.na")
    with app.work(GATEWAY) as work:
        _, secret = create_service_account(work, "ERP", ())
    tables = ("users", "refresh_tokens", "service_accounts", "sessions", "audit", "outbox")
    stored = "".join(
        str(row.whole)
        for table in tables
        for row in app.reader.rows(f"select {table}::text as whole from {table}")
    )
    for hidden in (session.refresh_token, secret, PASSWORD):
        assert hidden not in stored
        assert hidden.encode().hex() not in stored
