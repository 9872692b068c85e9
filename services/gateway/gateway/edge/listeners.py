"""Where the outside connects: TLS 1.3, the order of the filters, the limits of a connection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateway.edge import (
    access,
    accesslog,
    bodies,
    browsers,
    health,
    jwt,
    limits,
    overdue,
    replies,
    routes,
    secrets,
)
from gateway.edge.files import Json, config_source, typed
from gateway.edge.settings import MOST_HEADERS, MOST_HEADERS_KIB, MOST_STREAMS, Address, EdgeSettings

_ANSWER_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=31536000",
}
# Of interest behind the door only.
_INSIDE_ANSWER = ("grpc-accept-encoding", "x-envoy-upstream-healthchecked-cluster")
# Names that only machines behind the door may use.
_INTERNAL_PREFIXES = ("x-envoy-", "x-crm-")
_NOBODY = {"address_prefix": "255.255.255.255", "prefix_len": 32}
_INTERNAL = ("x-forwarded-client-cert", "x-forwarded-host", "x-real-ip", "forwarded")
# HTTP allows more in names of headers than gRPC does, whose servers answer with a fault of theirs; the
# same for what they would decode and nobody reads.
_NO_METADATA = r"[^a-z0-9_.:-].*|[^:].*[^a-z0-9_.-].*|.*-bin|grpc-previous-rpc-attempts"


def listener(settings: EdgeSettings, to_grpc: Sequence[Json], routes_file: Path) -> Json:
    """`to_grpc` are the filters that make gRPC of a JSON call."""
    address = Address.parse(settings.listen)
    return typed(
        "config.listener.v3.Listener",
        name="outside",
        address={"socket_address": {"address": address.host, "port_value": address.port}},
        # A second gateway on the same port must fail to start, not share the calls.
        enable_reuse_port=False,
        per_connection_buffer_limit_bytes=1 << 20,
        filter_chains=[
            {
                "transport_socket": _tls(settings.dir),
                "transport_socket_connect_timeout": "10s",
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": _connection_manager(settings, to_grpc, routes_file),
                    }
                ],
            }
        ],
    )


def _tls(directory: Path) -> Json:
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed(
            "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={
                "tls_params": {
                    "tls_minimum_protocol_version": "TLSv1_3",
                    "tls_maximum_protocol_version": "TLSv1_3",
                },
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificate_sds_secret_configs": [secrets.reference(secrets.SERVER, directory)],
            },
        ),
    }


def _connection_manager(settings: EdgeSettings, to_grpc: Sequence[Json], routes_file: Path) -> Json:
    return typed(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="outside",
        codec_type="AUTO",
        rds={"route_config_name": routes.NAME, "config_source": config_source(routes_file)},
        http_filters=_filters(settings, to_grpc),
        local_reply_config=replies.local_replies(),
        access_log=[accesslog.to_stdout()],
        **_caller(settings),
        **_paths(),
        **_limits(),
    )


def _filters(settings: EdgeSettings, to_grpc: Sequence[Json]) -> list[Json]:
    """In the order a call meets them; an answer meets them in reverse."""
    return [
        _answer_headers(),
        *health.http_filters(settings.upstreams),
        *browsers.http_filters(),
        bodies.http_filter(),
        *to_grpc,
        # From here on every call is gRPC.
        jwt.http_filter(settings.dir),
        access.http_filter(),
        limits.http_filter(settings),
        overdue.http_filter(),
        {
            "name": "envoy.filters.http.router",
            "typed_config": typed(
                "extensions.filters.http.router.v3.Router",
                suppress_envoy_headers=True,
            ),
        },
    ]


def _caller(settings: EdgeSettings) -> Json:
    """Who calls, as far as the connection tells; nothing that a caller only claims."""
    return {
        "use_remote_address": True,
        "xff_num_trusted_hops": settings.trusted_hops,
        "internal_address_config": {"cidr_ranges": [_NOBODY]},  # everybody is outside
        "forward_client_cert_details": "SANITIZE",
        "early_header_mutation_extensions": [_without_unwanted_headers()],
        # A caller may bring its own id and finds it in the answer.
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        "request_id_extension": {
            "typed_config": typed(
                "extensions.request_id.uuid.v3.UuidRequestIdConfig", pack_trace_reason=False
            )
        },
        "server_name": "crm",
        "generate_request_id": True,
    }


def _without_unwanted_headers() -> Json:
    mutations: list[Json] = [{"remove": name} for name in _INTERNAL]
    mutations += [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in _INTERNAL_PREFIXES]
    mutations.append({"remove_on_match": {"key_matcher": {"safe_regex": {"regex": _NO_METADATA}}}})
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": typed(
            "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=mutations
        ),
    }


def _answer_headers() -> Json:
    """On every answer, Envoy's own included."""
    mutations: list[Json] = [{"remove": name} for name in _INSIDE_ANSWER]
    mutations += [
        {
            "append": {
                "header": {"key": name, "value": value},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        }
        for name, value in _ANSWER_HEADERS.items()
    ]
    return {
        "name": "envoy.filters.http.header_mutation",
        "typed_config": typed(
            "extensions.filters.http.header_mutation.v3.HeaderMutation",
            mutations={"response_mutations": mutations},
        ),
    }


def _paths() -> Json:
    """One spelling for each path, so that no rule can be walked around."""
    return {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "strip_any_host_port": True,
    }


def _limits() -> Json:
    return {
        "max_request_headers_kb": MOST_HEADERS_KIB,
        "request_headers_timeout": "10s",
        "request_timeout": "60s",
        "stream_idle_timeout": "75s",
        "delayed_close_timeout": "1s",
        "drain_timeout": "10s",
        "common_http_protocol_options": {
            "idle_timeout": "300s",
            "max_headers_count": MOST_HEADERS,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": MOST_STREAMS,
            "initial_stream_window_size": 1 << 20,
            "initial_connection_window_size": 4 << 20,
            "connection_keepalive": {"interval": "30s", "timeout": "10s"},
        },
        "http_protocol_options": {"accept_http_10": False},
    }
