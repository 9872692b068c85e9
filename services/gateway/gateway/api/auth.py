"""AuthService and TrustService: signing in and out, and what others must know to believe a token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from crm.gateway.v1 import auth_service_pb2 as pb
from crm.gateway.v1.identity_pb2 import Tokens
from gateway import metrics
from gateway.api import access_tokens, translate
from gateway.api.provider_tokens import ProviderTokens
from gateway.domain.errors import RefreshTokenReused, TooManyAttempts
from gateway.domain.users import normalize_login
from gateway.store import queries
from gateway.usecases.change_password import change_password
from gateway.usecases.end_sessions import end_session
from gateway.usecases.sign_in import exchange_secret, refresh_session, sign_in, sign_in_as
from gateway.wiring import GatewayApp
from kernel.pure.grants import Grant, Principal, Scope, widest
from kernel.pure.ids import parse_id
from kernel.rpc.call import Call


class AuthServicer:
    def __init__(self, app: GatewayApp, providers: ProviderTokens) -> None:
        self._app = app
        self._providers = providers

    def login(self, request: pb.LoginRequest, call: Call) -> Tokens:
        app = self._app
        with self._attempt("password", normalize_login(request.login), call):
            done = sign_in(call.work, app.passwords, app.lifetimes, request.login, request.password)
            return access_tokens.issue(app, done)

    def refresh(self, request: pb.RefreshRequest, call: Call) -> Tokens:
        # No name to count by: a refresh token can't be guessed, and whose it is shows only when it is known.
        with self._attempt("refresh", "", call):
            try:
                done = refresh_session(call.work, self._app.lifetimes, request.refresh_token)
            except RefreshTokenReused as reuse:
                self._end_reused(reuse.session_id)
                raise
            return access_tokens.issue(self._app, done)

    def change_password(self, request: pb.ChangePasswordRequest, call: Call) -> pb.ChangePasswordResponse:
        # Counted with logins: it tells as much about a password as they do.
        with self._attempt("password", normalize_login(request.login), call):
            change_password(
                call.work, self._app.passwords, request.login, request.password, request.new_password
            )
        return pb.ChangePasswordResponse()

    def logout(self, request: pb.LogoutRequest, call: Call) -> pb.LogoutResponse:
        end_session(call.work, UUID(call.principal.session_id), "logout")
        metrics.sessions_ended.labels("logout").inc()
        return pb.LogoutResponse()

    def exchange_secret(self, request: pb.ExchangeSecretRequest, call: Call) -> Tokens:
        client_id = parse_id(request.client_id, "client_id")
        with self._attempt("secret", str(client_id), call):
            done = exchange_secret(call.work, client_id, request.client_secret)
            return access_tokens.issue(self._app, done)

    def exchange_token(self, request: pb.ExchangeTokenRequest, call: Call) -> Tokens:
        # No name to count by: whose token it is shows only when it is known.
        with self._attempt("provider", "", call):
            identity = self._providers.identity(request.subject_token)
            return access_tokens.issue(self._app, sign_in_as(call.work, self._app.lifetimes, identity))

    def get_self(self, request: pb.GetSelfRequest, call: Call) -> pb.GetSelfResponse:
        principal = call.principal
        return pb.GetSelfResponse(
            id=principal.id,
            login=queries.login_of(self._app.reader, UUID(principal.id)),
            team_id=str(principal.team_id or ""),
            grants=translate.grants(principal.grants.items()),
            customer_id=str(principal.customer_id or ""),
        )

    def get_key_set(self, request: pb.GetKeySetRequest, call: Call) -> pb.KeySet:
        return key_set(self._app)

    @contextmanager
    def _attempt(self, way: str, name: str, call: Call) -> Iterator[None]:
        outcome = "refused"
        try:
            with self._app.throttle.attempt(way, name, call.address):
                yield
            outcome = "granted"
        except TooManyAttempts:
            outcome = "throttled"
            raise
        finally:
            metrics.sign_ins.labels(way, outcome).inc()

    def _end_reused(self, session_id: UUID) -> None:
        """In a transaction of its own: the call's own ends with the refusal."""
        with self._app.work(Principal.service(self._app.service)) as work:
            end_session(work, session_id, "reuse")
        metrics.sessions_ended.labels("reuse").inc()


class TrustServicer:
    def __init__(self, app: GatewayApp) -> None:
        self._app = app

    def get_trust(self, request: Any, call: Any) -> pb.GetTrustResponse:
        """Asked by every api process each second; by the gateway's own without a call."""
        rows = queries.recent_revocations(self._app.reader, self._app.clock.now())
        return pb.GetTrustResponse(
            key_set=key_set(self._app),
            revocations=[
                pb.Revocation(
                    subject_id=str(row.subject_id), issued_before=translate.instant(row.issued_before)
                )
                for row in rows
            ],
        )

    def get_rights(self, request: pb.GetRightsRequest, call: Call) -> pb.GetRightsResponse:
        rows = queries.rights_of(self._app.reader, parse_id(request.subject_id, "subject_id"))
        held = widest(
            Grant(grant["permission"], Scope(grant["scope"])) for row in rows for grant in row.grants or ()
        )
        team_id, customer_id = (rows[0].team_id, rows[0].customer_id) if rows else (None, None)
        return pb.GetRightsResponse(
            grants=translate.grants(held.items()),
            team_id=str(team_id or ""),
            customer_id=str(customer_id or ""),
        )


def key_set(app: GatewayApp) -> pb.KeySet:
    """The public keys; the first ones are made when there are none."""
    return pb.KeySet(keys=[pb.Key(**key) for key in app.public_keys()])
