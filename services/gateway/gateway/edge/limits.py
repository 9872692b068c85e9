"""How many calls a second one caller may make."""

from __future__ import annotations

from gateway.edge import jwt
from gateway.edge.files import Json, typed
from gateway.edge.settings import EdgeSettings
from kernel.pure.grants import PrincipalKind

_CALLER = "caller"
_KIND = "kind"
_OPEN = "open"
# Whoever has paused may make so many seconds' calls at once.
BURST = 2
# Callers counted at a time; the one seen longest ago is forgotten first.
_CALLERS = 10_000
_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}

# For a route that needs no token: its calls are counted by the address they come from.
BY_ADDRESS: Json = {"filter_metadata": {"crm": {_OPEN: "yes"}}}


def http_filter(settings: EdgeSettings) -> Json:
    """One bucket for each caller, one for each address that calls without a token."""
    return {
        "name": "envoy.filters.http.local_ratelimit",
        "typed_config": typed(
            "extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
            stat_prefix="calls",
            rate_limits=[
                {"actions": [_claim(_KIND, "kind"), _claim(_CALLER, "sub")]},
                {"actions": [_metadata(_OPEN, "ROUTE_ENTRY", "crm", _OPEN), {"remote_address": {}}]},
            ],
            descriptors=[
                *(
                    {
                        "entries": [{"key": _KIND, "value": kind.value}, {"key": _CALLER}],
                        "token_bucket": _bucket(calls, burst=BURST * calls),
                    }
                    for kind, calls in _of_kind(settings).items()
                ),
                {
                    "entries": [{"key": _OPEN, "value": "yes"}, {"key": "remote_address"}],
                    "token_bucket": _bucket(settings.anonymous_calls_per_second),
                },
            ],
            max_dynamic_descriptors=_CALLERS,
            # For what is neither; every route is one or the other.
            token_bucket=_bucket(settings.anonymous_calls_per_second),
            always_consume_default_token_bucket=False,
            filter_enabled={"runtime_key": "crm.limits.enabled", **_ALWAYS},
            filter_enforced={"runtime_key": "crm.limits.enforced", **_ALWAYS},
            rate_limited_as_resource_exhausted=True,
            enable_x_ratelimit_headers="DRAFT_VERSION_03",
        ),
    }


def _of_kind(settings: EdgeSettings) -> dict[PrincipalKind, int]:
    """Programs call faster than people."""
    return {
        PrincipalKind.USER: settings.user_calls_per_second,
        PrincipalKind.SERVICE_ACCOUNT: settings.account_calls_per_second,
    }


def _claim(descriptor: str, name: str) -> Json:
    return _metadata(descriptor, "DYNAMIC", jwt.FILTER, jwt.PAYLOAD, name)


def _metadata(descriptor: str, source: str, owner: str, *path: str) -> Json:
    """Counts by a value in the metadata, and not at all where there is none."""
    return {
        "metadata": {
            "descriptor_key": descriptor,
            "source": source,
            "metadata_key": {"key": owner, "path": [{"key": part} for part in path]},
            "skip_if_absent": True,
        }
    }


def _bucket(calls_per_second: int, burst: int | None = None) -> Json:
    return {
        "max_tokens": burst or calls_per_second,
        "tokens_per_fill": calls_per_second,
        "fill_interval": "1s",
    }
