"""Roles of the enterprise's own: new ones, changed ones, deleted ones."""

from __future__ import annotations

from collections.abc import Collection

from gateway.domain.errors import LastAdministrator, PresetRole, RoleIdTaken, RoleInUse
from gateway.domain.presets import NARROWABLE, PERMISSIONS, PRESETS
from gateway.domain.roles import (
    MANAGE_USERS,
    Role,
    RoleDraft,
    check_grants,
    check_id,
    check_title,
    granted,
    own_role,
    widened,
)
from gateway.usecases.give_rights import check_giving
from gateway.usecases.ports import Work
from kernel.pure.errors import Checks

# What an update may change, by the names of the fields.
CHANGEABLE = ("title", "grants")


def create_role(work: Work, draft: RoleDraft) -> Role:
    """Raises Invalid for all wrong fields at once, BeyondOwnRights or RoleIdTaken."""
    checks = Checks()
    check_id(draft.id, checks, "role.id")
    check_title(draft.title, checks)
    grants = check_grants(draft.grants, PERMISSIONS, NARROWABLE, checks)
    checks.raise_if_any()
    check_giving(work.principal, grants)
    # Also those of presets that this installation has not been given yet.
    if draft.id in {preset.id for preset in PRESETS}:
        raise RoleIdTaken
    role = own_role(draft.id, draft.title, grants)
    work.roles.add(role)
    work.audit("create", "role", role.id, grants=_told(role))
    return role


def update_role(work: Work, draft: RoleDraft, fields: Collection[str]) -> Role:
    """Takes the named fields of `draft` over into the role with its id.

    A change of grants voids the access tokens of everybody who has the role.
    Raises RoleNotFound, PresetRole, Invalid, BeyondOwnRights or LastAdministrator.
    """
    before = _lend(work, draft.id, "role.id")
    checks = Checks()
    title, grants = before.title_en, before.grants
    if "title" in fields:
        check_title(draft.title, checks)
        title = draft.title
    if "grants" in fields:
        grants = check_grants(draft.grants, PERMISSIONS, NARROWABLE, checks)
    checks.raise_if_any()
    after = own_role(before.id, title, grants)
    check_giving(work.principal, widened(before, after))
    if after == before:
        return before
    work.roles.save(after)
    if after.grants != before.grants:
        _void_tokens(work, before, after)
    work.audit("update", "role", after.id, grants=_told(after), titled=after.title_en != before.title_en)
    return after


def delete_role(work: Work, role_id: str) -> None:
    """Raises Invalid, RoleNotFound, PresetRole or RoleInUse."""
    role = _lend(work, role_id, "id")
    holders = work.roles.holders(role.id)
    if holders:
        raise RoleInUse(holders=len(holders))
    work.roles.remove(role.id)
    work.audit("delete", "role", role.id, grants=_told(role))


def _lend(work: Work, role_id: str, field: str) -> Role:
    """A role of the enterprise's own, that nobody is given or signs in with until this is done.

    `field` is where the request names it.
    """
    checks = Checks()
    check_id(role_id, checks, field)
    checks.raise_if_any()
    role = work.roles.lend(role_id)
    if role.preset:
        raise PresetRole
    return role


def _void_tokens(work: Work, before: Role, after: Role) -> None:
    lost = MANAGE_USERS in granted([before]) and MANAGE_USERS not in granted([after])
    if lost and not work.users.any_with(MANAGE_USERS):
        raise LastAdministrator
    # Whoever signs in with the role waits for the end of this transaction: no token of the old grants
    # is made after this instant.
    work.sessions.void_all_tokens(work.roles.holders(after.id), work.clock.now())


def _told(role: Role) -> dict[str, str]:
    """Its grants as the audit log keeps them: the name of the scope by permission."""
    return {grant.permission: grant.scope.name.lower() for grant in role.grants}
