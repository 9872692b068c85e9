"""Tokens of OIDC providers: whose they are, once their signature and claims have been checked.

Only the exchange looks at them; no business method ever does.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import jwt
from jwt import PyJWK, PyJWKSet

from gateway.config import OidcProvider
from gateway.domain.errors import ProviderTokenRefused, ProviderUnavailable
from gateway.domain.identities import ForeignIdentity
from kernel.ops.logs import logger

log = logger(__name__)

# Asymmetric only: with a shared secret, whoever verifies could sign.
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_TYPES = {"", "jwt", "at+jwt"}
_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]
_SKEW = 5
_LONGEST_TOKEN = 16 * 1024

_LARGEST_ANSWER = 256 * 1024
_PATIENCE = 3.0
# Seconds for which keys are taken as they are, for which they still serve while the provider is away, and
# between two questions for a key that nobody knows.
_FRESH = 600.0
_STALE = 3600.0
_PAUSE = 10.0
_UNHEARD = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, jwt.PyJWTError)


class ProviderTokens:
    """Checks tokens of the providers that the installation names."""

    def __init__(self, providers: Sequence[OidcProvider]) -> None:
        self.believe(providers)

    def believe(self, providers: Sequence[OidcProvider]) -> None:
        """From now on these, and no other."""
        self._providers = {provider.issuer: (provider, Keys(provider)) for provider in providers}

    @property
    def issuers(self) -> frozenset[str]:
        return frozenset(self._providers)

    def identity(self, token: str) -> ForeignIdentity:
        """Whose token it is. Raises ProviderTokenRefused or ProviderUnavailable."""
        if len(token) > _LONGEST_TOKEN:
            raise ProviderTokenRefused
        try:
            header = jwt.get_unverified_header(token)
            claimed = jwt.decode(token, options={"verify_signature": False}).get("iss")
            if not isinstance(claimed, str) or claimed not in self._providers:
                raise ProviderTokenRefused
            provider, keys = self._providers[claimed]
            if str(header.get("typ", "")).lower() not in _TYPES or not isinstance(header.get("kid"), str):
                raise ProviderTokenRefused
            key = keys.find(header["kid"])
            if header.get("alg") not in _ALGORITHMS or key.algorithm_name != header["alg"]:
                raise ProviderTokenRefused
            claims = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                audience=provider.audience,
                issuer=provider.issuer,
                leeway=_SKEW,
                options={"require": _REQUIRED},
            )
            return _identity(provider, claims)
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise ProviderTokenRefused from error


def _identity(provider: OidcProvider, claims: Mapping[str, Any]) -> ForeignIdentity:
    audiences = claims["aud"]
    if isinstance(audiences, list) and len(audiences) > 1 and claims.get("azp") != provider.audience:
        raise ProviderTokenRefused
    email = claims.get("email") if claims.get("email_verified") is True else None
    login = ""
    if provider.email_domain and isinstance(email, str):
        name, _, domain = email.lower().rpartition("@")
        login = name if domain == provider.email_domain.lower() else ""
    return ForeignIdentity(provider.issuer, str(claims["sub"]), login)


class Keys:
    """The keys of one provider, fetched when first needed and when they change."""

    def __init__(self, provider: OidcProvider) -> None:
        self._provider = provider
        self._tls = ssl.create_default_context(cafile=str(provider.ca) if provider.ca else None)
        self._lock = threading.Lock()
        self._keys: dict[str, PyJWK] = {}
        self._heard_at = self._asked_at = float("-inf")

    def find(self, kid: str) -> PyJWK:
        """The key of this id: a new one is fetched at once, but nobody makes us ask all the time.

        Raises ProviderTokenRefused when there is none, ProviderUnavailable when that can't be known.
        """
        age = time.monotonic() - self._heard_at
        if age > _FRESH or kid not in self._keys:
            self._refresh(kid)
            age = time.monotonic() - self._heard_at
        if age > _STALE:
            raise ProviderUnavailable
        if kid not in self._keys:
            raise ProviderTokenRefused
        return self._keys[kid]

    def _refresh(self, kid: str) -> None:
        with self._lock:
            now = time.monotonic()
            known = kid in self._keys and now - self._heard_at <= _FRESH
            if known or now - self._asked_at < _PAUSE:
                return
            self._asked_at = now
            try:
                self._keys = self._fetch()
                self._heard_at = now
            except _UNHEARD as error:
                log.warning("keys of a provider not heard", error=type(error).__name__)

    def _fetch(self) -> dict[str, PyJWK]:
        issuer = self._provider.issuer
        described = self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if described["issuer"] != issuer:
            raise ValueError("the provider calls itself otherwise")
        found = PyJWKSet.from_dict(self._get(str(described["jwks_uri"]))).keys
        return {key.key_id: key for key in found if key.key_id and key.public_key_use in (None, "sig")}

    def _get(self, url: str) -> dict[str, Any]:
        """A JSON object over TLS. No redirect is followed; size and time are not the provider's choice."""
        address = urlsplit(url)
        if address.scheme != "https" or address.hostname is None:
            raise ValueError("keys are fetched over TLS only")
        connection = http.client.HTTPSConnection(
            address.hostname, address.port, timeout=_PATIENCE, context=self._tls
        )
        deadline = time.monotonic() + _PATIENCE
        try:
            connection.request("GET", address.path or "/", headers={"accept": "application/json"})
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise ValueError(f"HTTP {response.status}")
            content = b""
            while chunk := response.read1(64 * 1024):
                content += chunk
                if len(content) > _LARGEST_ANSWER or time.monotonic() > deadline:
                    raise ValueError("the answer is too large or takes too long")
        finally:
            connection.close()
        answer = json.loads(content)
        if not isinstance(answer, dict):
            raise TypeError("no JSON object")
        return answer
