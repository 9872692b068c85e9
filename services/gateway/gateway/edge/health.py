"""Whether calls would find anybody: /healthz for all services, /healthz/<service> for one."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.edge.files import Json, typed

PATH = "/healthz"


def http_filters(services: Iterable[str]) -> list[Json]:
    """Each answers its own path at once: 200 when every service has a healthy server, else 503."""
    names = sorted(services)
    return [_filter(PATH, names), *(_filter(f"{PATH}/{name}", [name]) for name in names)]


def _filter(path: str, services: list[str]) -> Json:
    return {
        "name": f"crm.health{path.removeprefix(PATH).replace('/', '.')}",
        "typed_config": typed(
            "extensions.filters.http.health_check.v3.HealthCheck",
            pass_through_mode=False,
            headers=[
                {"name": ":path", "string_match": {"exact": path}},
                {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}},
            ],
            # One healthy server among up to a hundred.
            cluster_min_healthy_percentages={service: {"value": 1} for service in services},
        ),
    }
