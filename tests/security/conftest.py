"""The running system, and its administrator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from crm.customer.v1.export_service_pb2 import (
    ExportPolicy,
    GetExportPolicyRequest,
    UpdateExportPolicyRequest,
)
from crm_cli.client import Gateway, Session
from crm_cli.local.stack import StackInfo
from tests.system.behind import Behind

# How much a process may grow by one test.
_MEMORY = 64 << 20


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


@pytest.fixture(scope="module")
def unharmed(behind: Behind, admin: Session) -> Iterator[None]:
    """The same processes live on afterwards, not much larger, under the same policy."""
    behind.await_well()
    rows = admin.call(admin.exports.GetExportPolicy, GetExportPolicyRequest()).rows_without_approval
    before = _processes(behind)
    yield
    policy = ExportPolicy(rows_without_approval=rows)
    update = UpdateExportPolicyRequest(policy=policy, request_id=str(uuid4()))
    admin.call(admin.exports.UpdateExportPolicy, update)
    after = _processes(behind)
    assert after.keys() == before.keys(), "a process died"
    grown = {name: after[name] - before[name] for name in before}
    assert {name: size >> 20 for name, size in grown.items() if size > _MEMORY} == {}


def _processes(behind: Behind) -> dict[tuple[str, int], int]:
    """Memory in bytes of every process of ours, by name and pid."""
    return {
        (process.name, process.pid): psutil.Process(process.pid).memory_info().rss
        for process in behind.stack.processes
        if process.pid is not None
    }
