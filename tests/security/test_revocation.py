"""Rights that are taken away are gone within seconds in every service; and what if nobody can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from crm.gateway.v1 import directory_service_pb2 as pb
from crm.gateway.v1.auth_service_pb2 import LoginRequest, RefreshRequest
from crm.gateway.v1.auth_service_pb2_grpc import AuthServiceStub
from crm.gateway.v1.identity_pb2 import SCOPE_ALL, SCOPE_OWN, Grant, Role, Tokens, User
from crm_cli.client import Refused, Session
from crm_cli.local.stack import StackInfo
from tests.security.callers import Ask, Member, by_grpc, hire
from tests.security.matrix import PAST, PERMISSION_DENIED, Exposed, every_method
from tests.system.behind import Behind, until

pytestmark = pytest.mark.usefixtures("well")

# Seconds until every api has heard of a revocation.
HEARD = 5.0
# Seconds until an api that hears nothing says so, and again when it hears.
DEAF = 30.0
REVOKED = "UNAUTHENTICATED TOKEN_REVOKED"
CUSTOMERS, ORDERS = "crm.customer.v1.CustomerService/ListCustomers", "crm.sales.v1.OrderService/ListOrders"
READS = {
    exposed.owner: exposed for exposed in every_method() if exposed.method.full_name in (CUSTOMERS, ORDERS)
}


@pytest.fixture
def ask(stack: StackInfo) -> Iterator[Ask]:
    with by_grpc(stack) as ask:
        yield ask


@pytest.fixture
def auth(admin: Session) -> Iterator[AuthServiceStub]:
    with admin.account.gateway.channel() as channel:
        yield AuthServiceStub(channel)


Change = Callable[[Session, Member], object]


def _loses_role(admin: Session, member: Member) -> None:
    _update(admin, User(id=member.id), "role_ids")


def _is_disabled(admin: Session, member: Member) -> None:
    _update(admin, User(id=member.id, disabled=True), "disabled")


def _sessions_end(admin: Session, member: Member) -> None:
    admin.call(admin.directory.RevokeSessions, pb.RevokeSessionsRequest(user_id=member.id))


def _update(admin: Session, user: User, *paths: str) -> None:
    request = pb.UpdateUserRequest(user=user, update_mask=FieldMask(paths=paths), request_id=str(uuid4()))
    admin.call(admin.directory.UpdateUser, request)


def sign_in(auth: AuthServiceStub, member: Member) -> Tokens:
    tokens: Tokens = auth.Login(LoginRequest(login=member.login, password=member.password), timeout=10)
    return tokens


def refusal(call: Callable[[], object]) -> str:
    """The reason of its refusal."""
    with pytest.raises(grpc.RpcError) as refused:
        call()
    return Refused.of(refused.value).reason


def answers(ask: Ask, token: str) -> dict[str, str]:
    """How each service's api answers a read."""
    return {owner: ask(read, token) for owner, read in READS.items()}


def await_refusal(ask: Ask, token: str) -> None:
    everywhere = dict.fromkeys(READS, REVOKED)
    until("customer and sales have heard", lambda: answers(ask, token) == everywhere, HEARD)


@pytest.mark.parametrize("change", [_loses_role, _is_disabled, _sessions_end])
def test_a_token_in_hand_is_refused_by_every_service(
    admin: Session, ask: Ask, auth: AuthServiceStub, change: Change
) -> None:
    member, colleague = hire(admin, "seller"), hire(admin, "seller").sign_in()
    token = sign_in(auth, member).access_token
    assert answers(ask, token) == dict.fromkeys(READS, PAST)
    change(admin, member)
    await_refusal(ask, token)
    assert answers(ask, colleague) == dict.fromkeys(READS, PAST)


def test_whoever_lost_a_role_goes_on_without_it(admin: Session, ask: Ask, auth: AuthServiceStub) -> None:
    member = hire(admin, "seller")
    tokens = sign_in(auth, member)
    _loses_role(admin, member)
    await_refusal(ask, tokens.access_token)
    renewed = auth.Refresh(RefreshRequest(refresh_token=tokens.refresh_token), timeout=10)
    assert answers(ask, renewed.access_token) == dict.fromkeys(READS, PERMISSION_DENIED)


def test_whoever_is_disabled_gets_no_token_any_more(admin: Session, ask: Ask, auth: AuthServiceStub) -> None:
    member = hire(admin, "seller")
    tokens = sign_in(auth, member)
    _is_disabled(admin, member)
    refresh = RefreshRequest(refresh_token=tokens.refresh_token)
    assert refusal(lambda: auth.Refresh(refresh, timeout=10)) == "SESSION_OVER"
    assert refusal(lambda: sign_in(auth, member)) == "SIGN_IN_REFUSED"


def test_whose_sessions_were_ended_signs_in_anew(admin: Session, ask: Ask, auth: AuthServiceStub) -> None:
    member = hire(admin, "seller")
    tokens = sign_in(auth, member)
    _sessions_end(admin, member)
    await_refusal(ask, tokens.access_token)
    refresh = RefreshRequest(refresh_token=tokens.refresh_token)
    assert refusal(lambda: auth.Refresh(refresh, timeout=10)) == "SESSION_OVER"
    assert answers(ask, sign_in(auth, member).access_token) == dict.fromkeys(READS, PAST)


def test_a_role_that_grants_less_ends_the_tokens_of_all_who_have_it(
    admin: Session, ask: Ask, auth: AuthServiceStub
) -> None:
    def grants(*permissions: str, scope: int = SCOPE_ALL) -> list[Grant]:
        return [Grant(permission=permission, scope=scope) for permission in permissions]  # type: ignore[arg-type]

    reads = [read.method.permission for read in READS.values()]
    role = Role(id=f"r{uuid4().hex[:12]}", title="Reader", grants=grants(*reads))
    admin.call(admin.directory.CreateRole, pb.CreateRoleRequest(role=role, request_id=str(uuid4())))
    members = [hire(admin, role.id) for _ in range(2)]
    tokens = [member.sign_in() for member in members]
    changed = Role(id=role.id, grants=grants(READS["sales"].method.permission, scope=SCOPE_OWN))
    admin.call(admin.directory.UpdateRole, pb.UpdateRoleRequest(role=changed, request_id=str(uuid4())))
    for token in tokens:
        await_refusal(ask, token)
    assert answers(ask, members[0].sign_in()) == {"customer": PERMISSION_DENIED, "sales": PAST}


def test_while_revocations_can_not_be_heard_what_is_fresh_is_refused_and_the_rest_goes_on(
    behind: Behind, admin: Session, ask: Ask
) -> None:
    token = admin.account.token()
    fresh = [one for one in every_method() if one.method.fresh and one.owner != "gateway"]
    assert fresh

    def heard(answer: str) -> Callable[[], bool]:
        return lambda: _all(ask, token, fresh) == {answer}

    assert heard(PAST)()
    with behind.held("gateway.api"):
        until("fresh methods are refused", heard("UNAVAILABLE REVOCATIONS_UNKNOWN"), DEAF)
        assert answers(ask, token) == dict.fromkeys(READS, PAST)
    until("fresh methods are answered again", heard(PAST), DEAF)


def _all(ask: Ask, token: str, methods: list[Exposed]) -> set[str]:
    return {ask(exposed, token) for exposed in methods}
