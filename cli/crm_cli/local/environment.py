"""What a process gets to know: a small environment of its own, never ours."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from crm_cli.local import certificates, install
from crm_cli.local.layout import SERVICES, Layout, twin
from crm_cli.local.stack import ServiceInfo

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Settings of the services that the user's environment may override.
_TUNABLE = (
    "CRM_LOG_LEVEL", "CRM_BUSINESS_ZONE", "CRM_BASE_CURRENCY", "CRM_GRPC_THREADS", "CRM_GRPC_QUEUE",
    "CRM_GRPC_CALLS_OF_ONE", "CRM_DATABASE_POOL", "CRM_ATTEMPT_SECONDS", "CRM_OIDC_PROVIDERS",
    "CRM_THROTTLE_PER_LOGIN", "CRM_THROTTLE_PER_ADDRESS", "CRM_THROTTLE_WINDOW_SECONDS",
)  # fmt: skip
# Settings of the front door that it may override.
_TUNABLE_EDGE = (
    "CRM_EDGE_USER_CALLS_PER_SECOND", "CRM_EDGE_ACCOUNT_CALLS_PER_SECOND",
    "CRM_EDGE_ANONYMOUS_CALLS_PER_SECOND",
    "CRM_EDGE_DEADLINE", "CRM_EDGE_LONGEST_DEADLINE", "CRM_EDGE_MAX_CONNECTIONS", "CRM_EDGE_CORS_ORIGINS",
)  # fmt: skip
_DEFAULTS = {"CRM_LOG_LEVEL": "info", "CRM_BUSINESS_ZONE": "Asia/Shanghai", "CRM_BASE_CURRENCY": "CNY"}


def base() -> dict[str, str]:
    """For any process: where programs are, and a language that knows Chinese."""
    passed = {name: os.environ[name] for name in ("TMPDIR", "TZ", "PYTHONPATH") if name in os.environ}
    return {"PATH": _PATH, "HOME": "/nonexistent", "LANG": "C.UTF-8", "TERM": "dumb", **passed}


def of_service(
    layout: Layout,
    service: ServiceInfo,
    ports: Mapping[str, int],
    redis_url: str,
    process: str = "",
    second: bool = False,
) -> dict[str, str]:
    """For a process of a service; `process` names the one whose ops address it gets ("" for a short command).

    `second`: for the twin, which runs beside the first while it takes its place. The owner's URLs are for
    the short commands only: what serves can't change the schema.
    """
    tuned = {name: os.environ[name] for name in _TUNABLE if name in os.environ}
    environment = {
        **base(),
        "HOME": str(layout.folder),
        "PYTHONUNBUFFERED": "1",
        # Phrases are not used for names; their table would take 40 MB of every process.
        "PYPINYIN_NO_PHRASES": "1",
        **_DEFAULTS,
        **tuned,
        "CRM_DATABASE_URL": service.database_url,
        "CRM_KEYRING_URL": service.keyring_url,
        "CRM_KEK_FILE": service.kek_file,
        "CRM_AMQP_URL": service.amqp_url,
        "CRM_REDIS_URL": redis_url,
        "CRM_SMTP_URL": smtp_url(ports),
        "CRM_GRPC_ADDRESS": _address(ports, f"{service.name}.grpc", second),
        "CRM_TLS_CERT": service.tls_cert,
        "CRM_TLS_KEY": service.tls_key,
        "CRM_TLS_CA": str(layout.tls / "ca.pem"),
        "CRM_TRUST_ADDRESS": ",".join(_addresses(ports)["gateway"]),
        "CRM_PUBLIC_URL": f"https://localhost:{ports['gateway']}",
        "CRM_PEERS": json.dumps({name: ",".join(both) for name, both in _addresses(ports).items()}),
    }
    if process:
        environment["CRM_OPS_ADDRESS"] = _address(ports, f"{service.name}.{process}", second)
    else:
        environment["CRM_DATABASE_OWNER_URL"] = service.database_owner_url
        environment["CRM_KEYRING_OWNER_URL"] = service.keyring_owner_url
    if service.name == "sales":
        signer = layout.tls / certificates.SIGNER
        environment["CRM_ENTERPRISE_NAME"] = "示例软件有限公司"
        environment["CRM_CONTRACT_CERT"] = f"{signer}.pem"
        environment["CRM_CONTRACT_KEY"] = f"{signer}.key"
        environment["CRM_FONTS"] = str(install.CJK_FONTS)
    if service.name == "ticketing":
        environment["CRM_MAIL_ADDRESS"] = f"127.0.0.1:{ports['ticketing.smtp']}"
    if service.name == "gateway":
        environment |= of_edge(layout, ports)
    return environment


def smtp_url(ports: Mapping[str, int]) -> str:
    """Where mails go out: the server that the user's environment names, else the mailbox."""
    return os.environ.get("CRM_SMTP_URL") or f"smtp://127.0.0.1:{ports['mailbox']}"


def of_edge(layout: Layout, ports: Mapping[str, int]) -> dict[str, str]:
    """What the gateway must know to configure Envoy."""
    return {
        **{name: os.environ[name] for name in _TUNABLE_EDGE if name in os.environ},
        "CRM_EDGE_DIR": str(layout.edge),
        "CRM_EDGE_LISTEN": f"127.0.0.1:{ports['gateway']}",
        "CRM_EDGE_ADMIN": f"127.0.0.1:{ports['envoy-admin']}",
        "CRM_EDGE_UPSTREAMS": json.dumps(_addresses(ports)),
        "CRM_EDGE_TLS_CERT": str(layout.tls / "edge.pem"),
        "CRM_EDGE_TLS_KEY": str(layout.tls / "edge.key"),
        "CRM_EDGE_CLIENT_CERT": str(layout.tls / "envoy.pem"),
        "CRM_EDGE_CLIENT_KEY": str(layout.tls / "envoy.key"),
        "CRM_EDGE_CA": str(layout.tls / "ca.pem"),
    }


def _addresses(ports: Mapping[str, int]) -> dict[str, list[str]]:
    """Where the api of each service answers, and where its twin does while it takes its place."""
    return {name: [_address(ports, f"{name}.grpc", second) for second in (False, True)] for name in SERVICES}


def _address(ports: Mapping[str, int], port_name: str, second: bool) -> str:
    return f"127.0.0.1:{ports[twin(port_name) if second else port_name]}"


def templates(layout: Layout) -> Path:
    return layout.root / "deploy" / "local"
