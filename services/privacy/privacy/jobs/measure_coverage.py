"""The coverage of consent is a figure to watch, not one to look up once a quarter."""

from __future__ import annotations

from kernel.jobs.job import Job, Running
from privacy import metrics
from privacy.store import queries


def measure_coverage(running: Running) -> None:
    row = queries.coverage(running.app.reader, running.app.clock.now())
    metrics.consent_coverage.set(row.covered / row.subjects if row.subjects else 1)


MEASURE_COVERAGE = Job("measure_coverage", measure_coverage, every="* * * * *")
