"""Erasures: looking up who a person is, reminding who does not answer, raising alarms, ending holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from crm.customer.v1 import subject_service_pb2 as subject_rpc
from crm.marketing.v1 import subject_service_pb2 as marketing_rpc
from crm.ticketing.v1 import subject_service_pb2 as ticketing_rpc
from kernel.jobs.job import Job, Running
from kernel.ops.logs import logger
from kernel.rpc.channel import PeerRefused, Peers
from kernel.sql.timers import Timer
from privacy import metrics
from privacy.store import queries_of_erasures as queries
from privacy.usecases.erase_subjects import (
    BEGIN,
    CONFIRM,
    confirm_subject,
    identify_subject,
    raise_alarm,
    remind,
)
from privacy.usecases.hold_subjects import end_hold

_log = logger(__name__)

_RESOLVE = "crm.customer.v1.SubjectService/ResolveSubject"
# Each 10 minutes for a week: until then somebody has seen the alarm.
_ATTEMPTS = 1_000
_NOTE = "crm.ticketing.v1.SubjectService/NoteAddresses"
_SUPPRESS = "crm.marketing.v1.SubjectService/NoteAddresses"


def begin_erasure(peers: Peers) -> Job:
    """Asks the customer service for all ids of the person, for as long as it takes.

    Ticketing holds mails of people whose id it never knew, and marketing must not write to them under
    another one. Both are told their addresses before anybody erases: afterwards nobody knows them.
    """

    def run(running: Running, erasure_id: str) -> None:
        row = queries.get_erasure(running.app.reader, UUID(erasure_id))
        assert row is not None  # requests are never deleted
        ids = _resolved(peers, [row.customer_id])
        with running.work() as work:
            identify_subject(work, row.id, ids)  # type: ignore[arg-type]

    return Job(BEGIN, run, attempts=_ATTEMPTS)


def confirm_erasure(peers: Peers) -> Job:
    """Asks again when everybody has erased: a merge may have come between the first answer and the rest."""

    def run(running: Running, erasure_id: str) -> None:
        row = queries.get_erasure(running.app.reader, UUID(erasure_id))
        assert row is not None  # requests are never deleted
        ids = _resolved(peers, row.subject_ids)
        with running.work() as work:
            confirm_subject(work, row.id, ids)  # type: ignore[arg-type]

    return Job(CONFIRM, run, attempts=_ATTEMPTS)


def _resolved(peers: Peers, customer_ids: Sequence[UUID]) -> list[UUID]:
    """All ids of a person known by these; none when the customer service knows none of them, for it has
    removed whom it deleted.

    Who needs the person's addresses is told them before anybody erases: ticketing holds mails that nobody
    identified, marketing never writes there again.
    """
    ids: set[UUID] = set()
    emails: set[str] = set()
    for customer_id in customer_ids:
        if customer_id in ids:
            continue
        try:
            answer = peers.call(_RESOLVE, subject_rpc.ResolveSubjectRequest(customer_id=str(customer_id)))
        except PeerRefused as refused:
            if refused.code != "NOT_FOUND":
                raise
        else:
            ids |= {UUID(text) for text in answer.subject_ids}
            emails |= set(answer.emails)
    found = sorted(ids)
    if emails:
        noted = ticketing_rpc.NoteAddressesRequest(subject_ids=map(str, found), emails=sorted(emails))
        peers.call(_NOTE, noted)
        peers.call(_SUPPRESS, marketing_rpc.NoteAddressesRequest(emails=sorted(emails)))
    return found


def watch_erasures(work: Any, timers: Sequence[Timer]) -> None:
    for timer in timers:
        for service in remind(work, UUID(timer.key)):
            metrics.erasures_failed.labels(service).inc()
            _log.error("erasure not answered", request=timer.key, service_silent=service)


def alarm_erasures(work: Any, timers: Sequence[Timer]) -> None:
    for timer in timers:
        erasure_id, percent = timer.key.split(":")
        if raise_alarm(work, UUID(erasure_id), int(percent)):
            metrics.erasure_alarms.labels(percent).inc()
            _log.error("erasure not closed yet", request=erasure_id, percent_of_time=percent)


def end_holds(work: Any, timers: Sequence[Timer]) -> None:
    for timer in timers:
        end_hold(work, UUID(timer.key))
