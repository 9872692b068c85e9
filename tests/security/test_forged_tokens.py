"""What gets past Envoy, or comes in beside it, is checked again at the door of every service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import jwt
import pytest

from kernel.rpc.identity import TokenRefused, Tokens
from kernel.rpc.trust import Trust, TrustPoller
from tests.gateway.edge.forgeries import FORGERIES, READ
from tests.gateway.edge.tokens import Signer, usual_claims

OURS = Signer("first")
KEY = jwt.PyJWK(OURS.public_key(), algorithm="ES256")

BEARERS = {
    name: header[7:]
    for name, forge in FORGERIES.items()
    if (header := forge(OURS) or "").startswith("Bearer ")
}


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    """As a service that has heard of our key checks them."""
    poller = TrustPoller(lambda: Trust({OURS.kid: KEY}))
    poller.poll()
    return Tokens(poller)


def _signed(header: dict[str, object] | None = None, **claims: object) -> str:
    """With our own key, so that nothing is wrong but what the arguments say."""
    content = {**usual_claims([READ]), "sid": "", "team": "", **claims}
    return jwt.encode(content, OURS.key, "ES256", {"kid": "first", "typ": "at+jwt", **(header or {})})


def _with_a_claim_twice() -> str:
    """Signed as a whole with our own key."""
    text = json.dumps({**usual_claims([READ]), "sid": "", "team": ""}).encode()
    text = text[:-1] + b', "perms": ["customer.exports.raw"]}'
    return jwt.api_jws.encode(text, OURS.key, "ES256", {"kid": "first", "typ": "at+jwt"})


# Only the door looks at these.
AT_THE_DOOR: dict[str, Callable[[], str]] = {
    "a token of another type": lambda: _signed({"typ": "JWT"}),
    "an id token": lambda: _signed({"typ": "id+jwt"}),
    "a token without a type": lambda: _signed({"typ": None}),
    "a token of tomorrow": lambda: _signed(iat=int(time.time()) + 86_400, exp=int(time.time()) + 86_460),
    "a subject that is no id": lambda: _signed(sub="admin"),
    "a kind that does not exist": lambda: _signed(kind="god"),
    "permissions without scopes": lambda: _signed(scopes=[]),
    "a scope that does not exist": lambda: _signed(scopes=[99]),
    "permissions in one word": lambda: _signed(perms=READ, scopes="1"),
    "no instant of issue": lambda: _signed(iat_ms="soon"),
    "a claim that stands there twice": lambda: _with_a_claim_twice(),
}


def test_an_honest_token_is_taken(tokens: Tokens) -> None:
    assert tokens.principal(_signed()).grants


@pytest.mark.parametrize("forgery", BEARERS)
def test_what_envoy_refuses_the_door_refuses_too(tokens: Tokens, forgery: str) -> None:
    with pytest.raises(TokenRefused):
        tokens.principal(BEARERS[forgery])


@pytest.mark.parametrize("forgery", AT_THE_DOOR)
def test_the_door_looks_closer(tokens: Tokens, forgery: str) -> None:
    with pytest.raises(TokenRefused):
        tokens.principal(AT_THE_DOOR[forgery]())


def test_there_are_more_than_25_kinds() -> None:
    assert len(BEARERS) + len(AT_THE_DOOR) > 25
