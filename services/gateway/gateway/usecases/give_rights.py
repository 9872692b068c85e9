"""Nobody gives more than they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gateway.domain.errors import BeyondOwnRights
from gateway.domain.presets import ADMIN, PRESETS
from gateway.domain.roles import granted
from gateway.usecases.ports import Work
from kernel.pure.grants import Grant, Principal


def check_giving(principal: Principal, grants: Iterable[Grant]) -> None:
    """Raises BeyondOwnRights for a grant that reaches further than the principal's own.

    Whoever holds all that an administrator holds may give whatever there is: some rights, such as to
    see personal fields as they are, are for others to use and for administrators to give.
    """
    if _administers(principal):
        return
    for grant in grants:
        held = principal.scope_of(grant.permission)
        if held is None or held < grant.scope:
            raise BeyondOwnRights(permission=grant.permission)


def check_giving_roles(work: Work, role_ids: Collection[str]) -> None:
    """The same for the grants of roles, which must exist and stay as they are until the end of the
    transaction."""
    check_giving(work.principal, (grant for role in work.roles.of(role_ids) for grant in role.grants))


def _administers(principal: Principal) -> bool:
    [admin] = (role for role in PRESETS if role.id == ADMIN)
    needed = granted([admin])
    return all(principal.scope_of(permission) == scope for permission, scope in needed.items())
