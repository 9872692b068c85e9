"""A new password: one's own, or for somebody who has lost theirs."""

from __future__ import annotations

import secrets
from uuid import UUID

from gateway.domain.errors import SignInRefused
from gateway.domain.users import check_password, normalize_login
from gateway.usecases.end_sessions import revoke_sessions
from gateway.usecases.give_rights import check_giving_roles
from gateway.usecases.ports import Passwords, Work
from kernel.pure.errors import Checks

_GIVEN_BYTES = 12  # 16 characters that nobody can guess and somebody can type


def change_password(work: Work, passwords: Passwords, login: str, password: str, new: str) -> None:
    """Replaces the password of the user who proves the old one, and ends their sessions.

    Raises SignInRefused, as a login does, or Invalid.
    """
    known = work.users.password_of(normalize_login(login))
    if not passwords.matches(known.stored if known else None, password) or known is None:
        raise SignInRefused
    if work.users.lend(known.user_id).disabled:
        raise SignInRefused
    checks = Checks()
    check_password(new, checks, "new_password")
    if new == password:
        checks.refuse("new_password", "PASSWORD_UNCHANGED", "must be another one", "必须与旧密码不同")
    checks.raise_if_any()
    work.users.set_password(known.user_id, passwords.hash(new), given=False)
    revoke_sessions(work, known.user_id)
    work.audit("change_password", "user", known.user_id)


def reset_password(work: Work, passwords: Passwords, user_id: UUID) -> str:
    """Gives a user a random password, which must be changed before the first login, and ends their sessions.

    Who knows it could act as the user: raises BeyondOwnRights when the user may do what the caller may not;
    raises UserNotFound.
    """
    user = work.users.lend(user_id)
    check_giving_roles(work, user.role_ids, user.team_id)
    password = secrets.token_urlsafe(_GIVEN_BYTES)
    work.users.set_password(user_id, passwords.hash(password), given=True)
    revoke_sessions(work, user_id)
    work.audit("reset_password", "user", user_id)
    return password
