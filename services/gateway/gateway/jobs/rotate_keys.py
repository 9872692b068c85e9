"""The hourly look at the signing keys; Envoy is told when they changed."""

from __future__ import annotations

from typing import cast

from gateway.edge.jwt import write_keys
from gateway.wiring import GatewayApp
from kernel.jobs.job import Job, Running
from kernel.ops.logs import logger

log = logger(__name__)


def tell_edge(app: GatewayApp) -> None:
    """Writes the public keys into Envoy's folder, when this process has one."""
    directory = app.settings.edge_dir
    if directory is None:
        return
    keys = app.public_keys()
    directory.mkdir(parents=True, exist_ok=True)
    if write_keys(keys, directory):
        log.info("edge told of signing keys", keys=[key["kid"] for key in keys])


def _rotate(running: Running) -> None:
    app = cast(GatewayApp, running.app)
    app.rotate_signing_keys()
    tell_edge(app)


ROTATE_KEYS = Job("rotate_keys", _rotate, every="7 * * * *")
