"""What happens around a servicer's method: identity, permission, idempotency, errors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from google.rpc import error_details_pb2, status_pb2

from crm.customer.v1 import customer_pb2, customer_service_pb2
from customer.api.customers import CustomerServicer
from customer.wiring import CustomerApp
from kernel.pure.errors import Unavailable
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.rpc.dispatch import Dispatcher
from kernel.rpc.identity import AUDIENCE, ISSUER, TOKEN_TYPE, claims_of
from kernel.rpc.methods import Method, methods_of, service_descriptor
from kernel.rpc.trust import Trust, TrustPoller
from kernel.sql import subjects
from kernel.sql.audit import ViewLog
from kernel.sql.idempotency import erase_answers
from tests.support.services import service

KEY = ec.generate_private_key(ec.SECP256R1())
METHODS = {m.name: m for m in methods_of(service_descriptor("crm.customer.v1.CustomerService"))}
ME = str(new_id())


class Refused(Exception):
    """A call that ended with a status."""

    def __init__(self, status: Any, said: dict[str, str]) -> None:
        self.said = said
        self.code: grpc.StatusCode = status.code
        (encoded,) = (value for key, value in status.trailing_metadata if key == "grpc-status-details-bin")
        self.details = status_pb2.Status.FromString(encoded).details

    def detail(self, kind: type[Any]) -> Any:
        """The only detail of one kind."""
        (found,) = (d for d in self.details if d.Is(kind.DESCRIPTOR))
        message = kind()
        found.Unpack(message)
        return message

    @property
    def reason(self) -> str:
        return str(self.detail(error_details_pb2.ErrorInfo).reason)


class Context:
    """The part of grpc.ServicerContext that the door uses."""

    def __init__(self, peer: str, metadata: dict[str, str], remaining: float | None = 5.0) -> None:
        self._peer = peer
        self._metadata = metadata
        self._remaining = remaining

    def auth_context(self) -> dict[str, list[bytes]]:
        return (
            {"x509_subject_alternative_name": [f"spiffe://crm/{self._peer}".encode()]} if self._peer else {}
        )

    def invocation_metadata(self) -> list[tuple[str, str]]:
        return list(self._metadata.items())

    def time_remaining(self) -> float | None:
        return self._remaining

    def send_initial_metadata(self, metadata: Any) -> None:
        self.said = dict(metadata)

    def abort_with_status(self, status: Any) -> None:
        raise Refused(status, getattr(self, "said", {}))


class Door:
    """A dispatcher in front of the customer service, and a way to call it."""

    def __init__(self, app: CustomerApp) -> None:
        self.app = app
        self.trust = Trust({"k1": jwt.PyJWK.from_dict({**_public(), "kid": "k1"}, algorithm="ES256")})
        self.poller = TrustPoller(lambda: self.trust)
        self.poller.poll()
        self._dispatcher = Dispatcher(app, self.poller, ViewLog(app.engine, app.clock))
        self._servicer = CustomerServicer(app)

    def call(self, name: str, request: Any, token: str | None = "", peer: str = "envoy", **more: Any) -> Any:
        method: Method = METHODS[name]
        handler = self._dispatcher.handler(method, getattr(self._servicer, method.python_name))
        metadata = dict(more.get("metadata", {}))
        if token is not None:
            metadata["authorization"] = f"Bearer {token or minted()}"
        return handler.unary_unary(request, Context(peer, metadata, more.get("remaining", 5.0)))


def _public() -> dict[str, str]:
    numbers = KEY.public_key().public_numbers()
    encode = jwt.utils.base64url_encode
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": encode(numbers.x.to_bytes(32, "big")).decode(),
        "y": encode(numbers.y.to_bytes(32, "big")).decode(),
    }


def minted(scope: Scope = Scope.OWN, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token of the user ME, good unless `claims` or `header` say otherwise."""
    grants = {f"customer.customers.{verb}": scope for verb in ("create", "read", "update")}
    principal = Principal(PrincipalKind.USER, ME, grants, session_id=str(new_id()))
    now = time.time()
    body = {
        **claims_of(principal),
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": int(now),
        "iat_ms": int(now * 1000),
        "exp": int(now) + 600,
        **claims,
    }
    return jwt.encode(body, KEY, "ES256", headers={"kid": "k1", "typ": TOKEN_TYPE, **(header or {})})


def person(name: str = "王小明", **request: Any) -> customer_service_pb2.CreateCustomerRequest:
    message = customer_pb2.Customer(person=customer_pb2.Person(full_name=name))
    return customer_service_pb2.CreateCustomerRequest(customer=message, **request)


@pytest.fixture(scope="module")
def app() -> Iterator[CustomerApp]:
    with service(CustomerApp) as app:
        yield app


@pytest.fixture
def door(app: CustomerApp) -> Door:
    return Door(app)


def test_a_good_token_is_answered(door: Door) -> None:
    created = door.call("CreateCustomer", person())
    read = door.call("GetCustomer", customer_service_pb2.GetCustomerRequest(id=created.id))
    assert (read.person.full_name, read.owner_id) == ("王小明", ME)


@pytest.mark.parametrize(
    "token",
    [
        None,
        "x",
        minted(exp=int(time.time()) - 1),
        minted(aud="other"),
        minted(iss="other"),
        minted(sub="not-an-id"),
        minted(header={"typ": "JWT"}),
        minted(header={"kid": "k2"}),
        minted(scopes=[]),
        minted(exp=int(time.time()) + 660),
        jwt.encode({"sub": ME}, None, algorithm="none", headers={"kid": "k1", "typ": TOKEN_TYPE}),
        jwt.encode({"sub": ME}, "s" * 32, algorithm="HS256", headers={"kid": "k1", "typ": TOKEN_TYPE}),
        minted()[:-4] + "AAAA",
    ],
)
def test_a_call_without_a_token_of_ours_is_refused(door: Door, token: str | None) -> None:
    with pytest.raises(Refused) as refused:
        door.call("ListCustomers", customer_service_pb2.ListCustomersRequest(), token)
    assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


def test_a_call_without_the_permission_is_refused(door: Door) -> None:
    with pytest.raises(Refused) as refused:
        door.call("ListSchemes", customer_service_pb2.ListSchemesRequest())
    assert (refused.value.code, refused.value.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "PERMISSION_DENIED",
    )


@pytest.mark.parametrize("peer", ["", "sales", "stranger"])
def test_only_the_gateway_brings_users(door: Door, peer: str) -> None:
    with pytest.raises(Refused) as refused:
        door.call("ListCustomers", customer_service_pb2.ListCustomersRequest(), peer=peer)
    assert refused.value.reason == "CALLER_NOT_ALLOWED"


def test_a_revoked_user_is_refused_and_a_later_token_is_not(door: Door) -> None:
    old = minted(iat_ms=int(time.time() * 1000) - 5)
    door.trust = Trust(door.trust.keys, {ME: int(time.time() * 1000) - 1})
    door.poller.poll()
    with pytest.raises(Refused) as refused:
        door.call("ListCustomers", customer_service_pb2.ListCustomersRequest(), old)
    assert refused.value.reason == "TOKEN_REVOKED"
    later = minted(iat_ms=int(time.time() * 1000))
    assert door.call("ListCustomers", customer_service_pb2.ListCustomersRequest(), later) is not None


def test_a_withdrawn_key_is_believed_no_more(door: Door) -> None:
    token = minted()
    door.call("ListCustomers", customer_service_pb2.ListCustomersRequest(), token)
    door.trust = Trust({"other": door.trust.keys["k1"]})
    door.poller.poll()
    with pytest.raises(Refused):
        door.call("ListCustomers", customer_service_pb2.ListCustomersRequest(), token)


def test_a_command_sent_twice_has_one_effect_and_one_answer(door: Door) -> None:
    request = person("李雷", request_id=str(new_id()))
    assert door.call("CreateCustomer", request) == door.call("CreateCustomer", request)


def test_a_command_sent_five_times_at_once_has_one_effect_and_one_answer(door: Door) -> None:
    before = count(door)
    request = person("韩梅梅", request_id=str(new_id()))
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: door.call("CreateCustomer", request), range(5)))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert count(door) == before + 1


def test_a_request_id_with_another_body_is_refused(door: Door) -> None:
    request_id = str(new_id())
    door.call("CreateCustomer", person("甲", request_id=request_id))
    with pytest.raises(Refused) as refused:
        door.call("CreateCustomer", person("乙", request_id=request_id))
    assert refused.value.reason == "REQUEST_ID_REUSED"


def test_a_refused_command_can_be_corrected_under_the_same_request_id(door: Door) -> None:
    request_id = str(new_id())
    with pytest.raises(Refused):
        door.call("CreateCustomer", person("", request_id=request_id))
    assert door.call("CreateCustomer", person("甲", request_id=request_id)).id


def test_an_answer_about_somebody_whose_data_rests_is_not_given_again(door: Door) -> None:
    """Else the old answer would be a way around every refusal, for as long as it is kept."""
    request = person("韩雪", request_id=str(new_id()))
    subject_id = UUID(door.call("CreateCustomer", request).id)
    with door.app.work(Principal.service("customer")) as work:
        subjects.restrict(work.session, [(subject_id, 1, True)])
    with pytest.raises(Refused) as refused:
        door.call("CreateCustomer", request)
    assert refused.value.reason == "SUBJECT_RESTRICTED"
    with door.app.work(Principal.service("customer")) as work:
        subjects.restrict(work.session, [(subject_id, 2, False)])
    assert door.call("CreateCustomer", request).id == str(subject_id)


def test_an_answer_goes_with_the_person_it_speaks_of(door: Door) -> None:
    gone, stays = (person(name, request_id=str(new_id())) for name in ("韩春", "韩秋"))
    subject_id, before = UUID(door.call("CreateCustomer", gone).id), count(door)
    kept = door.call("CreateCustomer", stays)
    with door.app.work(Principal.service("customer")) as work:
        assert erase_answers(work, [subject_id]) == 1
    with door.app.work(Principal.service("customer")) as work:
        assert erase_answers(work, [subject_id]) == 0
    with pytest.raises(Refused) as refused:
        door.call("CreateCustomer", gone)
    assert refused.value.reason == "ANSWER_ERASED"
    assert door.call("CreateCustomer", stays) == kept
    assert count(door) == before + 1
    rows = door.app.reader.rows("select answer from idempotency where request_id = %s", (gone.request_id,))
    assert [row.answer for row in rows] == [None]


def test_an_answer_is_not_given_again_to_whom_the_permission_was_taken(door: Door) -> None:
    request = person("韩冬", request_id=str(new_id()))
    door.call("CreateCustomer", request)
    with pytest.raises(Refused) as refused:
        door.call("CreateCustomer", request, minted(perms=[], scopes=[]))
    assert refused.value.reason == "PERMISSION_DENIED"


def test_a_rehearsal_checks_everything_and_stores_nothing(door: Door) -> None:
    before = count(door)
    assert door.call("CreateCustomer", person(validate_only=True)).person.full_name == "王小明"
    with pytest.raises(Refused):
        door.call("CreateCustomer", person("", validate_only=True))
    assert count(door) == before


@pytest.mark.parametrize(
    ("language", "sentence"), [("zh-CN,zh;q=0.9", "不能为空"), ("en", "must not be empty")]
)
def test_an_error_names_field_and_rule_in_the_callers_language(
    door: Door, language: str, sentence: str
) -> None:
    with pytest.raises(Refused) as refused:
        door.call("CreateCustomer", person(""), metadata={"accept-language": language})
    (violation,) = refused.value.detail(error_details_pb2.BadRequest).field_violations
    assert (violation.field, violation.reason, violation.description) == (
        "customer.person.full_name",
        "REQUIRED",
        sentence,
    )
    assert refused.value.detail(error_details_pb2.LocalizedMessage).locale in ("zh-CN", "en")


def test_a_fault_of_ours_tells_nothing_but_its_trace(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: Any) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(door._servicer, "list_schemes", break_down)
    token = minted(perms=["customer.schemes.read"], scopes=[5])
    with pytest.raises(Refused) as refused:
        door.call("ListSchemes", customer_service_pb2.ListSchemesRequest(), token)
    assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "secret" not in str(refused.value.details)


def test_a_command_with_a_field_of_another_release_is_refused_and_a_read_is_not(door: Door) -> None:
    newer = b"\xf2\x7f\x01x"  # field 2046
    before = count(door)
    inner = customer_service_pb2.CreateCustomerRequest.FromString(
        person().SerializeToString() + b"\x0a\x04" + newer
    )
    with pytest.raises(Refused) as refused:
        door.call("CreateCustomer", inner)
    (violation,) = refused.value.detail(error_details_pb2.BadRequest).field_violations
    assert (violation.field, violation.reason) == ("customer.2046", "UNKNOWN_FIELD")
    assert count(door) == before
    listing = customer_service_pb2.ListCustomersRequest.FromString(newer)
    assert door.call("ListCustomers", listing) is not None


def test_a_statement_that_takes_too_long_is_no_fault(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def crawl(request: Any, call: Any) -> None:
        with door.app.engine.begin() as connection:
            connection.exec_driver_sql("set local statement_timeout = 10")
            connection.exec_driver_sql("select pg_sleep(30)")

    monkeypatch.setattr(door._servicer, "list_schemes", crawl)
    token = minted(perms=["customer.schemes.read"], scopes=[5])
    with pytest.raises(Refused) as refused:
        door.call("ListSchemes", customer_service_pb2.ListSchemesRequest(), token)
    assert refused.value.reason == "DEADLINE_EXCEEDED"


def test_who_may_come_back_is_told_when(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(Unavailable):
        reason = "LATER"

    def later(request: Any, call: Any) -> None:
        error = Later()
        error.retry_after = 2.1
        raise error

    monkeypatch.setattr(door._servicer, "list_customers", later)
    with pytest.raises(Refused) as refused:
        door.call("ListCustomers", customer_service_pb2.ListCustomersRequest())
    assert refused.value.said == {"retry-after": "3"}
    with pytest.raises(Refused) as refused:
        door.call("GetCustomer", customer_service_pb2.GetCustomerRequest(id="none"))
    assert refused.value.said == {}


def test_a_call_that_is_already_late_is_not_begun(door: Door) -> None:
    with pytest.raises(Refused) as refused:
        door.call("ListCustomers", customer_service_pb2.ListCustomersRequest(), remaining=0.001)
    assert refused.value.reason == "DEADLINE_EXCEEDED"


def count(door: Door) -> int:
    return int(door.app.reader.rows("select count(*) as n from customers")[0].n)
