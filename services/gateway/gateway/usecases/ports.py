"""What the use cases need of the store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from gateway.domain.accounts import Secrets, ServiceAccount
from gateway.domain.roles import Role
from gateway.domain.sessions import RefreshToken, Session
from gateway.domain.signing_keys import NewKey, SigningKey
from gateway.domain.teams import Team
from gateway.domain.users import User
from kernel.pure.clock import Clock
from kernel.pure.events import Event
from kernel.pure.grants import Principal


@dataclass(frozen=True)
class StoredPassword:
    user_id: UUID
    stored: str
    # By an administrator: it must be changed before the first login.
    given: bool


class Passwords(Protocol):
    def hash(self, password: str) -> str:
        """What is stored of a password; slow on purpose."""

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether `stored` was made of `password`; takes as long when there is nothing stored."""


class Users(Protocol):
    def add(self, user: User, password_hash: str) -> None:
        """Stores a new user. Raises LoginTaken."""

    def password_of(self, login: str) -> StoredPassword | None:
        """The password of the user with this login."""

    def set_password(self, user_id: UUID, stored: str, given: bool) -> None:
        """Replaces a password; `given` by somebody else, who knows it."""

    def linked(self, issuer: str, subject_digest: bytes) -> UUID | None:
        """The user as whom a subject of a provider signs in."""

    def link(self, issuer: str, subject_digest: bytes, user_id: UUID) -> UUID:
        """Links a subject to a user unless it is linked; answers to whom it is now."""

    def unlink(self, issuer: str, user_id: UUID) -> int:
        """Takes a user's links with a provider away; answers how many."""

    def steady(self, user_id: UUID) -> User | None:
        """The user, whose rights can't change before the end of the transaction; without display name."""

    def lend(self, user_id: UUID) -> User:
        """The user, locked until the end of the transaction. Raises UserNotFound."""

    def save(self, user: User, changed: Collection[str]) -> None:
        """Stores a changed user; `changed` names the fields that differ."""

    def any(self) -> bool:
        """Whether there is any user; what comes after waits for the answer to stay true."""

    def others_with(self, permission: str, user_id: UUID) -> bool:
        """Whether another enabled user has the permission; the answer stays true until the end of the
        transaction."""

    def any_with(self, permission: str) -> bool:
        """The same of all users."""


class Teams(Protocol):
    def freeze(self) -> None:
        """Keeps the tree from being changed by others until the end of the transaction."""

    def get(self, team_id: UUID) -> Team | None: ...

    def subtree(self, team_id: UUID) -> list[Team]:
        """The team and all below it."""

    def add(self, team: Team) -> None: ...

    def save(self, teams: Sequence[Team]) -> None:
        """Stores changed teams."""


class Roles(Protocol):
    def of(self, role_ids: Collection[str]) -> list[Role]:
        """Those of the roles that exist; nobody changes them before the end of the transaction."""

    def lend(self, role_id: str) -> Role:
        """The role, locked until the end of the transaction. Raises RoleNotFound."""

    def holders(self, role_id: str) -> list[UUID]:
        """The users and service accounts that have the role, disabled ones too."""

    def add(self, role: Role) -> None:
        """Stores a new role. Raises RoleIdTaken."""

    def save(self, role: Role) -> None: ...

    def remove(self, role_id: str) -> None: ...

    def install(self, presets: Sequence[Role]) -> None:
        """Stores presets, in place of what they were in an earlier release."""


class ServiceAccounts(Protocol):
    def add(self, account: ServiceAccount, secret_digest: bytes) -> None: ...

    def find(self, account_id: UUID) -> tuple[ServiceAccount, Secrets] | None:
        """The account and its secrets."""

    def lend(self, account_id: UUID) -> tuple[ServiceAccount, Secrets]:
        """The same, locked until the end of the transaction. Raises ServiceAccountNotFound."""

    def save(self, account: ServiceAccount, secrets: Secrets) -> None: ...


class Sessions(Protocol):
    def add(self, session: Session) -> None: ...

    def add_token(self, token: RefreshToken) -> None: ...

    def of_token(self, digest: bytes) -> tuple[Session, RefreshToken] | None:
        """The refresh token with this digest, and its session."""

    def steady(self, session_id: UUID) -> Session | None:
        """The session, which nobody can end before the end of the transaction."""

    def use_up(self, digest: bytes, now: datetime) -> bool:
        """Marks a refresh token as used; False when it was used before. Waits for who is using it."""

    def end(self, session_id: UUID, now: datetime) -> bool:
        """Ends a session; False when there is none or it had ended."""

    def end_all(self, user_id: UUID, now: datetime) -> int:
        """Ends all sessions of a user; answers how many."""

    def void_tokens(self, subject_id: UUID, issued_before: datetime) -> None:
        """Revokes the access tokens issued to a user, service account or session until an instant."""

    def void_all_tokens(self, subject_ids: Collection[UUID], issued_before: datetime) -> None:
        """The same of many."""

    def forget_tokens(self, now: datetime, most: int) -> int:
        """Deletes refresh tokens that have expired; answers how many, as the next two do."""

    def forget_sessions(self, now: datetime, ended_before: datetime, most: int) -> int:
        """Deletes sessions that have expired, or ended before an instant."""

    def forget_revocations(self, before: datetime, most: int) -> int: ...


class KeyForge(Protocol):
    def make(self, signs_from: datetime) -> NewKey:
        """A new random key. May raise KeyringUnavailable."""


class SigningKeys(Protocol):
    def all(self) -> list[SigningKey]:
        """The published keys, which nobody else changes until the end of the transaction."""

    def add(self, key: NewKey) -> None: ...

    def drop(self, kid: str) -> None: ...


class Work(Protocol):
    """An open unit of work of the gateway service."""

    principal: Principal
    clock: Clock
    now: datetime

    @property
    def users(self) -> Users: ...
    @property
    def teams(self) -> Teams: ...
    @property
    def roles(self) -> Roles: ...
    @property
    def service_accounts(self) -> ServiceAccounts: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def signing_keys(self) -> SigningKeys: ...

    def record(self, event: Event) -> None: ...

    def audit(self, action: str, object_type: str, object_id: object, **facts: Any) -> None: ...
