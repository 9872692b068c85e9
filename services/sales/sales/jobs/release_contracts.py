"""Each night: contracts of erased customers whose time is over go, and their keys with them."""

from __future__ import annotations

from typing import cast

from kernel.jobs.job import Running
from sales.usecases.erase_customers import release_contracts
from sales.usecases.ports import CONTRACT_KEYS, Work

_CHUNK = 500


def release(running: Running) -> None:
    """A kill after the keys are gone and before the commit finds the same rows the next night."""
    while True:
        with running.work() as work:
            released = release_contracts(cast(Work, work), _CHUNK)
            if released:
                running.app.keyring.destroy(released, [CONTRACT_KEYS])
        if len(released) < _CHUNK:
            return
        running.checkpoint()
