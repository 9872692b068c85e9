"""The marketing service on a database of its own, at a fixed instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from kernel.pure.clock import FixedClock
from marketing.config import MarketingSettings
from marketing.wiring import MarketingApp
from tests.support.api import tls_settings
from tests.support.services import service

# 30 June 2026, noon in Shanghai.
NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def clock() -> FixedClock:
    return FixedClock(ZoneInfo("Asia/Shanghai"), NOON)


@pytest.fixture(scope="session")
def session_app(clock: FixedClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MarketingApp]:
    tls = tls_settings(tmp_path_factory.mktemp("tls"), "marketing")
    with service(MarketingApp, clock, MarketingSettings, **tls) as app:
        yield app


@pytest.fixture
def app(session_app: MarketingApp, clock: FixedClock) -> MarketingApp:
    """The service with empty tables."""
    clock.instant = NOON
    with session_app.engine.begin() as connection:
        connection.exec_driver_sql(
            "truncate campaigns, messages, frequency_caps, links, staff, teams, outbox, audit, idempotency,"
            " inbox, suppressions"
        )
    return session_app
