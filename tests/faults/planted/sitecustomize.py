"""Damage on purpose, for processes of an installation that faults are done to.

Python runs this file when a process starts whose PYTHONPATH names its folder. A file `planted` in the working
folder names the damages, a line each; without one nothing happens.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Patch = Callable[[Any], None]


def inbox_off(module: Any) -> None:
    """Every event counts as never heard before."""
    claim = module.claim

    def claim_all(session: Any, handler: str, event_ids: Any) -> set[Any]:
        claim(session, handler, event_ids)
        return set(event_ids)

    module.claim = claim_all


def ack_before_commit(module: Any) -> None:
    """An event is acknowledged when its handler begins."""
    apply = module.Hears._apply

    def acknowledge_and_apply(self: Any, batch: Any) -> None:
        for arrived in batch:
            if not arrived.message.acknowledged:
                arrived.message.ack()
        apply(self, batch)

    module.Hears._apply = acknowledge_and_apply
    module.Hears._settle = lambda self, answer: None


def confirms_off(module: Any) -> None:
    """What was written to the broker's connection counts as published."""

    def wait(self: Any, timeout: float) -> Any:
        self._open.clear()
        return module.Outcome(frozenset(), frozenset())

    module._Confirms.wait = wait


def plain_handler(module: Any) -> None:
    """As nameko's own: an event is acknowledged whatever its handler raised."""

    def handle_message(self: Any, message: Any) -> None:
        try:
            arrived = module.Arrived(message, *module.parse(message.body, self._message_class))
            self._apply([arrived])
        except Exception as error:
            module._log.error("handler failed", error=type(error).__name__)
        message.ack()

    module.Hears.handle_message = handle_message


def any_permit(module: Any) -> None:
    """Every token is a permit."""

    def verify(token: str, keys: Any, now: Any) -> Any:
        return module.Permit("", "", "", "", "", now)

    module.verify = verify


def unchecked_permit(module: Any) -> None:
    module.Permitted.check = lambda self, now: None


def leave_for_all(module: Any) -> None:
    def leave_to_send(self: Any, campaign: Any, customer_ids: Any) -> Mapping[Any, Any]:
        return {one: module.Leave("", "") for one in customer_ids}

    module.GrpcNeighbours.leave_to_send = leave_to_send


def refuses_6666(module: Any) -> None:
    """A fault of programming: orders of a certain amount are not understood."""
    from kernel.pure.errors import Invalid, Violation

    apply = module.apply_orders

    def apply_most_orders(work: Any, orders: Any) -> None:
        if any(str(order.base_amount).startswith("6666.") for order in orders):
            raise Invalid.of(Violation("base_amount", "PLANTED", "is not understood", "无法理解"))
        apply(work, orders)

    module.apply_orders = apply_most_orders


DAMAGES: Mapping[str, Mapping[str, Patch]] = {
    "inbox off": {"kernel.sql.inbox": inbox_off},
    "ack before commit": {"kernel.bus.entrypoint": ack_before_commit},
    "confirms off": {"kernel.bus.publisher": confirms_off},
    "plain handler": {"kernel.bus.entrypoint": plain_handler},
    "permits off": {
        "kernel.pure.permits": any_permit,
        "kernel.mail.mailer": unchecked_permit,
        "marketing.jobs.neighbours": leave_for_all,
    },
    "bug": {"customer.usecases.classify_customers": refuses_6666},
}


class Planting(importlib.abc.MetaPathFinder):
    """Patches modules right after they were loaded, so that whoever imports from them gets the damage."""

    def __init__(self, names: list[str]) -> None:
        self._patches: dict[str, list[Patch]] = {}
        for name in names:
            for module, patch in DAMAGES[name].items():
                self._patches.setdefault(module, []).append(patch)

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        patches = self._patches.pop(name, None)
        if patches is None:
            return None
        # Not asked again for this name, so the ordinary finders answer now.
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_patch(module: Any) -> None:
            load(module)
            for patch in patches:
                patch(module)

        spec.loader.exec_module = load_and_patch  # type: ignore[method-assign]
        return spec


_FILE = Path("planted")
if _FILE.is_file():
    import sys

    sys.meta_path.insert(0, Planting(_FILE.read_text("utf-8").splitlines()))
