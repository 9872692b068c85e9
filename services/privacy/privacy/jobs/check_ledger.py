"""The ledger of consents is compared with what the audit says was recorded."""

from __future__ import annotations

from kernel.jobs.job import Job, Running
from kernel.ops.logs import logger
from privacy import metrics
from privacy.store import ledger

_log = logger(__name__)


def check_ledger(running: Running) -> None:
    """A fault is an alarm that stays until somebody looked."""
    fault = ledger.first_fault(running.app.reader, running.app.clock.now())
    metrics.ledger_broken.set(1 if fault else 0)
    if fault:
        _log.error("ledger of consents broken", consent_event=str(fault.event_id), why=fault.why)


# 03:30 in Shanghai.
CHECK_LEDGER = Job("check_ledger", check_ledger, every="30 19 * * *")
