"""The most memory that processes had, as the kernel counts it: no look is too late for a short peak."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

MIB = 1 << 20
# Seconds between two looks; only processes that live shorter are missed.
_PAUSE = 0.05
# What makes the kernel begin its count of the most anew.
_FORGET = "5"


@contextmanager
def peaks(pids: Collection[int]) -> Iterator[dict[int, int]]:
    """By process id, the most bytes that each of these processes and of those they start had inside,
    complete at the end."""
    most: dict[int, int] = {}
    ended = threading.Event()
    for pid in _family(pids):
        with suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text(_FORGET, "ascii")

    def look() -> None:
        for pid in _family(pids):
            most[pid] = max(most.get(pid, 0), peak(pid))

    def watch() -> None:
        while not ended.wait(_PAUSE):
            look()

    watching = threading.Thread(target=watch, name="memory")
    watching.start()
    try:
        yield most
    finally:
        ended.set()
        watching.join()
        look()


def peak(pid: int) -> int:
    """The most bytes that a living process has had; 0 for one that has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return 0


def _family(pids: Collection[int]) -> set[int]:
    family = set(pids)
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            family |= {child.pid for child in psutil.Process(pid).children(recursive=True)}
    return family
