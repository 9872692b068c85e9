"""The privacy service on a database of its own, at a fixed instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from kernel.pure.clock import FixedClock
from privacy.config import PrivacySettings
from privacy.wiring import PrivacyApp
from tests.support.api import tls_settings
from tests.support.services import service

# 30 June 2026, noon in Shanghai.
NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def clock() -> FixedClock:
    return FixedClock(ZoneInfo("Asia/Shanghai"), NOON)


@pytest.fixture(scope="session")
def session_app(clock: FixedClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivacyApp]:
    tls = tls_settings(tmp_path_factory.mktemp("tls"), "privacy")
    with service(PrivacyApp, clock, PrivacySettings, **tls) as app:
        yield app


@pytest.fixture
def app(session_app: PrivacyApp, clock: FixedClock) -> PrivacyApp:
    """The service with empty tables."""
    clock.instant = NOON
    with session_app.engine.begin() as connection:
        # What is only added to can't be emptied; its owner may put the guards aside.
        connection.exec_driver_sql("set session_replication_role = replica")
        connection.exec_driver_sql(
            "truncate staff, teams, outbox, audit, audit_unsealed, audit_chain, audit_checkpoints,"
            " idempotency, inbox, timers, notices,"
            " consent_events, consents, persons, links, sealed_entries, sealed_checkpoints, seal_keys,"
            " erasures, erasure_log, sends, holds, restrictions, restricted_subjects, erased_subjects,"
            " procrastinate_jobs cascade"
        )
        connection.exec_driver_sql("delete from purposes where id not in ('service', 'marketing')")
        connection.exec_driver_sql("set session_replication_role = default")
    return session_app
