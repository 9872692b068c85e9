"""Roles: named sets of grants."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from kernel.pure.errors import Checks
from kernel.pure.grants import Grant, Scope, widest

# Who holds it can give every other right.
MANAGE_USERS = "gateway.users.manage"


@dataclass(frozen=True)
class Role:
    """`preset`: shipped with the product and kept up to date by it."""

    id: str
    title_en: str
    title_zh: str
    grants: tuple[Grant, ...]
    preset: bool


def granted(roles: Iterable[Role]) -> dict[str, Scope]:
    """What the holder of all these roles may do: the widest scope of each permission."""
    return widest(grant for role in roles for grant in role.grants)


def check_roles(wanted: Collection[str], known: Collection[Role], checks: Checks, field: str) -> None:
    missing = sorted(set(wanted) - {role.id for role in known})
    if missing:
        checks.refuse(field, "UNKNOWN_ROLE", "must only name roles that exist", "只能包含已存在的角色")
