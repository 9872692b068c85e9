"""Browsers on pages of other addresses: which of them may call, and gRPC as browsers can speak it."""

from __future__ import annotations

from gateway.edge.files import Json, typed
from gateway.edge.settings import EdgeSettings

_CORS = "envoy.filters.http.cors"
_METHODS = "GET, POST, PATCH, PUT, DELETE"
_ASKED = (
    "authorization, content-type, accept-language, x-request-id, traceparent, "
    "grpc-timeout, x-grpc-web, x-user-agent"
)
_ANSWERED = (
    "grpc-status, grpc-message, grpc-status-details-bin, retry-after, x-request-id, "
    "x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset"
)
_REMEMBERED = "7200"  # seconds


def http_filters() -> list[Json]:
    """They stand before whatever looks at a call: a preflight has no token, and gRPC-Web is not gRPC yet."""
    return [
        {"name": _CORS, "typed_config": typed("extensions.filters.http.cors.v3.Cors")},
        {
            "name": "envoy.filters.http.grpc_web",
            "typed_config": typed("extensions.filters.http.grpc_web.v3.GrpcWeb"),
        },
    ]


def of_host(settings: EdgeSettings) -> Json:
    """The filters' part in the host: nothing without origins, so that no page elsewhere may call."""
    if not settings.cors_origins:
        return {}
    policy = typed(
        "extensions.filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=[{"exact": origin} for origin in settings.cors_origins],
        allow_methods=_METHODS,
        allow_headers=_ASKED,
        expose_headers=_ANSWERED,
        max_age=_REMEMBERED,
        # Tokens travel in a header, never in a cookie.
        allow_credentials=False,
    )
    return {"typed_per_filter_config": {_CORS: policy}}
