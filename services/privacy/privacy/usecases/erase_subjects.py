"""The way of an erasure: opened, verified, begun, answered, reminded, ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from kernel.pure.errors import Checks, Invalid, Violation
from kernel.pure.ids import new_id
from privacy.domain.certificates import certificate
from privacy.domain.erasure import Answer, Erasure, State, alarm_times
from privacy.domain.errors import ErasureNotFound, SubjectUnknown
from privacy.domain.events import ErasureClosed, ErasureOrdered, RestrictedSubject, SubjectsRestricted
from privacy.domain.holds import check_text
from privacy.usecases.ports import Work

# Jobs that look up who the person is: to begin, and again when all have erased; timers that remind and alarm.
BEGIN = "begin_erasure"
CONFIRM = "confirm_erasure"
WATCH = "erasure_watch"
ALARM = "erasure_alarm"


def open_erasure(work: Work, subject_id: UUID) -> Erasure:
    """A person's request is received. Raises SubjectUnknown or ErasureOpen."""
    if not work.persons.known(subject_id):
        raise SubjectUnknown
    erasure = Erasure(new_id(), subject_id, work.now, work.now + timedelta(days=work.erasure_days))
    work.erasures.add(erasure)
    work.erasures.note(erasure.id, "received")
    for percent, at in alarm_times(erasure.received_at, erasure.due_at).items():
        work.schedule(ALARM, f"{erasure.id}:{percent}", at)
    work.audit("request_erasure", "customer", subject_id, request=str(erasure.id))
    return erasure


def verify_erasure(work: Work, erasure_id: UUID, evidence: str) -> Erasure:
    """The officer attests who asked; the data rests from now on. Raises Invalid or ErasureNotInState."""
    _check("evidence", evidence)
    erasure = work.erasures.get(erasure_id)
    erasure.verify(evidence)
    restrict(work, erasure, [erasure.customer_id], True)
    work.erasures.save(erasure)
    work.erasures.note(erasure.id, "verified")
    work.defer(BEGIN, erasure_id=erasure.id)
    work.audit("verify_erasure", "customer", erasure.customer_id, request=str(erasure.id))
    return erasure


def refuse_erasure(work: Work, erasure_id: UUID, code: str, reason: str) -> Erasure:
    """Ends a request that was not begun; the data may be used again. Raises Invalid or ErasureNotInState."""
    if not code:
        raise Invalid.of(Violation("code", "REQUIRED", "must say why", "必须说明原因"))
    _check("reason", reason)
    erasure = work.erasures.get(erasure_id)
    rested = erasure.state is not State.RECEIVED
    erasure.refuse(code, reason, work.now)
    if rested:
        restrict(work, erasure, [erasure.customer_id, *erasure.subject_ids], False)
    work.erasures.save(erasure)
    _end(work, erasure)
    return erasure


def identify_subject(work: Work, erasure_id: UUID, subject_ids: Sequence[UUID]) -> None:
    """The person was looked up: all their ids rest, and are erased unless a hold stands against it.

    Of one whom the customer service does not know any more `subject_ids` is empty: what was told of merges
    counts then. A second time it does nothing.
    """
    erasure = work.erasures.get(erasure_id)
    if erasure.state is not State.VERIFIED:
        return
    erasure.identify(subject_ids or sorted(work.persons.one_with(erasure.customer_id)))
    restrict(work, erasure, erasure.subject_ids, True)
    _begin(work, erasure)


def confirm_subject(work: Work, erasure_id: UUID, subject_ids: Sequence[UUID]) -> None:
    """The person was looked up again, after everybody had erased: whoever was merged with them before their
    data rested is erased too. A second time it does nothing.
    """
    erasure = work.erasures.get(erasure_id)
    if not erasure.to_confirm:
        return
    new = erasure.confirm(subject_ids)
    if new:
        restrict(work, erasure, new, True)
        work.erasures.note(erasure.id, "widened", ids=len(new))
    order(work, erasure)
    work.erasures.save(erasure)


def go_on(work: Work, subject_ids: Sequence[UUID]) -> None:
    """A hold on these persons ended: requests that waited for it are begun, unless another stands."""
    for erasure in work.erasures.held(subject_ids):
        _begin(work, erasure)


def take_receipt(work: Work, erasure_id: UUID, answer: Answer) -> None:
    """A service answered. A receipt of an unknown request says nothing to us."""
    try:
        erasure = work.erasures.get(erasure_id)
    except ErasureNotFound:
        return
    was_ended = erasure.ended
    if erasure.receive(answer, work.now):
        work.defer(CONFIRM, erasure_id=erasure.id)
    work.erasures.note(
        erasure.id, "receipt",
        service=answer.participant, attempt=answer.attempt, rows=sum(one.rows for one in answer.counts),
    )  # fmt: skip
    work.erasures.save(erasure)
    if erasure.ended and not was_ended:
        _end(work, erasure)


def remind(work: Work, erasure_id: UUID) -> list[str]:
    """Time passed without an end: everybody is told again. Answers who has newly failed."""
    erasure = work.erasures.get(erasure_id)
    if erasure.state not in (State.ERASING, State.KEY_SHREDDED):
        return []
    failed = erasure.remind()
    order(work, erasure)
    work.erasures.save(erasure)
    for name in failed:
        work.erasures.note(erasure.id, "failed", service=name, tries=erasure.tries)
    return failed


def raise_alarm(work: Work, erasure_id: UUID, percent: int) -> bool:
    """A share of the time allowed has passed; whether the request is still open."""
    erasure = work.erasures.get(erasure_id)
    if erasure.ended:
        return False
    work.erasures.note(erasure.id, "alarm", percent=percent, state=erasure.state.value)
    return True


def _begin(work: Work, erasure: Erasure) -> None:
    told = erasure.begin(held=work.holds.any_on(erasure.subject_ids))
    work.erasures.note(erasure.id, erasure.state.value)
    if told:
        order(work, erasure)
    work.erasures.save(erasure)


def order(work: Work, erasure: Erasure) -> None:
    """Tells everybody to erase, and sets the clock for those who do not answer."""
    work.record(ErasureOrdered(erasure.id, erasure.attempt, erasure.subject_ids))
    work.schedule(WATCH, str(erasure.id), work.now + erasure.next_wait())
    work.erasures.note(erasure.id, "ordered", attempt=erasure.attempt, state=erasure.state.value)


def _end(work: Work, erasure: Erasure) -> None:
    work.cancel(WATCH, str(erasure.id))
    for percent in alarm_times(erasure.received_at, erasure.due_at):
        work.cancel(ALARM, f"{erasure.id}:{percent}")
    if erasure.state is State.CLOSED:
        work.erasures.certify(erasure.id, certificate(erasure, work.certificates))
    subject_ids = erasure.subject_ids or (erasure.customer_id,)
    work.record(ErasureClosed(erasure.id, subject_ids, erasure.outcome))
    work.erasures.note(erasure.id, erasure.state.value, outcome=erasure.outcome)
    work.audit("close_erasure", "erasure_request", erasure.id, outcome=erasure.outcome)


def restrict(work: Work, erasure: Erasure, subject_ids: Sequence[UUID], restricted: bool) -> None:
    """Tells everybody that the data of these persons rests, or no longer."""
    versions = work.erasures.restrict(sorted(set(subject_ids)), restricted)
    told = (
        RestrictedSubject(subject_id, version, restricted, erasure.id)
        for subject_id, version in versions.items()
    )
    work.record(SubjectsRestricted(tuple(told)))


def _check(field: str, text: str) -> None:
    checks = Checks()
    check_text(field, text, checks)
    checks.raise_if_any()
