"""A JSON body holds only what its method knows: what would be lost without a word is refused by its name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crm.customer.v1 import customer_service_pb2
from tests.gateway.edge.callers import Answer
from tests.gateway.edge.conftest import Edge

TOKEN_FOR = ["customer.customers.create", "customer.customers.update", "customer.customers.delete"]


def _post(edge: Edge, path: str, body: Any, verb: str = "POST") -> Answer:
    return edge.json.call(verb, path, token=edge.signer.token(TOKEN_FOR), body=body)


UNKNOWN = [
    ("/v1/customers", {"emails": ["a@b.example"]}, "emails"),
    ("/v1/customers", {"person": {"fullName": "王小明", "email": "a@b.example"}}, "person.email"),
    (
        "/v1/customers",
        {"tags": ["a"], "externalIds": [{"source": "erp"}, {"valeu": "7"}]},
        "externalIds.valeu",
    ),
    ("/v1/customers", {"customer": {"city": "上海"}}, "customer"),
    (
        "/v1/customers:batchCreate",
        {"customers": [{}, {"company": {"nmae": "大成"}}]},
        "customers.company.nmae",
    ),
    ("/v1/customers/1:undelete", {"reason": "a mistake"}, "reason"),
    ("/v1/customers", {"姓名": "王小明"}, "姓名"),
    ("/v1/customers", {"person": {"full name": "王小明"}}, "person.full name"),
]


@pytest.mark.parametrize(("path", "body", "field"), UNKNOWN)
def test_an_unknown_field_is_refused_by_its_name(edge: Edge, path: str, body: Any, field: str) -> None:
    answer = _post(edge, path, body)
    assert (answer.status, answer.json["code"], answer.reason) == (400, 3, "UNKNOWN_FIELD")
    assert answer.json["message"] == f"The method does not know the field {field}."
    (info,) = [detail for detail in answer.json["details"] if "reason" in detail]
    assert info["metadata"] == {"field": field}
    (blamed,) = [
        detail["fieldViolations"] for detail in answer.json["details"] if "fieldViolations" in detail
    ]
    assert [violation["field"] for violation in blamed] == [field]
    assert not edge.customer.calls


def test_a_body_that_a_method_does_not_take_is_refused(edge: Edge) -> None:
    answer = _post(edge, "/v1/customers/1", {"etag": "7"}, verb="DELETE")
    assert (answer.status, answer.reason) == (400, "UNKNOWN_FIELD")


def test_both_spellings_of_a_field_are_known(edge: Edge) -> None:
    body = {"external_ids": [{"source": "erp", "value": "7"}], "sourceChannel": "referral"}
    assert _post(edge, "/v1/customers", body).status == 200
    (call,) = edge.customer.calls
    assert call.request.customer.external_ids[0].value == "7"


KNOWN: list[Any] = [
    {},
    {"person": None, "tags": []},
    {"tags": ['a "quoted" one, with \\ and {braces}: "x": [1]', "\\"]},
    {"company": {"name": "\u2028", "phones": ["1", "2"]}, "city": "上海", "externalIds": [{}, {}]},
]


@pytest.mark.parametrize("body", KNOWN)
@pytest.mark.parametrize("indent", [None, 3])
def test_a_body_of_known_fields_arrives_whole(edge: Edge, body: Any, indent: int | None) -> None:
    for escaped in (True, False):
        text = json.dumps(body, indent=indent, ensure_ascii=escaped).encode()
        assert _post(edge, "/v1/customers", text).status == 200
    first, second = (call.request for call in edge.customer.calls)
    assert first == second
    assert list(first.customer.tags) == body.get("tags", [])


@pytest.mark.parametrize(
    "text",
    [
        b"{'city': 'x'}",
        b"{city: 1}",
        b'{"city": "x"} {"emails": 1}',
        b'{"city": "x",}',
        b'{"city": "x"',
        b'{"city": "x',
        b'{"city" "x"}',
        b'{"tags": ["a" "b"]}',
        b"[" * 100 + b"]" * 100,
        b'{"person": ' * 70 + b"{}" + b"}" * 70,
    ],
)
def test_what_is_not_json_hides_no_field(edge: Edge, text: bytes) -> None:
    answer = _post(edge, "/v1/customers", text)
    assert answer.status == 400
    assert answer.reason in ("INVALID_REQUEST", "UNKNOWN_FIELD")
    assert not edge.customer.calls


def test_a_field_name_can_not_change_the_answer(edge: Edge) -> None:
    """It is shown in JSON: neither quotes nor control characters come through, nor patterns of Lua."""
    body = b'{"a\\", \\"code\\": 0, %1 %s \x01": 1}'
    answer = _post(edge, "/v1/customers", body)
    assert (answer.json["code"], answer.reason) == (3, "UNKNOWN_FIELD")


def test_a_long_name_is_cut(edge: Edge) -> None:
    answer = _post(edge, "/v1/customers", {"a" * 5000: 1})
    assert answer.json["message"] == f"The method does not know the field {'a' * 100}."


def test_a_grpc_call_is_left_to_the_service(edge: Edge) -> None:
    """Protobuf carries what the door does not know; the service behind it may be newer."""
    newer = customer_service_pb2.CreateCustomerRequest(request_id="1").SerializeToString() + b"\xf2\x7f\x01x"
    outcome = edge.grpc.call(
        "/crm.customer.v1.CustomerService/CreateCustomer", newer, token=edge.signer.token(TOKEN_FOR)
    )
    assert outcome.code.name == "OK"


def test_a_body_that_is_no_json_by_contract_is_passed_on(edge: Edge) -> None:
    """The one-click form of a mail program (RFC 8058)."""
    form = b"List-Unsubscribe=One-Click"
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert edge.json.call("POST", "/v1/t/u/abc", body=form, headers=kind).status == 200
    (call,) = edge.services["marketing"].calls
    assert (call.request.token, call.request.form.data) == ("abc", form)
