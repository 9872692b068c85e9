"""Who calls: the peer's certificate and the bearer token make a principal (RFC 8725)."""

from __future__ import annotations

import json
import time
from typing import NamedTuple
from uuid import UUID

import jwt

from kernel.pure.errors import Unauthenticated, Unavailable
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.rpc.trust import TrustPoller

ISSUER = AUDIENCE = "crm"
TOKEN_TYPE = "at+jwt"
_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]
_CACHED = 10_000
# Seconds for which ours live: one that claims a longer life is none of ours.
LONGEST_LIFE = 600


class TokenRefused(Unauthenticated):
    reason = "UNAUTHENTICATED"
    en = "Sign in first: the call needs a valid access token."
    zh = "请先登录：调用需要有效的访问令牌。"


class TokenRevoked(Unauthenticated):
    reason = "TOKEN_REVOKED"
    en = "Your session was ended; sign in again."
    zh = "您的会话已结束，请重新登录。"


class TrustUnknown(Unavailable):
    reason = "TRUST_UNKNOWN"
    en = "Tokens can't be checked yet; try again."
    zh = "暂时无法校验令牌，请重试。"


class _Checked(NamedTuple):
    principal: Principal
    kid: str
    expires_at: float
    issued_ms: int


class Tokens:
    """Checks access tokens; remembers those it has checked, but asks for revocation each time."""

    def __init__(self, poller: TrustPoller) -> None:
        self._poller = poller
        self._checked: dict[str, _Checked] = {}

    def principal(self, token: str) -> Principal:
        """The principal of a token. Raises TokenRefused, TokenRevoked or TrustUnknown."""
        known = self._checked.get(token)
        trust = self._poller.trust
        if known is None or known.expires_at <= time.time() or known.kid not in trust.keys:
            known = self._check(token)
            if len(self._checked) >= _CACHED:
                self._checked.clear()
            self._checked[token] = known
        principal = known.principal
        if trust.revoked:
            void_before = max(trust.revoked.get(who, -1) for who in (principal.id, principal.session_id))
            if known.issued_ms <= void_before:
                raise TokenRevoked
        return principal

    def _check(self, token: str) -> _Checked:
        keys = self._poller.trust.keys
        if not keys:
            raise TrustUnknown
        try:
            header = jwt.get_unverified_header(token)
            key = keys[header["kid"]]
            if header.get("typ") != TOKEN_TYPE:
                raise TokenRefused
            claims = jwt.decode(
                token,
                key,
                algorithms=["ES256"],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": _REQUIRED},
            )
            _check_unambiguous(token)
            if claims["exp"] - claims["iat"] > LONGEST_LIFE:
                raise TokenRefused
            return _Checked(_principal(claims), header["kid"], float(claims["exp"]), int(claims["iat_ms"]))
        except (jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
            raise TokenRefused from error


def _check_unambiguous(token: str) -> None:
    """A claim that stands there twice may mean one thing here and another to who looked at it before.

    Raises ValueError.
    """
    json.loads(jwt.utils.base64url_decode(token.split(".")[1]), object_pairs_hook=_each_once)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    claims = dict(pairs)
    if len(claims) < len(pairs):
        raise ValueError("a claim stands there twice")
    return claims


def claims_of(principal: Principal) -> dict[str, object]:
    """The claims that say who a principal is: `perms` is what Envoy checks, `scopes` stands beside it."""
    return {
        "sub": principal.id,
        "kind": principal.kind.value,
        "sid": principal.session_id,
        "team": str(principal.team_id or ""),
        "customer": str(principal.customer_id or ""),
        "perms": list(principal.grants),
        "scopes": [int(scope) for scope in principal.grants.values()],
    }


def _principal(claims: dict[str, object]) -> Principal:
    perms, scopes = claims["perms"], claims["scopes"]
    customer = claims.get("customer")
    if not isinstance(perms, list) or not isinstance(scopes, list):
        raise TypeError("perms and scopes are lists")
    return Principal(
        kind=PrincipalKind(str(claims["kind"])),
        id=str(UUID(str(claims["sub"]))),
        grants={str(perm): Scope(scope) for perm, scope in zip(perms, scopes, strict=True)},
        session_id=str(claims["sid"]),
        team_id=UUID(str(claims["team"])) if claims["team"] else None,
        customer_id=UUID(str(customer)) if customer else None,
    )
