"""What an installation must say about its front door."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

# Of one call.
MOST_HEADERS, MOST_HEADERS_KIB = 100, 32
# Calls at a time on one connection.
MOST_STREAMS = 100


class Address(NamedTuple):
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """From "host:port". Raises ValueError."""
        host, colon, port = text.rpartition(":")
        if not (host and colon and port.isdigit() and int(port) < 65536):
            raise ValueError(f"{text!r} is not host:port")
        return cls(host, int(port))


def _host_port(text: str) -> str:
    Address.parse(text)
    return text


HostPort = Annotated[str, AfterValidator(_host_port)]


class EdgeSettings(BaseSettings):
    """Read from the environment, each name with the prefix CRM_EDGE_.

    Required:
    CRM_EDGE_DIR          folder of Envoy's files; created when absent
    CRM_EDGE_UPSTREAMS    JSON: each service's api servers, {"customer": ["10.0.0.7:7001", …], …};
                          a name is resolved and stands for all its addresses
    CRM_EDGE_TLS_CERT     PEM certificate chain shown to the outside, and
    CRM_EDGE_TLS_KEY      its private key
    CRM_EDGE_CLIENT_CERT  PEM certificate shown to the services (URI SAN spiffe://crm/envoy), and
    CRM_EDGE_CLIENT_KEY   its private key
    CRM_EDGE_CA           PEM certificates that sign the services' certificates (spiffe://crm/<service>)

    With a default:
    CRM_EDGE_LISTEN                      127.0.0.1:8443  where the outside connects, TLS 1.3
    CRM_EDGE_ADMIN                       127.0.0.1:9901  Envoy's own pages and metrics; keep it on loopback
    CRM_EDGE_DEADLINE                    15     seconds for a call that brings no grpc-timeout
    CRM_EDGE_LONGEST_DEADLINE            60     seconds a caller may ask for at most
    CRM_EDGE_USER_CALLS_PER_SECOND       50     of one user; twice as many at once after a pause
    CRM_EDGE_ACCOUNT_CALLS_PER_SECOND    500    of one service account; twice as many at once after a pause
    CRM_EDGE_ANONYMOUS_CALLS_PER_SECOND  100    of one address, to methods that need no token
    CRM_EDGE_TRUSTED_HOPS                0      proxies in front whose x-forwarded-for is believed
    CRM_EDGE_MAX_CONNECTIONS             10000  open connections from outside
    CRM_EDGE_CORS_ORIGINS                []     JSON: pages of which origins may call, ["https://console.example"]
    """

    model_config = SettingsConfigDict(env_prefix="CRM_EDGE_", frozen=True)

    dir: Path
    upstreams: dict[str, Annotated[list[HostPort], Field(min_length=1)]]
    tls_cert: Path
    tls_key: Path
    client_cert: Path
    client_key: Path
    ca: Path

    listen: HostPort = "127.0.0.1:8443"
    admin: HostPort = "127.0.0.1:9901"
    deadline: int = Field(15, gt=0)
    longest_deadline: int = Field(60, gt=0)
    user_calls_per_second: int = Field(200, gt=0)
    account_calls_per_second: int = Field(1000, gt=0)
    anonymous_calls_per_second: int = Field(100, gt=0)
    trusted_hops: int = Field(0, ge=0)
    max_connections: int = Field(10_000, gt=0)
    cors_origins: list[Annotated[str, Field(pattern=r"^https?://[^/*]+$")]] = []
