"""Changing a user: team, roles, name, customer, disabled."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from gateway.domain.errors import LastAdministrator
from gateway.domain.events import UsersRecorded
from gateway.domain.roles import MANAGE_USERS, granted
from gateway.domain.users import User, UserDraft, change, check_display_name
from gateway.usecases.create_user import check_place
from gateway.usecases.give_rights import check_giving_roles, check_linking, check_placing
from gateway.usecases.ports import Work
from kernel.pure.errors import Checks, StaleEtag


def update_user(work: Work, user_id: UUID, etag: str, draft: UserDraft, fields: Collection[str]) -> User:
    """Takes the named fields of `draft` over; an empty `etag` is not compared.

    A change of rights voids the user's access tokens, and disabling ends the sessions too.
    Raises UserNotFound, StaleEtag, Invalid, BeyondOwnRights or LastAdministrator.
    """
    user = work.users.lend(user_id)
    if etag and etag != str(user.version):
        raise StaleEtag
    checks = Checks()
    if "display_name" in fields:
        check_display_name(draft.display_name, checks)
    if {"team_id", "role_ids"} & set(fields):
        check_place(work, _asked(user, draft, fields), checks)
    checks.raise_if_any()
    before = replace(user)
    rights, managed = user.rights(), _manages(work, user)
    changed = change(user, draft, fields)
    if not changed:
        return user
    _check_given(work, before, user)
    if managed and not _manages(work, user) and not work.users.others_with(MANAGE_USERS, user.id):
        raise LastAdministrator
    work.users.save(user, changed)
    if user.rights() != rights:
        work.sessions.void_tokens(user.id, work.clock.now())
    if user.disabled and "disabled" in changed:
        work.sessions.end_all(user.id, work.now)
    work.record(UsersRecorded.of(user))
    work.audit("update", "user", user.id, changed=changed, roles=list(user.role_ids), disabled=user.disabled)
    return user


def _check_given(work: Work, before: User, user: User) -> None:
    """What a user keeps was given by others; only where it reaches may change by moving them."""
    kept = set(user.role_ids) & set(before.role_ids)
    check_giving_roles(work, set(user.role_ids) - kept, user.team_id)
    if user.team_id != before.team_id:
        check_placing(work, kept, user.team_id)
    if user.customer_id is not None:
        moved = user.customer_id != before.customer_id
        check_linking(work, user.role_ids if moved else set(user.role_ids) - kept)


def _asked(user: User, draft: UserDraft, fields: Collection[str]) -> UserDraft:
    """The draft without what is not to be changed: what was right before is not checked again."""
    return UserDraft(
        user.login,
        "",
        draft.team_id if "team_id" in fields else None,
        draft.role_ids if "role_ids" in fields else (),
    )


def _manages(work: Work, user: User) -> bool:
    return not user.disabled and MANAGE_USERS in granted(work.roles.of(user.role_ids))
