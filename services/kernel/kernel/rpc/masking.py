"""Personal fields as their declarations want them shown to those who may not see them whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from crm.options.v1 import options_pb2
from kernel.pure.masking import mask_all, mask_email, mask_phone

_MASKS: dict[int, Callable[[str], str]] = {
    options_pb2.MASK_PHONE: mask_phone,
    options_pb2.MASK_EMAIL: mask_email,
    options_pb2.MASK_ALL: mask_all,
}


def masked(message: Any, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Values of a message's fields with the personal ones masked, and the names of those that are.

    Empty fields stay empty. Works on values, not on the message: a page of people costs a third.
    """
    shown, names = dict(values), []
    for name, hide in _plan(message):
        value = shown.get(name)
        if value:
            shown[name] = hide(value) if isinstance(value, str) else [hide(member) for member in value]
            names.append(name)
    return shown, names


@cache
def _plan(message: Any) -> tuple[tuple[str, Callable[[str], str]], ...]:
    """The fields of a message that are masked, each with its mask.

    Raises KeyError for a personal field that does not say how it is masked.
    """
    plan = []
    for field in message.DESCRIPTOR.fields:
        options: Any = field.GetOptions()
        if not options.HasExtension(options_pb2.personal):
            continue
        how = options.Extensions[options_pb2.personal].mask
        if how != options_pb2.MASK_NONE:
            plan.append((str(field.name), _MASKS[how]))
    return tuple(plan)
