"""The running system, and its administrator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_cli.client import Gateway, Session
from crm_cli.local.stack import StackInfo
from tests.system.behind import Behind


@pytest.fixture(scope="session")
def behind(stack: StackInfo) -> Behind:
    """The processes behind the gateway."""
    return Behind(stack)


@pytest.fixture(scope="session")
def admin(stack: StackInfo) -> Session:
    gateway = Gateway(stack.gateway_url, Path(stack.ca_file))
    return gateway.password_account(stack.admin_login, stack.admin_password).session()


@pytest.fixture
def well(behind: Behind) -> Iterator[None]:
    """A test finds the whole system well and leaves it so."""
    behind.await_well()
    yield
    behind.let_go()
