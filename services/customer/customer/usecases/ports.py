"""What the use cases need of the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from customer.domain.customer import Customer, ExternalId
from customer.domain.duplicates import Candidate, Pair, Party, Scan
from customer.domain.events import ClassifiedCustomer, GroupMember, MergedCustomer, RecordedCustomer
from customer.domain.groups import Group
from customer.domain.interaction import Interaction
from customer.domain.merging import Member
from customer.domain.purchases import Purchases
from customer.domain.relation import Relation
from customer.domain.schemes import Scheme
from customer.domain.told import ContractRow, DealRow, TicketRow
from kernel.pure.clock import Clock
from kernel.pure.events import Event
from kernel.pure.grants import Principal

# The timer, one a customer, on the day when time alone may change a class.
REVIEW = "review_classes"
# The job that works through imports, and the timer, one a file, that destroys what was uploaded.
IMPORT = "import_customers"
UPLOAD_EXPIRES = "destroy_uploads"
# The job that reads how uploaded files begin.
READ_HEADS = "read_heads"
# The timer, one an import, that destroys its row report.
REPORT_EXPIRES = "destroy_reports"
# The job that writes exports, and the timer, one a file, that destroys what was written.
EXPORT = "export_customers"
EXPORT_EXPIRES = "destroy_exports"
# The job that looks for duplicates among all customers.
SCAN = "scan_duplicates"
# The timer, one a deleted customer, on the instant when it can't be brought back any more.
PURGE = "purge_customer"
# The timer that keeps the members of all groups, and those, one a customer, on the day when time alone may
# make it a member or none.
KEEP_GROUPS = "keep_groups"
REVIEW_GROUPS = "review_groups"


@dataclass(frozen=True)
class OrderRow:
    """An order as sales told it: amounts in the base currency."""

    order_id: UUID
    version: int
    customer_id: UUID
    ordered_on: date
    status: str
    base_amount: Decimal


@dataclass(frozen=True)
class ClassRow:
    """The class of a customer under a scheme. `version` grows with every change of the class."""

    customer_id: UUID
    scheme: str
    class_: str
    version: int
    scheme_version: int
    since: datetime
    review_on: date | None


@dataclass(frozen=True)
class Grounds:
    """What classes follow from. Purchases are those of customers with orders, what they absorbed included."""

    customer_ids: list[UUID]
    purchases: dict[UUID, Purchases]
    classes: list[ClassRow]
    schemes: list[Scheme]  # the newest version of each


@dataclass(frozen=True)
class Holder:
    """The customer that has an external id, deleted perhaps. The one it is read through decides whether it is
    within the caller's reach, and whose `team_id` it has."""

    id: UUID
    within_reach: bool
    team_id: UUID | None = None


class Customers(Protocol):
    def add(self, customers: Sequence[Customer]) -> None:
        """Stores new customers; their external ids are free."""

    def reaches(self, owner_id: UUID, permission: str) -> bool:
        """Whether the principal's grant of `permission` reaches customers of this owner."""

    def holders(self, external_ids: Collection[ExternalId], permission: str) -> dict[ExternalId, Holder]:
        """The customers that have these external ids; within reach are those that `permission` reaches.

        The answer stays true until the end of the transaction."""

    def lend(self, customer_id: UUID, permission: str, *, deleted: bool = False) -> Customer:
        """The customer, or the one that it was merged into, locked until the end of the transaction, if
        the principal's grant of `permission` reaches it; a deleted one only when `deleted`.

        Raises CustomerNotFound."""

    def absorbed(self, survivor_id: UUID) -> list[Customer]:
        """Those read through a customer that is held, oldest first; without persons whose key is gone."""

    def save(self, customer: Customer, action: str, changed_fields: Collection[str] = ()) -> None:
        """Stores a changed customer, and in its history how it came about."""

    def keep_versions(self, customer_ids: Collection[UUID], action: str) -> None:
        """Puts the present state of customers into their history, as their present version."""

    def purge(self, customer_ids: Collection[UUID]) -> list[UUID]:
        """Removes those that are deleted, with all that were merged into them; answers their ids."""


class Purchasing(Protocol):
    def apply(self, orders: Sequence[OrderRow]) -> set[UUID]:
        """Stores what is newer than what is held; answers the customers whose purchases may have changed."""

    def hold(self, customer_ids: Collection[UUID]) -> None:
        """Locks customers, and those they are read through, against being classified by another."""


class Deals(Protocol):
    """Each takes over what is newer than what is held, in whatever order it is heard."""

    def apply(self, deal: DealRow) -> None: ...

    def apply_contracts(self, told: Sequence[ContractRow]) -> None: ...


class Tickets(Protocol):
    def apply(self, told: Sequence[TicketRow]) -> None:
        """Takes over what is newer than what is held, in whatever order it is heard."""


class Classes(Protocol):
    def grounds(self, customer_ids: Collection[UUID], today: date) -> Grounds:
        """Locks customers as Purchasing.hold does; of those that exist, what their classes follow from."""

    def save(
        self,
        rows: Sequence[ClassRow],
        changes: Sequence[ClassifiedCustomer],
        reviews: Mapping[UUID, date | None],
    ) -> None:
        """Stores classes, notes which of them changed now, and sets the day on which each customer is
        classified again; None for no day."""


@dataclass(frozen=True)
class StandingCustomer:
    """A customer that stands for itself. `kind` is "person" or "company"."""

    id: UUID
    kind: str


class Standing(Protocol):
    """Whom an id is read and written through."""

    def hold(self, customer_ids: Collection[UUID]) -> None:
        """Locks those that these customers are read through until the end of the transaction."""

    def of(self, customer_id: UUID, permission: str) -> StandingCustomer:
        """The customer, or the one it was merged into, if the principal's grant of `permission` reaches
        it. Raises CustomerNotFound, also for one that is deleted."""


class Interactions(Protocol):
    def add(self, interaction: Interaction, personal: bool) -> None:
        """Stores an interaction; sealed when its content is `personal`. Raises SubjectErased."""


class Relations(Protocol):
    """Between customers, or those that they were merged into."""

    def find(self, relation_id: UUID) -> Relation | None: ...

    def between(self, kind: str, one: UUID, other: UUID) -> list[UUID]:
        """The relations of a kind between two customers, whichever way."""

    def add(self, relation: Relation) -> None: ...

    def demote(self, company_id: UUID) -> list[UUID]:
        """Leaves the company without first contact; answers the relations that were it."""

    def remove(self, relation_ids: Collection[UUID]) -> None: ...


class Merging(Protocol):
    """Who is read through whom."""

    def alone(self) -> None:
        """Waits until nobody else merges; from here on no link changes but by this transaction."""

    def groups(self, customer_ids: Collection[UUID]) -> list[UUID]:
        """All members of the groups that these customers belong to."""

    def members(self, customer_ids: Collection[UUID], permission: str) -> dict[UUID, Member]:
        """Those that exist; within reach are those not deleted to which `permission` reaches."""

    def decisions(self, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Whom each of these customers was merged into; without those that stand for themselves."""

    def decide(self, absorbed_ids: Collection[UUID], survivor_id: UUID, *, undone: bool = False) -> None:
        """Notes that these were merged into the survivor, or that this is undone."""

    def decide_each(self, survivors: Mapping[UUID, UUID]) -> None:
        """Notes into whom each of these was merged."""

    def link(self, survivors: Mapping[UUID, UUID | None]) -> list[MergedCustomer]:
        """Sets whom each customer is read through, None for itself; answers the links with their versions."""

    def renew(self, customer_ids: Collection[UUID]) -> None:
        """Gives customers a new version without a change of their own."""


class Matches(Protocol):
    """Customers that share a blind key with others. Those that are deleted, and persons whose key was
    destroyed, are none."""

    def hold(self, asked: Sequence[Party]) -> None:
        """Waits until nobody else is recording somebody who may be one of these, and lets others wait
        until the end of the transaction."""

    def alone(self) -> None:
        """The same, whoever others are recording."""

    def candidates(self, asked: Sequence[Party], permission: str) -> list[list[Candidate]]:
        """For each customer that is not stored, the stored ones of its kind to compare it with."""

    def couples(self, customer_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
        """Stored customers to compare: each of these with an older one."""

    def load(self, customer_ids: Collection[UUID], *permissions: str) -> dict[UUID, Candidate]:
        """Stored customers by their ids; within reach are those that all `permissions` reach."""

    def groups(self, roots: Collection[UUID], *permissions: str) -> dict[UUID, list[Candidate]]:
        """All who are read through these customers, themselves among them, by the id of the root."""


class Pairs(Protocol):
    """Pairs of customers that may be one."""

    def put(self, pairs: Sequence[Pair], since: datetime) -> None:
        """Lists pairs, unless somebody has decided. Of what was found since an instant the best stays."""

    def merged(self, customer_ids: Collection[UUID]) -> None:
        """Notes that these are one now."""

    def part(self, ones: Collection[UUID], others: Collection[UUID]) -> None:
        """Notes that somebody decided that `ones` are other customers than `others`."""

    def dismiss(self, one: UUID, other: UUID, permission: str) -> Pair:
        """Notes that the two of a pair are two. Raises PairNotFound, also when `permission` does not
        reach both."""

    def sure(self, permission: str) -> list[tuple[UUID, UUID, float]]:
        """Pairs of standing customers that are surely one and both within reach, with their scores."""


class Scans(Protocol):
    def add(self, scan: Scan) -> None: ...

    def lend(self, scan_id: UUID) -> tuple[Scan, datetime]:
        """A scan, locked, and when it was started. Raises ScanNotFound."""

    def save(self, scan: Scan) -> None: ...

    def count(self, permission: str) -> int:
        """How many customers a scan on behalf of the principal looks at."""

    def following(self, after: UUID | None, limit: int, permission: str) -> list[UUID]:
        """The next of them, in order of id."""

    def disabled(self) -> bool:
        """Whether the principal is a user who was locked out."""


class Groups(Protocol):
    def alone(self) -> None:
        """Waits until nobody else defines groups; from here on only this transaction does."""

    def check(self, expression: str) -> None:
        """Raises Invalid when an expression can't be read or asks for what there is not."""

    def lend(self, group_id: UUID) -> Group:
        """The group, locked until the end of the transaction. Raises GroupNotFound."""

    def named(self, name: str) -> UUID | None:
        """The group that has this name."""

    def count(self) -> int: ...

    def save(self, group: Group) -> None:
        """Stores a new or changed group, and the version of its rule."""


class Erasing(Protocol):
    def erase(self, customer_ids: Collection[UUID]) -> tuple[dict[str, int], list[RecordedCustomer]]:
        """Erases what is held of the persons among these; answers how many rows of which table, and what
        stays of each that was erased now."""


class Memberships(Protocol):
    """Who belongs to which group. Only one transaction at a time decides."""

    def groups(self) -> list[Group]:
        """All groups, deleted ones that have members still among them."""

    def take_changed(self, limit: int) -> list[UUID]:
        """Takes customers, about `limit`, of whom something changed that a rule may ask for."""

    def put_changed(self, customer_ids: Collection[UUID]) -> None:
        """Lets customers be looked at again."""

    def following(self, after: UUID | None, limit: int) -> list[UUID]:
        """The next customers in order of id."""

    def decide(self, groups: Sequence[Group], customer_ids: Collection[UUID]) -> list[GroupMember]:
        """Decides for these customers and groups who is a member; answers what changed."""

    def go_on(self, group: Group, after: UUID | None) -> None:
        """Notes the last customer that was looked at for a group; None: all were, and the group is ready,
        or gone if it was deleted. A group that was changed meanwhile begins anew."""

    def review(self, groups: Sequence[Group], customer_ids: Collection[UUID]) -> None:
        """Sets the day on which time alone may change what rules answer about each customer."""


class Counters(Protocol):
    """Counts within windows of time; may forget."""

    def hit(self, key: str, seconds: float) -> tuple[int, float]:
        """Counts one more; answers the count and the seconds left of the window."""

    def give_back(self, key: str) -> None:
        """Counts one less in the present window, if there is one."""


class Work(Protocol):
    """An open unit of work of the customer service."""

    principal: Principal
    clock: Clock
    now: datetime
    customers: Customers
    purchases: Purchasing
    deals: Deals
    tickets: Tickets
    classes: Classes
    standing: Standing
    interactions: Interactions
    relations: Relations
    merges: Merging
    matches: Matches
    pairs: Pairs
    scans: Scans
    groups: Groups
    memberships: Memberships
    erasing: Erasing
    counters: Counters

    def record(self, event: Event) -> None: ...

    def schedule(self, kind: str, key: str, due_at: datetime) -> None: ...

    def cancel(self, kind: str, key: str) -> None: ...

    def audit(self, action: str, object_type: str, object_id: object, **facts: Any) -> None: ...

    def audit_apart(self, action: str, object_type: str, object_id: object) -> None:
        """Notes what stays noted even when this transaction is rolled back."""

    def defer(self, job: str, *, lock: str | None = None, **arguments: object) -> None: ...
