"""What the use cases need of the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from kernel.pure.clock import Clock
from kernel.pure.events import Event
from kernel.pure.grants import Principal
from sales.domain.assignment import Assignment, Seller
from sales.domain.contract import Contract, Template
from sales.domain.erp_record import ErpId, Kept
from sales.domain.follow_up import FollowUp, Reminder
from sales.domain.lead import Lead, LeadDraft
from sales.domain.opportunity import Opportunity
from sales.domain.order import Order
from sales.domain.pipeline import Pipeline
from sales.domain.product import Product
from sales.domain.scoring import Fact, LeadRules, Score

# The timers, one a hot lead (it goes to somebody else) and one a reminder (it goes off).
RETURN_LEAD = "return_lead"
REMIND = "remind"
# The jobs that make leads of forms, forget those that can be none, and score open leads anew.
RESOLVE_FORMS = "resolve_forms"
FORGET_FORMS = "forget_forms"
# The timer, one a signed contract, on the day when time alone changes it; and the job that signs.
WATCH_CONTRACT = "watch_contract"
SIGN_CONTRACTS = "sign_contracts"
# The job that lets contracts of erased customers go, when their time is over.
RELEASE = "release_contracts"
# Classes of a customer's keys: what goes with the customer, and what the law has us keep longer.
OPERATIONAL_KEYS, CONTRACT_KEYS = "operational", "contract"
RESCORE = "rescore_leads"


class Orders(Protocol):
    def upsert(self, orders: Sequence[Order]) -> Mapping[ErpId, Kept]:
        """Stores each order whose source version is above the one held; answers for every order.

        External ids must differ and be sorted.
        """


class Products(Protocol):
    def upsert(self, products: Sequence[Product]) -> Mapping[ErpId, Kept]:
        """Like Orders.upsert."""


@dataclass(frozen=True)
class CustomerRow:
    """What decides who sees the orders of a customer, as the customer service told it."""

    customer_id: UUID
    version: int
    owner_id: UUID | None
    collaborator_ids: tuple[UUID, ...] = ()
    deleted: bool = False


class Customers(Protocol):
    def apply(self, told: Iterable[CustomerRow]) -> None:
        """Takes over the rows that are newer than what is held."""

    def reached(self, customer_id: UUID, permission: str) -> bool:
        """Whether the principal's grant of `permission` reaches the customer; whoever reaches everything
        reaches customers not heard of yet, too."""

    def link(self, told: Iterable[tuple[UUID, UUID | None, int]]) -> None:
        """Takes over the (customer id, survivor id, version) links that are newer than what is held."""

    def usable(self, customer_ids: Collection[UUID]) -> list[UUID]:
        """The ids of all who are one with these, but of those whose data rests."""


class Leads(Protocol):
    def add(self, lead: Lead) -> None:
        """Stores a new lead."""

    def lend(self, lead_id: UUID, permission: str, *, pool: bool = False) -> Lead:
        """The lead, locked until the end of the transaction, if the principal's grant of `permission`
        reaches its owner, or it lies in the public pool and `pool` says that the grant reaches there.
        Raises LeadNotFound."""

    def lend_of(self, opportunity_id: UUID) -> Lead | None:
        """The lead an opportunity came of, locked, whoever owns it; None when it came otherwise."""

    def hold(self, lead_ids: Collection[UUID]) -> None:
        """Locks leads and their clocks; whoever works on several holds all of them first."""

    def clocked(self, lead_id: UUID) -> bool:
        """Whether the clock runs that takes the lead from its owner."""

    def claim_alone(self, user_id: UUID) -> None:
        """Waits for other claims of the user, which count for the same limits."""

    def lend_from_pool(self, lead_id: UUID) -> Lead:
        """A lead in the public pool, in the principal's provinces; Raises LeadNotFound, or LeadTaken for
        one that is owned by now."""

    def open_after(self, after: UUID | None, limit: int) -> list[UUID]:
        """Ids of open leads, in their order, from the one after `after`."""

    def open_of(self, customer_ids: Collection[UUID]) -> list[UUID]:
        """Ids of the open leads of customers; all of their leads are locked."""

    def save(self, lead: Lead) -> None: ...

    def add_facts(self, lead_id: UUID, facts: Sequence[Fact]) -> None:
        """Notes facts that are new by their keys."""

    def add_customer_facts(self, told: Sequence[tuple[UUID, Fact]]) -> set[UUID]:
        """Notes facts of customers that are new by their keys; answers of whom there was news."""

    def facts(self, lead_id: UUID) -> list[Fact]:
        """Those of the lead, and those of its customer under whichever merged id."""

    def note_score(self, lead_id: UUID, rules_version: int, score: Score) -> None: ...

    def note_assignment(self, lead_id: UUID, assignment: Assignment) -> None: ...

    def owners_before(self, lead_id: UUID) -> list[UUID]:
        """From whom the lead was taken for not following it up."""

    def claims_since(self, user_id: UUID, since: datetime) -> int: ...


class Rules(Protocol):
    def in_force(self) -> LeadRules: ...

    def version(self, version: int) -> LeadRules:
        """Raises LeadRulesNotFound."""

    def add(self, rules: LeadRules) -> LeadRules:
        """Stores the rules as the next version."""

    def activate(self, version: int) -> None: ...


class Sellers(Protocol):
    def all(self, *, lock: bool) -> list[Seller]:
        """Every seller with a profile; locked, two leads at once are not given to one seller in turn."""

    def held(self, user_id: UUID) -> int:
        """How many open leads a user has."""

    def note_assigned(self, user_id: UUID) -> None: ...

    def reaches(self, user_id: UUID, permission: str) -> bool:
        """Whether the principal's grant of `permission` reaches what this user owns."""

    def put(self, seller: Seller) -> Seller:
        """Stores a profile; answers it as it is now."""


class FollowUps(Protocol):
    def add(self, follow_up_id: UUID, lead: Lead, follow_up: FollowUp) -> None: ...

    def remind(self, reminders: Sequence[Reminder]) -> None: ...

    def reminders_of(self, lead_id: UUID) -> list[UUID]:
        """Ids of the reminders of a lead."""

    def forget_reminders(self, lead_id: UUID) -> None: ...

    def raise_reminders(self, ids: Collection[UUID]) -> None: ...


@dataclass(frozen=True)
class Form:
    id: UUID
    title: str
    source_channel: str
    key: str


@dataclass(frozen=True)
class Submission:
    """A form that was filled in; everything about the person is sealed until it is a lead."""

    id: UUID
    form_id: UUID
    draft: LeadDraft


class Forms(Protocol):
    def add(self, form: Form) -> None: ...

    def get(self, form_id: UUID) -> Form | None: ...

    def keep(self, submission: Submission) -> bool:
        """Stores a submission sealed; False when it came before."""

    def waiting(self, limit: int) -> list[UUID]:
        """The oldest submissions that were not refused."""

    def lend(self, submission_id: UUID) -> Submission | None:
        """A submission, locked; None when it is a lead by now or another transaction is at it."""

    def refuse(self, submission_id: UUID, reason: str) -> None:
        """Notes why a submission can be no lead."""

    def forget_refused(self, before: datetime, limit: int) -> list[UUID]:
        """Removes submissions that were refused before an instant; their keys are destroyed by the caller."""

    def forget(self, submission_id: UUID) -> None:
        """Removes a submission; its key is destroyed by whoever commits."""


class Opportunities(Protocol):
    def add(self, opportunity: Opportunity) -> None: ...

    def lend(self, opportunity_id: UUID, permission: str | None) -> Opportunity:
        """The opportunity, locked until the end of the transaction, if the principal's grant of
        `permission` reaches its owner; None for what comes with a lead that was lent already. Raises
        OpportunityNotFound."""

    def open_of(self, customer_ids: Collection[UUID]) -> list[UUID]:
        """Ids of the open opportunities of customers, locked; their leads are locked before."""

    def save(self, opportunity: Opportunity, *, entered: bool = False) -> None:
        """Stores a changed opportunity; `entered` says that it is in another stage now."""

    def pipeline(self, pipeline_id: str) -> Pipeline:
        """Raises PipelineNotFound."""

    def add_pipeline(self, pipeline: Pipeline) -> None:
        """Raises PipelineExists."""


class Contracts(Protocol):
    def next_number(self) -> str: ...

    def add(self, contract: Contract) -> None: ...

    def lend(self, contract_id: UUID, permission: str) -> Contract:
        """The contract, locked with its timer, if the principal's grant of `permission` reaches its
        owner. Raises ContractNotFound."""

    def save(self, contract: Contract) -> None: ...

    def drafts_of(self, customer_ids: Collection[UUID]) -> list[UUID]:
        """Ids of the drafts of customers, locked."""

    def signed_ends(self, customer_ids: Collection[UUID]) -> list[date]:
        """The last days of the contracts of customers that were signed."""

    def drafts(self, limit: int) -> Collection[UUID]:
        """Contracts that wait to be signed, oldest first."""

    def template(self, template_id: str, version: int | None = None) -> Template:
        """A version of a template, the newest by default. Raises TemplateNotFound."""

    def add_template(self, template: Template) -> Template:
        """Stores the template as its next version."""


class Erasures(Protocol):
    def erase(self, customer_ids: Collection[UUID]) -> dict[str, int]:
        """Erases all but contracts; answers how many rows of which table."""

    def erase_contracts(self, customer_ids: Collection[UUID]) -> dict[str, int]: ...

    def erase_unsigned(self, customer_ids: Collection[UUID]) -> dict[str, int]:
        """Erases what contracts say that were never signed."""

    def retain(self, customer_ids: Collection[UUID], until: date) -> None:
        """Keeps contracts, out of use, until the end of a day."""

    def due(self, today: date, limit: int) -> list[UUID]:
        """Whose contracts need not be kept any more; they are forgotten to be retained."""


class Documents(Protocol):
    def add(self, document_id: UUID, customer_id: UUID, key_class: str, file_name: str, data: bytes) -> None:
        """Keeps a file under the customer's key of a class."""

    def forget(self, document_id: UUID) -> None: ...


class People(Protocol):
    """The customer service, which finds or records who a lead is about."""

    def resolve(self, request_id: UUID, draft: LeadDraft, owner_id: UUID | None) -> UUID:
        """The id of the customer of `draft.contact`. Idempotent by `request_id`.

        Raises CustomersUnreachable, or Invalid when the contact breaks a rule there."""


class Work(Protocol):
    """An open unit of work of the sales service."""

    @property
    def principal(self) -> Principal: ...

    @property
    def now(self) -> datetime: ...

    @property
    def leads(self) -> Leads: ...

    @property
    def rules(self) -> Rules: ...

    @property
    def sellers(self) -> Sellers: ...

    @property
    def follow_ups(self) -> FollowUps: ...

    @property
    def forms(self) -> Forms: ...

    @property
    def opportunities(self) -> Opportunities: ...

    @property
    def contracts(self) -> Contracts: ...

    @property
    def documents(self) -> Documents: ...

    @property
    def erasures(self) -> Erasures: ...

    @property
    def default_pipeline(self) -> str: ...

    @property
    def contract_kept_years(self) -> int: ...

    def refuse_restricted(self, customer_id: UUID) -> None:
        """Raises SubjectRestricted when the customer's data may not be used now."""

    def refuse_kept(self, customer_id: UUID) -> None:
        """Raises SubjectRestricted when the customer's contracts may be kept and not used."""

    @property
    def clock(self) -> Clock: ...

    @property
    def orders(self) -> Orders: ...

    @property
    def products(self) -> Products: ...

    @property
    def customers(self) -> Customers: ...

    @property
    def base_currency(self) -> str: ...

    @property
    def order_days_ahead(self) -> int: ...

    def record(self, event: Event) -> None: ...

    def defer(self, job: str, *, lock: str | None = None, **arguments: object) -> None: ...

    def schedule(
        self, kind: str, key: str, due_at: datetime, payload: Mapping[str, Any] | None = None
    ) -> None: ...

    def cancel(self, kind: str, key: str) -> None: ...

    def audit(self, action: str, object_type: str, object_id: object, **facts: object) -> None: ...
