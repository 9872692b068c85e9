"""The customer service on a database of its own, at a fixed instant."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from customer.wiring import CustomerApp
from kernel.pure.clock import FixedClock
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from tests.support.services import service

NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def clock() -> FixedClock:
    return FixedClock(ZoneInfo("Asia/Shanghai"), NOON)


@pytest.fixture(scope="session")
def session_app(clock: FixedClock) -> Iterator[CustomerApp]:
    with service(CustomerApp, clock) as app:
        yield app


@pytest.fixture
def app(session_app: CustomerApp, clock: FixedClock) -> CustomerApp:
    """The service with empty tables; schemes and the first export policy stay."""
    clock.instant = NOON
    with session_app.engine.begin() as connection:
        connection.exec_driver_sql(
            "truncate customers, match_keys, merges, duplicate_scans, external_ids, orders, deals, contracts,"
            " tickets, classes, class_changes, exports, uploads, imports, groups, regrouping,"
            " restricted_subjects, erased_subjects, outbox, timers, audit, idempotency cascade"
        )
        connection.exec_driver_sql("delete from export_policies where version > 1")
    return session_app


def seller(scope: Scope = Scope.OWN, user_id: UUID | None = None) -> Principal:
    """A user who may do everything with customers, as far as `scope` reaches."""
    verbs = ("read", "create", "update", "merge")
    grants = {f"customer.customers.{verb}": scope for verb in verbs}
    return Principal(PrincipalKind.USER, str(user_id or new_id()), grants)
