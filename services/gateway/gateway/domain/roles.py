"""Roles: named sets of grants, shipped with the product or of the enterprise's own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from kernel.pure.errors import Checks
from kernel.pure.grants import Grant, Scope, widest

# Who holds it can give every right they hold.
MANAGE_USERS = "gateway.users.manage"

LONGEST_TITLE = 100
_ID = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True)
class Role:
    """`preset`: shipped with the product and kept up to date by it."""

    id: str
    title_en: str
    title_zh: str
    grants: tuple[Grant, ...]
    preset: bool


@dataclass(frozen=True)
class RoleDraft:
    """A role as a caller wants it. The scope of a grant is None when they named none."""

    id: str
    title: str
    grants: tuple[tuple[str, Scope | None], ...]


def own_role(id: str, title: str, grants: Iterable[Grant]) -> Role:
    """A role of the enterprise's own; its one title serves both languages."""
    return Role(id, title, title, tuple(sorted(grants, key=lambda grant: grant.permission)), preset=False)


def granted(roles: Iterable[Role]) -> dict[str, Scope]:
    """What the holder of all these roles may do: the widest scope of each permission."""
    return widest(grant for role in roles for grant in role.grants)


def widened(before: Role, after: Role) -> list[Grant]:
    """The grants of `after` that reach further than `before` did."""
    held = granted([before])
    return [grant for grant in after.grants if grant.scope > held.get(grant.permission, 0)]


def check_roles(wanted: Collection[str], known: Collection[Role], checks: Checks, field: str) -> None:
    missing = sorted(set(wanted) - {role.id for role in known})
    if missing:
        checks.refuse(field, "UNKNOWN_ROLE", "must only name roles that exist", "只能包含已存在的角色")


def check_id(id: str, checks: Checks, field: str) -> None:
    if not _ID.fullmatch(id):
        checks.refuse(
            field,
            "ROLE_ID_FORMAT",
            "must have 2 to 40 lower-case letters, digits and underscores, and begin with a letter",
            "必须为 2 到 40 个小写字母、数字和下划线，并以字母开头",
        )


def check_title(title: str, checks: Checks) -> None:
    if not title.strip() or len(title) > LONGEST_TITLE:
        checks.refuse(
            "role.title",
            "ROLE_TITLE",
            f"must have 1 to {LONGEST_TITLE} characters",
            f"必须为 1 到 {LONGEST_TITLE} 个字符",
        )


def check_grants(
    wanted: Sequence[tuple[str, Scope | None]],
    known: Collection[str],
    narrowable: Collection[str],
    checks: Checks,
) -> tuple[Grant, ...]:
    """The wanted grants that are right; of each wrong one its field is refused.

    `known`: the permissions there are; `narrowable`: those of them that may have any scope. The others
    are about what belongs to nobody, where a narrower scope would promise a limit that does not exist.
    """
    right: dict[str, Grant] = {}
    for place, (permission, scope) in enumerate(wanted):
        field = f"role.grants[{place}]"
        if permission not in known:
            checks.refuse(
                f"{field}.permission",
                "UNKNOWN_PERMISSION",
                "must be a permission that exists",
                "必须是已存在的权限",
            )
        elif permission in right:
            checks.refuse(
                f"{field}.permission",
                "GRANTED_TWICE",
                "must be named by one grant only",
                "每个权限只能授予一次",
            )
        elif scope is None:
            checks.refuse(f"{field}.scope", "REQUIRED", "must be set", "必须填写")
        elif scope is not Scope.ALL and permission not in narrowable:
            checks.refuse(
                f"{field}.scope",
                "SCOPE_NOT_NARROWABLE",
                "must be all: what this permission is about belongs to nobody",
                "必须为全部：该权限涉及的数据不属于任何人",
            )
        else:
            right[permission] = Grant(permission, scope)
    return tuple(right.values())
