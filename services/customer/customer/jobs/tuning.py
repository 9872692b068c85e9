"""The interpreter set for work in bulk."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def tuned_interpreter() -> Iterator[None]:
    """A step makes a million objects and no cycle of them: looking for cycles each 700 would take a
    third of the time. And the thread that stores must get its turn as soon as the database has
    answered, not 5 ms later."""
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    sys.setswitchinterval(0.0002)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
        gc.unfreeze()
