"""What the law demands is a figure to watch, not one to look up once a quarter."""

from __future__ import annotations

from kernel.jobs.job import Job, Running
from privacy import metrics
from privacy.store import queries, queries_of_erasures


def measure(running: Running) -> None:
    reader, now = running.app.reader, running.app.clock.now()
    coverage = queries.coverage(reader, now)
    metrics.consent_coverage.set(coverage.covered / coverage.subjects if coverage.subjects else 1)
    erasures = queries_of_erasures.count_open(reader, now)
    metrics.erasures_open.set(erasures.open)
    metrics.erasures_overdue.set(erasures.overdue)
    metrics.sends_without_grant.set(queries.count_unlawful_sends(reader))


MEASURE = Job("measure_privacy", measure, every="* * * * *")
