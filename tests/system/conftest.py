"""Who the system tests act as, what they measured, and where they look behind the gateway."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from crm.gateway.v1.directory_service_pb2 import CreateServiceAccountRequest
from crm.gateway.v1.identity_pb2 import ServiceAccount
from crm_cli.client import Account, Gateway, Session
from crm_cli.local.stack import StackInfo
from tests.system.behind import Behind

Tell = Callable[[str], None]
_TOLD = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Measured figures are shown at the end, also when every test passes."""
    told = config.stash.get(_TOLD, [])
    if told:
        terminalreporter.section("what the system tests saw")
        for line in told:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest) -> Tell:
    """Notes a line for the end of the run."""
    return request.config.stash.setdefault(_TOLD, []).append


@pytest.fixture(scope="session")
def behind(stack: StackInfo) -> Behind:
    """The processes and databases behind the gateway."""
    return Behind(stack)


@pytest.fixture(scope="module", autouse=True)
def all_well(behind: Behind) -> None:
    """Tests find the whole system well: each one fails for its own reason only."""
    behind.await_well()


@pytest.fixture(scope="session")
def gateway(stack: StackInfo) -> Gateway:
    return Gateway(stack.gateway_url, Path(stack.ca_file))


@pytest.fixture(scope="session")
def admin(gateway: Gateway, stack: StackInfo) -> Session:
    return gateway.password_account(stack.admin_login, stack.admin_password).session()


@pytest.fixture(scope="session")
def erp(gateway: Gateway, admin: Session) -> Account:
    """A service account that may do what an ERP may."""
    account = ServiceAccount(name=f"system tests {uuid4().hex[:6]}", role_ids=["integration"])
    request = CreateServiceAccountRequest(service_account=account, request_id=str(uuid4()))
    made = admin.call(admin.directory.CreateServiceAccount, request)
    return gateway.secret_account(made.service_account.id, made.client_secret)
