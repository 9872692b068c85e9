"""What was exported for programs imports again with nothing changed, and what was for people as well."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from crm.customer.v1 import export_service_pb2 as pb
from customer.domain.customer import Company, ExternalId, Person
from customer.domain.exporting.fields import BY_NAME
from customer.domain.importing.mapping import suggest
from customer.jobs.import_customers import import_customers
from customer.usecases.imports.start_import import confirm_import
from customer.wiring import CustomerApp
from kernel.jobs.job import Running
from kernel.pure.clock import FixedClock
from kernel.pure.grants import Principal, Scope
from tests.customer.exporting.desk import Desk, record, run, user
from tests.customer.importing.people import begun, read, uploaded
from tests.support.services import service

PEOPLE = (
    Person("王小明", ("13800138000", "13900139000"), ("a/b@example.com",), "=解放路1号, 3室", "1990-01-31"),
    Person("Anne-Marie O'Neil", ("+14155552671",), ("anne@example.com", "o.neil@example.com")),
    Person('"Quoted" Name', (), (), '第1行;第2行 "东"'),
    Person("@夏洛特", ("+8613800138002",)),
)  # fmt: skip
TAGS = (("vip", "a/b", 'x"y'), (), ("重点、客户",), ("+1",))
# The columns that an import knows, by kind.
SHARED = ("external_id", "industry", "source_channel", "province", "city", "tags")
FIELDS = {
    kind: [name for name in BY_NAME if name in SHARED or name.startswith(f"{kind}.")]
    for kind in ("person", "company")
}
FORMATS = [(pb.EXPORT_FORMAT_CSV, "csv"), (pb.EXPORT_FORMAT_XLSX, "xlsx")]
RIGHTS = ("personal.read", "customers.import", "exports.raw")


def bring_in(app: CustomerApp, me: Principal, name: str, data: bytes, kind: str) -> Any:
    """Imports a file by the mapping that is suggested; answers the counts."""
    upload = uploaded(app, me, data, name)
    read(app)
    started = begun(app, me, upload, kind, merge=False)
    import_customers(Running(app, 1, lambda: False))
    with app.work(me) as work:
        confirm_import(work, started.id)
    import_customers(Running(app, 1, lambda: False))
    return app.reader.row("select * from imports where id = %s", (started.id,))


def take_out(app: CustomerApp, me: Principal, format: Any, raw: bool, kind: str) -> bytes:
    desk = Desk(app, me)
    export = desk.start(format=format, raw=raw, source="erp", filter=f'kind == "{kind}"', fields=FIELDS[kind])
    run(app)
    return desk.file(export.id)


def said(app: CustomerApp, me: Principal, kind: str) -> list[dict[str, Any]]:
    """What is known of everybody, by their ids in the ERP."""
    lines = take_out(app, me, pb.EXPORT_FORMAT_JSONL, True, kind).splitlines()
    return sorted(map(json.loads, lines), key=lambda row: str(row["external_id"]))


@pytest.fixture
def full(app: CustomerApp) -> tuple[CustomerApp, Principal]:
    me = user(Scope.ALL, *RIGHTS)
    for number, (person, tags) in enumerate(zip(PEOPLE, TAGS, strict=True)):
        ids = (ExternalId("erp", f"00{number}"),)
        record(app, me, person, external_ids=ids, tags=tags, industry="教育", province="上海", city="上海")
    company = Company(
        "海风餐饮", "91310000MA1K00000X", ("02160001234",), ("a@example.com",), "浦东路2号", "small"
    )
    record(app, me, company, external_ids=(ExternalId("erp", "c1"),), source_channel="百度SEM")
    return app, me


@pytest.mark.parametrize(("format", "ending"), FORMATS)
@pytest.mark.parametrize("kind", ["person", "company"])
def test_a_file_that_comes_back_changes_nothing(
    full: tuple[CustomerApp, Principal], format: Any, ending: str, kind: str
) -> None:
    app, me = full
    before = said(app, me, kind)
    data = take_out(app, me, format, True, kind)
    counts = bring_in(app, me, f"back.{ending}", data, kind)
    assert (counts.rows_created, counts.rows_refused, counts.rows_unchanged) == (0, 0, len(before))
    assert said(app, me, kind) == before


@pytest.mark.parametrize("kind", ["person", "company"])
def test_a_file_makes_the_same_customers_elsewhere(
    full: tuple[CustomerApp, Principal], clock: FixedClock, kind: str
) -> None:
    app, me = full
    with service(CustomerApp, clock) as elsewhere:
        for number, (format, ending) in enumerate(FORMATS):
            data = take_out(app, me, format, True, kind)
            counts = bring_in(elsewhere, me, f"there.{ending}", data, kind)
            assert (counts.rows_refused, counts.rows_unchanged > 0) == (0, number > 0)
            assert said(elsewhere, me, kind) == said(app, me, kind)


def test_a_file_for_people_names_its_columns_as_an_import_understands_them(
    full: tuple[CustomerApp, Principal],
) -> None:
    app, me = full
    data = take_out(app, me, pb.EXPORT_FORMAT_CSV, False, "person")
    header = next(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    suggested = {column.name: column.field for column in suggest(header, [], None)}
    wanted = {
        "客户编号": "external_id", "姓名": "person.full_name", "手机": "person.phones",
        "邮箱": "person.emails", "详细地址": "person.street_address", "出生日期": "person.birth_date",
        "证件号码": "person.identity_number", "所属行业": "industry", "来源渠道": "source_channel",
        "省份": "province", "城市": "city", "标签": "tags",
    }  # fmt: skip
    assert suggested | wanted == suggested
