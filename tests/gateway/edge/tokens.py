"""Access tokens as the gateway signs them, and everything that only looks like one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

# Named by RFC 7519; kept here so that a test can say what it leaves out.
CALLER = "0190a000-0000-7000-8000-000000000001"


class Signer:
    """A signing key with its id."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self._key = ec.generate_private_key(ec.SECP256R1())

    def public_key(self) -> dict[str, str]:
        """The JSON web key that verifies this signer's tokens."""
        return {
            **ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True),
            "kid": self.kid,
            "alg": "ES256",
            "use": "sig",
        }

    def public_pem(self) -> bytes:
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def token(self, perms: Sequence[str] = (), *, without: Sequence[str] = (), **claims: Any) -> str:
        """A token of CALLER with these permissions; `claims` replace the usual ones."""
        content = {**usual_claims(perms), **claims}
        content = {name: value for name, value in content.items() if name not in without}
        return jwt.encode(content, self._key, "ES256", headers={"kid": self.kid, "typ": "at+jwt"})


def usual_claims(perms: Sequence[str] = ()) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": "crm",
        "aud": "crm",
        "sub": CALLER,
        "iat": now,
        "iat_ms": now * 1000,
        "exp": now + 600,
        "kind": "user",
        "perms": list(perms),
        "scopes": [1 for _ in perms],
    }
