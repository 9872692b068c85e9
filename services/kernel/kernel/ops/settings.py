"""Every setting a process reads, in one place. A missing secret stops the process."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from the environment, each name with the prefix CRM_. Addresses are "host:port"."""

    model_config = SettingsConfigDict(env_prefix="CRM_", frozen=True)

    # The service's own database with its runtime role (DML only).
    database_url: SecretStr
    # The same database with the role that owns the schema; only `store` needs it.
    database_owner_url: SecretStr | None = None
    # The service's keyring, on a PostgreSQL cluster of its own.
    keyring_url: SecretStr
    keyring_owner_url: SecretStr | None = None
    # JSON file with the service's key-encryption keys.
    kek_file: Path
    amqp_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    # Where mails go out: smtp://[user:password@]host:port, or smtps://. Without it they wait.
    smtp_url: SecretStr | None = None

    # Where the gRPC server listens, and its certificate; clients are asked for theirs.
    grpc_address: str = "127.0.0.1:0"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None
    # The gateway's TrustService: keys and revocations. As of a peer, several addresses of one host may stand
    # here, by commas.
    trust_address: str = ""
    # Where the api of each other service answers that this one may call, by its name.
    peers: dict[str, str] = {}
    # HTTP address of this process for /healthz, /readyz and /metrics; empty for none.
    ops_address: str = ""

    business_zone: str = "Asia/Shanghai"
    base_currency: str = "CNY"
    log_level: str = "info"

    # Threads that answer calls. Measured best on 2 cores: 4.
    grpc_threads: int = 4
    # Calls waiting for a thread beyond which a further one is refused.
    grpc_queue: int = 128
    # Calls of one user or service account, at a time, beyond which a further one is refused.
    grpc_calls_of_one: int = 32
    # Connections to the service's database a process may hold.
    database_pool: int = 6
    # gRPC's own page of which methods there are, for whoever has a certificate of the installation.
    grpc_reflection: bool = False

    @field_validator("business_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        ZoneInfo(name)
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.business_zone)
