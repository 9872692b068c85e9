"""Exports from the call that asks for one to the end of its file."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from procrastinate.exceptions import JobAborted

from crm.customer.v1 import export_service_pb2 as pb
from customer.domain.customer import Company, ExternalId, Person
from customer.jobs.export_customers import destroy_exports
from customer.store import exporting
from customer.usecases.delete_customer import delete_customer
from customer.usecases.merge_customers import merge_customers
from customer.usecases.ports import EXPORT_EXPIRES
from customer.wiring import CustomerApp
from kernel.jobs.timers import fire_due
from kernel.pure.clock import FixedClock
from kernel.pure.errors import Invalid, PermissionDenied
from kernel.pure.grants import Principal, PrincipalKind, Scope
from tests.contracts.examples import promised, same_shape
from tests.customer.exporting.desk import Desk, people, record, refusal, run, user


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE_ROWS", 2)


def test_a_file_holds_persons_and_companies_with_all_their_fields(app: CustomerApp) -> None:
    me = user(Scope.ALL, "personal.read")
    record(
        app, me,
        Person(
            "王小明", ("13800138000", "13900139000"), ("w@example.com",), "解放路1号", "1990-01-31", "A-123"
        ),
        external_ids=(ExternalId("erp", "7"), ExternalId("shop", "x")), industry="教育", province="上海",
        city="上海", tags=("vip", "a/b"), source_channel="百度SEM",
    )  # fmt: skip
    record(app, me, Company("海风餐饮", "91310000MA1K00000X", ("02160001234",), (), "浦东路2号", "small"))
    person, company = Desk(app, me).exported(source="erp")
    expected = {
        "kind": "person", "external_id": "7", "external_ids": ["erp:7", "shop:x"], "industry": "教育",
        "person.full_name": "王小明", "person.phones": ["+8613800138000", "+8613900139000"],
        "person.emails": ["w@example.com"], "person.street_address": "解放路1号", "tags": ["a/b", "vip"],
        "person.birth_date": "1990-01-31", "person.identity_number": "A-123", "company.name": "",
        "company.phones": [], "source_channel": "百度SEM", "province": "上海", "city": "上海",
        "owner_id": me.id, "collaborator_ids": [],
    }  # fmt: skip
    assert person | expected == person
    assert company["company.name"] == "海风餐饮"
    assert company["company.size"] == "small"
    assert company["person.full_name"] == ""
    assert company["person.phones"] == []


def test_whoever_may_not_read_personal_fields_gets_them_masked(app: CustomerApp) -> None:
    me = user()
    record(app, me, Person("王小明", ("13800138000",), identity_number="A-123"))
    [row] = Desk(app, me).exported(fields=["person.full_name", "person.phones", "person.identity_number"])
    assert row == {
        "person.full_name": "王小明",
        "person.phones": ["138****8000"],
        "person.identity_number": "***",
    }


def test_only_what_one_reaches_is_exported(app: CustomerApp) -> None:
    """What one may read but not export stays, and the other way round."""
    me, colleague = user(Scope.OWN), user(Scope.OWN)
    mine = record(app, me, Person("王小明"))
    record(app, colleague, Person("李雷"))
    reader = Principal(PrincipalKind.USER, me.id, {**me.grants, "customer.customers.read": Scope.ALL})
    exporter = Principal(PrincipalKind.USER, me.id, {**me.grants, "customer.customers.export": Scope.ALL})
    for principal in (me, reader, exporter):
        assert Desk(app, principal).exported(fields=["id"]) == [{"id": str(mine)}]


def test_deleted_customers_stay_and_merged_ones_go_through_their_survivor(app: CustomerApp) -> None:
    me = user(Scope.ALL, "personal.read")
    survivor, absorbed, deleted = people(app, me, 3)
    with app.work(me) as work:
        merge_customers(work, survivor, [absorbed])
        delete_customer(work, deleted, "")
    assert Desk(app, me).exported(fields=["id", "person.phones"]) == [
        {"id": str(survivor), "person.phones": ["+8613800130000", "+8613800130001"]}
    ]


def test_a_filter_chooses_and_a_wrong_one_is_refused(app: CustomerApp) -> None:
    me = user()
    record(app, me, Person("王小明"), city="上海")
    record(app, me, Person("李雷"), city="北京")
    desk = Desk(app, me)
    assert desk.exported(filter='city == "北京"', fields=["person.full_name"]) == [
        {"person.full_name": "李雷"}
    ]
    with pytest.raises(Invalid) as refused:
        desk.start(filter="phone == 1")
    assert [v.field for v in refused.value.violations] == ["filter"]


@pytest.mark.parametrize(
    ("more", "broken"),
    [
        ({"reason": "  x "}, ("reason", "REASON")),
        ({"format": 0}, ("format", "REQUIRED")),
        ({"format": 77}, ("format", "REQUIRED")),
        ({"fields": ["person.salary"]}, ("fields[0]", "UNKNOWN_FIELD")),
        ({"fields": ["id", "city", "id"]}, ("fields[2]", "REPEATED")),
        ({"fields": ["external_id"]}, ("source", "REQUIRED")),
        ({"fields": ["id"] * 10_000}, ("fields", "TOO_MANY")),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(app: CustomerApp, more: Any, broken: Any) -> None:
    with pytest.raises(Invalid) as refused:
        Desk(app, user()).start(**more)
    assert [(v.field, v.rule) for v in refused.value.violations] == [broken]


def test_raw_cells_need_a_right_of_their_own(app: CustomerApp) -> None:
    with pytest.raises(PermissionDenied):
        Desk(app, user()).start(raw=True)
    assert Desk(app, user(Scope.ALL, "exports.raw")).start(raw=True).raw


def test_a_rehearsal_counts_and_starts_nothing(app: CustomerApp) -> None:
    me = user()
    people(app, me, 3)
    desk = Desk(app, me)
    assert desk.start(validate_only=True).rows_total == 3
    assert list(desk.ask("list_exports", pb.ListExportsRequest()).exports) == []


@pytest.mark.parametrize("format", [pb.EXPORT_FORMAT_CSV, pb.EXPORT_FORMAT_XLSX, pb.EXPORT_FORMAT_JSONL])
@pytest.mark.usefixtures("small_pages")
def test_a_file_is_the_same_however_often_its_process_ends(app: CustomerApp, format: Any) -> None:
    me = user()
    people(app, me, 7)
    desk = Desk(app, me)
    whole, cut = desk.start(format=format), desk.start(format=format)
    ends = 0
    while "EXPORT_STATE_RUNNING" in (desk.state(whole.id), desk.state(cut.id)):
        try:
            run(app, stop_after=1 + ends % 3)
        except JobAborted:
            ends += 1
    assert ends > 2
    assert desk.file(whole.id) == desk.file(cut.id)


@pytest.mark.usefixtures("small_pages")
def test_a_small_export_does_not_wait_for_a_large_one(app: CustomerApp) -> None:
    me = user()
    people(app, me, 5)
    record(app, me, Person("李雷"), city="北京")
    desk = Desk(app, me)
    large = desk.start()
    with pytest.raises(JobAborted):
        run(app, stop_after=2)
    small = desk.start(filter='city == "北京"')
    with pytest.raises(JobAborted):
        run(app, stop_after=2)
    assert (desk.state(large.id), desk.state(small.id)) == ("EXPORT_STATE_RUNNING", "EXPORT_STATE_DONE")


def test_the_manifest_certifies_the_file_and_who_took_it_why(app: CustomerApp) -> None:
    me = user()
    people(app, me, 2)
    desk = Desk(app, me)
    export = desk.start(filter='kind == "person"', fields=["id", "city"], format=pb.EXPORT_FORMAT_CSV)
    run(app)
    signed = desk.ask("get_export_manifest", pb.GetExportManifestRequest(id=export.id))
    key: Any = load_pem_public_key(desk.ask("get_export_key", pb.GetExportKeyRequest()).pem.encode())
    key.verify(signed.signature, signed.manifest)
    with pytest.raises(InvalidSignature):
        key.verify(signed.signature, signed.manifest.replace(b'"rows":2', b'"rows":1'))
    said = json.loads(signed.manifest)
    file = desk.file(export.id)
    assert said["sha256"] == hashlib.sha256(file).hexdigest()
    assert said | {
        "rows": 2, "size": len(file), "exporter_id": me.id, "approver_id": "", "fields": ["id", "city"],
        "filter": 'kind == "person"', "reason": "quarterly review", "raw": False,
    } == said  # fmt: skip


def test_it_is_told_who_took_how_many_and_audited(app: CustomerApp) -> None:
    me = user(Scope.ALL, "personal.read")
    people(app, me, 2)
    desk = Desk(app, me)
    export = desk.start()
    run(app)
    desk.file(export.id)
    event = "crm.customer.v1.CustomersExported"
    [row] = app.reader.rows("select body from outbox where type = %s", (event,))
    told = json.loads(row.body)
    same_shape(told, *promised(event))
    assert told["data"] == {
        "exportId": export.id, "exporterId": me.id, "customers": 2, "personal": True, "format": "jsonl",
    }  # fmt: skip
    rows = app.reader.rows(
        "select action, facts from audit where object_id = %s order by at, id", (export.id,)
    )
    assert [row.action for row in rows] == ["start", "export", "download"]
    assert rows[0].facts["reason"] == "quarterly review"


def test_only_who_asked_for_a_file_gets_it(app: CustomerApp) -> None:
    people(app, me := user(), 1)
    export = Desk(app, me).start()
    run(app)
    assert refusal(Desk(app, user()), export.id) == "EXPORT_NOT_FOUND"


def test_a_file_lies_sealed_and_is_gone_after_seven_days(app: CustomerApp, clock: FixedClock) -> None:
    me = user(Scope.ALL, "personal.read")
    people(app, me, 1)
    desk = Desk(app, me)
    export = desk.start()
    run(app)
    [chunk] = app.reader.rows("select sealed from export_chunks where export_id = %s", (export.id,))
    assert b"1380013" in desk.file(export.id)
    assert b"1380013" not in chunk.sealed
    clock.instant += timedelta(days=7)
    handlers: Any = {EXPORT_EXPIRES: destroy_exports}
    fire_due(app, handlers, clock.now())
    assert desk.state(export.id) == "EXPORT_STATE_EXPIRED"
    assert refusal(desk, export.id) == "EXPORT_EXPIRED"
    assert app.reader.rows("select 1 from export_chunks where export_id = %s", (export.id,)) == []
    assert app.keyring.keys([UUID(export.id)], "file") == {}


@pytest.mark.usefixtures("small_pages")
def test_a_cancelled_export_leaves_nothing(app: CustomerApp) -> None:
    me = user()
    people(app, me, 5)
    desk = Desk(app, me)
    export = desk.start()
    with pytest.raises(JobAborted):
        run(app, stop_after=1)
    assert app.reader.rows("select 1 from export_chunks where export_id = %s", (export.id,))
    desk.ask("cancel_export", pb.CancelExportRequest(id=export.id))
    run(app)
    assert desk.state(export.id) == "EXPORT_STATE_CANCELLED"
    assert app.reader.rows("select 1 from export_chunks where export_id = %s", (export.id,)) == []
    assert refusal(desk, export.id) == "EXPORT_STATE"


def test_any_offset_of_a_file_can_be_read_again(app: CustomerApp) -> None:
    me = user()
    people(app, me, 3)
    desk = Desk(app, me)
    export = desk.start()
    run(app)
    whole = desk.file(export.id)
    for offset in (0, 1, len(whole) - 1, len(whole)):
        chunk = desk.ask("download_export", pb.DownloadExportRequest(id=export.id, offset=offset))
        assert chunk.data == whole[offset:]
        assert chunk.next_offset == len(whole)
    for offset in (-1, len(whole) + 1, 2**62):
        with pytest.raises(Invalid):
            desk.ask("download_export", pb.DownloadExportRequest(id=export.id, offset=offset))
