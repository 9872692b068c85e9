"""How many calls a second one caller may make."""

from __future__ import annotations

from gateway.edge import jwt, replies
from gateway.edge.files import Json, typed
from gateway.edge.settings import EdgeSettings

_CALLER = "caller"
_OPEN = "open"
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
                {"actions": [_metadata(_CALLER, "DYNAMIC", jwt.FILTER, jwt.PAYLOAD, "sub")]},
                {"actions": [_metadata(_OPEN, "ROUTE_ENTRY", "crm", _OPEN), {"remote_address": {}}]},
            ],
            descriptors=[
                {"entries": [{"key": _CALLER}], "token_bucket": _bucket(settings.calls_per_second)},
                {
                    "entries": [{"key": _OPEN, "value": "yes"}, {"key": "remote_address"}],
                    "token_bucket": _bucket(settings.anonymous_calls_per_second),
                },
            ],
            max_dynamic_descriptors=_CALLERS,
            # For what is neither; every route is one or the other.
            token_bucket=_bucket(settings.calls_per_second),
            always_consume_default_token_bucket=False,
            filter_enabled={"runtime_key": "crm.limits.enabled", **_ALWAYS},
            filter_enforced={"runtime_key": "crm.limits.enforced", **_ALWAYS},
            rate_limited_as_resource_exhausted=True,
            enable_x_ratelimit_headers="DRAFT_VERSION_03",
            response_headers_to_add=[
                {"header": {"key": "retry-after", "value": str(replies.RATE_LIMITED.wait)}}
            ],
        ),
    }


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


def _bucket(calls_per_second: int) -> Json:
    return {"max_tokens": calls_per_second, "tokens_per_fill": calls_per_second, "fill_interval": "1s"}
