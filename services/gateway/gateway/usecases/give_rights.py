"""Nobody gives more than they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from gateway.domain.errors import BeyondOwnRights
from gateway.domain.presets import ADMIN, PRESETS
from gateway.domain.roles import granted
from gateway.usecases.ports import Work
from kernel.pure.grants import Grant, Principal, Scope


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


def check_giving_roles(work: Work, role_ids: Collection[str], team_id: UUID | None) -> None:
    """The same for the grants of roles, given to somebody in a team or, with None, in no team.

    The roles and the team must exist; the roles stay as they are until the end of the transaction.
    """
    grants = [grant for role in work.roles.of(role_ids) for grant in role.grants]
    check_giving(work.principal, grants)
    _check_reach(work, grants, team_id)


def check_placing(work: Work, role_ids: Collection[str], team_id: UUID | None) -> None:
    """Raises BeyondOwnRights when somebody who has these roles would reach further in the team than
    the principal does: what teams they reach follows from where they stand."""
    _check_reach(work, [grant for role in work.roles.of(role_ids) for grant in role.grants], team_id)


def check_linking(work: Work, role_ids: Collection[str]) -> None:
    """Raises BeyondOwnRights when somebody who has these roles would reach, as a customer, what the
    principal does not reach of every customer."""
    if _administers(work.principal):
        return
    for grant in (grant for role in work.roles.of(role_ids) for grant in role.grants):
        if grant.scope is Scope.SELF and work.principal.scope_of(grant.permission) is not Scope.ALL:
            raise BeyondOwnRights(permission=grant.permission)


def _check_reach(work: Work, grants: Iterable[Grant], team_id: UUID | None) -> None:
    by_team = [grant for grant in grants if grant.scope in (Scope.TEAM, Scope.SUBTREE)]
    team = work.teams.get(team_id) if team_id and by_team else None
    if team is None or _administers(work.principal):
        return
    own_team = work.principal.team_id
    for grant in by_team:
        held = work.principal.scope_of(grant.permission)
        below = held is Scope.SUBTREE and own_team in team.path
        same = held is grant.scope and own_team == team.id
        if held is not Scope.ALL and not below and not same:
            raise BeyondOwnRights(permission=grant.permission)


def _administers(principal: Principal) -> bool:
    [admin] = (role for role in PRESETS if role.id == ADMIN)
    needed = granted([admin])
    return all(principal.scope_of(permission) == scope for permission, scope in needed.items())
