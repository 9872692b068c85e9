"""The gateway service on a database of its own, at an instant that a test may move."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import argon2
import pytest

from kernel.pure.clock import FixedClock
from kernel.pure.grants import Principal

if TYPE_CHECKING:
    from gateway.domain.users import User
    from gateway.wiring import GatewayApp

NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"

_OWN_TABLES = (
    "identities",
    "users", "team_tree", "service_accounts", "sessions", "refresh_tokens", "revocations", "signing_keys",
    "outbox", "timers", "audit", "idempotency",
)  # fmt: skip

MakeUser = Callable[..., "User"]


def quick_passwords() -> Any:
    """Argon2 with parameters that cost nothing."""
    from gateway.store.passwords import Argon2Passwords

    return Argon2Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(scope="session")
def clock() -> FixedClock:
    return FixedClock(ZoneInfo("Asia/Shanghai"), NOON)


@pytest.fixture(scope="session")
def session_app(clock: FixedClock) -> Iterator[GatewayApp]:
    from gateway.config import GatewaySettings
    from gateway.domain.presets import PRESETS
    from gateway.wiring import GatewayApp
    from tests.support.services import service

    with service(GatewayApp, clock, GatewaySettings) as app:
        app.passwords = quick_passwords()
        with app.work(Principal.service("gateway")) as work:
            work.roles.install(PRESETS)
        yield app


@pytest.fixture
def app(session_app: GatewayApp, clock: FixedClock) -> GatewayApp:
    """The service with empty tables; the preset roles stay."""
    clock.instant = NOON
    empty(session_app)
    return session_app


def empty(app: GatewayApp, keep: Collection[str] = ()) -> None:
    """Leaves nothing in the tables but the preset roles and what stands in `keep`."""
    tables = ", ".join(table for table in _OWN_TABLES if table not in keep)
    with app.engine.begin() as connection:
        connection.exec_driver_sql(f"truncate {tables}")
        connection.exec_driver_sql("delete from roles where not preset")


@pytest.fixture
def make_user(app: GatewayApp) -> MakeUser:
    """Makes users with the password PASSWORD; keyword arguments are fields of the draft."""
    from gateway.domain.users import UserDraft
    from gateway.usecases.create_user import create_user

    def make(login: str, *role_ids: str, **fields: Any) -> User:
        wanted = {"display_name": "", "team_id": None, "role_ids": tuple(sorted(role_ids)), **fields}
        with app.work(Principal.service("gateway")) as work:
            return create_user(work, app.passwords, UserDraft(login=login, **wanted), PASSWORD)

    return make


def told(app: GatewayApp) -> list[dict[str, Any]]:
    """The envelopes in the outbox, in the order in which they were recorded."""
    import json

    return [json.loads(row.body) for row in app.reader.rows("select body from outbox order by seq")]
