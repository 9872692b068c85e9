"""Defining groups: the rule of each; who fits it is kept by keep_groups (C-17)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from customer.domain.errors import GroupNameTaken, TooManyGroups
from customer.domain.groups import MOST_GROUPS, Group, GroupDraft, checked
from customer.usecases.ports import Work
from kernel.pure.ids import new_id


def create_group(work: Work, draft: GroupDraft) -> Group:
    """A new group, which nobody belongs to yet. Raises Invalid, GroupNameTaken or TooManyGroups."""
    draft = checked(draft)
    work.groups.check(draft.expression)
    work.groups.alone()
    if work.groups.count() >= MOST_GROUPS:
        raise TooManyGroups(most=MOST_GROUPS)
    group = Group(id=new_id(), version=1, draft=draft)
    _refuse_taken(work, group)
    work.groups.save(group)
    work.audit("create", "group", group.id)
    return group


def update_group(work: Work, group_id: UUID, etag: str, change: Callable[[GroupDraft], GroupDraft]) -> Group:
    """The group after `change`; with another expression everybody is looked at anew.

    `etag` is the version the caller has seen, or empty. Raises GroupNotFound, StaleEtag, Invalid or
    GroupNameTaken.
    """
    work.groups.alone()
    group = work.groups.lend(group_id)
    draft = checked(change(group.draft))
    work.groups.check(draft.expression)
    changed = group.changed(draft, etag)
    if changed == group:
        return group
    _refuse_taken(work, changed)
    work.groups.save(changed)
    work.audit("update", "group", group_id, rule_version=changed.rule_version)
    return changed


def delete_group(work: Work, group_id: UUID, etag: str) -> None:
    """Deletes a group; its members leave it. Raises GroupNotFound or StaleEtag."""
    work.groups.alone()
    work.groups.save(work.groups.lend(group_id).deleted(etag))
    work.audit("delete", "group", group_id)


def _refuse_taken(work: Work, group: Group) -> None:
    holder = work.groups.named(group.draft.name)
    if holder is not None and holder != group.id:
        raise GroupNameTaken(id=holder)
