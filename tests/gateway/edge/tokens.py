"""Access tokens as the gateway signs them, and everything that only looks like one."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

# Who calls in these tests.
CALLER = "0190a000-0000-7000-8000-000000000001"


class Signer:
    """A signing key with its id."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.key = ec.generate_private_key(ec.SECP256R1())

    def public_key(self) -> dict[str, str]:
        """The JSON web key that verifies this signer's tokens."""
        return {
            **ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True),
            "kid": self.kid,
            "alg": "ES256",
            "use": "sig",
        }

    def public_pem(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def token(self, perms: Sequence[str] = (), /, *, without: Sequence[str] = (), **claims: Any) -> str:
        """A token of CALLER with these permissions; `claims` replace the usual ones."""
        content = {**usual_claims(perms), **claims}
        content = {name: value for name, value in content.items() if name not in without}
        return jwt.encode(content, self.key, "ES256", headers={"kid": self.kid, "typ": "at+jwt"})


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


def assemble(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token put together by hand, as a forger would."""
    parts = [_encoded(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join([*parts, _encoded(sign(".".join(parts).encode()))])


def hmac_with(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda content: hmac.digest(secret, content, "sha256")


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
