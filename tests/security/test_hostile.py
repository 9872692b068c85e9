"""What is sent to do harm is refused, naming the field and the rule; nothing is stored, nobody dies."""

from __future__ import annotations

import http.client
import json
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor

from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import (
    CountCustomersRequest,
    CreateCustomerRequest,
    ListCustomersRequest,
)
from crm_cli.client import Session
from crm_cli.local.stack import StackInfo
from tests.security.hostile import DEADLINE, Caller, method
from tests.security.matrix import Exposed, every_method
from tests.support.fuzzing import is_map

_LONG = "x" * 200_000
BROKEN = ("INTERNAL", "DEADLINE_EXCEEDED", "")
_BEHAVIOR = field_behavior_pb2.field_behavior
CALLED = [one for one in every_method() if one.path and not one.method.anyone]
LISTS = [one for one in CALLED if "page_token" in one.method.request.DESCRIPTOR.fields_by_name]

pytestmark = pytest.mark.usefixtures("unharmed")

NOBODY = "01890000-0000-7000-8000-000000000000"
# Questions that need more than an id.
ASKED = {"service": "customer", "text": "13800138000"}


@pytest.mark.parametrize(
    "filter", [" || ".join(['city == "x"'] * 10_000), "(" * 1_000, "!" * 1_000 + 'kind == "x"']
)
def test_a_filter_that_is_too_much_is_refused(filter: str, refused: Caller) -> None:
    for name, request in (
        ("ListCustomers", ListCustomersRequest(filter=filter)),
        ("CountCustomers", CountCustomersRequest(filter=filter)),
    ):
        assert refused.refusal(method(name), request) == ("INVALID_FIELDS", [("filter", "EXPRESSION_SYNTAX")])


def test_a_page_of_any_size_is_refused_or_small(refused: Caller) -> None:
    for exposed in LISTS:
        request = exposed.method.request
        if "page_size" in request.DESCRIPTOR.fields_by_name:
            reason, _ = refused.refusal(exposed, request(page_size=-1))
            assert reason == "INVALID_FIELDS", exposed.method.full_name
            assert refused.refusal(exposed, request(page_size=2**31 - 1))[0] not in BROKEN


def test_a_page_token_of_another_query_is_refused(refused: Caller, me: Session) -> None:
    """A forged one, and a good one that continues another question of the same caller."""
    page = ListCustomersRequest(page_size=1, show_deleted=True)
    for _ in range(2):
        request = CreateCustomerRequest(
            customer=Customer(person=Person(full_name="翻页")), request_id=str(uuid4()), allow_duplicate=True
        )
        me.call(me.customers.CreateCustomer, request)
    other = me.call(me.customers.ListCustomers, page).next_page_token
    assert other
    taken = {}
    for exposed in LISTS:
        for token in ("A" * 88, other):
            answer = refused.refusal(exposed, _asking(exposed, page_token=token))
            if answer != ("INVALID_FIELDS", [("page_token", "PAGE_TOKEN")]):
                taken[exposed.method.full_name] = answer
    assert taken == {}


def _asking(exposed: Exposed, **more: Any) -> Any:
    """A question of a list, with what it can't be asked without."""
    request = exposed.method.request(**more)
    for field in request.DESCRIPTOR.fields:
        if field.name in ASKED:
            setattr(request, field.name, ASKED[field.name])
        elif field.name == "id" or field.name.endswith("_id"):
            setattr(request, field.name, NOBODY)
    return request


@pytest.mark.usefixtures("nothing_stored")
def test_a_text_of_200_000_characters_is_refused_in_every_field(refused: Caller) -> None:
    """One field after the other; none is stored, and none is cut to fit. A question may find nobody."""
    accepted = []
    for exposed in CALLED:
        allowed = () if exposed.method.command else ("OK",)
        for path, request in _overlong(exposed.method.request, ""):
            reason, _ = refused.refusal(exposed, request)
            if reason in BROKEN or (reason == "OK" and "OK" not in allowed):
                accepted.append(f"{exposed.method.full_name} {path}: {reason}")
    assert accepted == []


def _overlong(kind: Any, at: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Requests with an overlong text in one field, and the path of the field."""
    for field in kind.DESCRIPTOR.fields:
        if field_behavior_pb2.OUTPUT_ONLY in field.GetOptions().Extensions[_BEHAVIOR]:
            continue
        path = f"{at}{field.name}"
        if field.type == FieldDescriptor.TYPE_STRING:
            yield path, kind(**{field.name: [_LONG] if field.is_repeated else _LONG})
        elif field.type == FieldDescriptor.TYPE_MESSAGE and depth < 2 and _ours(field):
            inner = field.message_type._concrete_class
            for below, message in _overlong(inner, f"{path}.", depth + 1):
                yield below, kind(**{field.name: _held(field, message)})


def _held(field: FieldDescriptor, message: Any) -> Any:
    """As the field holds it."""
    if is_map(field):
        return {message.key: message.value}
    return [message] if field.is_repeated else message


def _ours(field: FieldDescriptor) -> bool:
    return field.message_type is not None and str(field.message_type.full_name).startswith("crm.")


BODIES = {
    "nested 100,000 deep": (b"[" * 100_000, 400),
    "objects nested 50,000 deep": (b'{"person":' * 50_000 + b"1" + b"}" * 50_000, 400),
    "a lone surrogate": (rb'{"company": {"name": "\ud800"}}', 400),
    "no UTF-8": (b'{"company": {"name": "\xff\xfe"}}', 400),
    "NUL": (rb'{"company": {"name": "a\u0000b"}}', 400),
    "a number beyond 32 bits": (b'{"company": {"size": 99999999999}}', 400),
    "an unknown enum": (b'{"company": {"name": "x", "size": "HUGE"}}', 400),
    "a number of 100,000 digits": (b'{"company": {"size": ' + b"9" * 100_000 + b"}}", 400),
    "2 MB": (b'{"company": {"name": "' + b"x" * (2 << 20) + b'"}}', 413),
    "an array": (b"[1, 2]", 400),
    "nothing": (b"", 400),
    "two kinds": (b'{"company": {"name": "x"}, "person": {"fullName": "y"}}', 400),
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.usefixtures("nothing_stored")
def test_a_json_body_that_is_wrong_is_refused_with_a_reason(kind: str, stack: StackInfo, me: Session) -> None:
    body, status = BODIES[kind]
    answer, said = call(stack, me, "POST", "/v1/customers", body)
    assert answer == status
    assert [detail["reason"] for detail in said["details"] if "reason" in detail]


@pytest.mark.parametrize(
    "header", ["s&k", "a~b", "x-bin", "grpc-trace-bin", "!", "grpc-previous-rpc-attempts"]
)
def test_a_header_that_only_http_knows_does_no_harm(header: str, stack: StackInfo, me: Session) -> None:
    assert call(stack, me, "GET", "/v1/customers?pageSize=1", None, {header: "#"})[0] == 200


def test_two_thousand_calls_at_once_are_answered_or_refused(me: Session) -> None:
    request = ListCustomersRequest(page_size=200).SerializeToString()
    metadata = (("authorization", f"Bearer {me.account.token()}"),)
    with ExitStack() as opened:
        channels = [opened.enter_context(me.account.gateway.channel()) for _ in range(20)]
        calls = [
            channel.unary_unary(f"/{method('ListCustomers').method.full_name}").future(
                request, timeout=DEADLINE, metadata=metadata
            )
            for _ in range(100)
            for channel in channels
        ]
        codes = Counter("OK" if (error := call.exception()) is None else error.code().name for call in calls)
    assert codes["OK"]
    assert set(codes) <= {"OK", "RESOURCE_EXHAUSTED"}, codes


def call(
    stack: StackInfo,
    me: Session,
    verb: str,
    path: str,
    body: bytes | None,
    more: dict[str, str] | None = None,
) -> tuple[int, Any]:
    """Status and body of the answer to exactly these bytes."""
    url = urlsplit(stack.gateway_url)
    headers = {"authorization": f"Bearer {me.account.token()}", "content-type": "application/json"}
    connection = http.client.HTTPSConnection(
        url.hostname or "localhost",
        url.port,
        timeout=DEADLINE,
        context=ssl.create_default_context(cafile=stack.ca_file),
    )
    try:
        connection.request(verb, path, body, {**headers, **(more or {})})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
