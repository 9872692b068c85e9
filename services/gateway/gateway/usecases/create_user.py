"""New users, the first of them, and new service accounts."""

from __future__ import annotations

from gateway.domain.accounts import ServiceAccount
from gateway.domain.events import UsersRecorded
from gateway.domain.presets import ADMIN, PRESETS
from gateway.domain.roles import check_roles
from gateway.domain.sessions import digest, new_secret
from gateway.domain.users import User, UserDraft, check_display_name, check_login, check_password
from gateway.usecases.give_rights import check_giving_roles, check_linking
from gateway.usecases.ports import Passwords, Work
from kernel.pure.errors import Checks
from kernel.pure.ids import new_id

_LONGEST_ACCOUNT_NAME = 100


def create_user(work: Work, passwords: Passwords, draft: UserDraft, password: str) -> User:
    """Raises Invalid for all wrong fields at once, BeyondOwnRights or LoginTaken."""
    checks = Checks()
    check_login(draft.login, checks)
    check_password(password, checks)
    check_display_name(draft.display_name, checks)
    check_place(work, draft, checks)
    checks.raise_if_any()
    check_giving_roles(work, draft.role_ids, draft.team_id)
    if draft.customer_id is not None:
        check_linking(work, draft.role_ids)
    user = User(
        id=new_id(),
        version=1,
        login=draft.login,
        display_name=draft.display_name,
        team_id=draft.team_id,
        role_ids=draft.role_ids,
        disabled=draft.disabled,
        created_at=work.now,
        customer_id=draft.customer_id,
    )
    work.users.add(user, passwords.hash(password))
    work.record(UsersRecorded.of(user))
    work.audit("create", "user", user.id, roles=list(user.role_ids))
    return user


def check_place(work: Work, draft: UserDraft, checks: Checks) -> None:
    """Whether the draft's team and roles exist."""
    if draft.team_id is not None and work.teams.get(draft.team_id) is None:
        checks.refuse("user.team_id", "UNKNOWN_TEAM", "must be a team that exists", "必须是已存在的团队")
    check_roles(draft.role_ids, work.roles.of(draft.role_ids), checks, "user.role_ids")


def create_first_user(work: Work, passwords: Passwords, login: str, password: str) -> User | None:
    """The administrator of a new installation, and the preset roles; None when there are users already."""
    work.roles.install(PRESETS)
    if work.users.any():
        return None
    return create_user(work, passwords, UserDraft(login, "", None, (ADMIN,)), password)


def create_service_account(work: Work, name: str, role_ids: tuple[str, ...]) -> tuple[ServiceAccount, str]:
    """The account and its secret, which is not kept. Raises Invalid or BeyondOwnRights."""
    checks = Checks()
    if not name.strip() or len(name) > _LONGEST_ACCOUNT_NAME:
        checks.refuse(
            "service_account.name",
            "SERVICE_ACCOUNT_NAME",
            f"must have 1 to {_LONGEST_ACCOUNT_NAME} characters",
            f"必须为 1 到 {_LONGEST_ACCOUNT_NAME} 个字符",
        )
    check_roles(role_ids, work.roles.of(role_ids), checks, "service_account.role_ids")
    checks.raise_if_any()
    check_giving_roles(work, role_ids, None)
    account = ServiceAccount(new_id(), name, role_ids, disabled=False, created_at=work.now)
    secret = new_secret()
    work.service_accounts.add(account, digest(secret))
    work.audit("create", "service_account", account.id, roles=list(role_ids))
    return account, secret
