"""The read side: rows as the api shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.domain.sessions import REVOCATIONS_KEPT
from gateway.store.names import open_names
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

_USER_COLUMNS = "id, version, login, sealed, team_id, role_ids, disabled, created_at, customer_id"
_USER = f"select {_USER_COLUMNS} from users where id = %(id)s"
_USERS = f"""
    select {_USER_COLUMNS} from users
    where (%(after)s::uuid is null or id > %(after)s) and (%(login)s = '' or login = %(login)s)
    order by id limit %(limit)s
"""
_TEAMS = """
    select id, version, name, path from team_tree
    where %(after)s::uuid is null or id > %(after)s order by id limit %(limit)s
"""
_ACCOUNTS = """
    select id, name, role_ids, disabled, created_at, previous_secret_until from service_accounts
    where %(after)s::uuid is null or id > %(after)s order by id limit %(limit)s
"""
_ROLES = "select id, title_en, title_zh, grants, preset from roles order by id"
_RIGHTS = """
    select holder.team_id, holder.customer_id, role.grants
    from (select id, team_id, customer_id, role_ids, disabled from users
          union all select id, null, null, role_ids, disabled from service_accounts) as holder
    left join roles role on role.id = any(holder.role_ids)
    where holder.id = %(id)s and not holder.disabled
"""
_SEALED_KEYS = "select kid, x, y, signs_from, sealed from signing_keys order by signs_from"
_KEYS = "select kid, x, y, signs_from from signing_keys order by signs_from"
_REVOCATIONS = "select subject_id, issued_before from revocations where issued_before > %(since)s"


@dataclass(frozen=True)
class UserRow:
    """`display_name` is empty too while the keyring is away."""

    id: UUID
    version: int
    login: str
    display_name: str
    team_id: UUID | None
    role_ids: Sequence[str]
    disabled: bool
    created_at: datetime
    customer_id: UUID | None


def get_user(reader: Reader, sealer: Sealer, user_id: UUID) -> UserRow | None:
    row = reader.row(_USER, {"id": user_id})
    return _opened(sealer, [row])[0] if row else None


def list_users(reader: Reader, sealer: Sealer, after: UUID | None, login: str, limit: int) -> list[UserRow]:
    """In the order in which they were made; `login` picks the user who has it, empty picks all."""
    return _opened(sealer, reader.rows(_USERS, {"after": after, "login": login, "limit": limit}))


def list_teams(reader: Reader, after: UUID | None, limit: int) -> list[Any]:
    """Rows of id, version, name, path, in the order in which they were made."""
    return reader.rows(_TEAMS, {"after": after, "limit": limit})


def list_service_accounts(reader: Reader, after: UUID | None, limit: int) -> list[Any]:
    """Rows of id, name, role_ids, disabled, created_at, previous_secret_until, as they were made."""
    return reader.rows(_ACCOUNTS, {"after": after, "limit": limit})


def list_roles(reader: Reader) -> list[Any]:
    """Rows of id, title_en, title_zh, grants, preset."""
    return reader.rows(_ROLES)


def rights_of(reader: Reader, subject_id: UUID) -> list[Any]:
    """Rows of team_id, customer_id, grants, one for each role of a user or a service account; of one that is
    disabled none."""
    return reader.rows(_RIGHTS, {"id": subject_id})


def login_of(reader: Reader, user_id: UUID) -> str:
    """The login of a user; empty for a service account."""
    row = reader.row("select login from users where id = %(id)s", {"id": user_id})
    return row.login if row else ""


def public_keys(reader: Reader) -> list[Any]:
    """Rows of kid, x, y, signs_from: the keys that verify tokens."""
    return reader.rows(_KEYS)


def sealed_keys(reader: Reader) -> list[Any]:
    """Rows of kid, x, y, signs_from, sealed."""
    return reader.rows(_SEALED_KEYS)


def recent_revocations(reader: Reader, now: datetime) -> list[Any]:
    """Rows of subject_id, issued_before that may still concern a token."""
    return reader.rows(_REVOCATIONS, {"since": now - REVOCATIONS_KEPT})


def _opened(sealer: Sealer, rows: Sequence[Any]) -> list[UserRow]:
    names = open_names(sealer, [(row.id, row.sealed) for row in rows])
    return [
        UserRow(
            row.id,
            row.version,
            row.login,
            name or "",
            row.team_id,
            row.role_ids,
            row.disabled,
            row.created_at,
            row.customer_id,
        )
        for row, name in zip(rows, names, strict=True)
    ]
