"""JSON as people and browsers expect it, made from the protos."""

from __future__ import annotations

from typing import Any

from google.protobuf import timestamp_pb2

from crm.customer.v1 import customer_pb2, customer_service_pb2
from tests.gateway.edge.conftest import Edge

READ = "customer.customers.read"
ALL = [READ, "customer.customers.create", "customer.customers.update"]


def test_fields_are_lower_camel_case_and_enums_are_names(edge: Edge) -> None:
    edge.customer.answers["GetCustomer"] = lambda request, context: customer_pb2.Customer(
        id=request.id,
        person=customer_pb2.Person(full_name="王小明", phones=["+8613812345678"]),
        external_ids=[customer_pb2.ExternalId(source="erp", value="7")],
        create_time=timestamp_pb2.Timestamp(seconds=1_700_000_000),
    )
    answer = edge.json.call("GET", "/v1/customers/42", token=edge.signer.token(ALL))
    assert answer.json == {
        "id": "42",
        "person": {"fullName": "王小明", "phones": ["+8613812345678"]},
        "externalIds": [{"source": "erp", "value": "7"}],
        "createTime": "2023-11-14T22:13:20Z",
    }


def test_query_parameters_are_fields_of_the_request(edge: Edge) -> None:
    path = "/v1/customers?pageSize=7&pageToken=a%2Bb+c&fields=CUSTOMER_FIELDS_IMPERSONAL"
    assert edge.json.call("GET", path, token=edge.signer.token(ALL)).status == 200
    assert edge.customer.calls[0].request == customer_service_pb2.ListCustomersRequest(
        page_size=7, page_token="a+b c", fields=customer_service_pb2.CUSTOMER_FIELDS_IMPERSONAL
    )


def test_a_body_is_the_resource_and_the_query_the_rest(edge: Edge) -> None:
    path = "/v1/customers?requestId=r1&validateOnly=true"
    body: dict[str, Any] = {"company": {}, "city": "上海", "external_ids": [{"source": "erp"}]}
    assert edge.json.call("POST", path, token=edge.signer.token(ALL), body=body).status == 200
    request = edge.customer.calls[0].request
    assert (request.request_id, request.validate_only) == ("r1", True)
    assert (request.customer.city, request.customer.WhichOneof("kind")) == ("上海", "company")
    assert request.customer.external_ids[0].source == "erp"


def test_an_id_in_the_path_and_a_verb_after_it(edge: Edge) -> None:
    token = edge.signer.token(ALL)
    edge.json.call("GET", "/v1/customers/42:view", token=token)
    edge.json.call("PATCH", "/v1/customers/43?updateMask=city,tags", token=token, body={"city": "北京"})
    view, update = edge.customer.calls
    assert (view.method, view.request.id) == ("GetCustomerView", "42")
    assert (update.method, update.request.customer.id) == ("UpdateCustomer", "43")
    assert list(update.request.update_mask.paths) == ["city", "tags"]
