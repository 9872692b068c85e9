"""Users, teams and service accounts in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, any_, bindparam, delete, exists, func, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.domain.accounts import Secrets, ServiceAccount
from gateway.domain.errors import LoginTaken, ServiceAccountNotFound, UserNotFound
from gateway.domain.teams import Team
from gateway.domain.users import User
from gateway.store import tables
from gateway.store.names import open_names, seal_name
from gateway.usecases.ports import StoredPassword
from kernel.sql.crypto.sealing import Sealer

# Advisory locks of this database; each keeps one rule that no row can keep.
_USERS_LOCK = 7_310_001
_TREE_LOCK = 7_310_002


def _hold(session: Session, lock: int) -> None:
    session.execute(select(func.pg_advisory_xact_lock(lock)))


class UserRepository:
    def __init__(self, session: Session, sealer: Sealer) -> None:
        self._session = session
        self._sealer = sealer

    def add(self, user: User, password_hash: str) -> None:
        """Stores a new user. Raises LoginTaken."""
        row = {
            "id": user.id,
            "version": user.version,
            "login": user.login,
            "sealed": seal_name(self._sealer, user.id, user.display_name or ""),
            "team_id": user.team_id,
            "role_ids": list(user.role_ids),
            "disabled": user.disabled,
            "password_hash": password_hash,
            "created_at": user.created_at,
            "customer_id": user.customer_id,
        }
        added = insert(tables.users).values(row).on_conflict_do_nothing(index_elements=["login"])
        if self._session.execute(added.returning(tables.users.c.id)).first() is None:
            raise LoginTaken

    def password_of(self, login: str) -> StoredPassword | None:
        """The password of the user with this login."""
        users = tables.users.c
        columns = (users.id, users.password_hash, users.password_given)
        row = self._session.execute(select(*columns).where(users.login == login)).first()
        return StoredPassword(row.id, row.password_hash, row.password_given) if row else None

    def set_password(self, user_id: UUID, stored: str, given: bool) -> None:
        """Replaces a password; `given` by somebody else, who knows it."""
        values = {"password_hash": stored, "password_given": given}
        self._session.execute(update(tables.users).where(tables.users.c.id == user_id).values(values))

    def linked(self, issuer: str, subject_digest: bytes) -> UUID | None:
        """The user as whom a subject of a provider signs in."""
        known = tables.identities.c
        return self._session.scalar(
            select(known.user_id).where(known.issuer == issuer, known.subject_digest == subject_digest)
        )

    def link(self, issuer: str, subject_digest: bytes, user_id: UUID) -> UUID:
        """Links a subject to a user unless it is linked; answers to whom it is now."""
        row = {"issuer": issuer, "subject_digest": subject_digest, "user_id": user_id}
        self._session.execute(insert(tables.identities).values(row).on_conflict_do_nothing())
        return self.linked(issuer, subject_digest) or user_id

    def unlink(self, issuer: str, user_id: UUID) -> int:
        """Takes a user's links with a provider away; answers how many."""
        known = tables.identities
        gone = delete(known).where(known.c.issuer == issuer, known.c.user_id == user_id)
        return len(self._session.execute(gone.returning(known.c.user_id)).all())

    def steady(self, user_id: UUID) -> User | None:
        """The user, whose rights can't change before the end of the transaction; without display name."""
        query = select(tables.users).where(tables.users.c.id == user_id).with_for_update(read=True)
        row = self._session.execute(query).first()
        return _user(row, None) if row else None

    def lend(self, user_id: UUID) -> User:
        """The user, locked until the end of the transaction. Raises UserNotFound."""
        query = select(tables.users).where(tables.users.c.id == user_id).with_for_update()
        row = self._session.execute(query).first()
        if row is None:
            raise UserNotFound
        return _user(row, open_names(self._sealer, [(row.id, row.sealed)])[0])

    def save(self, user: User, changed: Collection[str]) -> None:
        """Stores a changed user; `changed` names the fields that differ."""
        values: dict[str, Any] = {
            "version": user.version,
            "team_id": user.team_id,
            "role_ids": list(user.role_ids),
            "disabled": user.disabled,
            "customer_id": user.customer_id,
        }
        if "display_name" in changed:
            values["sealed"] = seal_name(self._sealer, user.id, user.display_name or "")
        self._session.execute(update(tables.users).where(tables.users.c.id == user.id).values(values))

    def any(self) -> bool:
        """Whether there is any user; what comes after waits for the answer to stay true."""
        _hold(self._session, _USERS_LOCK)
        return bool(self._session.scalar(select(exists(select(tables.users.c.id)))))

    def others_with(self, permission: str, user_id: UUID) -> bool:
        """Whether another enabled user has the permission; the answer stays true until the end of the
        transaction."""
        return self._any_with(permission, tables.users.c.id != user_id)

    def any_with(self, permission: str) -> bool:
        """The same of all users."""
        return self._any_with(permission, true())

    def _any_with(self, permission: str, among: ColumnElement[bool]) -> bool:
        _hold(self._session, _USERS_LOCK)
        giving = tables.roles.c.grants.contains([{"permission": permission}])
        holder = select(tables.users.c.id).where(
            among,
            ~tables.users.c.disabled,
            exists(
                select(tables.roles.c.id).where(tables.roles.c.id == any_(tables.users.c.role_ids), giving)
            ),
        )
        return bool(self._session.scalar(select(exists(holder))))


class TeamRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def freeze(self) -> None:
        """Keeps the tree from being changed by others until the end of the transaction."""
        _hold(self._session, _TREE_LOCK)

    def get(self, team_id: UUID) -> Team | None:
        row = self._session.execute(select(tables.team_tree).where(tables.team_tree.c.id == team_id)).first()
        return _team(row) if row else None

    def subtree(self, team_id: UUID) -> list[Team]:
        """The team and all below it."""
        below = tables.team_tree.c.path.contains([team_id])
        return [_team(row) for row in self._session.execute(select(tables.team_tree).where(below))]

    def add(self, team: Team) -> None:
        self._session.execute(
            insert(tables.team_tree).values(
                id=team.id, version=team.version, name=team.name, path=list(team.path)
            )
        )

    def save(self, teams: Sequence[Team]) -> None:
        """Stores changed teams."""
        statement = (
            update(tables.team_tree)
            .where(tables.team_tree.c.id == bindparam("team"))
            .values(version=bindparam("now_version"), name=bindparam("now_name"), path=bindparam("now_path"))
        )
        self._session.connection().execute(
            statement,
            [
                {"team": t.id, "now_version": t.version, "now_name": t.name, "now_path": list(t.path)}
                for t in teams
            ],
        )


class ServiceAccountRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, account: ServiceAccount, secret_digest: bytes) -> None:
        self._session.execute(
            insert(tables.service_accounts).values(
                id=account.id,
                name=account.name,
                role_ids=list(account.role_ids),
                disabled=account.disabled,
                secret_digest=secret_digest,
                created_at=account.created_at,
            )
        )

    def find(self, account_id: UUID) -> tuple[ServiceAccount, Secrets] | None:
        """The account and its secrets."""
        row = self._session.execute(_account_with(account_id)).first()
        return _account(row) if row else None

    def lend(self, account_id: UUID) -> tuple[ServiceAccount, Secrets]:
        """The same, locked until the end of the transaction. Raises ServiceAccountNotFound."""
        row = self._session.execute(_account_with(account_id).with_for_update()).first()
        if row is None:
            raise ServiceAccountNotFound
        return _account(row)

    def save(self, account: ServiceAccount, secrets: Secrets) -> None:
        values = {
            "disabled": account.disabled,
            "secret_digest": secrets.present,
            "previous_secret_digest": secrets.previous,
            "previous_secret_until": secrets.previous_until,
        }
        table = tables.service_accounts
        self._session.execute(update(table).where(table.c.id == account.id).values(values))


def _account_with(account_id: UUID) -> Select[Any]:
    return select(tables.service_accounts).where(tables.service_accounts.c.id == account_id)


def _account(row: Row[Any]) -> tuple[ServiceAccount, Secrets]:
    until = row.previous_secret_until
    account = ServiceAccount(row.id, row.name, tuple(row.role_ids), row.disabled, row.created_at, until)
    return account, Secrets(row.secret_digest, row.previous_secret_digest, until)


def _user(row: Row[Any], name: str | None) -> User:
    return User(
        id=row.id,
        version=row.version,
        login=row.login,
        display_name=name,
        team_id=row.team_id,
        role_ids=tuple(row.role_ids),
        disabled=row.disabled,
        created_at=row.created_at,
        customer_id=row.customer_id,
    )


def _team(row: Row[Any]) -> Team:
    return Team(row.id, row.version, row.name, tuple(row.path))
