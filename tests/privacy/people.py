"""Who calls the privacy service, and the persons it has heard of."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from privacy.usecases.ports import PersonRow
from privacy.wiring import PrivacyApp

_RIGHTS = (
    "purposes.read", "purposes.manage", "consents.read", "consents.record", "erasures.read",
    "erasures.request", "erasures.manage", "holds.manage", "audit.read",
)  # fmt: skip


def officer(scope: Scope = Scope.ALL, user_id: UUID | None = None) -> Principal:
    """A user who may do everything here, as far as `scope` reaches."""
    grants = {f"privacy.{right}": scope for right in _RIGHTS}
    return Principal(PrincipalKind.USER, str(user_id or new_id()), grants)


def customer(customer_id: UUID) -> Principal:
    """A customer in the portal, who may do everything here that is about themselves."""
    return replace(officer(Scope.SELF), customer_id=customer_id)


def person(app: PrivacyApp, owner_id: UUID | None = None, **more: object) -> UUID:
    """A person told by the customer service."""
    row = PersonRow(person_id=new_id(), version=1, owner_id=owner_id, **more)  # type: ignore[arg-type]
    with app.work(Principal.service("privacy")) as work:
        work.persons.apply([row])
    return row.person_id


def merge(app: PrivacyApp, absorbed: UUID, survivor: UUID | None, version: int = 1) -> None:
    with app.work(Principal.service("privacy")) as work:
        work.persons.link([(absorbed, survivor, version)])
