"""Asking whether somebody is known already (C-12), before they are recorded or instead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from customer.domain.customer import Customer, Profile, checked
from customer.domain.duplicates import MOST_SHOWN, Blocks, Candidate, Hit, Party, hits
from customer.domain.errors import DuplicateCustomer, DuplicateElsewhere, TooManyQuestions
from customer.usecases.ports import Work
from kernel.pure.clock import today
from kernel.pure.errors import Checks, CrmError, Invalid
from kernel.pure.grants import Scope
from kernel.pure.ids import new_id

PERMISSION = "customer.customers.read"
# How often a minute somebody may learn that another team has a customer.
_MOST_ELSEWHERE, _SECONDS = 60, 60.0


def check_duplicates(work: Work, profile: Profile) -> list[Hit]:
    """The known customers that may be the one described, best first, at most 20.

    The description may be of parts: a phone number alone. Raises Invalid, or TooManyQuestions.
    """
    checks = Checks()
    profile = checked(profile, checks, "customer", today(work.clock))
    wrong = [violation for violation in checks.found if violation.rule != "REQUIRED"]
    if wrong:
        raise Invalid.of(*wrong)
    asked = Party(new_id(), profile)
    [known] = work.matches.candidates([asked], PERMISSION)
    found = _answered(work, asked, known)
    elsewhere = sum(not hit.within_reach for hit in found)
    ids = [str(hit.customer_id) for hit in found]
    work.audit("check_duplicates", "customer", "", ids=ids, elsewhere=elsewhere)
    return found


def refusals(work: Work, customers: Sequence[Customer]) -> dict[UUID, CrmError]:
    """Which of these new customers are surely known already, or are surely one that stands before them
    here; with why each of them is not to be recorded: DuplicateCustomer, DuplicateElsewhere or
    TooManyQuestions.

    Of two who bring the same person at the same instant the second waits here for the first.
    """
    asked = [Party(customer.id, customer.profile) for customer in customers]
    work.matches.hold(asked)
    stored = work.matches.candidates(asked, PERMISSION)
    found: dict[UUID, CrmError] = {}
    accepted = Blocks()
    for party, known in zip(asked, stored, strict=True):
        try:
            _refuse(work, _answered(work, party, [*known, *accepted.meeting(party)]))
        except CrmError as error:
            found[party.id] = error
        else:
            accepted.add(party)
    return found


def find_duplicates(work: Work, profiles: Sequence[Profile], permission: str) -> list[list[Hit]]:
    """For each customer described, the known ones that it may be, best first; within reach are those
    that the principal's grant of `permission` reaches."""
    asked = [Party(new_id(), profile) for profile in profiles]
    candidates = work.matches.candidates(asked, permission)
    return [hits(party, known) for party, known in zip(asked, candidates, strict=True)]


def _refuse(work: Work, found: Sequence[Hit]) -> None:
    sure = [hit for hit in found if hit.match.decision == "same"]
    for hit in sure:
        if hit.within_reach:
            raise DuplicateCustomer(id=hit.customer_id)
    for hit in sure:
        # A refusal may roll this transaction back; that somebody learnt of it stays.
        work.audit_apart("refuse_duplicate", "customer", hit.customer_id)
        raise DuplicateElsewhere(team_id=hit.team_id or "")


def count_question(work: Work) -> None:
    """Counts a question that may tell of other teams' customers, before it is answered: so a refusal tells
    nothing. Raises TooManyQuestions."""
    if _is_counted(work):
        count, left = work.counters.hit(_counter(work), _SECONDS)
        if count > _MOST_ELSEWHERE:
            raise TooManyQuestions(left)


def forget_question(work: Work) -> None:
    """Does not count a question after all: it told of nobody out of the caller's reach."""
    if _is_counted(work):
        work.counters.give_back(_counter(work))


def _answered(work: Work, asked: Party, known: Iterable[Candidate]) -> list[Hit]:
    """The best hits; the question counts unless all that was found lies within the caller's reach."""
    count_question(work)
    shown = hits(asked, known)[:MOST_SHOWN]
    if all(hit.within_reach for hit in shown):
        forget_question(work)
    return shown


def _is_counted(work: Work) -> bool:
    return work.principal.scope_of(PERMISSION) is not Scope.ALL


def _counter(work: Work) -> str:
    return f"elsewhere:{work.principal.id}"
