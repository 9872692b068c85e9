"""Tokens of a real OpenID provider are exchanged for ours, for whom an administrator said so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from crm.gateway.v1 import auth_service_pb2 as pb
from crm.gateway.v1 import directory_service_pb2 as directory
from gateway.api import provider_tokens
from tests.gateway.api.conftest import AUTH, DIRECTORY, Gateway, NewLogin, free_port
from tests.gateway.edge.certificates import Authority
from tests.support.api import Refused
from tests.support.provider import DOMAIN, Provider, new_key

CLIENTS = [
    {"id": "li", "algorithm": "ES256", "claims": {"email": f"li.na@{DOMAIN}", "email_verified": True}},
    {"id": "unverified", "algorithm": "ES256", "claims": {"email": f"li.na@{DOMAIN}"}},
    {
        "id": "elsewhere",
        "algorithm": "ES256",
        "claims": {"email": "li.na@evil.example", "email_verified": True},
    },
    {"id": "rsa", "algorithm": "RS256", "claims": {}},
]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    made = Provider(Authority(tmp_path_factory.mktemp("provider")), free_port(), CLIENTS)
    made.restart(new_key("first", "ES256"), new_key("rsa", "RS256"))
    yield made
    made.stop()


@pytest.fixture
def trusting(gateway: Gateway, provider: Provider) -> Gateway:
    """A gateway that has just begun to believe the provider."""
    gateway.providers.believe([provider.settings])
    return gateway


def _exchange(gateway: Gateway, token: str) -> Any:
    return gateway.call(f"{AUTH}/ExchangeToken", pb.ExchangeTokenRequest(subject_token=token))


def _reason(gateway: Gateway, token: str) -> str:
    return gateway.refusal(f"{AUTH}/ExchangeToken", pb.ExchangeTokenRequest(subject_token=token)).reason


def _link(gateway: Gateway, provider: Provider, user_id: str, subject: str, admin: str) -> None:
    request = directory.LinkUserRequest(user_id=user_id, issuer=provider.issuer, subject=subject)
    gateway.call(f"{DIRECTORY}/LinkUser", request, admin)


def test_whoever_is_linked_signs_in_with_their_own_rights(
    trusting: Gateway, provider: Provider, new_login: NewLogin
) -> None:
    admin = trusting.as_user(new_login(), "admin")
    user_id = trusting.user(login := new_login(), "seller")
    assert _reason(trusting, provider.token("rsa")) == "PROVIDER_TOKEN_REFUSED"
    _link(trusting, provider, user_id, "rsa", admin)
    tokens = _exchange(trusting, provider.token("rsa"))
    me = trusting.call(f"{AUTH}/GetSelf", pb.GetSelfRequest(), tokens.access_token)
    assert (me.id, me.login) == (user_id, login)
    assert "gateway.users.manage" not in {grant.permission for grant in me.grants}
    again = trusting.call(f"{AUTH}/Refresh", pb.RefreshRequest(refresh_token=tokens.refresh_token))
    assert again.access_token
    unlink = directory.UnlinkUserRequest(user_id=user_id, issuer=provider.issuer)
    trusting.call(f"{DIRECTORY}/UnlinkUser", unlink, admin)
    assert _reason(trusting, provider.token("rsa")) == "PROVIDER_TOKEN_REFUSED"
    assert trusting.until_refused(again.access_token).reason == "TOKEN_REVOKED"


def test_a_verified_address_of_the_enterprise_is_a_login(trusting: Gateway, provider: Provider) -> None:
    user_id = trusting.user("li.na", "seller")
    tokens = _exchange(trusting, provider.token("li"))
    assert trusting.call(f"{AUTH}/GetSelf", pb.GetSelfRequest(), tokens.access_token).id == user_id


@pytest.mark.parametrize("client", ["unverified", "elsewhere"])
def test_an_address_that_anybody_may_claim_is_nobody(
    trusting: Gateway, provider: Provider, client: str
) -> None:
    trusting.user("li.na", "admin")
    assert _reason(trusting, provider.token(client)) == "PROVIDER_TOKEN_REFUSED"


def test_nobody_is_made_a_user_by_signing_in(trusting: Gateway, provider: Provider) -> None:
    assert _reason(trusting, provider.token("li")) == "PROVIDER_TOKEN_REFUSED"


def test_a_disabled_user_does_not_come_in_this_way(
    trusting: Gateway, provider: Provider, new_login: NewLogin
) -> None:
    admin = trusting.as_user(new_login(), "admin")
    user_id = trusting.user("li.na", "seller")
    request = directory.UpdateUserRequest(
        user={"id": user_id, "disabled": True}, update_mask={"paths": ["disabled"]}
    )
    trusting.call(f"{DIRECTORY}/UpdateUser", request, admin)
    assert _reason(trusting, provider.token("li")) == "PROVIDER_TOKEN_REFUSED"


def test_who_may_do_less_links_nobody_to_who_may_do_more(
    trusting: Gateway, provider: Provider, new_login: NewLogin
) -> None:
    """Else whoever manages users could sign in as an administrator."""
    admin = trusting.as_user(new_login(), "admin")
    grant = {"permission": "gateway.users.manage", "scope": "SCOPE_ALL"}
    role = directory.CreateRoleRequest(role={"id": "keeper", "title": "Keeper", "grants": [grant]})
    trusting.call(f"{DIRECTORY}/CreateRole", role, admin)
    keeper, victim = trusting.as_user(new_login(), "keeper"), trusting.user(new_login(), "admin")
    with pytest.raises(Refused) as refused:
        _link(trusting, provider, victim, "rsa", keeper)
    assert refused.value.reason == "BEYOND_OWN_RIGHTS"


def test_one_subject_is_one_user(trusting: Gateway, provider: Provider, new_login: NewLogin) -> None:
    admin = trusting.as_user(new_login(), "admin")
    first, second = trusting.user(new_login()), trusting.user(new_login())
    for _ in range(2):
        _link(trusting, provider, first, "rsa", admin)
    with pytest.raises(Refused) as refused:
        _link(trusting, provider, second, "rsa", admin)
    assert refused.value.reason == "IDENTITY_TAKEN"


def test_no_business_method_takes_a_token_of_the_provider(trusting: Gateway, provider: Provider) -> None:
    trusting.user("li.na", "admin")
    foreign = provider.token("li")
    refusal = trusting.refusal(f"{DIRECTORY}/ListUsers", directory.ListUsersRequest(), foreign)
    assert refusal.reason == "UNAUTHENTICATED"


def test_a_token_of_ours_is_not_exchanged(trusting: Gateway, new_login: NewLogin) -> None:
    assert _reason(trusting, trusting.as_user(new_login(), "admin")) == "PROVIDER_TOKEN_REFUSED"


def test_a_token_for_somebody_else_is_refused(trusting: Gateway, provider: Provider) -> None:
    trusting.user("li.na", "seller")
    assert _reason(trusting, provider.token("li", audience="payroll")) == "PROVIDER_TOKEN_REFUSED"


def _forged(provider: Provider, **more: Any) -> str:
    """Signed with the provider's own key: only what the arguments change is wrong."""
    now = int(time.time())
    claims = {"iss": provider.issuer, "aud": "crm", "sub": "li", "iat": now, "exp": now + 60, **more}
    claims |= {"email": f"li.na@{DOMAIN}", "email_verified": True}
    claims = {name: value for name, value in claims.items() if value is not None}
    key = jwt.PyJWK(provider.keys[0])
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": provider.keys[0]["kid"]})


WRONG: list[dict[str, Any]] = [
    {"iss": "https://evil.example"},
    {"iss": None},
    {"aud": None},
    {"aud": ["crm", "payroll"]},
    {"aud": ["crm", "payroll"], "azp": "payroll"},
    {"exp": 1},
    {"exp": None},
    {"iat": None},
    {"iat": 4_000_000_000},
    {"nbf": 4_000_000_000},
    {"sub": None},
]


def test_a_token_like_the_providers_is_taken_when_nothing_is_wrong(
    trusting: Gateway, provider: Provider
) -> None:
    trusting.user("li.na", "seller")
    assert _exchange(trusting, _forged(provider)).access_token


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_token_with_one_wrong_claim_is_refused(
    trusting: Gateway, provider: Provider, wrong: dict[str, Any]
) -> None:
    trusting.user("li.na", "seller")
    assert _reason(trusting, _forged(provider, **wrong)) == "PROVIDER_TOKEN_REFUSED"


@pytest.mark.parametrize("kind", ["none", "HS256", "stranger", "typ"])
def test_a_forged_signature_is_refused(trusting: Gateway, provider: Provider, kind: str) -> None:
    trusting.user("li.na", "seller")
    claims = jwt.decode(_forged(provider), options={"verify_signature": False})
    kid = {"kid": provider.keys[0]["kid"]}
    stranger = jwt.PyJWK(new_key("first", "ES256"))
    forged = {
        "none": lambda: jwt.encode(claims, None, algorithm="none", headers=kid),
        "HS256": lambda: jwt.encode(claims, provider.keys[0]["x"] * 2, algorithm="HS256", headers=kid),
        "stranger": lambda: jwt.encode(claims, stranger, algorithm="ES256", headers=kid),
        "typ": lambda: jwt.encode(
            claims, jwt.PyJWK(provider.keys[0]), algorithm="ES256", headers={**kid, "typ": "logout+jwt"}
        ),
    }[kind]()
    assert _reason(trusting, forged) == "PROVIDER_TOKEN_REFUSED"


def test_a_new_key_of_the_provider_is_fetched_at_once_and_nobody_makes_us_ask_all_the_time(
    trusting: Gateway, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting.user("li.na", "seller")
    old = provider.token("li")
    assert _exchange(trusting, old).access_token
    provider.restart(new_key("second", "ES256"), provider.keys[1])
    new = provider.token("li")
    assert _reason(trusting, new) == "PROVIDER_TOKEN_REFUSED", "asked a moment ago"
    monkeypatch.setattr(provider_tokens, "_PAUSE", 0.0)
    assert _exchange(trusting, new).access_token
    assert _reason(trusting, old) == "PROVIDER_TOKEN_REFUSED", "its key has been withdrawn"


def test_while_the_provider_is_away_keys_in_hand_serve(
    trusting: Gateway, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting.user("li.na", "seller")
    token = provider.token("li")
    assert _exchange(trusting, token).access_token
    keys = provider.keys
    provider.stop()
    monkeypatch.setattr(provider_tokens, "_PAUSE", 0.0)
    monkeypatch.setattr(provider_tokens, "_FRESH", 0.0)
    assert _exchange(trusting, token).access_token
    monkeypatch.setattr(provider_tokens, "_STALE", 0.0)
    assert _reason(trusting, token) == "PROVIDER_UNAVAILABLE"
    provider.restart(*keys)


def test_without_configured_providers_nothing_is_exchanged(gateway: Gateway, provider: Provider) -> None:
    gateway.providers.believe([])
    assert _reason(gateway, provider.token("li")) == "PROVIDER_TOKEN_REFUSED"
