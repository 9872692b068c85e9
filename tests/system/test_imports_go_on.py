"""Imports that are interrupted, by whoever kills the process or takes a right away."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from crm.customer.v1 import import_service_pb2 as pb
from crm.gateway.v1.directory_service_pb2 import CreateUserRequest, UpdateUserRequest
from crm.gateway.v1.identity_pb2 import User
from crm_cli.client import Account, Gateway, Session
from tests.system.behind import Behind
from tests.system.conftest import Tell
from tests.system.importing import Importing, csv_of, search
from tests.system.test_imports import HEADER, people, rows_of

pytestmark = pytest.mark.bulky

KILLS = 10
# Steps of 5,000 rows: more of them than kills.
ROWS = 60_000


def test_who_may_not_import_any_more_is_stopped_and_what_was_stored_is_told(
    gateway: Gateway, admin: Session, erp: Account, behind: Behind
) -> None:
    login, password, persons = f"import.{uuid4().hex[:8]}", uuid4().hex, people(130)
    user = User(login=login, display_name="系统测试", role_ids=["sales_manager", "seller"])
    request = CreateUserRequest(user=user, password=password, request_id=str(uuid4()))
    made = admin.call(admin.directory.CreateUser, request)
    bringing = Importing(gateway.password_account(login, password).session())
    tried = bringing.tried(csv_of(HEADER, rows_of(persons)))
    with behind.held("customer.jobs"):
        bringing.confirm(tried.id)
        _set_roles(admin, made.id, ["seller"])
    _await_end(behind, tried.id)
    _set_roles(admin, made.id, ["sales_manager", "seller"])
    stopped = bringing.now(tried.id)
    assert (stopped.state, stopped.rows_read, stopped.rows_created) == (pb.IMPORT_STATE_FAILED, 100, 100)
    assert "may not import" in stopped.error
    assert [len(search(erp.session(), persons[place].phone)) for place in (99, 100)] == [1, 0]


def test_ten_kills_end_with_the_same_result(erp: Account, behind: Behind, tell: Tell) -> None:
    """Everybody is stored once, those who stand there twice are merged, and everything is told. Each kill
    hits a process that has stored rows since the one before."""
    bringing, persons = Importing(erp.session()), people(ROWS)
    # Large enough for a process that prepares it.
    rows = [(f"{n:05}", one.full_name, one.phone, "", "-" * 100) for n, one in enumerate(persons)]
    twice = [(f"again {number}", *person) for number, *person in rows[::100]]
    content = csv_of((*HEADER, "备注"), [*rows, *twice])
    tried = bringing.tried(content)
    bringing.confirm(tried.id)
    read, begun = [tried.rows_read], time.monotonic()
    for _ in range(KILLS):
        read.append(_advanced(bringing, tried.id, read[-1]))
        behind.await_restart("customer.jobs", behind.kill("customer.jobs"))
    done = bringing.at_rest(tried.id)
    told = f"{KILLS} kills, after rows {', '.join(map(str, read[1:]))} of {len(rows) + len(twice)}"
    tell(f"imports: {told}, in {time.monotonic() - begun:.0f} s")
    assert (done.state, done.rows_read, done.rows_created, done.rows_merged, done.rows_refused) == (
        pb.IMPORT_STATE_DONE, len(rows) + len(twice), len(rows), len(twice), 0,
    )  # fmt: skip
    stored = behind.rows(
        "customer",
        "select count(*), count(distinct e.value), count(c.survivor_id), count(distinct v.customer_id)"
        " from app.external_ids e join app.customers c on c.id = e.customer_id"
        " join app.customer_versions v on v.customer_id = c.id and v.version = 1 where e.source = %s",
        bringing.source,
    )
    assert stored == [(done.rows_read, done.rows_read, len(twice), done.rows_read)]
    assert read == sorted(set(read)), "each kill came after more rows"
    for place in (0, ROWS // 2, len(rows) - 1):
        [found] = search(bringing.session, persons[place].phone)
        assert found.person.full_name == persons[place].full_name


def _advanced(bringing: Importing, import_id: str, beyond: int) -> int:
    """The rows read, once they are more than `beyond`, of an import that goes on."""
    deadline = time.monotonic() + 120
    while True:
        now = bringing.now(import_id)
        assert now.state == pb.IMPORT_STATE_RUNNING, "it is over before it was killed so often"
        if now.rows_read > beyond:
            return int(now.rows_read)
        assert time.monotonic() < deadline, "it does not go on"
        time.sleep(0.05)


def _set_roles(admin: Session, user_id: str, role_ids: list[str]) -> None:
    request = UpdateUserRequest(user=User(id=user_id, role_ids=role_ids), request_id=str(uuid4()))
    request.update_mask.paths.append("role_ids")
    admin.call(admin.directory.UpdateUser, request)


def _await_end(behind: Behind, import_id: str) -> None:
    """Whoever may not import may not ask how an import goes, either."""
    deadline = time.monotonic() + 120
    query = "select true from app.imports where id::text = %s and ended_at is not null"
    while not behind.rows("customer", query, import_id):
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.1)
