"""Sealing goes on in every jobs process; one of them does it at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from kernel.jobs.job import Job, Running
from kernel.ops import metrics
from kernel.ops.logs import logger
from kernel.sql.audit_chain import check_audit, seal_audit

if TYPE_CHECKING:
    from kernel.sql.app import App

_log = logger(__name__)

# Seconds between two looks: a row is sealed within one second.
_EVERY = 0.5


class SealLoop:
    """Seals in a thread until stopped; survives the absence of database and keyring."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="seals", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Waits up to `timeout` seconds for the batch in hand; a kill after that only rolls it back."""
        self._stop.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        wait, failing = 0.0, False
        while not self._stop.wait(wait):
            try:
                wait = 0.0 if seal_audit(self._app) else _EVERY
                failing = False
            except Exception as error:
                if not failing:
                    _log.warning("sealing waits", error=type(error).__name__)
                wait, failing = _EVERY, True


def check_chain(running: Running) -> None:
    """Walks the service's own chain; a fault is an alarm that stays until somebody looked."""
    fault = check_audit(running.app)
    metrics.audit_broken.set(fault.position if fault else 0)
    if fault:
        _log.error("audit chain broken", position=fault.position, why=fault.why)


# 03:00 in Shanghai.
CHECK_AUDIT = Job("check_audit", check_chain, every="0 19 * * *")
