"""Signing in and out over the wire, with real tokens."""

from __future__ import annotations

from uuid import uuid4

import jwt
import pytest

from crm.gateway.v1 import auth_service_pb2 as pb
from crm.gateway.v1 import directory_service_pb2 as directory
from crm.gateway.v1 import identity_pb2
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from tests.gateway.api.conftest import AUTH, DIRECTORY, Gateway, NewLogin
from tests.gateway.conftest import PASSWORD
from tests.support.api import Keys, Refused

WRONG = "wrong password!"


def refresh(gateway: Gateway, token: str) -> identity_pb2.Tokens:
    answer: identity_pb2.Tokens = gateway.call(f"{AUTH}/Refresh", pb.RefreshRequest(refresh_token=token))
    return answer


def test_an_access_token_is_what_the_services_believe(gateway: Gateway, new_login: NewLogin) -> None:
    user_id = gateway.user(login := new_login(), "seller")
    tokens = gateway.login(login)
    assert (tokens.expires_in, tokens.token_type) == (600, "Bearer")
    header = jwt.get_unverified_header(tokens.access_token)
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    [key] = [key for key in gateway.trust().key_set.keys if key.kid == header["kid"]]
    public = jwt.PyJWK({"kty": key.kty, "crv": key.crv, "x": key.x, "y": key.y}, algorithm="ES256")
    claims = jwt.decode(tokens.access_token, public, algorithms=["ES256"], audience="crm", issuer="crm")
    assert claims["exp"] - claims["iat"] == 600
    assert claims["iat_ms"] // 1000 == claims["iat"]
    assert (claims["sub"], claims["kind"], claims["team"]) == (user_id, "user", "")
    assert "customer.customers.read" in claims["perms"]
    assert claims["jti"]


def test_the_key_set_is_public_and_holds_the_present_and_the_next_key(gateway: Gateway) -> None:
    keys = gateway.call(f"{AUTH}/GetKeySet", pb.GetKeySetRequest()).keys
    assert [(key.kty, key.crv, key.alg, key.use) for key in keys] == [("EC", "P-256", "ES256", "sig")] * 2
    assert keys == gateway.trust().key_set.keys


def test_get_self_tells_who_and_what(gateway: Gateway, new_login: NewLogin) -> None:
    user_id = gateway.user(login := new_login(), "seller")
    me = gateway.call(f"{AUTH}/GetSelf", pb.GetSelfRequest(), gateway.login(login).access_token)
    assert (me.id, me.login) == (user_id, login)
    scopes = {grant.permission: grant.scope for grant in me.grants}
    assert scopes["customer.customers.read"] == identity_pb2.SCOPE_OWN


def test_wrong_login_and_wrong_password_look_the_same(gateway: Gateway, new_login: NewLogin) -> None:
    gateway.user(login := new_login())
    known = gateway.refusal(f"{AUTH}/Login", pb.LoginRequest(login=login, password=WRONG))
    unknown = gateway.refusal(f"{AUTH}/Login", pb.LoginRequest(login=new_login(), password=WRONG))
    assert known.code == "UNAUTHENTICATED"
    assert known.reason == "SIGN_IN_REFUSED"
    assert known.status == unknown.status


def test_guessing_at_a_login_is_throttled_from_everywhere(gateway: Gateway, new_login: NewLogin) -> None:
    gateway.user(login := new_login())
    for _ in range(5):
        guess = gateway.refusal(f"{AUTH}/Login", pb.LoginRequest(login=login, password=WRONG))
        assert guess.reason == "SIGN_IN_REFUSED"
    throttled = gateway.refusal(f"{AUTH}/Login", pb.LoginRequest(login=login.upper(), password=PASSWORD))
    assert throttled.code == "RESOURCE_EXHAUSTED"
    assert throttled.reason == "TOO_MANY_ATTEMPTS"
    assert any(detail.TypeName() == "google.rpc.RetryInfo" for detail in throttled.status.details)


def test_guessing_from_an_address_is_throttled_whatever_the_login(
    gateway: Gateway, new_login: NewLogin
) -> None:
    address = str(uuid4())
    reasons = [
        gateway.refusal(
            f"{AUTH}/Login", pb.LoginRequest(login=new_login(), password=WRONG), x_forwarded_for=address
        ).reason
        for _ in range(9)
    ]
    assert reasons == ["SIGN_IN_REFUSED"] * 8 + ["TOO_MANY_ATTEMPTS"]


def test_signing_in_rightly_is_never_throttled(gateway: Gateway, new_login: NewLogin) -> None:
    gateway.user(login := new_login())
    address = str(uuid4())
    assert all(gateway.login(login, x_forwarded_for=address).access_token for _ in range(12))


def test_a_refresh_gives_a_new_pair(gateway: Gateway, new_login: NewLogin) -> None:
    gateway.user(login := new_login(), "seller")
    first = gateway.login(login)
    second = refresh(gateway, first.refresh_token)
    assert second.refresh_token not in ("", first.refresh_token)
    assert gateway.call(f"{AUTH}/GetSelf", pb.GetSelfRequest(), second.access_token).login == login


def test_a_refresh_token_used_twice_ends_the_session(gateway: Gateway, new_login: NewLogin) -> None:
    gateway.user(login := new_login())
    first = gateway.login(login)
    second = refresh(gateway, first.refresh_token)
    request = pb.RefreshRequest(refresh_token=first.refresh_token)
    assert gateway.refusal(f"{AUTH}/Refresh", request).reason == "REFRESH_TOKEN_REUSED"
    request = pb.RefreshRequest(refresh_token=second.refresh_token)
    assert gateway.refusal(f"{AUTH}/Refresh", request).reason == "SESSION_OVER"
    assert gateway.until_refused(second.access_token).reason == "TOKEN_REVOKED"


def test_a_logout_ends_this_session_only(gateway: Gateway, new_login: NewLogin) -> None:
    gateway.user(login := new_login())
    mine, other = gateway.login(login), gateway.login(login)
    gateway.call(f"{AUTH}/Logout", pb.LogoutRequest(), mine.access_token)
    session_id = jwt.decode(mine.access_token, options={"verify_signature": False})["sid"]
    assert [revocation.subject_id for revocation in gateway.trust().revocations] == [session_id]
    assert gateway.until_refused(mine.access_token).reason == "TOKEN_REVOKED"
    assert gateway.call(f"{AUTH}/GetSelf", pb.GetSelfRequest(), other.access_token).login == login


def test_revoked_sessions_and_changed_rights_are_told_to_the_services(
    gateway: Gateway, new_login: NewLogin
) -> None:
    admin = gateway.as_user(new_login(), "admin")
    user_id = gateway.user(login := new_login(), "seller")
    tokens = gateway.login(login)
    before = int(jwt.decode(tokens.access_token, options={"verify_signature": False})["iat_ms"])
    gateway.call(f"{DIRECTORY}/RevokeSessions", directory.RevokeSessionsRequest(user_id=user_id), admin)
    [told] = [one for one in gateway.trust().revocations if one.subject_id == user_id]
    assert told.issued_before.ToMilliseconds() >= before
    assert gateway.until_refused(tokens.access_token).reason == "TOKEN_REVOKED"
    request = pb.RefreshRequest(refresh_token=tokens.refresh_token)
    assert gateway.refusal(f"{AUTH}/Refresh", request).reason == "SESSION_OVER"
    again = gateway.login(login).access_token
    assert gateway.call(f"{AUTH}/GetSelf", pb.GetSelfRequest(), again).id == user_id


def test_a_service_account_gets_a_token_for_its_secret(gateway: Gateway, new_login: NewLogin) -> None:
    admin = gateway.as_user(new_login(), "admin")
    asked = identity_pb2.ServiceAccount(name="ERP", role_ids=["integration"])
    made = gateway.call(
        f"{DIRECTORY}/CreateServiceAccount",
        directory.CreateServiceAccountRequest(service_account=asked),
        admin,
    )
    exchange = pb.ExchangeSecretRequest(client_id=made.service_account.id, client_secret=made.client_secret)
    tokens = gateway.call(f"{AUTH}/ExchangeSecret", exchange)
    assert tokens.refresh_token == ""
    me = gateway.call(f"{AUTH}/GetSelf", pb.GetSelfRequest(), tokens.access_token)
    assert (me.id, me.login) == (made.service_account.id, "")
    gateway.call(f"{AUTH}/Logout", pb.LogoutRequest(), tokens.access_token)
    assert gateway.until_refused(tokens.access_token).reason == "TOKEN_REVOKED"
    assert gateway.call(f"{AUTH}/ExchangeSecret", exchange).access_token


@pytest.mark.parametrize("client_id", [str(new_id()), "erp"])
def test_an_unknown_service_account_is_refused(gateway: Gateway, client_id: str) -> None:
    exchange = pb.ExchangeSecretRequest(client_id=client_id, client_secret="x")
    refusal = gateway.refusal(f"{AUTH}/ExchangeSecret", exchange)
    assert refusal.reason in ("CLIENT_REFUSED", "INVALID_FIELDS")


def test_trust_is_for_services_only(gateway: Gateway) -> None:
    assert gateway.trust("customer").key_set.keys
    for caller in ("envoy", "stranger"):
        with pytest.raises(Refused) as refused:
            gateway.trust(caller)
        assert refused.value.code == "PERMISSION_DENIED"


def test_a_forged_token_is_refused(gateway: Gateway, new_login: NewLogin) -> None:
    """Without signature, with another one, none of ours, or signed by a key that nobody published."""
    principal = Principal(PrincipalKind.USER, str(new_id()), {"gateway.users.manage": Scope.ALL})
    token = gateway.as_user(new_login())
    head, body, _ = token.split(".")
    for forged in (f"{head}.{body}.", f"{head}.{body}.{'A' * 86}", "x", Keys().token(principal)):
        assert gateway.refusal(f"{AUTH}/GetSelf", pb.GetSelfRequest(), forged).code == "UNAUTHENTICATED"
