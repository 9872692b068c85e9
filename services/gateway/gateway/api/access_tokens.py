"""Access tokens: what is signed, and for how long it holds."""

from __future__ import annotations

import jwt

from crm.gateway.v1.identity_pb2 import Tokens
from gateway.domain.sessions import ACCESS_TOKEN_LIFE
from gateway.usecases.sign_in import SignedIn
from gateway.wiring import GatewayApp
from kernel.pure.ids import new_id
from kernel.rpc.identity import AUDIENCE, ISSUER, TOKEN_TYPE, claims_of

_SECONDS = int(ACCESS_TOKEN_LIFE.total_seconds())


def issue(app: GatewayApp, signed_in: SignedIn) -> Tokens:
    """An access token for the principal, beside the refresh token. Raises KeyringUnavailable."""
    kid, key = app.signer.current()
    # The present instant, not the transaction's: revocations look at when a token was really made.
    issued = app.clock.now().timestamp()
    claims = {
        **claims_of(signed_in.principal),
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": int(issued),
        "iat_ms": int(issued * 1000),
        "exp": int(issued) + _SECONDS,
        "jti": str(new_id()),
    }
    return Tokens(
        access_token=jwt.encode(claims, key, algorithm="ES256", headers={"kid": kid, "typ": TOKEN_TYPE}),
        expires_in=_SECONDS,
        refresh_token=signed_in.refresh_token,
        token_type="Bearer",
    )
