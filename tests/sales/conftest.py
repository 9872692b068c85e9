"""The sales service on a database of its own, at a fixed instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from kernel.pure.clock import FixedClock
from sales.config import SalesSettings
from sales.wiring import SalesApp
from tests.support.api import tls_settings
from tests.support.services import service

# 30 June 2026, noon in Shanghai.
NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def clock() -> FixedClock:
    return FixedClock(ZoneInfo("Asia/Shanghai"), NOON)


@pytest.fixture(scope="session")
def session_app(clock: FixedClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SalesApp]:
    tls = tls_settings(tmp_path_factory.mktemp("tls"), "sales")
    signer = {"contract_cert": "signer.pem", "contract_key": "signer.key"}
    signing = {name: tls["tls_ca"].with_name(file) for name, file in signer.items()}
    with service(SalesApp, clock, SalesSettings, **tls, **signing, enterprise_name="东海软件") as app:
        yield app


@pytest.fixture
def app(session_app: SalesApp, clock: FixedClock) -> SalesApp:
    """The service with empty tables."""
    clock.instant = NOON
    with session_app.engine.begin() as connection:
        connection.exec_driver_sql(
            "truncate orders, products, customers, links, staff, teams, outbox, audit, idempotency, inbox,"
            " retained_contracts, restricted_subjects, erased_subjects,"
            " opportunities, stage_entries, documents, document_chunks, contracts, customer_facts,"
            " leads, lead_facts, lead_scores, lead_assignments, sellers, follow_ups, reminders, lead_forms,"
            " submissions, submissions_seen, timers, procrastinate_jobs cascade"
        )
        connection.exec_driver_sql("delete from lead_rules where version > 1")
    return session_app
