"""Directory messages to and from what the use cases speak of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from crm.gateway.v1 import identity_pb2 as pb
from gateway.domain.accounts import ServiceAccount
from gateway.domain.roles import Role, RoleDraft
from gateway.domain.teams import Team
from gateway.domain.users import UserDraft
from kernel.pure.errors import Invalid, Violation
from kernel.pure.grants import Scope
from kernel.pure.ids import parse_id


class ShownUser(Protocol):
    """A user as a use case or a query answers it."""

    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def login(self) -> str: ...
    @property
    def display_name(self) -> str | None: ...
    @property
    def team_id(self) -> UUID | None: ...
    @property
    def role_ids(self) -> Sequence[str]: ...
    @property
    def disabled(self) -> bool: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def customer_id(self) -> UUID | None: ...


def instant(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def user(shown: ShownUser) -> pb.User:
    return pb.User(
        id=str(shown.id),
        etag=str(shown.version),
        login=shown.login,
        display_name=shown.display_name or "",
        team_id=str(shown.team_id or ""),
        role_ids=shown.role_ids,
        disabled=shown.disabled,
        create_time=instant(shown.created_at),
        customer_id=str(shown.customer_id or ""),
    )


def user_draft(message: pb.User) -> UserDraft:
    """Raises Invalid when the team or customer id is none."""
    return UserDraft(
        login=message.login,
        display_name=message.display_name,
        team_id=optional_id(message.team_id, "user.team_id"),
        role_ids=tuple(sorted(set(message.role_ids))),
        disabled=message.disabled,
        customer_id=optional_id(message.customer_id, "user.customer_id"),
    )


def team(shown: Team) -> pb.Team:
    return pb.Team(
        id=str(shown.id), etag=str(shown.version), name=shown.name, parent_id=str(shown.parent_id or "")
    )


def role(row: Any, language: str) -> pb.Role:
    held = [(grant["permission"], Scope(grant["scope"])) for grant in row.grants]
    title = row.title_zh if language == "zh" else row.title_en
    return pb.Role(id=row.id, title=title, grants=grants(held), preset=row.preset)


def own_role(shown: Role) -> pb.Role:
    """Of the enterprise's own: its title is the same in each language."""
    held = [(grant.permission, grant.scope) for grant in shown.grants]
    return pb.Role(id=shown.id, title=shown.title_en, grants=grants(held), preset=shown.preset)


def role_draft(message: pb.Role) -> RoleDraft:
    named = tuple((grant.permission, _SCOPES_NAMED.get(grant.scope)) for grant in message.grants)
    return RoleDraft(message.id, message.title, named)


def grants(held: Iterable[tuple[str, Scope]]) -> list[pb.Grant]:
    return [pb.Grant(permission=permission, scope=_SCOPES[scope]) for permission, scope in sorted(held)]


def service_account(shown: ServiceAccount) -> pb.ServiceAccount:
    return pb.ServiceAccount(
        id=str(shown.id),
        name=shown.name,
        role_ids=shown.role_ids,
        disabled=shown.disabled,
        create_time=instant(shown.created_at),
        previous_secret_until=instant(shown.previous_secret_until) if shown.previous_secret_until else None,
    )


def optional_id(text: str, field: str) -> UUID | None:
    """None for an empty text. Raises Invalid for what is no id."""
    return parse_id(text, field) if text else None


def masked(mask: FieldMask, message: Any, changeable: Collection[str]) -> frozenset[str]:
    """The fields an update changes: those of the mask, "*" for all, without a mask those that are set
    (AIP-134). Raises Invalid for a path that can't be changed."""
    if not mask.paths:
        return frozenset(field for field in changeable if getattr(message, field))
    if list(mask.paths) == ["*"]:
        return frozenset(changeable)
    if not set(mask.paths) <= set(changeable):
        names = ", ".join(sorted(changeable))
        raise Invalid.of(
            Violation("update_mask", "UPDATE_MASK", f"may only name {names}", f"只能包含 {names}")
        )
    return frozenset(mask.paths)


_SCOPES = {
    Scope.SELF: pb.SCOPE_SELF,
    Scope.OWN: pb.SCOPE_OWN,
    Scope.TEAM: pb.SCOPE_TEAM,
    Scope.SUBTREE: pb.SCOPE_SUBTREE,
    Scope.ALL: pb.SCOPE_ALL,
}
_SCOPES_NAMED = {named: scope for scope, named in _SCOPES.items()}
