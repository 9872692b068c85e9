"""Whose tickets a principal may see: those in their hands, and those of their teams."""

from __future__ import annotations

from typing import Any

from kernel.pure.grants import Principal, Scope
from kernel.sql import scope

_MY_TEAM = "(select team_id from staff where user_id = %(scope_user)s)"
_TEAMS = {
    Scope.TEAM: f"t.team_id = {_MY_TEAM}",
    Scope.SUBTREE: f"t.team_id in (select team_id from teams where path @> array[{_MY_TEAM}])",
}


def predicate(principal: Principal, permission: str) -> tuple[str, dict[str, Any]]:
    """kernel.sql.scope.predicate of a row `t` of tickets."""
    condition, params = scope.predicate(principal, permission, "t.assignee_id")
    reached = principal.scope_of(permission)
    if params and reached in _TEAMS:
        condition = f"({condition} or {_TEAMS[reached]})"
    return condition, params
