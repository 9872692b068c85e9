"""What a servicer's method knows of the call it answers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from kernel.pure.grants import Principal
from kernel.sql.uow import UnitOfWork


@dataclass
class Call:
    """`principal` acts; `work` is the open unit of work of a command, and is None in a read."""

    principal: Principal
    # "zh" or "en", as the caller asked.
    language: str
    # Address of the caller as the gateway saw it; empty inside the installation.
    address: str
    # Notes that records were seen: (object type, ids).
    viewed: Callable[[str, Collection[object]], None]
    # The use cases of a service know their own subclass of UnitOfWork.
    work: Any = None

    @property
    def open_work(self) -> UnitOfWork:
        """The unit of work of a command. Raises RuntimeError in a read."""
        if self.work is None:
            raise RuntimeError("a read has no unit of work")
        return self.work
