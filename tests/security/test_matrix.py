"""Every method of every service, called through the gateway by everybody: all get the declared answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import uuid4

import pytest

from crm.gateway.v1.directory_service_pb2 import CreateRoleRequest
from crm.gateway.v1.identity_pb2 import SCOPE_ALL, Grant, Role
from crm_cli.client import Session
from crm_cli.local.stack import StackInfo
from tests.security.callers import Ask, Member, by_grpc, by_json, hire
from tests.security.matrix import HELD, Exposed, declared, every_method, permissions
from tests.system.behind import Behind

ANONYMOUS, ONE_RIGHT = "anonymous", "one right"
# A role of the enterprise's own gives this and nothing else.
ONLY = "sales.orders.read"
WAYS = {"gRPC": by_grpc, "JSON": by_json}


@dataclass(frozen=True)
class Caller:
    """`member` and `held` are None for anonymous."""

    member: Member | None
    token: str
    held: frozenset[str] | None

    def token_for(self, exposed: Exposed) -> str:
        """For what may end the session one of its own."""
        return self.member.sign_in() if self.member and exposed.ends_sessions else self.token


@pytest.fixture(scope="module")
def callers(behind: Behind, admin: Session) -> dict[str, Caller]:
    """One user for each preset, one with a role of the enterprise's own, and nobody at all."""
    behind.await_well()
    role = Role(
        id=f"r{uuid4().hex[:12]}", title="One right", grants=[Grant(permission=ONLY, scope=SCOPE_ALL)]
    )
    admin.call(admin.directory.CreateRole, CreateRoleRequest(role=role, request_id=str(uuid4())))
    found = {ANONYMOUS: Caller(None, "", None)}
    for name, role_id, held in [
        *((preset, preset, held) for preset, held in HELD.items()),
        (ONE_RIGHT, role.id, frozenset({ONLY})),
    ]:
        member = hire(admin, role_id)
        found[name] = Caller(member, member.sign_in(), held)
    return found


@pytest.fixture(scope="module")
def ways(stack: StackInfo) -> Iterator[dict[str, Ask]]:
    """One connection each."""
    with ExitStack() as opened:
        yield {name: opened.enter_context(way(stack)) for name, way in WAYS.items()}


def test_the_matrix_has_what_it_is_to_show() -> None:
    assert {exposed.owner for exposed in every_method()} >= {"gateway", "customer", "sales"}
    assert ONLY in permissions()
    assert all(bool(exposed.path) != exposed.method.internal for exposed in every_method())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [ANONYMOUS, *HELD, ONE_RIGHT])
def test_every_method_gives_the_declared_answer(
    callers: dict[str, Caller], ways: dict[str, Ask], name: str, way: str
) -> None:
    caller, ask, wrong = callers[name], ways[way], []
    for exposed in every_method():
        wanted, got = declared(exposed, caller.held), ask(exposed, caller.token_for(exposed))
        if got != wanted:
            wrong.append(f"{exposed.method.full_name}: {got}, declared: {wanted}")
    assert not wrong, f"{name} by {way}:\n" + "\n".join(wrong)
