"""Customers of a big random enterprise, each with secrets of its own: some merged, deleted or restricted,
with words about them, relations, pairs that may be one, and a group of half of them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from customer.api.duplicates import DuplicateServicer
from customer.api.groups import GroupServicer
from customer.api.timeline import TimelineServicer
from customer.domain.customer import Person, Profile
from customer.domain.duplicates import Pair
from customer.domain.groups import GroupDraft
from customer.domain.interaction import InteractionDraft
from customer.domain.relation import RelationDraft
from customer.usecases.create_customers import Created, create_customers
from customer.usecases.define_groups import create_group
from customer.usecases.delete_customer import delete_customer
from customer.usecases.merge_customers import merge_customers
from customer.usecases.record_interaction import record_interaction
from customer.usecases.relate_customers import relate_customers
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.rpc.call import Call
from tests.customer.api.calls import Client
from tests.customer.conftest import NOON
from tests.customer.groups.world import settle
from tests.support.worlds import acting, tell, world

CUSTOMERS = 400
READ, PERSONAL = "customer.customers.read", "customer.personal.read"
UPDATE, DELETE = "customer.customers.update", "customer.customers.delete"
MERGE, EXPORT = "customer.customers.merge", "customer.customers.export"
INTERACT, REVEAL = "customer.interactions.create", "customer.personal.reveal"
RESTRICTED = "customer.restricted.read"
PERMISSIONS = (READ, PERSONAL, UPDATE, DELETE, MERGE, EXPORT, INTERACT, REVEAL)
# Wide scopes are the exception, so that most questions are about what the caller may not know.
SCOPES = (None, Scope.OWN, Scope.OWN, Scope.TEAM, Scope.TEAM, Scope.SUBTREE)


def secrets(number: int) -> tuple[str, ...]:
    return (f"+86138{number:08}", f"密巷{number:05}号", f"ID{number:012}", f"密语{number:05}")


@dataclass(frozen=True)
class Caller:
    principal: Principal
    # The roots in scope, by permission, as brute force finds them, whatever became of them.
    reached: dict[str, set[UUID]]
    # Those of them whose data may be used and that are not deleted.
    shown: dict[str, set[UUID]]


class Desk:
    """Calls the servicers of timelines, duplicates and groups as one principal."""

    def __init__(self, app: CustomerApp, principal: Principal) -> None:
        self._app, self._principal = app, principal
        self._servicers = (TimelineServicer(app), DuplicateServicer(app), GroupServicer(app))

    def ask(self, method: str, request: Any) -> Any:
        [answer] = [getattr(one, method) for one in self._servicers if hasattr(one, method)]
        with self._app.work(self._principal) as work:
            return answer(request, Call(self._principal, "en", "", lambda *_: None, work=work))


class Archive:
    """The customers, and how they stand to each other."""

    def __init__(self, app: CustomerApp, chance: Random) -> None:
        self.app, self._chance = app, chance
        self.world = world(chance, teams=10, users=25, records=CUSTOMERS)
        self._admin = Principal(PrincipalKind.USER, str(new_id()), dict.fromkeys(PERMISSIONS, Scope.ALL))
        self._record()
        self.ids = [record.id for record in self.world.records]
        self.root_of = {customer_id: customer_id for customer_id in self.ids}
        self._speak()
        self._merge()
        self.roots = {*self.root_of.values()}
        # What is to be masked of a customer, those merged into it included; and the others of its relations.
        self.secrets: dict[UUID, list[bytes]] = {root: [] for root in self.roots}
        for number, one in enumerate(self.ids):
            self.secrets[self.root_of[one]] += [secret.encode() for secret in secrets(number)]
        self.related: dict[UUID, set[UUID]] = {root: set() for root in self.roots}
        for one, other in self._couples:
            for this, that in ((one, other), (other, one)):
                self.related[self.root_of[this]] |= {self.root_of[that]} - {self.root_of[this]}
        self.deleted, self.restricted = self._hide()
        self.pairs = self._pair()
        self.group_id, self.grouped = self._group()

    def caller(self, chance: Random) -> Caller:
        user = chance.choice(self.world.users)
        scopes = {permission: chance.choice(SCOPES) for permission in PERMISSIONS}
        officer = chance.random() < 0.1
        principal = acting(self.world, user, {**scopes, RESTRICTED: Scope.OWN if officer else None})
        reached = {name: self.world.reached(user, scope) & self.roots for name, scope in scopes.items()}
        hidden = self.deleted if officer else self.deleted | self.restricted
        return Caller(principal, reached, {name: roots - hidden for name, roots in reached.items()})

    def client(self, caller: Caller) -> Client:
        return Client(self.app, caller.principal)

    def desk(self, caller: Caller) -> Desk:
        return Desk(self.app, caller.principal)

    def _record(self) -> None:
        with self.app.work(Principal.service("customer")) as work:
            tell(work.session, [self.world])
            outcomes = create_customers(work, [self._profile(number) for number in range(CUSTOMERS)])
        for record, outcome in zip(self.world.records, outcomes, strict=True):
            assert isinstance(outcome, Created)
            record.id = outcome.id

    def _profile(self, number: int) -> Profile:
        record = self.world.records[number]
        record.owner_id = record.owner_id or self.world.users[0]
        phone, street, identity_number, _ = secrets(number)
        return Profile(
            Person("王小明", (phone,), street_address=street, identity_number=identity_number),
            owner_id=record.owner_id,
            collaborator_ids=tuple(record.collaborator_ids),
            city="上海" if number % 2 else "",
        )

    def _speak(self) -> None:
        self._couples = self._some_couples(self.ids, 300)
        with self.app.work(self._admin) as work:
            for number, customer_id in enumerate(self.ids):
                draft = InteractionDraft("consultation", "phone", secrets(number)[-1])
                record_interaction(work, customer_id, draft)
            for one, other in self._couples:
                relate_customers(work, RelationDraft("partner", one, other))

    def _merge(self) -> None:
        survivors = self._chance.sample(self.ids, 40)
        absorbed = self._chance.sample(sorted({*self.ids} - {*survivors}), 60)
        for place, one in enumerate(absorbed):
            self.root_of[one] = survivors[place % 40]
            with self.app.work(self._admin) as work:
                merge_customers(work, self.root_of[one], [one])

    def _hide(self) -> tuple[set[UUID], set[UUID]]:
        hidden = self._chance.sample(sorted(self.roots), 50)
        deleted, restricted = {*hidden[:25]}, {*hidden[25:]}
        with self.app.work(self._admin) as work:
            for root in deleted:
                delete_customer(work, root, "")
            members = [one for one in self.ids if self.root_of[one] in restricted]
            work.session.connection().exec_driver_sql(
                "update customers set restricted = true where id = any(%(ids)s)", {"ids": members}
            )
        return deleted, restricted

    def _pair(self) -> set[tuple[UUID, UUID]]:
        couples = self._some_couples(sorted(self.roots), 1_500)
        pairs = [Pair(one, other, "possible", 11.0, ()) for one, other in couples]
        with self.app.work(self._admin) as work:
            work.pairs.put(pairs, NOON)
        return {*couples}

    def _some_couples(self, ids: list[UUID], most: int) -> list[tuple[UUID, UUID]]:
        """The older first, none of them twice."""
        drawn = (self._chance.sample(ids, 2) for _ in range(most))
        return sorted({(min(couple), max(couple)) for couple in drawn})

    def _group(self) -> tuple[UUID, set[UUID]]:
        with self.app.work(self._admin) as work:
            group_id = create_group(work, GroupDraft("上海客户", 'city == "上海"')).id
        settle(self.app)
        rows = self.app.reader.rows(
            "select customer_id from group_members where group_id = %s and member", (group_id,)
        )
        return group_id, {row.customer_id for row in rows}
