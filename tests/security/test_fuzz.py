"""No request breaks a service, whoever sends it: any message to any method, and any bytes.

CRM_FUZZ_SECONDS says how long each of the tests looks; `make fuzz SECONDS=60` looks longer.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import grpc
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import CreateCustomerRequest
from crm_cli.client import Gateway, Session
from crm_cli.local.stack import StackInfo
from tests.security.callers import Member, hire
from tests.security.matrix import Exposed, every_method
from tests.support.fuzzing import messages

SECONDS = float(os.environ.get("CRM_FUZZ_SECONDS", "15"))
ROLES = ("admin", "seller")
# Who signs out signs in again; those who sign in are fuzzed like the others.
METHODS = [one for one in every_method() if one.path]
BROKEN = ("INTERNAL", "UNKNOWN", "UNIMPLEMENTED", "DATA_LOSS", "UNAVAILABLE", "DEADLINE_EXCEEDED")
_ROUND = 100
_DEADLINE = 30.0

pytestmark = pytest.mark.usefixtures("unharmed")


class Wrong:
    """The smallest request with which each method was broken."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[str, bytes]] = {}
        self.asked = 0
        self.answers: Counter[str] = Counter()

    def note(self, method: str, answer: str, data: bytes) -> None:
        self.asked += 1
        self.answers[answer] += 1
        if answer in BROKEN and (method not in self.found or len(data) < len(self.found[method][1])):
            self.found[method] = (answer, data)

    def told(self) -> str:
        kinds = {one.method.full_name: one.method.request for one in METHODS}
        return "\n".join(
            f"{method}: {answer}\n{_shown(kinds[method], data)}"
            for method, (answer, data) in self.found.items()
        )


class Caller:
    """Sends bytes to methods as a member of staff."""

    def __init__(self, channel: grpc.Channel, member: Member) -> None:
        self._channel, self._member = channel, member
        self._token = member.sign_in()

    def ask(self, exposed: Exposed, data: bytes) -> str:
        """The gRPC code of the answer."""
        code = self._attempt(exposed, data)
        if code == "UNAUTHENTICATED":
            self._token = self._member.sign_in()
            code = self._attempt(exposed, data)
        return code

    def _attempt(self, exposed: Exposed, data: bytes) -> str:
        call = self._channel.unary_unary(f"/{exposed.method.full_name}")
        try:
            call(data, timeout=_DEADLINE, metadata=(("authorization", f"Bearer {self._token}"),))
        except grpc.RpcError as refused:
            return str(refused.code().name)
        return "OK"


@pytest.fixture(params=ROLES)
def caller(request: pytest.FixtureRequest, stack: StackInfo, admin: Session) -> Iterator[Caller]:
    with Gateway(stack.gateway_url, Path(stack.ca_file)).channel() as channel:
        yield Caller(channel, hire(admin, request.param))


@pytest.fixture(scope="module")
def customer(admin: Session) -> str:
    """The id of a customer."""
    person = Person(full_name="模糊测试", phones=["13800138000"])
    request = CreateCustomerRequest(
        customer=Customer(person=person), request_id=str(uuid4()), allow_duplicate=True
    )
    return str(admin.call(admin.customers.CreateCustomer, request).id)


def test_no_message_breaks_a_service(caller: Caller, customer: str, admin: Session) -> None:
    # Whoever is tried with wrong passwords is locked out for a while.
    victim = hire(admin, "seller").login

    def known(field: str) -> Sequence[str]:
        if field == "request_id":
            return [str(uuid4())]
        if field == "login":
            return [victim]
        return [customer] if field in ("id", "customer_id", "survivor_id") else ()

    wrong = Wrong()
    requests = st.sampled_from(METHODS).flatmap(
        lambda one: st.tuples(st.just(one), messages(one.method.request.DESCRIPTOR, known))
    )

    def send(drawn: tuple[Exposed, Any]) -> None:
        exposed, message = drawn
        data = message.SerializeToString()
        wrong.note(exposed.method.full_name, caller.ask(exposed, data), data)

    _as_long_as_allowed(requests, send)
    assert wrong.asked > _ROUND / 2
    assert wrong.answers["OK"], wrong.answers
    assert not wrong.found, wrong.told()


def test_no_bytes_break_a_service(caller: Caller, customer: str) -> None:
    """Messages with bytes changed, cut, doubled or nested, in text that is no UTF-8."""
    wrong, chance = Wrong(), Random(1)
    ends = time.monotonic() + SECONDS / 3
    while time.monotonic() < ends:
        exposed = chance.choice(METHODS)
        data = _mangled(_sample(exposed, customer), chance)
        wrong.note(exposed.method.full_name, caller.ask(exposed, data), data)
    assert not wrong.found, wrong.told()


def _as_long_as_allowed(requests: Any, send: Callable[[Any], None]) -> None:
    ends = time.monotonic() + SECONDS
    number = 0
    while time.monotonic() < ends:
        number += 1

        @seed(number)
        @settings(max_examples=_ROUND, database=None, suppress_health_check=list(HealthCheck))
        @given(requests)
        def a_round(drawn: Any) -> None:
            if time.monotonic() < ends:
                send(drawn)

        a_round()


def _sample(exposed: Exposed, customer: str) -> bytes:
    """A request with a text in every field of text."""
    message = exposed.method.request()
    for field in message.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING:
            value = customer if field.name == "id" else "text"
            if field.is_repeated:
                getattr(message, field.name).append(value)
            elif field.name != "request_id":
                setattr(message, field.name, value)
    return bytes(message.SerializeToString())


def _mangled(data: bytes, chance: Random) -> bytes:
    how = chance.randrange(6)
    if how == 0:
        return data.replace(b"text", b"\xed\xa0\x80t")
    if how == 1:
        return data[: chance.randrange(len(data) + 1)]
    if how == 2:
        return data + chance.randbytes(chance.randrange(1, 20))
    if how == 3:
        return data * 3
    if how == 4:
        return _nested(chance.choice((50, 150, 5_000)), chance.randrange(1, 6))
    changed = bytearray(data or b"\0")
    for _ in range(chance.randrange(1, 5)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _nested(depth: int, field: int) -> bytes:
    data = b""
    for _ in range(depth):
        size, length = len(data), b""
        while size > 0x7F:
            length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
        data = bytes([field << 3 | 2]) + length + bytes([size]) + data
    return data


def _shown(kind: Any, data: bytes) -> str:
    try:
        return str(kind.FromString(data))[:2_000]
    except Exception:
        return repr(data[:500])
