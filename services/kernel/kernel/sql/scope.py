"""Whose records a principal may see, as SQL: added by every repository and query (feature row X-01)."""

from __future__ import annotations

from typing import Any

from kernel.pure.grants import Principal, Scope

_MY_TEAM = "(select team_id from staff where user_id = %(scope_user)s)"
_TEAM = f"select user_id from staff where team_id = {_MY_TEAM}"
_SUBTREE = f"select s.user_id from staff s join teams t using (team_id) where t.path @> array[{_MY_TEAM}]"


def owners(principal: Principal, permission: str) -> str | None:
    """What follows the column of owners in a condition that an index of it answers, with the parameter
    of `predicate`; None where not the owner decides. Records that the principal works on beside the
    owner are not among these."""
    scope = principal.scope_of(permission)
    if scope in (None, Scope.SELF, Scope.ALL) or principal.user_id is None:
        return None
    if scope is Scope.OWN:
        return "= %(scope_user)s"
    members = _TEAM if scope is Scope.TEAM else _SUBTREE
    return f"= any(array({members} union select %(scope_user)s))"


def predicate(
    principal: Principal, permission: str, owner: str, collaborators: str = "", own: str = ""
) -> tuple[str, dict[str, Any]]:
    """A condition on the column `owner` (a user id) and its parameters.

    True only for rows that the principal's grant of `permission` reaches; without a grant for none.
    Where records have a column of user ids who work on them beside the owner, `collaborators` names
    it, and a row is reached by these too. Where a customer in the portal reaches what is about
    themselves, `own` is the condition that a row is about the customer %(scope_customer)s; elsewhere they
    reach nothing. All three are constants of the program ("c.owner_id").
    """
    scope = principal.scope_of(permission)
    if scope is Scope.ALL:
        return "true", {}
    me = principal.user_id
    if scope is Scope.SELF and own and principal.customer_id is not None:
        return f"({own})", {"scope_customer": principal.customer_id}
    if scope is None or scope is Scope.SELF or me is None:
        return "false", {}
    reached = [f"{owner} = %(scope_user)s"]
    if scope is not Scope.OWN:
        reached.append(f"{owner} in ({_TEAM if scope is Scope.TEAM else _SUBTREE})")
    if collaborators:
        # Few rows have any: with this condition an index of these few can be asked.
        reached.append(f"{collaborators} <> '{{}}' and {collaborators} @> array[%(scope_user)s]")
    return f"({' or '.join(reached)})", {"scope_user": me}
