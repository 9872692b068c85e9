"""The small HTTP server of each process: /healthz, /readyz, /metrics."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

# Answers None when well, else a sentence that names what is unwell.
Check = Callable[[], str | None]


def application(checks: Mapping[str, Check]) -> Callable[..., Iterable[bytes]]:
    """A WSGI application; ready when every check is well."""

    def answer(environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
            return [generate_latest()]
        if path == "/healthz":
            return _json(start_response, "200 OK", {"status": "alive"})
        if path == "/readyz":
            unwell = {name: reason for name, check in checks.items() if (reason := _ask(check))}
            status = "503 Service Unavailable" if unwell else "200 OK"
            return _json(
                start_response, status, {"status": "unwell" if unwell else "ready", "unwell": unwell}
            )
        return _json(start_response, "404 Not Found", {"status": "unknown path"})

    return answer


def serve(address: str, checks: Mapping[str, Check]) -> None:
    """Serves in a daemon thread for as long as the process lives; does nothing for an empty address."""
    if not address:
        return
    host, _, port = address.rpartition(":")
    server = make_server(host, int(port), application(checks), _Server, _Silent)
    threading.Thread(target=server.serve_forever, name="ops", daemon=True).start()


def _ask(check: Check) -> str | None:
    try:
        return check()
    except Exception as error:
        return type(error).__name__


def _json(start_response: Callable[..., Any], status: str, body: Mapping[str, object]) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]


class _Server(ThreadingMixIn, WSGIServer):
    """A thread a request: that a check waits for its server keeps nobody from hearing that we live."""

    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Probes are not worth a line each."""
