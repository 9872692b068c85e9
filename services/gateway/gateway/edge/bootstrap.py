"""What Envoy reads once, at its start: where everything else is."""

from __future__ import annotations

from pathlib import Path

from gateway.edge.files import Json, config_source, typed
from gateway.edge.settings import Address, EdgeSettings


def bootstrap(settings: EdgeSettings, clusters_file: Path, listeners_file: Path) -> Json:
    admin = Address.parse(settings.admin)
    return {
        "node": {"id": "crm-edge", "cluster": "crm-edge"},
        "admin": {"address": {"socket_address": {"address": admin.host, "port_value": admin.port}}},
        "dynamic_resources": {
            "cds_config": config_source(clusters_file),
            "lds_config": config_source(listeners_file),
        },
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": typed(
                        "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                        max_active_downstream_connections=settings.max_connections,
                    ),
                }
            ]
        },
    }
