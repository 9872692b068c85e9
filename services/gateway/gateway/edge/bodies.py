"""How large a request may be, in JSON and in gRPC."""

from __future__ import annotations

from gateway.edge.catalogue import PublicMethod
from gateway.edge.files import Json, typed

FILTER = "envoy.filters.http.buffer"
ORDINARY = 1 << 20
# As much as the servers take.
BATCH = 4 << 20
_FRAME = 5  # bytes that gRPC puts before a message


def http_filter() -> Json:
    """Holds a request until it is whole, and refuses it when it grows too large.

    It stands before the transcoder: the transcoder's own limit does not count what it has passed on.
    """
    return {
        "name": FILTER,
        "typed_config": typed("extensions.filters.http.buffer.v3.Buffer", **_at_most(ORDINARY)),
    }


def of_method(method: PublicMethod) -> Json:
    """The filter's part in the route of a gRPC call."""
    if method.streaming:
        return {FILTER: typed("extensions.filters.http.buffer.v3.BufferPerRoute", disabled=True)}
    return _limit(largest(method) + _FRAME)


def of_json(method: PublicMethod) -> Json:
    """The filter's part in the route that the JSON form of such a method has before it is transcoded."""
    return _limit(largest(method))


def largest(method: PublicMethod) -> int:
    """The largest body of a method, in bytes."""
    return method.largest_body_kib << 10 or (BATCH if method.batch else ORDINARY)


def _limit(size: int) -> Json:
    return {FILTER: typed("extensions.filters.http.buffer.v3.BufferPerRoute", buffer=_at_most(size))}


def _at_most(size: int) -> Json:
    return {"max_request_bytes": size}
