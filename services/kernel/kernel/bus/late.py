"""Events that come late: what they say of persons who were erased meanwhile is dropped, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, TypeVar, cast
from uuid import UUID

from google.protobuf.message import Message

from kernel.bus.envelope import Envelope
from kernel.pure.ids import parse_id
from kernel.sql import subjects
from kernel.sql.uow import UnitOfWork

F = TypeVar("F", bound=Callable[..., None])


def without_erased(method: F, about: Sequence[str]) -> F:
    """The handler, which no longer hears of erased persons.

    `about` are the fields that name persons: of the event ("customer_id"), or of the items of its list
    ("orders.customer_id"). An item that names an erased one is left out; an event that names one, or has
    no other items, does not reach the handler.
    """
    lists = {path.rpartition(".")[0] for path in about}
    if len(lists) != 1:
        raise TypeError(f"{about}: persons are named in one list of the event, or in the event itself")
    [items], fields = lists, [path.rpartition(".")[2] for path in about]

    @wraps(method)
    def hear(self: Any, work: UnitOfWork, event: Message, envelope: Envelope) -> None:
        told = list(getattr(event, items)) if items else [event]
        handler = f"{work.app.service}.{method.__name__}"
        gone = subjects.drop_erased(work, handler, {one for item in told for one in _named(item, fields)})
        if gone:
            left = [item for item in told if gone.isdisjoint(_named(item, fields))]
            if not left:
                return
            # A new one: the event may be needed again as it came.
            event = type(event)(**{items: left})
        method(self, work, event, envelope)

    return cast(F, hear)


def _named(item: Message, fields: Sequence[str]) -> Iterator[UUID]:
    """Raises Invalid for an id that is none."""
    for field in fields:
        text = getattr(item, field)
        if text:
            yield parse_id(text, field)
