"""The ticketing service on a database of its own, at a fixed instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from kernel.pure.clock import FixedClock
from tests.support.api import tls_settings
from tests.support.services import service
from ticketing.config import TicketingSettings
from ticketing.wiring import TicketingApp

# 30 June 2026, noon in Shanghai.
NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def clock() -> FixedClock:
    return FixedClock(ZoneInfo("Asia/Shanghai"), NOON)


@pytest.fixture(scope="session")
def session_app(clock: FixedClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TicketingApp]:
    tls = tls_settings(tmp_path_factory.mktemp("tls"), "ticketing")
    with service(TicketingApp, clock, TicketingSettings, **tls) as app:
        yield app


@pytest.fixture
def app(session_app: TicketingApp, clock: FixedClock) -> TicketingApp:
    """The service with empty tables."""
    clock.instant = NOON
    with session_app.engine.begin() as connection:
        connection.exec_driver_sql(
            "truncate tickets, mails, surveys, agents, used_proofs, customers, links, classes, staff, teams,"
            " subject_addresses, ticket_forms, restricted_subjects, erased_subjects,"
            " timers, outbox, audit, idempotency, inbox, procrastinate_jobs cascade"
        )
        connection.exec_driver_sql("delete from rule_books where version > 1")
    return session_app
