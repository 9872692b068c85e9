"""Rows that are, or may be, known customers: merged where the importer may, reported and audited."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from crm.customer.v1 import import_service_pb2 as pb
from customer.api.imports import ImportServicer
from customer.domain.customer import Person, Profile
from customer.domain.errors import DuplicateCustomer
from customer.jobs.import_customers import destroy_reports
from customer.usecases.create_customers import create_customer
from customer.usecases.ports import REPORT_EXPIRES
from customer.wiring import CustomerApp
from kernel.pure.errors import PermissionDenied
from kernel.pure.grants import Principal, Scope
from kernel.rpc.call import Call
from kernel.sql.timers import Timer
from tests.customer.conftest import NOON, seller
from tests.customer.duplicates.people import Team, team
from tests.customer.importing.people import RIGHTS, csv_of, importer, started, worked_on
from tests.support.servers import eventually

WANG = Person("王小明", phones=("+8613800000001",), birth_date="1980-01-02")
# The same, somebody of the same phone and birthday, and somebody else.
ROWS = (
    ("1", "王小明", "13800000001", "", "1980-01-02", "", "", "", ""),
    ("2", "王小红", "13800000001", "", "1980-01-02", "", "", "", ""),
    ("3", "李雷", "13900000009", "", "1990-03-04", "", "", "", ""),
)


def of(a_team: Team, scope: Scope = Scope.TEAM) -> Principal:
    """The seller of a team as one who imports."""
    return replace(a_team.seller, grants=dict.fromkeys(RIGHTS, scope))


def known(app: CustomerApp, principal: Principal) -> UUID:
    with app.work(principal) as work:
        return create_customer(work, Profile(WANG), allow_duplicate=True).id


def report(app: CustomerApp, me: Principal, import_id: UUID) -> list[Any]:
    request = pb.ListImportRowsRequest(import_id=str(import_id), page_size=200)
    return list(ImportServicer(app).list_import_rows(request, _call(me)).rows)


def _call(me: Principal) -> Call:
    return Call(me, "en", "", lambda kind, ids: None)


def imported(app: CustomerApp, me: Principal, *, merge: bool = True) -> UUID:
    run = started(app, me, csv_of(ROWS), merge=merge)
    worked_on(app)
    return run.id


def survivors(app: CustomerApp) -> set[UUID]:
    return {r.survivor_id for r in app.reader.rows("select survivor_id from customers")} - {None}


def test_who_may_not_merge_starts_no_import_that_merges(app: CustomerApp) -> None:
    me = replace(importer(), grants={"customer.customers.import": Scope.ALL})
    with pytest.raises(PermissionDenied) as refused:
        started(app, me, csv_of(ROWS))
    assert refused.value.metadata == {"permission": "customer.customers.merge"}
    assert started(app, me, csv_of(ROWS), merge=False)


@pytest.mark.parametrize("narrow", ["read", "merge"])
def test_rows_are_merged_only_into_whom_the_importer_may_read_and_merge(
    app: CustomerApp, narrow: str
) -> None:
    north, south = team(app), team(app)
    known(app, north.seller)
    me = of(south, Scope.ALL)
    me = replace(me, grants={**me.grants, f"customer.customers.{narrow}": Scope.TEAM})
    import_id = imported(app, me)
    assert survivors(app) == set()
    assert [row.team_id for row in report(app, me, import_id)] == [str(north.id)] * 2


def test_of_other_teams_customers_the_report_tells_only_whose_they_are(app: CustomerApp) -> None:
    north, south = team(app), team(app)
    known(app, north.seller)
    me = of(south)
    told = report(app, me, imported(app, me, merge=False))
    assert [(row.line, row.outcome, row.team_id) for row in told] == [
        (2, pb.ROW_OUTCOME_SUSPECTED, str(north.id)),
        (3, pb.ROW_OUTCOME_SUSPECTED, str(north.id)),
    ]
    assert not any(row.customer_id or row.reasons for row in told)
    assert str(north.seller.id) not in str(told)


def test_no_more_than_sixty_customers_of_other_teams_are_told_a_minute(app: CustomerApp) -> None:
    north, south = team(app), team(app)
    phones = [f"+86138{number * 1_234_567 % 10**8:08}" for number in range(80)]
    for phone in phones:
        with app.work(north.seller) as work:
            create_customer(work, Profile(Person("王小明", phones=(phone,))), allow_duplicate=True)
    rows = [(str(n), "王小明", phone[3:], "", "", "", "", "", "") for n, phone in enumerate(phones)]
    me = of(south)
    run = started(app, me, csv_of(rows), merge=False)
    worked_on(app)
    assert len(report(app, me, run.id)) == 60


def test_the_report_says_why_a_row_is_or_may_be_somebody(app: CustomerApp) -> None:
    me = importer()
    wang = known(app, me)
    rows = {row.line: row for row in report(app, me, imported(app, me))}
    assert {*rows} == {2, 3}
    merged, suspected = rows[2], rows[3]
    assert (merged.outcome, merged.customer_id) == (pb.ROW_OUTCOME_MERGED, str(wang))
    assert {(reason.field, reason.level) for reason in merged.reasons} >= {("phone", "exact")}
    assert (suspected.outcome, suspected.customer_id) == (pb.ROW_OUTCOME_SUSPECTED, str(wang))
    assert {(reason.field, reason.level) for reason in suspected.reasons} >= {("phone", "exact")}


def test_the_report_is_downloaded_as_a_file_for_spreadsheets(app: CustomerApp) -> None:
    me = importer()
    wang = known(app, me)
    # A column whose name a spreadsheet would carry out stands behind the words of the problem's cell.
    bad = ("4", "", "13700000000", "", "", "", "", "", "")
    run = started(app, me, csv_of([*ROWS, bad]))
    worked_on(app)
    servicer, data, last = ImportServicer(app), b"", 0
    while True:
        request = pb.GetImportReportRequest(import_id=str(run.id), after_line=last)
        chunk = servicer.get_import_report(request, _call(me))
        if not chunk.data:
            break
        data, last = data + chunk.data, chunk.last_line
    titles, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    assert titles == ["line", "outcome", "customer_id", "team_id", "reasons", "problems"]
    assert [row[:3] for row in rows] == [
        ["2", "merged", str(wang)],
        ["3", "suspected", str(wang)],
        ["5", "refused", ""],
    ]
    assert "phone: exact" in rows[0][4]
    assert rows[2][5].startswith("姓名: ")


def test_reports_and_names_of_files_are_destroyed_after_a_week(app: CustomerApp) -> None:
    me = importer()
    known(app, me)
    run = started(app, me, csv_of(ROWS))
    worked_on(app)
    timer = app.reader.row("select due_at from timers where kind = %s", (REPORT_EXPIRES,))
    assert timer is not None
    assert timer.due_at == NOON + timedelta(days=7)
    with app.work(Principal.service("customer")) as work:
        destroy_reports(work, [Timer(REPORT_EXPIRES, str(run.id), timer.due_at, {})])
        work.uploads.destroy([run.upload_id])
    assert report(app, me, run.id) == []
    named = app.reader.row("select file_name from imports where id = %s", (run.id,))
    assert named is not None
    assert named.file_name == ""


def test_the_audit_of_a_step_names_everybody_it_was_about(app: CustomerApp) -> None:
    me = importer()
    wang = known(app, me)
    import_id = imported(app, me)
    row = app.reader.row("select object_id, facts from audit where action = 'import'")
    assert row is not None
    assert row.object_id == str(import_id)
    stored = {str(r.id) for r in app.reader.rows("select id from customers")}
    assert {*row.facts["ids"]} == {str(import_id), *stored}
    linked = app.reader.rows("select id, survivor_id from customers where survivor_id is not null")
    assert row.facts["merges"] == {str(r.id): str(wang) for r in linked}
    assert len(linked) == 1


def waits(app: CustomerApp) -> Callable[[], bool]:
    return lambda: bool(
        app.reader.rows("select 1 as one from pg_locks where locktype = 'advisory' and not granted")
    )


def test_who_is_recorded_during_a_step_is_not_stored_twice(app: CustomerApp) -> None:
    """The step waits for one who is being recorded, and finds that one."""
    me = importer()
    started(app, me, csv_of(ROWS[:1]))
    job = threading.Thread(target=worked_on, args=(app,))
    with app.work(seller(Scope.ALL)) as work:
        wang = create_customer(work, Profile(WANG)).id
        job.start()
        eventually(waits(app))
    job.join()
    assert survivors(app) == {wang}


def test_who_is_to_be_recorded_during_a_step_is_compared_with_its_rows(app: CustomerApp) -> None:
    outcome: list[Exception] = []

    def record() -> None:
        try:
            known_or_new(app)
        except DuplicateCustomer as refused:
            outcome.append(refused)

    me = importer()
    recording = threading.Thread(target=record)
    with app.work(me) as work:
        work.matches.alone()
        recording.start()
        eventually(waits(app))
        create_customer(work, Profile(WANG), allow_duplicate=True)
    recording.join()
    assert len(outcome) == 1


def known_or_new(app: CustomerApp) -> None:
    with app.work(seller(Scope.ALL)) as work:
        create_customer(work, Profile(WANG))
