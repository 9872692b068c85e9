"""Channels to other services of the installation: mutual TLS, retries on UNAVAILABLE."""

from __future__ import annotations

import json

import grpc

from kernel.ops.settings import Settings

_SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
    }
)


def connect(settings: Settings, address: str) -> grpc.Channel:
    """A channel to `address` ("host:port") that presents this service's certificate."""
    if settings.tls_ca is None or settings.tls_key is None or settings.tls_cert is None:
        raise ValueError("calls between services need CRM_TLS_CA, CRM_TLS_CERT and CRM_TLS_KEY")
    credentials = grpc.ssl_channel_credentials(
        settings.tls_ca.read_bytes(), settings.tls_key.read_bytes(), settings.tls_cert.read_bytes()
    )
    options = [("grpc.service_config", _SERVICE_CONFIG), ("grpc.max_reconnect_backoff_ms", 2000)]
    return grpc.secure_channel(address, credentials, options)
