"""Roles in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, any_, delete, literal, select, union_all, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.domain.errors import RoleIdTaken, RoleNotFound
from gateway.domain.roles import Role
from gateway.store import tables
from kernel.pure.grants import Grant, Scope

_roles = tables.roles


class RoleRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, role_ids: Collection[str]) -> list[Role]:
        """Those of the roles that exist; nobody changes them before the end of the transaction.

        Hence a token never carries grants that were taken away while it was made.
        """
        if not role_ids:
            return []
        wanted = _roles.c.id == any_(literal(list(role_ids), tables.users.c.role_ids.type))
        query = select(_roles).where(wanted).order_by(_roles.c.id).with_for_update(read=True)
        return [_role(row) for row in self._session.execute(query)]

    def lend(self, role_id: str) -> Role:
        """The role, locked until the end of the transaction. Raises RoleNotFound."""
        query = select(_roles).where(_roles.c.id == role_id).with_for_update()
        row = self._session.execute(query).first()
        if row is None:
            raise RoleNotFound
        return _role(row)

    def holders(self, role_id: str) -> list[UUID]:
        """The users and service accounts that have the role, disabled ones too."""
        having = (
            select(table.c.id).where(table.c.role_ids.contains([role_id]))
            for table in (tables.users, tables.service_accounts)
        )
        return list(self._session.scalars(union_all(*having)))

    def add(self, role: Role) -> None:
        """Stores a new role. Raises RoleIdTaken."""
        added = insert(_roles).values(_row(role)).on_conflict_do_nothing(index_elements=["id"])
        if self._session.execute(added.returning(_roles.c.id)).first() is None:
            raise RoleIdTaken

    def save(self, role: Role) -> None:
        self._session.execute(update(_roles).where(_roles.c.id == role.id).values(_row(role)))

    def remove(self, role_id: str) -> None:
        self._session.execute(delete(_roles).where(_roles.c.id == role_id))

    def install(self, presets: Sequence[Role]) -> None:
        """Stores presets, in place of what they were in an earlier release."""
        statement = insert(_roles)
        columns = ("title_en", "title_zh", "grants", "preset")
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["id"], set_={column: statement.excluded[column] for column in columns}
            ),
            [_row(role) for role in sorted(presets, key=lambda role: role.id)],
        )


def _role(row: Row[Any]) -> Role:
    grants = tuple(Grant(grant["permission"], Scope(grant["scope"])) for grant in row.grants)
    return Role(row.id, row.title_en, row.title_zh, grants, row.preset)


def _row(role: Role) -> dict[str, Any]:
    return {
        "id": role.id,
        "title_en": role.title_en,
        "title_zh": role.title_zh,
        "grants": [{"permission": grant.permission, "scope": int(grant.scope)} for grant in role.grants],
        "preset": role.preset,
    }
