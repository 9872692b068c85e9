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
from crm_cli.local.layout import SERVICES
from crm_cli.local.stack import StackInfo
from tests.security.callers import hire
from tests.security.hostile import Caller, rows_of_tables
from tests.support.memory import peaks
from tests.system.behind import Behind

# How much a process may grow, at its largest, by the tests of a module.
_MEMORY = 160 << 20
# MiB that a process may have which one of them starts, to read a workbook or to prepare an import.
_MEMORY_OF_OTHERS = 400


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
    """The same processes live on afterwards, under the same policy, and none was much larger even for a
    moment, nor any that one of them started."""
    behind.await_well()
    rows = admin.call(admin.exports.GetExportPolicy, GetExportPolicyRequest()).rows_without_approval
    before = _processes(behind)
    with peaks([pid for _, pid in before]) as most:
        yield
    policy = ExportPolicy(rows_without_approval=rows)
    update = UpdateExportPolicyRequest(policy=policy, request_id=str(uuid4()))
    admin.call(admin.exports.UpdateExportPolicy, update)
    after = _processes(behind)
    assert after.keys() == before.keys(), "a process died"
    grown = {name: most[name[1]] - before[name] for name in before}
    assert {name: size >> 20 for name, size in grown.items() if size > _MEMORY} == {}
    others = {pid: size >> 20 for pid, size in most.items() if pid not in {pid for _, pid in before}}
    assert {pid: size for pid, size in others.items() if size > _MEMORY_OF_OTHERS} == {}


@pytest.fixture(scope="module")
def me(admin: Session) -> Session:
    """A member of staff who may do everything an administrator may."""
    member = hire(admin, "admin")
    return member.gateway.password_account(member.login, member.password).session()


@pytest.fixture
def nothing_stored(behind: Behind) -> Iterator[None]:
    """No table has other rows afterwards than before, but those that say who called and what arrived."""
    # What was told before is heard now.
    behind.await_silence()
    before = {service: rows_of_tables(behind, service) for service in SERVICES}
    yield
    behind.await_silence()
    after = {service: rows_of_tables(behind, service) for service in SERVICES}
    assert after == before


@pytest.fixture
def refused(me: Session) -> Iterator[Caller]:
    with me.account.gateway.channel() as channel:
        yield Caller(channel, me.account.token())


def _processes(behind: Behind) -> dict[tuple[str, int], int]:
    """Memory in bytes of every process of ours, by name and pid."""
    return {
        (process.name, process.pid): psutil.Process(process.pid).memory_info().rss
        for process in behind.stack.processes
        if process.pid is not None
    }
