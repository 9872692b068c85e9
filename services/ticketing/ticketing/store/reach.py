"""Whose tickets a principal may see: those in their hands, and those of their teams; and which rest."""

from __future__ import annotations

from typing import Any

from kernel.pure.grants import Principal, Scope
from kernel.sql import scope

_MY_TEAM = "(select team_id from staff where user_id = %(scope_user)s)"
_TEAMS = {
    Scope.TEAM: f"t.team_id = {_MY_TEAM}",
    Scope.SUBTREE: f"t.team_id in (select team_id from teams where path @> array[{_MY_TEAM}])",
}
# That nobody may use a row `t` of tickets: its customer asked to be erased, or wrote it as nobody known.
RESTING = """(
    t.customer_id in (select subject_id from restricted_subjects where restricted)
    or t.customer_id is null and t.requester in (
        select a.requester from subject_addresses a join restricted_subjects r using (subject_id)
        where r.restricted))"""


def predicate(principal: Principal, permission: str) -> tuple[str, dict[str, Any]]:
    """kernel.sql.scope.predicate of a row `t` of tickets."""
    condition, params = scope.predicate(principal, permission, "t.assignee_id")
    reached = principal.scope_of(permission)
    if params and reached in _TEAMS:
        condition = f"({condition} or {_TEAMS[reached]})"
    return condition, params
