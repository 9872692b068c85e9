"""Access tokens: who signed them, and the file with the keys that Envoy reads anew at each rotation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.edge.files import Json, config_source, discovery, typed, write_json
from kernel.rpc import identity
from kernel.rpc.admission import CALLER

ISSUER = AUDIENCE = "crm"
FILTER = "envoy.filters.http.jwt_authn"
# The claims stand in the dynamic metadata of FILTER below this key.
PAYLOAD = "jwt"

_TYPE = "extensions.filters.http.jwt_authn.v3.JwtAuthentication"
_PROVIDER = _REQUIREMENT = "crm"
# Clocks of the machines may differ by this many seconds.
_SKEW = 5


def http_filter(directory: Path) -> Json:
    """The filter in the listener: only where to find it, so that new keys leave connections alone."""
    return {
        "name": FILTER,
        "config_discovery": {
            "config_source": config_source(_file(directory)),
            "type_urls": [typed(_TYPE)["@type"]],
        },
    }


def required() -> Json:
    """For a route: a valid token, or UNAUTHENTICATED."""
    return typed("extensions.filters.http.jwt_authn.v3.PerRouteConfig", requirement_name=_REQUIREMENT)


def ignored() -> Json:
    """For a route: whatever token comes along is not looked at."""
    return typed("extensions.filters.http.jwt_authn.v3.PerRouteConfig", disabled=True)


def write_keys(keys: Sequence[Mapping[str, str]], directory: Path) -> bool:
    """Tells Envoy the public keys (JSON web keys, P-256) that verify access tokens.

    Call it before the first token is signed with a new key, and keep the old key until its last token
    has expired. Says whether the file changed. Raises ValueError when there is no key.
    """
    if not keys:
        raise ValueError("without a public key nobody could sign in")
    return write_json(_file(directory), discovery([_resource(keys)]))


def _file(directory: Path) -> Path:
    return directory / "jwt.json"


def _resource(keys: Sequence[Mapping[str, str]]) -> Json:
    return typed("config.core.v3.TypedExtensionConfig", name=FILTER, typed_config=_filter(keys))


def _filter(keys: Sequence[Mapping[str, str]]) -> Json:
    ordered = sorted((dict(key) for key in keys), key=lambda key: key["kid"])
    return typed(
        _TYPE,
        providers={
            _PROVIDER: {
                "issuer": ISSUER,
                "audiences": [AUDIENCE],
                "local_jwks": {"inline_string": json.dumps({"keys": ordered}, sort_keys=True)},
                # No query parameter: addresses end up in logs.
                "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
                "forward": True,  # the service verifies again
                "payload_in_metadata": PAYLOAD,
                "claim_to_headers": [{"header_name": CALLER, "claim_name": "sub"}],
                "require_expiration": True,
                # One that claims a longer life than ours have is none of ours.
                "max_lifetime": f"{identity.LONGEST_LIFE + _SKEW}s",
                "clock_skew_seconds": _SKEW,
                "jwt_cache_config": {"jwt_cache_size": 1000, "jwt_max_token_size": 8192},
            }
        },
        requirement_map={_REQUIREMENT: {"provider_name": _PROVIDER}},
    )
