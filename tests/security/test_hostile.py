"""What is sent to do harm is refused, naming the field and the rule; nothing is stored, nobody dies."""

from __future__ import annotations

import csv
import http.client
import io
import json
import ssl
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import grpc
import pytest
from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor

from crm.customer.v1 import import_service_pb2 as imports
from crm.customer.v1.customer_service_pb2 import CountCustomersRequest, ListCustomersRequest
from crm_cli.client import Session
from crm_cli.local.stack import StackInfo
from tests.security.callers import hire
from tests.security.matrix import Exposed, every_method
from tests.support.api import Refused as Answered
from tests.support.api import fields_of, reason_of
from tests.support.fuzzing import is_map
from tests.system.behind import Behind

CHUNK = 1 << 20
_LONG = "x" * 200_000
_DEADLINE = 30.0
BROKEN = ("INTERNAL", "")
_BEHAVIOR = field_behavior_pb2.field_behavior
CALLED = [one for one in every_method() if one.path and not one.method.anyone]
LISTS = [one for one in CALLED if "page_token" in one.method.request.DESCRIPTOR.fields_by_name]

pytestmark = pytest.mark.usefixtures("unharmed")


@pytest.fixture(scope="module")
def me(admin: Session) -> Session:
    """A member of staff who may do everything an administrator may."""
    member = hire(admin, "admin")
    return member.gateway.password_account(member.login, member.password).session()


class Caller:
    """Calls any method and says how it was refused."""

    def __init__(self, channel: grpc.Channel, token: str) -> None:
        self._channel = channel
        self._metadata = (("authorization", f"Bearer {token}"), ("accept-language", "en"))

    def refusal(self, exposed: Exposed, request: Any) -> tuple[str, list[tuple[str, str]]]:
        """The reason and the (field, rule) of each violation; "OK" when it was carried out, also when
        one item of a batch was."""
        method = exposed.method
        call = self._channel.unary_unary(
            f"/{method.full_name}",
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        try:
            answer = call(request, timeout=_DEADLINE, metadata=self._metadata)
        except grpc.RpcError as error:
            refused = Answered(error)
            return reason_of(refused.status), fields_of(refused.status)
        errors = [outcome.error for outcome in getattr(answer, "outcomes", ())]
        if errors and all(error.code for error in errors):
            return reason_of(errors[0]), fields_of(errors[0])
        return "OK", []


@pytest.fixture
def caller(stack: StackInfo, me: Session) -> Iterator[Caller]:
    with me.account.gateway.channel() as channel:
        yield Caller(channel, me.account.token())


def upload(session: Session, name: str, data: Any) -> str:
    """Brings blocks in as one file; answers its id."""
    size = sum(map(len, data))
    asked = imports.CreateUploadRequest(file_name=name, size=size, request_id=str(uuid4()))
    made = session.call(session.imports.CreateUpload, asked)
    offset = 0
    for block in data:
        part = imports.AppendUploadRequest(id=made.id, offset=offset, data=block)
        session.call(session.imports.AppendUpload, part)
        offset += len(block)
    return str(made.id)


def suggest(caller: Caller, upload_id: str) -> str:
    [exposed] = [one for one in every_method() if one.method.name == "SuggestMapping"]
    return caller.refusal(exposed, imports.SuggestMappingRequest(upload_id=upload_id))[0]


def bomb() -> bytes:
    """A workbook that unpacks to a thousand times its size."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (64 << 20))
    return packed.getvalue()


FILES = {
    "a line of 100 MB": ("a.csv", [b"a,b," * (CHUNK // 4)] * 100, "FILE_TOO_WIDE"),
    "no text": ("a.csv", [b"\x81\xff\xfe\x00\x9f" * 10_000], "FILE_UNREADABLE"),
    "half a character": ("a.csv", ["姓名".encode("utf-16-le")[1:] + b"\xff\xff\xff"], "FILE_UNREADABLE"),
    "10,000 columns": ("a.csv", [b",".join(b"c%d" % n for n in range(10_000))], "FILE_TOO_WIDE"),
    "no workbook": ("a.xlsx", [b"PK\x03\x04" + b"\0" * 5_000], "FILE_UNREADABLE"),
    "nothing": ("a.csv", [b"\n\n\n"], "FILE_EMPTY"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_none_is_refused(kind: str, me: Session, caller: Caller) -> None:
    name, data, reason = FILES[kind]
    assert suggest(caller, upload(me, name, data)) == reason


def test_a_workbook_that_unpacks_to_a_thousand_times_its_size_is_refused(me: Session, caller: Caller) -> None:
    data = bomb()
    blocks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    assert suggest(caller, upload(me, "bomb.xlsx", blocks)) == "FILE_TOO_LARGE"


def test_a_mapping_of_10_000_fields_is_refused(me: Session, caller: Caller) -> None:
    text = io.StringIO()
    csv.writer(text).writerow(["姓名", "手机"])
    upload_id = upload(me, "a.csv", [text.getvalue().encode()])
    columns = [imports.ColumnMapping(column=f"c{number}", field="tags") for number in range(10_000)]
    request = imports.StartImportRequest(
        upload_id=upload_id, columns=columns, source="x", kind="person", request_id=str(uuid4())
    )
    [exposed] = [one for one in every_method() if one.method.name == "StartImport"]
    assert caller.refusal(exposed, request) == ("INVALID_FIELDS", [("columns", "TOO_MANY")])


@pytest.mark.parametrize(
    "filter", [" || ".join(['city == "x"'] * 10_000), "(" * 1_000, "!" * 1_000 + 'kind == "x"']
)
def test_a_filter_that_is_too_much_is_refused(filter: str, caller: Caller) -> None:
    for name, request in (
        ("ListCustomers", ListCustomersRequest(filter=filter)),
        ("CountCustomers", CountCustomersRequest(filter=filter)),
    ):
        [exposed] = [one for one in every_method() if one.method.name == name]
        assert caller.refusal(exposed, request) == ("INVALID_FIELDS", [("filter", "EXPRESSION_SYNTAX")])


def test_a_page_of_any_size_is_refused_or_small(caller: Caller) -> None:
    for exposed in LISTS:
        request = exposed.method.request
        if "page_size" in request.DESCRIPTOR.fields_by_name:
            reason, _ = caller.refusal(exposed, request(page_size=-1))
            assert reason == "INVALID_FIELDS", exposed.method.full_name
            assert caller.refusal(exposed, request(page_size=2**31 - 1))[0] not in BROKEN


def test_a_page_token_of_another_query_is_refused(caller: Caller) -> None:
    forged = "A" * 88
    for exposed in LISTS:
        request = exposed.method.request(page_token=forged)
        assert caller.refusal(exposed, request)[0] != "OK", exposed.method.full_name


def test_a_text_of_200_000_characters_is_refused_in_every_field(caller: Caller) -> None:
    """One field after the other; none is stored, and none is cut to fit. A question may find nobody."""
    accepted = []
    for exposed in CALLED:
        allowed = () if exposed.method.command else ("OK",)
        for path, request in _overlong(exposed.method.request, ""):
            reason, _ = caller.refusal(exposed, request)
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


def test_nothing_of_it_all_was_stored(behind: Behind) -> None:
    query = "select count(*) from app.customers where length(company->>'name') > 200"
    assert behind.rows("customer", query) == [(0,)]


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
        timeout=_DEADLINE,
        context=ssl.create_default_context(cafile=stack.ca_file),
    )
    try:
        connection.request(verb, path, body, {**headers, **(more or {})})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
