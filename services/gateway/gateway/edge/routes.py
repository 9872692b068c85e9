"""One route a public method; whatever else is asked for does not exist."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.edge import access, bodies, browsers, limits, pages, unknown_fields
from gateway.edge.catalogue import PublicMethod
from gateway.edge.description.publishing import Document
from gateway.edge.files import Json, typed
from gateway.edge.settings import EdgeSettings

NAME = "api"


# Of a document; they are held in memory, once.
_LARGEST_DOCUMENT = 8 << 20
_READING = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}
_UNPACKS = {"name": "accept-encoding", "string_match": {"safe_regex": {"regex": r".*\bgzip\b.*"}}}
# gRPC-Web too: the filter that makes gRPC of it does so after the route is found.
_IS_GRPC = {
    "name": "content-type",
    "string_match": {"safe_regex": {"regex": r"application/grpc(-web(-text)?)?(\+.*)?"}},
}


def route_configuration(
    methods: Sequence[PublicMethod], published: Sequence[Document], settings: EdgeSettings
) -> Json:
    """All routes, in the order in which they are tried. `published` stand below settings.dir."""
    return typed(
        "config.route.v3.RouteConfiguration",
        name=NAME,
        max_direct_response_body_size_bytes=_LARGEST_DOCUMENT,
        virtual_hosts=[
            {
                "name": NAME,
                "domains": ["*"],
                **browsers.of_host(settings),
                "routes": [
                    *(_method(method, settings) for method in methods),
                    *(_large_json(method) for method in methods if bodies.largest(method) > bodies.ORDINARY),
                    _home(),
                    *(_document(document, settings.dir, packed=True) for document in published),
                    *(_document(document, settings.dir, packed=False) for document in published),
                    # A call without a body has no field to be looked for.
                    _nothing_here(unknown_fields.off(), headers=[_READING]),
                    _nothing_here(),
                ],
            }
        ],
    )


def _method(method: PublicMethod, settings: EdgeSettings) -> Json:
    """JSON calls arrive here too: the transcoder has made gRPC of them."""
    return {
        "name": method.path.lstrip("/"),
        "match": {
            "path": method.path,
            "headers": [{"name": ":method", "string_match": {"exact": "POST"}}, _IS_GRPC],
        },
        "route": {
            "cluster": method.owner,
            **(_deadline_of_a_stream() if method.streaming else _deadline(settings)),
            **({} if method.streaming else {"retry_policy": _retries(method.repeatable)}),
        },
        **({"metadata": limits.BY_ADDRESS} if method.anyone else {}),
        "typed_per_filter_config": {
            **access.of_method(method),
            **bodies.of_method(method),
            **unknown_fields.off(),
        },
    }


def _deadline(settings: EdgeSettings) -> Json:
    """Becomes the grpc-timeout that the service is told; Envoy ends the call when the service doesn't."""
    return {
        "timeout": "0s",  # the router's own timeout would ignore the caller's
        "max_stream_duration": {
            "max_stream_duration": f"{settings.deadline}s",
            "grpc_timeout_header_max": f"{settings.longest_deadline}s",
        },
    }


def _deadline_of_a_stream() -> Json:
    return {"timeout": "0s", "idle_timeout": "300s", "max_stream_duration": {"max_stream_duration": "0s"}}


def _retries(repeatable: bool) -> Json:
    """Three more tries, each on another server where there is one, further and further apart.

    What must not happen twice is tried again only when it surely never arrived.
    """
    never_arrived = "connect-failure,refused-stream,reset-before-request"
    return {
        "retry_on": f"unavailable,reset,{never_arrived}" if repeatable else never_arrived,
        "num_retries": 3,
        "retry_back_off": {"base_interval": "0.050s", "max_interval": "0.500s"},
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": typed("extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
            }
        ],
        "host_selection_retry_max_attempts": 3,
    }


def _home() -> Json:
    return {
        "name": "home",
        "match": {"path": "/", "headers": [_READING]},
        "direct_response": {"status": 200, "body": {"inline_string": pages.HOME}},
        "response_headers_to_add": [_set(name, value) for name, value in pages.HOME_HEADERS.items()],
        **_open(),
    }


def _document(document: Document, directory: Path, packed: bool) -> Json:
    """What the door says of itself; packed when the caller can unpack it."""
    headers = {"vary": "accept-encoding", **document.headers}
    if packed:
        headers["content-encoding"] = "gzip"
    return {
        "name": f"{document.path.lstrip('/')}{' packed' if packed else ''}",
        "match": {"path": document.path, "headers": [_READING, *([_UNPACKS] if packed else [])]},
        "direct_response": {"status": 200, "body": {"filename": str(document.file(directory, packed))}},
        "response_headers_to_add": [_set(name, value) for name, value in headers.items()],
        **_open(),
    }


def _large_json(method: PublicMethod) -> Json:
    """Until the transcoder has found the method, its JSON form stands here; only to be allowed its size."""
    regex = "[^/]+".join(re.escape(part) for part in re.split(r"\{[^}]*\}", method.address))
    return {**_nothing_here(), "match": {"safe_regex": {"regex": regex}}, **_open(bodies.of_json(method))}


def _nothing_here(more: Json | None = None, **match: Any) -> Json:
    """Also where a JSON call stands until the transcoder has found its method.

    CORS looks at routes that lead to a cluster only; there is none of this name, which means 404.
    """
    nowhere = {"cluster": "nowhere", "cluster_not_found_response_code": "NOT_FOUND"}
    return {"name": "nothing here", "match": {"prefix": "/", **match}, "route": nowhere, **_open(more)}


def _open(more: Json | None = None) -> Json:
    """What Envoy answers itself is for anyone."""
    return {
        "metadata": limits.BY_ADDRESS,
        "typed_per_filter_config": {**access.for_anyone(), **(more or {})},
    }


def _set(name: str, value: str) -> Json:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
