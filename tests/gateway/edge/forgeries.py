"""What forgers send as the authorization header, each by what it is."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.gateway.edge.tokens import Signer, assemble, hmac_with, usual_claims

READ = "customer.customers.read"

_STRANGER = Signer("first")
_HEADER = {"kid": "first", "typ": "at+jwt"}
_USUAL = {"alg": "ES256", **_HEADER}


def _tampered(token: str) -> str:
    header, _, signature = token.split(".")
    claims = assemble(_USUAL, {**usual_claims([READ]), "sub": "somebody else"}, lambda _: b"").split(".")[1]
    return f"{header}.{claims}.{signature}"


def _with_another_subject(token: str) -> str:
    """Whoever looks at the first of them and whoever looks at the last see different callers."""
    header, claims, signature = token.split(".")
    text = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))
    longer = text[:-1] + b', "sub": "0190a000-0000-7000-8000-00000000000f"}'
    return f"{header}.{base64.urlsafe_b64encode(longer).rstrip(b'=').decode()}.{signature}"


def _rs256() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return jwt.encode(usual_claims([READ]), key, "RS256", headers=_HEADER)


def _es384() -> str:
    return jwt.encode(usual_claims([READ]), ec.generate_private_key(ec.SECP384R1()), "ES384", headers=_HEADER)


def _own_key_inside() -> str:
    """Brings the key that verifies it along."""
    header = {**_USUAL, "jwk": _STRANGER.public_key()}
    honest = _STRANGER.token([READ])
    return jwt.encode(jwt.decode(honest, options={"verify_signature": False}), _STRANGER.key, "ES256", header)


def _own_key_elsewhere() -> str:
    header = {**_HEADER, "jku": "https://evil.example/keys", "x5u": "https://evil.example/chain.pem"}
    return jwt.encode(usual_claims([READ]), _STRANGER.key, "ES256", header)


# What each forger sends as the authorization header.
FORGERIES: dict[str, Callable[[Signer], str | None]] = {
    "no header": lambda ours: None,
    "an empty header": lambda ours: "",
    "an empty token": lambda ours: "Bearer ",
    "garbage": lambda ours: "Bearer garbage",
    "three dots of garbage": lambda ours: "Bearer a.b.c",
    "a password": lambda ours: "Basic YWRtaW46YWRtaW4=",
    "a token without the word Bearer": lambda ours: ours.token([READ]),
    "an expired token": lambda ours: f"Bearer {ours.token([READ], exp=int(time.time()) - 60)}",
    "a token of next year": lambda ours: f"Bearer {ours.token([READ], nbf=int(time.time()) + 60)}",
    "a token without end": lambda ours: f"Bearer {ours.token([READ], without=['exp'])}",
    "a token for a day": lambda ours: f"Bearer {ours.token([READ], exp=int(time.time()) + 86_400)}",
    "a token for eleven minutes": lambda ours: f"Bearer {ours.token([READ], exp=int(time.time()) + 660)}",
    "a token that ended in 1970": lambda ours: f"Bearer {ours.token([READ], exp=0)}",
    "another issuer": lambda ours: f"Bearer {ours.token([READ], iss='https://login.example')}",
    "no issuer": lambda ours: f"Bearer {ours.token([READ], without=['iss'])}",
    "another audience": lambda ours: f"Bearer {ours.token([READ], aud='payroll')}",
    "other audiences": lambda ours: f"Bearer {ours.token([READ], aud=['payroll', 'crm.example'])}",
    "no audience": lambda ours: f"Bearer {ours.token([READ], without=['aud'])}",
    "a stranger's key under our id": lambda ours: f"Bearer {_STRANGER.token([READ])}",
    "a stranger's key under its own id": lambda ours: f"Bearer {Signer('stranger').token([READ])}",
    "a stranger's key brought along": lambda ours: f"Bearer {_own_key_inside()}",
    "a stranger's key on a server": lambda ours: f"Bearer {_own_key_elsewhere()}",
    "no signature asked for": lambda ours: (
        "Bearer " + assemble({**_HEADER, "alg": "none"}, usual_claims([READ]), lambda _: b"")
    ),
    "the signature cut off": lambda ours: f"Bearer {ours.token([READ]).rpartition('.')[0]}.",
    "half a signature": lambda ours: f"Bearer {ours.token([READ])[:-40]}",
    "claims exchanged": lambda ours: f"Bearer {_tampered(ours.token([READ]))}",
    "a claim added that is there already": lambda ours: f"Bearer {_with_another_subject(ours.token([READ]))}",
    "our public key as a shared secret": lambda ours: (
        "Bearer " + assemble({**_HEADER, "alg": "HS256"}, usual_claims([READ]), hmac_with(ours.public_pem()))
    ),
    "our key set as a shared secret": lambda ours: (
        "Bearer "
        + assemble(
            {**_HEADER, "alg": "HS256"},
            usual_claims([READ]),
            hmac_with(json.dumps(ours.public_key()).encode()),
        )
    ),
    "RS256": lambda ours: f"Bearer {_rs256()}",
    "ES384": lambda ours: f"Bearer {_es384()}",
    "two tokens": lambda ours: f"Bearer {ours.token([READ])},Bearer {_STRANGER.token([READ])}",
}
