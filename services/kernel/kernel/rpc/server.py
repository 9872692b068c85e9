"""The api process: a gRPC server with health, reflection, readiness and a clean end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from crm.gateway.v1 import auth_service_pb2, auth_service_pb2_grpc
from kernel.ops import health as ops_health
from kernel.ops import logs, metrics
from kernel.ops.health import Check
from kernel.ops.settings import Settings
from kernel.rpc.admission import Admission, Entrance
from kernel.rpc.channel import connect
from kernel.rpc.dispatch import Dispatcher
from kernel.rpc.methods import methods_of, service_descriptor
from kernel.rpc.trust import Trust, TrustPoller, trust_of
from kernel.sql.app import App
from kernel.sql.audit import ViewLog

log = logs.logger(__name__)

# Seconds between "not serving" and the end of the listening socket, so that the gateway has noticed.
_NOTICE = 1.5
# Seconds calls in flight may take to end.
_DRAIN = 10.0
_LARGEST_MESSAGE = 4 * 1024 * 1024


class Health(health.HealthServicer):
    """Says at once whether the service is well: with all threads at work, it isn't ill."""

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        return super().Check(request, context)

    # Looked for by the server, which else would let a check wait behind calls.
    Check.experimental_thread_pool = ThreadPoolExecutor(1, "health")  # type: ignore[attr-defined]


def main(app: App, servicers: Mapping[str, object], fetch_trust: Callable[[], Trust] | None = None) -> None:
    """Serves until SIGTERM or SIGINT, then drains and returns.

    `servicers` maps a service's full name to its implementation. `fetch_trust` replaces the question
    to the gateway, for the gateway itself.
    """
    logs.configure(app.service, "api", app.settings.log_level)
    server, health_servicer, checks = build(app, servicers, fetch_trust or _ask_gateway(app.settings))
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    server.start()
    log.info("serving", address=app.settings.grpc_address)
    threading.Thread(
        target=_report_health,
        args=(app.service, health_servicer, checks, stopping),
        name="health",
        daemon=True,
    ).start()
    stopping.wait()
    health_servicer.enter_graceful_shutdown()
    threading.Event().wait(_NOTICE)
    server.stop(_DRAIN).wait()
    app.close()
    log.info("stopped")


def build(
    app: App, servicers: Mapping[str, object], fetch_trust: Callable[[], Trust]
) -> tuple[grpc.Server, health.HealthServicer, Mapping[str, Check]]:
    """The server, not yet started, its health service and its readiness checks.

    Raises ValueError or AttributeError when a method has no access option or no implementation.
    """
    settings = app.settings
    poller = TrustPoller(fetch_trust)
    views = ViewLog(app.engine, app.clock)
    dispatcher = Dispatcher(app, poller, views)
    app.on_close(views.flush)
    poller.start()
    views.start()
    app.watch_keys()
    admission = Admission(settings.grpc_threads, settings.grpc_queue, settings.grpc_calls_of_one)
    metrics.calls_waiting.set_function(lambda: admission.wait)
    server = grpc.server(
        admission,
        options=[
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
            ("grpc.max_metadata_size", 32 * 1024),
            ("grpc.so_reuseport", 0),
        ],
    )
    entrance = Entrance(admission)
    for name, servicer in servicers.items():
        for method in methods_of(service_descriptor(name)):
            entrance.add(method, dispatcher.handler(method, getattr(servicer, method.python_name)))
    server.add_generic_rpc_handlers((entrance,))
    health_servicer = Health(experimental_non_blocking=True)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    if settings.grpc_reflection:
        reflection.enable_server_reflection(
            [*servicers, health.SERVICE_NAME, reflection.SERVICE_NAME], server
        )
    server.add_secure_port(settings.grpc_address, _credentials(settings))
    checks: dict[str, Check] = {
        "database": app.check_store,
        "trust": lambda: None if poller.age < float("inf") else "keys not heard from the gateway yet",
    }
    ops_health.serve(settings.ops_address, checks)
    return server, health_servicer, checks


def _report_health(
    service: str, servicer: health.HealthServicer, checks: Mapping[str, Check], stopping: threading.Event
) -> None:
    while not stopping.is_set():
        ready = not any(_unwell(check) for check in checks.values())
        serving = (
            health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        for name in ("", f"crm.{service}"):
            servicer.set(name, serving)
        stopping.wait(1.0)


def _unwell(check: Check) -> str | None:
    try:
        return check()
    except Exception as error:
        return type(error).__name__


def _ask_gateway(settings: Settings) -> Callable[[], Trust]:
    stub = auth_service_pb2_grpc.TrustServiceStub(  # type: ignore[no-untyped-call]
        connect(settings, settings.trust_address)
    )
    return lambda: trust_of(stub.GetTrust(auth_service_pb2.GetTrustRequest(), timeout=2.0))


def _credentials(settings: Settings) -> grpc.ServerCredentials:
    """Server credentials that ask for a client certificate and follow renewed files."""
    cert, key, ca = settings.tls_cert, settings.tls_key, settings.tls_ca
    if cert is None or key is None or ca is None:
        raise ValueError("api needs CRM_TLS_CERT, CRM_TLS_KEY and CRM_TLS_CA")
    read_at: list[float] = [_changed(cert, key, ca)]

    def configuration() -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(key.read_bytes(), cert.read_bytes())], root_certificates=ca.read_bytes()
        )

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        changed = _changed(cert, key, ca)
        if changed == read_at[0]:
            return None
        read_at[0] = changed
        return configuration()

    return grpc.dynamic_ssl_server_credentials(configuration(), renewed, require_client_authentication=True)


def _changed(*files: Path) -> float:
    return max(file.stat().st_mtime for file in files)
