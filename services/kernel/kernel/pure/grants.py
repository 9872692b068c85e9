"""Who acts, and what they may do: role, user, data (feature rows X-01, X-02)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

from kernel.pure.errors import PermissionDenied


class Scope(IntEnum):
    """Whose records a permission reaches; a wider scope has a greater number. SELF is about the customer
    whom a user of the portal is."""

    SELF = 1
    OWN = 2
    TEAM = 3
    SUBTREE = 4
    ALL = 5


@dataclass(frozen=True)
class Grant:
    permission: str
    scope: Scope


class PrincipalKind(StrEnum):
    USER = "user"
    SERVICE_ACCOUNT = "service_account"
    SERVICE = "service"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Principal:
    """The one on whose behalf something is done.

    `id` is a user's or service account's UUID as text, a service's name, or "" for anonymous.
    """

    kind: PrincipalKind
    id: str
    grants: Mapping[str, Scope] = field(default_factory=dict)
    session_id: str = ""
    # The team the user belonged to when the token was minted.
    team_id: UUID | None = None
    # The customer whom a user of the portal is; None for staff and programs.
    customer_id: UUID | None = None

    @classmethod
    def service(cls, name: str) -> Principal:
        """A service of this installation acting on its own account."""
        return cls(PrincipalKind.SERVICE, name)

    @property
    def user_id(self) -> UUID | None:
        """The id of the user or service account; None for services and strangers."""
        return UUID(self.id) if self.kind in (PrincipalKind.USER, PrincipalKind.SERVICE_ACCOUNT) else None

    def document(self) -> dict[str, Any]:
        """The principal as JSON holds it, for work that goes on after its call has ended."""
        return {
            "kind": self.kind.value,
            "id": self.id,
            "grants": {permission: int(scope) for permission, scope in self.grants.items()},
            "team_id": str(self.team_id) if self.team_id else None,
            "customer_id": str(self.customer_id) if self.customer_id else None,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Principal:
        """The principal of a document."""
        return cls(
            kind=PrincipalKind(document["kind"]),
            id=document["id"],
            grants={permission: Scope(scope) for permission, scope in document["grants"].items()},
            team_id=UUID(document["team_id"]) if document["team_id"] else None,
            customer_id=UUID(document["customer_id"]) if document.get("customer_id") else None,
        )

    def scope_of(self, permission: str) -> Scope | None:
        """How far the permission reaches for this principal; None when they don't have it.

        A service acting on its own account reaches everything in its own database.
        """
        if self.kind is PrincipalKind.SERVICE:
            return Scope.ALL
        return self.grants.get(permission)

    def require(self, permission: str) -> Scope:
        """Like `scope_of`, but raises PermissionDenied."""
        scope = self.scope_of(permission)
        if scope is None:
            raise PermissionDenied(permission=permission)
        return scope


ANONYMOUS = Principal(PrincipalKind.ANONYMOUS, "")


def widest(grants: Iterable[Grant]) -> dict[str, Scope]:
    """Grants of several roles together: the widest scope of each permission."""
    merged: dict[str, Scope] = {}
    for grant in grants:
        merged[grant.permission] = max(grant.scope, merged.get(grant.permission, grant.scope))
    return merged
