"""One JSON line a call: who asked for what and how it ended. No query strings, no bodies, no names."""

from __future__ import annotations

from gateway.edge import jwt
from gateway.edge.files import Json, typed


def to_stdout() -> Json:
    """The access log, without the health checks of load balancers."""
    return {
        "name": "envoy.access_loggers.stdout",
        "filter": {"not_health_check_filter": {}},
        "typed_config": typed(
            "extensions.access_loggers.stream.v3.StdoutAccessLog",
            log_format={"json_format": _FIELDS, "omit_empty_values": True},
        ),
    }


_FIELDS = {
    "time": "%START_TIME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "traceparent": "%REQ(TRACEPARENT)%",
    "method": "%REQ(X-ENVOY-ORIGINAL-METHOD?:METHOD)%",
    # What the caller asked for, and the route (gRPC method) that answered.
    "path": "%PATH(NQ:ORIG_OR_PATH)%",
    "route": "%ROUTE_NAME%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "grpc_status": "%GRPC_STATUS(SNAKE_STRING)%",
    "duration_ms": "%DURATION%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    # Id of the user or service account.
    "sub": f"%DYNAMIC_METADATA({jwt.FILTER}:{jwt.PAYLOAD}:sub)%",
    "upstream": "%UPSTREAM_HOST%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    # Envoy's letters for what went wrong (UF, UO, RL …) and its words.
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
}
