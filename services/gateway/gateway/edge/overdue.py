"""A deadline that runs out at the service and at Envoy in the same moment: one answer whoever was first.

Envoy warns that it marks this filter as work in progress: it looks at answers of our own services only.
"""

from __future__ import annotations

from gateway.edge.files import Json, typed
from gateway.edge.replies import DEADLINE_EXCEEDED


def http_filter() -> Json:
    """Puts Envoy's refusal in the place of a gRPC server's, which has a code and no details."""
    bare = {
        "and_matcher": {
            "predicate": [
                _header("grpc-status", {"exact": str(DEADLINE_EXCEEDED.code)}),
                {
                    "not_matcher": _header(
                        "grpc-status-details-bin", {"safe_regex": {"google_re2": {}, "regex": ".+"}}
                    )
                },
            ]
        }
    }
    action = {
        "name": "refuse",
        "typed_config": typed(
            "extensions.http.custom_response.local_response_policy.v3.LocalResponsePolicy",
            status_code=DEADLINE_EXCEEDED.http,
        ),
    }
    return {
        "name": "envoy.filters.http.custom_response",
        "typed_config": typed(
            "extensions.filters.http.custom_response.v3.CustomResponse",
            custom_response_matcher={
                "matcher_list": {"matchers": [{"predicate": bare, "on_match": {"action": action}}]}
            },
        ),
    }


def _header(name: str, value: Json) -> Json:
    return {
        "single_predicate": {
            "input": {
                "name": name,
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpResponseHeaderMatchInput",
                    "header_name": name,
                },
            },
            "value_match": value,
        }
    }
