"""The services behind the door: mutual TLS 1.3, health checks, limits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateway.edge import secrets
from gateway.edge.files import Json, typed
from gateway.edge.settings import Address, EdgeSettings

_CONNECT_SECONDS = "2s"
# Calls open to one service at a time; beyond them callers hear UNAVAILABLE at once.
_MOST_CALLS = 4096


def clusters(settings: EdgeSettings) -> list[Json]:
    """One cluster a service, named as the service."""
    return [
        cluster(service, addresses, settings.dir) for service, addresses in sorted(settings.upstreams.items())
    ]


def cluster(service: str, addresses: Sequence[str], directory: Path) -> Json:
    return typed(
        "config.cluster.v3.Cluster",
        name=service,
        type="STRICT_DNS",  # a name in Kubernetes stands for all pods behind it
        dns_lookup_family="V4_PREFERRED",
        connect_timeout=_CONNECT_SECONDS,
        lb_policy="LEAST_REQUEST",
        load_assignment={
            "cluster_name": service,
            "endpoints": [{"lb_endpoints": [_endpoint(Address.parse(address)) for address in addresses]}],
        },
        typed_extension_protocol_options={"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": _http2()},
        transport_socket=_mutual_tls(service, directory),
        health_checks=[_health_check(service)],
        common_lb_config={
            # When no server is healthy, try them all: a draining one still answers what reaches it.
            "healthy_panic_threshold": {"value": 1},
            # By default what health checks find is held back for a second, and a draining server called.
            "update_merge_window": "0s",
        },
        outlier_detection=_outliers(),
        circuit_breakers=_circuit_breakers(),
    )


def _endpoint(address: Address) -> Json:
    return {
        "endpoint": {"address": {"socket_address": {"address": address.host, "port_value": address.port}}}
    }


def _http2() -> Json:
    return typed(
        "extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config={
            "http2_protocol_options": {
                "initial_stream_window_size": 1 << 20,
                "initial_connection_window_size": 4 << 20,
                # Finds a peer that vanished without a word.
                "connection_keepalive": {"interval": "20s", "timeout": "5s"},
            }
        },
        common_http_protocol_options={"idle_timeout": "300s"},
    )


def _mutual_tls(service: str, directory: Path) -> Json:
    """Only a server whose certificate names the service is believed; ours says that we are Envoy."""
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed(
            "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            common_tls_context={
                # The maximum must be written out: the default for clients is TLS 1.2.
                "tls_params": {
                    "tls_minimum_protocol_version": "TLSv1_3",
                    "tls_maximum_protocol_version": "TLSv1_3",
                },
                "alpn_protocols": ["h2"],
                "tls_certificate_sds_secret_configs": [secrets.reference(secrets.CLIENT, directory)],
                "combined_validation_context": {
                    "default_validation_context": {
                        "match_typed_subject_alt_names": [
                            {"san_type": "URI", "matcher": {"exact": f"spiffe://crm/{service}"}}
                        ]
                    },
                    "validation_context_sds_secret_config": secrets.reference(secrets.AUTHORITY, directory),
                },
            },
        ),
    }


def _health_check(service: str) -> Json:
    """Each second; one bad answer is enough to send no more calls, one good answer to send them again."""
    return {
        "grpc_health_check": {"service_name": f"crm.{service}"},
        "interval": "1s",
        "no_traffic_interval": "1s",
        "timeout": "3s",
        "unhealthy_threshold": 1,
        "healthy_threshold": 1,
        "always_log_health_check_failures": False,
    }


def _outliers() -> Json:
    """Between health checks: who fails five times in a row rests for 5 s, at most half of the servers."""
    return {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 5,
        "consecutive_gateway_failure": 5,
        "enforcing_consecutive_gateway_failure": 100,
        # A service that says INTERNAL has a fault, but its twin has the same.
        "enforcing_consecutive_5xx": 0,
        "enforcing_success_rate": 0,
        "interval": "1s",
        "base_ejection_time": "5s",
        "max_ejection_percent": 50,
    }


def _circuit_breakers() -> Json:
    return {
        "thresholds": [
            {
                "max_connections": 256,
                "max_pending_requests": _MOST_CALLS,
                "max_requests": _MOST_CALLS,
                # Retries never become the load that keeps a service down.
                "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 64},
            }
        ]
    }
