"""What the door says of itself: complete, valid, and in the words of the protos."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from google.protobuf import descriptor_pb2, json_format, message_factory
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from docs.generate_errors import reasons
from gateway.edge.catalogue import descriptors, public_methods
from gateway.edge.description.contracts import Contracts
from tests.gateway.edge.conftest import Edge
from tests.support.npm import node_modules

METHODS = public_methods(descriptors())
CONTRACTS = Contracts(descriptors())


@pytest.fixture(scope="module")
def api(running: Edge) -> Any:
    return running.json.call("GET", "/openapi.json").json


@pytest.fixture(scope="module")
def bus(running: Edge) -> Any:
    return running.json.call("GET", "/asyncapi.json").json


def _operations(api: Any) -> dict[str, Any]:
    return {
        content["x-grpc"]: {**content, "path": path, "verb": verb}
        for path, verbs in api["paths"].items()
        for verb, content in verbs.items()
    }


def _walk(node: Any) -> Any:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _walk(child)


def _message(name: str) -> Any:
    """An empty message of the contracts, by its full name."""
    return message_factory.GetMessageClass(CONTRACTS.message(name))()


def test_the_openapi_document_is_valid(api: Any) -> None:
    assert api["openapi"].startswith("3.1.")
    OPENAPI_31_VALIDATOR.validate(api)


def test_a_tool_that_tests_apis_reads_every_operation(api: Any) -> None:
    read = [found.ok() for found in schemathesis.openapi.from_dict(api).get_all_operations()]
    assert len(read) == len(_operations(api))


def test_every_public_method_is_described_and_no_other(api: Any) -> None:
    assert set(_operations(api)) == {f"{method.service}/{method.name}" for method in METHODS}
    ids = [content["operationId"] for content in _operations(api).values()]
    assert len(set(ids)) == len(ids)


def test_every_permission_is_the_one_the_door_asks_for(api: Any) -> None:
    operations = _operations(api)
    for method in METHODS:
        said = operations[f"{method.service}/{method.name}"]
        wanted = "signed in" if method.signed_in else method.permission
        assert said.get("x-permission", "") == wanted
        assert bool(said["security"]) == (not method.anyone)


@pytest.mark.parametrize("document", ["api", "bus"])
def test_every_reference_leads_somewhere(document: str, request: pytest.FixtureRequest) -> None:
    whole = request.getfixturevalue(document)
    for node in _walk(whole):
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            target = whole
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            assert target


def test_every_example_is_a_message_of_the_protos(api: Any) -> None:
    """The parser of protobuf knows every name and value in it, and the schema agrees."""
    for method in METHODS:
        operation = _operations(api)[f"{method.service}/{method.name}"]
        declared = CONTRACTS.method(method)
        example = operation["x-request-example"]
        json_format.ParseDict(example, _message(declared.input_type.full_name))
        answer = operation["responses"]["200"]["content"].get("application/json")
        if answer is not None:
            json_format.ParseDict(answer["example"], _message(declared.output_type.full_name))
        for media in filter(None, (answer, _body(operation))):
            schema = {**media["schema"], "components": api["components"]}
            assert not list(jsonschema_rs.Draft202012Validator(schema).iter_errors(media["example"]))


def _body(operation: Any) -> Any:
    """Of JSON; some methods take forms."""
    return operation.get("requestBody", {}).get("content", {}).get("application/json")


def test_every_variable_of_an_address_is_a_parameter(api: Any) -> None:
    for operation in _operations(api).values():
        named = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
        assert re.findall(r"\{(\w+)\}", operation["path"]) == named


def test_a_schema_says_what_the_options_say(api: Any) -> None:
    schemas = api["components"]["schemas"]
    answer, sent = schemas["crm.customer.v1.Customer"], schemas["crm.customer.v1.CustomerInput"]
    assert answer["properties"]["createTime"] == {
        "type": "string",
        "format": "date-time",
        "readOnly": True,
    }
    assert "createTime" not in sent["properties"]
    assert "required" not in schemas["crm.customer.v1.Person"], "a masked answer leaves fields out"
    assert schemas["crm.customer.v1.PersonInput"]["required"] == ["fullName"]
    assert "required" not in schemas["crm.customer.v1.PersonPatch"]
    phones = sent["properties"]["person"]["$ref"].rpartition("/")[2]
    assert schemas[phones]["properties"]["phones"]["x-personal"] == {
        "category": "phone",
        "sensitivity": "personal",
        "mask": "phone",
    }
    assert schemas["crm.customer.v1.CompanySize"]["enum"][0] == "COMPANY_SIZE_MICRO"


def test_one_of_two_fields_means_not_both(api: Any) -> None:
    schema = {"$ref": "#/components/schemas/crm.customer.v1.CustomerInput", "components": api["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema)
    person, company = {"person": {"fullName": "王小明"}}, {"company": {"name": "大成公司"}}
    assert validator.is_valid({})
    assert validator.is_valid(person)
    assert not validator.is_valid(person | company)


def test_every_reason_of_the_catalogue_is_published(api: Any) -> None:
    published = {(error["service"], error["reason"]) for error in api["x-errors"]}
    assert published == {(owner, row["reason"]) for owner, rows in reasons().items() for row in rows}


def test_the_limits_are_those_of_this_installation(edge: Edge, api: Any) -> None:
    most = {limit["setting"]: limit["most"] for limit in api["x-limits"] if limit["setting"]}
    assert most["CRM_EDGE_USER_CALLS_PER_SECOND"].startswith(f"{edge.settings.user_calls_per_second:,} a sec")
    assert most["CRM_EDGE_DEADLINE"] == f"{edge.settings.deadline} s"


def test_every_event_is_described_with_its_exchange(bus: Any) -> None:
    events = [event.full_name for event in CONTRACTS.events()]
    assert sorted(channel["address"] for channel in bus["channels"].values()) == sorted(events)
    channel = bus["channels"]["crm-customer-v1-CustomersMerged"]
    assert channel["bindings"]["amqp"]["exchange"]["name"] == "crm.customer"
    for message in bus["components"]["messages"].values():
        payload = message["examples"][0]["payload"]
        schema = {**message["payload"], "components": bus["components"]}
        jsonschema_rs.Draft202012Validator(schema).validate(payload)
        json_format.ParseDict(payload["data"], _message(message["name"]))


def test_the_asyncapi_document_is_valid(bus: Any) -> None:
    """By the schema that AsyncAPI publishes."""
    schema = json.loads((node_modules() / "@asyncapi/specs/schemas/3.0.0.json").read_text())
    assert not [error.message for error in jsonschema_rs.Draft7Validator(schema).iter_errors(bus)]


def test_the_descriptors_serve_grpc_tools(edge: Edge) -> None:
    answer = edge.json.call("GET", "/descriptors.binpb")
    files = descriptor_pb2.FileDescriptorSet.FromString(answer.body)
    assert {f.name for f in files.file} == {f.name for f in descriptors().file}


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json", "/descriptors.binpb", "/docs"])
def test_who_can_unpack_gets_it_packed(edge: Edge, path: str) -> None:
    plain = edge.json.call("GET", path)
    packed = edge.json.call("GET", path, headers={"accept-encoding": "br, gzip;q=0.9"})
    assert (plain.status, packed.status) == (200, 200)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert {plain.headers["vary"], packed.headers["vary"]} == {"accept-encoding"}


def test_the_page_loads_nothing_from_elsewhere_and_runs_only_its_own_script(edge: Edge) -> None:
    page = edge.json.call("GET", "/docs")
    text = page.body.decode()
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", text)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    for tag in ("style", "script"):
        (inner,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert f"'sha256-{b64encode(sha256(inner.encode()).digest()).decode()}'" in policy


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_it_can_only_be_read(edge: Edge, path: str) -> None:
    assert edge.json.call("POST", path, body={}).status == 404
