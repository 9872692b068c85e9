"""Customers leave as files: in bulk, with a right of its own, and many only when two agree."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import grpc
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from crm.customer.v1 import export_service_pb2 as exports
from crm.customer.v1 import import_service_pb2 as imports
from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import CreateCustomerRequest
from crm.gateway.v1.directory_service_pb2 import CreateUserRequest
from crm.gateway.v1.identity_pb2 import User
from crm_cli.client import Account, Gateway, Refused, Session, wait_until
from crm_cli.tour.importing import read
from crm_cli.tour.people import make_up
from tests.system.behind import Behind

_SOON = 60.0  # seconds
_ROWS = 1_200
HEADER = ["客户编号", "姓名", "手机", "邮箱", "城市"]
FIELDS = ["external_id", "person.full_name", "person.phones", "person.emails", "city"]
CHUNK = 1 << 20


def hire(gateway: Gateway, admin: Session, *roles: str) -> Session:
    login, password = f"export.{uuid4().hex[:8]}", uuid4().hex
    user = User(login=login, display_name="系统测试", role_ids=roles)
    request = CreateUserRequest(user=user, password=password, request_id=str(uuid4()))
    admin.call(admin.directory.CreateUser, request)
    return gateway.password_account(login, password).session()


def people_csv(source: str) -> tuple[bytes, list[list[str]]]:
    """A file as an ERP writes it, and its rows as they are stored; all of a city named `source`."""
    rows = []
    for number, person in zip(range(_ROWS), make_up(source), strict=False):
        rows.append([f"{number:05}", person.full_name, f"+86{person.phone}", person.email, source])
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *rows])
    return text.getvalue().encode(), rows


def bring_in(session: Session, data: bytes, source: str) -> imports.Import:
    """Uploads and imports a file of people to its end."""
    asked = imports.CreateUploadRequest(file_name="people.csv", size=len(data), request_id=str(uuid4()))
    upload = session.call(session.imports.CreateUpload, asked)
    for offset in range(0, len(data), CHUNK):
        part = imports.AppendUploadRequest(id=upload.id, offset=offset, data=data[offset : offset + CHUNK])
        session.call(session.imports.AppendUpload, part)
    read(session, upload.id)
    suggested = session.call(
        session.imports.SuggestMapping, imports.SuggestMappingRequest(upload_id=upload.id)
    )
    request = imports.StartImportRequest(
        upload_id=upload.id, columns=suggested.columns, source=source, kind="person", request_id=str(uuid4())
    )
    started = session.call(session.imports.StartImport, request)
    _import_reaches(session, started.id, imports.IMPORT_STATE_TRIAL_DONE)
    confirm = imports.ConfirmImportRequest(id=started.id, request_id=str(uuid4()))
    session.call(session.imports.ConfirmImport, confirm)
    return _import_reaches(session, started.id, imports.IMPORT_STATE_DONE)


def start(session: Session, **more: Any) -> exports.Export:
    wanted = {"format": exports.EXPORT_FORMAT_CSV, "reason": "system tests", "request_id": str(uuid4())}
    return session.call(session.exports.StartExport, exports.StartExportRequest(**(wanted | more)))


def ended(session: Session, export_id: str) -> exports.Export:
    def check() -> exports.Export | None:
        export = session.call(session.exports.GetExport, exports.GetExportRequest(id=export_id))
        return None if export.state == exports.EXPORT_STATE_RUNNING else export

    return wait_until(check, _SOON)


def file_of(session: Session, export_id: str) -> bytes:
    data, size = b"", 1
    while len(data) < size:
        request = exports.DownloadExportRequest(id=export_id, offset=len(data))
        chunk = session.call(session.exports.DownloadExport, request)
        data, size = data + chunk.data, chunk.size
    return data


@pytest.fixture
def one_row_each(admin: Session) -> Iterator[None]:
    """Inside, the second row that somebody exports needs approval."""
    yield from _allowing(admin, 1)


@pytest.fixture
def rows_enough(admin: Session) -> Iterator[None]:
    """Inside, nobody needs approval, however much was exported before."""
    yield from _allowing(admin, 100_000)


def _allowing(admin: Session, rows: int) -> Iterator[None]:
    before = admin.call(admin.exports.GetExportPolicy, exports.GetExportPolicyRequest())
    _allow(admin, rows)
    yield
    _allow(admin, before.rows_without_approval)


@pytest.mark.feature("C-09")
@pytest.mark.usefixtures("rows_enough")
def test_customers_come_in_and_go_out_in_bulk_and_nothing_changes_on_the_way(erp: Account) -> None:
    session, source = erp.session(), f"bulk {uuid4().hex[:8]}"
    data, rows = people_csv(source)
    brought = bring_in(session, data, source)
    assert (brought.rows_created, brought.rows_refused) == (_ROWS, 0)
    begun = start(session, raw=True, source=source, fields=FIELDS, filter=f'city == "{source}"')
    export = ended(session, begun.id)
    assert export.state == exports.EXPORT_STATE_DONE
    file = file_of(session, export.id)
    header, *exported = csv.reader(io.StringIO(file.decode()))
    assert header == FIELDS
    assert sorted(row for row in exported if row[0]) == rows
    again = bring_in(session, file, source)
    assert (again.rows_created, again.rows_refused, again.rows_unchanged) == (0, 0, again.rows_read)
    _certified(session, export, file)


@pytest.mark.feature("P-13")
@pytest.mark.usefixtures("one_row_each")
def test_exporting_is_a_right_of_its_own_and_many_rows_need_a_second_person(
    admin: Session, gateway: Gateway, behind: Behind
) -> None:
    """Reading customers does not do; an approver is somebody else, and an exporter no approver."""
    seller, officer = hire(gateway, admin, "seller"), hire(gateway, admin, "privacy_officer")
    manager = hire(gateway, admin, "seller", "sales_manager")
    for number in range(2):
        customer = Customer(person=Person(full_name=f"导出{number}", phones=["13800138000"]), city="大同")
        request = CreateCustomerRequest(customer=customer, request_id=str(uuid4()), allow_duplicate=True)
        manager.call(manager.customers.CreateCustomer, request)
    assert _refusal(lambda: start(seller)) == "PERMISSION_DENIED"
    assert _refusal(lambda: start(officer)) == "PERMISSION_DENIED"
    begun = start(manager, filter='city == "大同"', fields=["person.full_name", "person.phones"])
    assert (begun.state, begun.rows_total) == (exports.EXPORT_STATE_AWAITING_APPROVAL, 2)
    assert _refusal(lambda: file_of(manager, begun.id)) == "EXPORT_STATE"
    assert _refusal(lambda: approve(manager, begun.id)) == "PERMISSION_DENIED"
    own = start(admin, filter='city == "大同"')
    assert _refusal(lambda: approve(admin, own.id)) == "OWN_EXPORT"
    approve(officer, begun.id)
    done = ended(manager, begun.id)
    assert (done.state, done.rows_done) == (exports.EXPORT_STATE_DONE, 2)
    rows = list(csv.reader(io.StringIO(file_of(manager, begun.id).decode("utf-8-sig"))))
    # A manager reads personal fields of their own customers, since they are a seller too.
    assert sorted(rows) == [
        ["Full name", "Mobile"],
        ["导出0", "'+8613800138000"],
        ["导出1", "'+8613800138000"],
    ]
    assert _refusal(lambda: file_of(officer, begun.id)) == "PERMISSION_DENIED"
    query = "select action, actor_id from app.audit where object_id = %s order by at, id"
    audited = behind.rows("customer", query, begun.id)
    who = {"start": manager, "approve": officer, "export": manager, "download": manager}
    assert [action for action, _ in audited] == list(who)
    assert dict(audited)["approve"] == done.approver_id != dict(audited)["start"] == done.exporter_id


def approve(session: Session, export_id: str) -> exports.Export:
    request = exports.ApproveExportRequest(id=export_id, request_id=str(uuid4()))
    return session.call(session.exports.ApproveExport, request)


def _certified(session: Session, export: exports.Export, file: bytes) -> None:
    """The manifest is signed, and speaks of this file."""
    request = exports.GetExportManifestRequest(id=export.id)
    signed = session.call(session.exports.GetExportManifest, request)
    pem = session.call(session.exports.GetExportKey, exports.GetExportKeyRequest()).pem
    key: Any = load_pem_public_key(pem.encode())
    key.verify(signed.signature, signed.manifest)
    said = json.loads(signed.manifest)
    assert (said["sha256"], said["rows"]) == (hashlib.sha256(file).hexdigest(), export.rows_done)


def _import_reaches(session: Session, import_id: str, state: Any) -> imports.Import:
    def check() -> imports.Import | None:
        run = session.call(session.imports.GetImport, imports.GetImportRequest(id=import_id))
        assert run.state != imports.IMPORT_STATE_FAILED, run.error
        return run if run.state == state else None

    return wait_until(check, _SOON)


def _allow(admin: Session, rows: int) -> None:
    policy = exports.ExportPolicy(rows_without_approval=rows)
    request = exports.UpdateExportPolicyRequest(policy=policy, request_id=str(uuid4()))
    admin.call(admin.exports.UpdateExportPolicy, request)


def _refusal(call: Any) -> str:
    with pytest.raises(Refused) as refused:
        call()
    assert refused.value.code is not grpc.StatusCode.INTERNAL
    return refused.value.reason
