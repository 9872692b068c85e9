"""Keeping the members of groups those whom the rules select (C-17): whoever changed is decided anew, and
everybody when a rule changed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from customer.domain.events import GroupMember, GroupsChanged
from customer.domain.groups import READY, Group
from customer.usecases.ports import Work

_MOST_CHANGED, _MOST_EVALUATED = 2_000, 5_000
_MOST_IN_A_STATEMENT = 50
_MOST_IN_AN_EVENT = 500


def keep_groups(work: Work) -> bool:
    """Goes one step further; answers whether something was to be done.

    Groups that are evaluated meanwhile count for those who changed, too: nobody is missed.
    """
    groups = work.memberships.groups()
    changed = work.memberships.take_changed(_MOST_CHANGED)
    if changed:
        for start in range(0, len(groups), _MOST_IN_A_STATEMENT):
            _decide(work, groups[start : start + _MOST_IN_A_STATEMENT], changed)
        work.memberships.review(groups, changed)
    waiting = next((group for group in groups if group.state != READY), None)
    if waiting is not None:
        _evaluate(work, waiting, groups)
    return bool(changed) or waiting is not None


def _evaluate(work: Work, group: Group, groups: Sequence[Group]) -> None:
    """Decides about the next customers for one group."""
    batch = work.memberships.following(group.after_id, _MOST_EVALUATED)
    if batch:
        _decide(work, [group], batch)
        work.memberships.review(groups, batch)
    work.memberships.go_on(group, batch[-1] if len(batch) == _MOST_EVALUATED else None)


def _decide(work: Work, groups: Sequence[Group], customer_ids: Sequence[UUID]) -> None:
    tell(work, work.memberships.decide(groups, customer_ids))


def tell(work: Work, changed: Sequence[GroupMember]) -> None:
    """Tells who became a member and who is none any more."""
    for start in range(0, len(changed), _MOST_IN_AN_EVENT):
        work.record(GroupsChanged(tuple(changed[start : start + _MOST_IN_AN_EVENT])))
