"""What a survivor shows, and what an edit of that changes (C-12).

Whoever edits a survivor has seen the union of what its members know, and sends that back with the
differences. Only these are the survivor's: what an absorbed customer knows stays with that one, so that
it goes with it when the merge is taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from customer.domain.customer import Customer, Profile
from customer.domain.errors import ValueOfAbsorbed
from customer.domain.merging import composed

# Beside the details, these are shown of absorbed customers too.
_SHOWN = ("source_channel", "industry", "province", "city", "tags", "external_ids")


def shown(own: Profile, absorbed: Sequence[Customer]) -> Profile:
    """What a survivor with the profile `own` shows, `absorbed` being those read through it, oldest first."""
    if not absorbed:
        return own
    profiles = [own, *(customer.profile for customer in absorbed)]
    details = composed([vars(profile.details) for profile in profiles])
    clear = composed([{name: getattr(profile, name) for name in _SHOWN} for profile in profiles])
    return replace(own, details=replace(own.details, **_tuples(details)), **_tuples(clear))


def edited(own: Profile, absorbed: Sequence[Customer], wanted: Profile) -> Profile:
    """The survivor's own profile after an edit that is to make it show `wanted`.

    Raises ValueOfAbsorbed when that can't be, since an absorbed customer shows something else.
    """
    if not absorbed:
        return wanted
    seen = shown(own, absorbed)
    details = {
        name: _own(getattr(own.details, name), getattr(seen.details, name), value)
        for name, value in vars(wanted.details).items()
    }
    clear = {name: _own(getattr(own, name), getattr(seen, name), getattr(wanted, name)) for name in _SHOWN}
    after = replace(wanted, details=replace(own.details, **details), **clear)
    result = shown(after, absorbed)
    for name in vars(wanted.details):
        _require(f"{wanted.kind}.{name}", "details", name, result, wanted, absorbed)
    for name in _SHOWN:
        _require(name, "", name, result, wanted, absorbed)
    return after


def _own(own: Any, seen: Any, wanted: Any) -> Any:
    """What the survivor holds of one field, so that `wanted` instead of `seen` is shown."""
    if isinstance(wanted, tuple):
        return tuple(value for value in wanted if value in own or value not in seen)
    return own if wanted == seen else wanted


def _require(
    field: str, part: str, name: str, result: Profile, wanted: Profile, absorbed: Sequence[Customer]
) -> None:
    """Raises ValueOfAbsorbed, naming the first customer to blame, unless a field shows what was wanted."""

    def of(profile: Profile) -> Collection[Any]:
        value = getattr(profile.details if part else profile, name)
        return set(value) if isinstance(value, tuple) else {value} - {""}

    surplus = set(of(result)) - set(of(wanted))
    for customer in absorbed:
        if surplus & set(of(customer.profile)):
            raise ValueOfAbsorbed(field=field, id=customer.id)


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
