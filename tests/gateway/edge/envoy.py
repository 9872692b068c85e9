"""A real Envoy on files of ours."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from gateway.edge.settings import Address, EdgeSettings

_PROGRAM = Path(sys.executable).parent / "envoy"
_OPTIONS = (
    "--concurrency",
    "1",
    "--disable-hot-restart",
    "--file-flush-interval-msec",
    "50",
    "-l",
    "warning",
)
_PATIENCE = 30.0


class Envoy:
    """Envoy with the rendered configuration; `log` is what it said, `lines()` its access log."""

    def __init__(self, settings: EdgeSettings, start: Path) -> None:
        self.settings = settings
        self._output = settings.dir / "access.log"
        self.log = settings.dir / "envoy.log"
        with self._output.open("wb") as output, self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [_PROGRAM, "-c", start, *_OPTIONS],
                stdout=output,
                stderr=log,
            )

    def admin(self, path: str) -> tuple[int, str]:
        address = Address.parse(self.settings.admin)
        connection = HTTPConnection(address.host, address.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def stat(self, name: str) -> int:
        """One of Envoy's counters or gauges; 0 when it doesn't exist yet."""
        found = json.loads(self.admin(f"/stats?format=json&filter=^{name}$")[1])["stats"]
        return sum(int(entry["value"]) for entry in found if entry.get("name") == name)

    def ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"Envoy ended: {self.log.read_text()[-2000:]}")
        try:
            return (
                self.admin("/ready")[0] == 200 and self.stat("listener_manager.total_listeners_active") == 1
            )
        except OSError:
            return False

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._output.read_text().splitlines() if line]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(_PATIENCE)

    def line(self, request_id: str) -> dict[str, Any]:
        """The line of one call, which comes a moment after its answer."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines() if line.get("request_id") == request_id]

        until(found, f"the line of {request_id}")
        return found()[0]


def until(condition: Callable[[], object], what: str, patience: float = _PATIENCE) -> None:
    """Waits for a condition, asking again and again. Raises AssertionError after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience:.0f} s: {what}")
        time.sleep(0.02)
