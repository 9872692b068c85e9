"""Recording new customers, one or many (C-01, C-02, C-03)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from customer.domain.customer import NOBODY, Customer, Profile, checked
from customer.domain.errors import ExternalIdTaken, OwnerOutOfReach
from customer.domain.events import CustomersRecorded, RecordedCustomer
from customer.usecases.check_duplicates import PERMISSION as READ
from customer.usecases.check_duplicates import refusals
from customer.usecases.find_holders import holder_of
from customer.usecases.ports import Holder, Work
from kernel.pure.clock import today
from kernel.pure.errors import Checks, CrmError, Invalid, Violation
from kernel.pure.ids import new_id

PERMISSION = "customer.customers.create"
MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Created:
    id: UUID


@dataclass(frozen=True)
class Existing:
    id: UUID


@dataclass(frozen=True)
class Refused:
    error: CrmError


Outcome = Created | Existing | Refused


def create_customer(work: Work, profile: Profile, *, allow_duplicate: bool = False) -> Customer:
    """Records one customer.

    Raises Invalid, OwnerOutOfReach, ExternalIdTaken when it is already known, DuplicateElsewhere when
    out of the caller's reach, TooManyQuestions, and DuplicateCustomer unless `allow_duplicate`.
    """
    customer = _new(work, profile, "customer")
    keys = customer.profile.external_ids
    taken = holder_of(work, keys, work.customers.holders(keys, READ))
    if taken is not None:
        raise ExternalIdTaken(source=taken[0].source, value=taken[0].value)
    if not allow_duplicate:
        for error in refusals(work, [customer]).values():
            raise error
    _store(work, [customer])
    return customer


def create_customers(
    work: Work, profiles: Sequence[Profile | CrmError], *, allow_duplicate: bool = False
) -> list[Outcome]:
    """Records up to 500 customers; each has its own outcome, in the same order.

    A profile that could not be read is given as its error. A customer whose external id is known,
    from before or from earlier in the batch, is answered with the one that has it, unchanged; it is
    refused when that one is out of the caller's reach. Unless `allow_duplicate`, one that is surely known
    already, or earlier in the batch, is refused.
    """
    if not 1 <= len(profiles) <= MOST_AT_ONCE:
        raise Invalid.of(
            Violation(
                "customers", "BATCH_SIZE", f"must hold 1 to {MOST_AT_ONCE}", f"必须有 1 到 {MOST_AT_ONCE} 项"
            )
        )
    candidates = [_new_or_error(work, profile, index) for index, profile in enumerate(profiles)]
    wanted = {key for c in candidates if isinstance(c, Customer) for key in c.profile.external_ids}
    holders = work.customers.holders(wanted, READ)
    outcomes: list[Outcome] = []
    fresh: list[Customer] = []
    for candidate in candidates:
        if not isinstance(candidate, Customer):
            outcomes.append(Refused(candidate))
            continue
        keys = candidate.profile.external_ids
        try:
            taken = holder_of(work, keys, holders)
        except CrmError as error:
            outcomes.append(Refused(error))
            continue
        if taken is not None:
            outcomes.append(Existing(taken[1].id))
            continue
        holders.update(dict.fromkeys(keys, Holder(candidate.id, within_reach=True)))
        fresh.append(candidate)
        outcomes.append(Created(candidate.id))
    refused = {} if allow_duplicate else refusals(work, fresh)
    _store(work, [customer for customer in fresh if customer.id not in refused])
    # With a customer, whoever has one of its external ids is refused.
    return [
        outcome if isinstance(outcome, Refused) or outcome.id not in refused else Refused(refused[outcome.id])
        for outcome in outcomes
    ]


def _new_or_error(work: Work, profile: Profile | CrmError, index: int) -> Customer | CrmError:
    if isinstance(profile, CrmError):
        return profile
    try:
        return _new(work, profile, f"customers[{index}]")
    except CrmError as error:
        return error


def _new(work: Work, profile: Profile, at: str) -> Customer:
    checks = Checks()
    profile = checked(profile, checks, at, today(work.clock))
    checks.raise_if_any()
    if profile.owner_id is not None and not work.customers.reaches(profile.owner_id, PERMISSION):
        raise OwnerOutOfReach(id=profile.owner_id)
    owner_id = profile.owner_id or work.principal.user_id or NOBODY
    return Customer(id=new_id(), version=1, profile=profile, owner_id=owner_id)


def _store(work: Work, customers: Sequence[Customer]) -> None:
    if not customers:
        return
    work.customers.add(customers)
    work.record(CustomersRecorded(tuple(recorded(customer) for customer in customers)))
    for customer in customers:
        work.audit("create", "customer", customer.id)


def recorded(customer: Customer) -> RecordedCustomer:
    """The fact about a customer's present state."""
    profile = customer.profile
    return RecordedCustomer(
        customer_id=customer.id,
        version=customer.version,
        kind=profile.kind,
        owner_id=None if customer.owner_id == NOBODY else customer.owner_id,
        source_channel=profile.source_channel,
        industry=profile.industry,
        province=profile.province,
        city=profile.city,
        collaborator_ids=profile.collaborator_ids,
        deleted=customer.deleted_at is not None,
    )
