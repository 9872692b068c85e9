"""CPU time that processes use, by their part in a call: steady where calls a second are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import psutil

from crm_cli.local.stack import StackInfo

_PARTS = {
    "envoy": "envoy",
    "api": "customer.api",
    "database": "postgres-main",
    "keyring": "postgres-keyring",
    "redis": "redis",
}


class Meter:
    """Of the parts of an installation, and of others named by their process id."""

    def __init__(self, info: StackInfo, **others: int) -> None:
        self._pids = {part: info.process(name).pid or 0 for part, name in _PARTS.items()} | others

    def during(self, work: Callable[[], object]) -> Mapping[str, float]:
        """Seconds of CPU by part while `work` is done."""
        before = self._read()
        work()
        after = self._read()
        return {part: after[part] - before[part] for part in before}

    def _read(self) -> dict[str, float]:
        return {part: _seconds(pid) for part, pid in self._pids.items()}


def _seconds(pid: int) -> float:
    """Of a process and its children, those of them that have ended included."""
    process = psutil.Process(pid)
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
