"""The events process: `python -m <service>.events [declare | topology]`."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Collection
from typing import Any

import eventlet
import eventlet.patcher
import eventlet.wsgi
from google.protobuf.message import Message
from nameko.extensions import DependencyProvider
from nameko.runners import ServiceRunner

from kernel.bus import topology
from kernel.bus.entrypoint import subscriptions
from kernel.bus.gauges import GaugeLoop
from kernel.bus.publisher import Publisher
from kernel.bus.relay import Relay, RelayLoop
from kernel.ops import health, logs
from kernel.sql.app import App

# Seconds after SIGTERM at which handlers still running are given up; their events come again.
_DRAIN = 18


def main(
    app: App,
    service_class: type,
    nobody_yet: Collection[type[Message] | str] = frozenset(),
    arguments: list[str] | None = None,
) -> None:
    """Runs what the command line asks for.

    Without arguments: hears and tells events until SIGTERM. "declare": makes the exchanges and queues
    and ends. "topology": writes their names as JSON and ends. `nobody_yet` names the events this
    service tells before anybody listens.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    heard = subscriptions(app.service, service_class)
    topology.check(heard)
    if arguments == ["declare"]:
        topology.declare(amqp_url(app), app.service, heard)
    elif arguments == ["topology"]:
        sys.stdout.write(json.dumps(_names(app.service, heard)) + "\n")
    elif arguments:
        raise SystemExit(f"usage: python -m {app.service}.events [declare | topology]")
    else:
        logs.configure(app.service, "events", app.settings.log_level)
        _check_process()
        _serve(app, service_class, _type_names(nobody_yet))


def amqp_url(app: App) -> str:
    """The broker's URL; SystemExit when it is not set."""
    if app.settings.amqp_url is None:
        raise SystemExit("the events process needs CRM_AMQP_URL")
    return app.settings.amqp_url.get_secret_value()


def _check_process() -> None:
    """Refuses to start a process that would freeze later."""
    if not eventlet.patcher.is_monkey_patched("socket"):
        raise SystemExit("kernel.bus.green must be the first import of an events process")
    if "grpc" in sys.modules:
        raise SystemExit("grpc blocks a process patched by eventlet: find out who imported it")


def _serve(app: App, service_class: type, nobody_yet: frozenset[str]) -> None:
    config = {
        "AMQP_URI": amqp_url(app),
        "HEARTBEAT": 10,
        "app": app,
        "nobody_yet": nobody_yet,
    }
    members = {"name": app.service, "app": app, "background": Background()}
    runner = ServiceRunner(config)
    runner.add_service(type(service_class.__name__, (service_class,), members))
    _serve_health(app)
    signal.signal(signal.SIGTERM, lambda *_: eventlet.spawn_n(_stop, runner))
    signal.signal(signal.SIGINT, lambda *_: eventlet.spawn_n(_stop, runner))
    runner.start()
    runner.wait()
    app.close()


def _stop(runner: ServiceRunner) -> None:
    eventlet.spawn_after(_DRAIN, runner.kill)
    runner.stop()


def _serve_health(app: App) -> None:
    """Serves /healthz, /readyz and /metrics. The broker is no part of readiness: events wait for it."""
    if not app.settings.ops_address:
        return
    host, _, port = app.settings.ops_address.rpartition(":")
    listener = eventlet.listen((host, int(port)))
    application = health.application({"store": app.check_store})
    eventlet.spawn_n(eventlet.wsgi.server, listener, application, log_output=False)


class Background(DependencyProvider):
    """Runs the relay and the gauges beside the handlers."""

    def setup(self) -> None:
        app: App = self.container.config["app"]
        url: str = self.container.config["AMQP_URI"]
        self._publisher = Publisher(url)
        relay = Relay(app.engine, app.service, self._publisher, self.container.config["nobody_yet"])
        heard = subscriptions(app.service, self.container.service_cls)
        self._loops: list[Any] = [
            RelayLoop(relay, app.settings.database_url.get_secret_value()),
            GaugeLoop(app.engine, url, heard),
        ]

    def start(self) -> None:
        self._threads = [self.container.spawn_managed_thread(loop.run) for loop in self._loops]

    def stop(self) -> None:
        """Lets the batch in hand finish; what remains in the outbox is for the next process."""
        for loop in self._loops:
            loop.stop()
        for thread in self._threads:
            thread.wait()
        self._publisher.close()


def _type_names(events: Collection[type[Message] | str]) -> frozenset[str]:
    return frozenset(e if isinstance(e, str) else e.DESCRIPTOR.full_name for e in events)


def _names(service: str, heard: list[topology.Subscription]) -> dict[str, Any]:
    return {
        "exchange": topology.exchange_name(service),
        "subscriptions": [
            {"event": s.event_type, "handler": s.handler, "queue": s.queue, "dead": s.dead_queue}
            for s in heard
        ],
    }
