"""Erasures: looking up who a person is, reminding who does not answer, raising alarms, ending holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from crm.customer.v1 import subject_service_pb2 as subject_rpc
from crm.ticketing.v1 import subject_service_pb2 as ticketing_rpc
from kernel.jobs.job import Job, Running
from kernel.ops.logs import logger
from kernel.rpc.channel import Peers
from kernel.sql.timers import Timer
from privacy import metrics
from privacy.store import queries_of_erasures as queries
from privacy.usecases.erase_subjects import BEGIN, identify_subject, raise_alarm, remind
from privacy.usecases.hold_subjects import end_hold

_log = logger(__name__)

_RESOLVE = "crm.customer.v1.SubjectService/ResolveSubject"
_NOTE = "crm.ticketing.v1.SubjectService/NoteAddresses"


def begin_erasure(peers: Peers) -> Job:
    """Asks the customer service for all ids of the person, for as long as it takes.

    Ticketing holds mails of people whose id it never knew. It is told their addresses before anybody
    erases: afterwards nobody knows them.
    """

    def run(running: Running, erasure_id: str) -> None:
        row = queries.get_erasure(running.app.reader, UUID(erasure_id))
        assert row is not None  # requests are never deleted
        request = subject_rpc.ResolveSubjectRequest(customer_id=str(row.customer_id))
        answer = peers.call(_RESOLVE, request)
        told = ticketing_rpc.NoteAddressesRequest(subject_ids=answer.subject_ids, emails=answer.emails)
        peers.call(_NOTE, told)
        with running.work() as work:
            identify_subject(work, row.id, [UUID(text) for text in answer.subject_ids])  # type: ignore[arg-type]

    # Each 10 minutes for a week: until then somebody has seen the alarm.
    return Job(BEGIN, run, attempts=1_000)


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
