"""Many rows leave only when two people agree."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm.customer.v1 import export_service_pb2 as pb
from customer.wiring import CustomerApp
from kernel.pure.clock import FixedClock
from kernel.pure.errors import CrmError
from kernel.pure.grants import Scope
from tests.customer.exporting.desk import Desk, allow, people, refusal, run, user


def test_many_rows_wait_for_somebody_else(app: CustomerApp) -> None:
    me, officer = user(), user(Scope.ALL, "exports.approve")
    people(app, me, 3)
    allow(app, 2)
    mine, theirs = Desk(app, me), Desk(app, officer)
    export = mine.start()
    run(app)
    assert mine.state(export.id) == "EXPORT_STATE_AWAITING_APPROVAL"
    waiting = theirs.ask("list_exports_to_approve", pb.ListExportsToApproveRequest()).exports
    assert [(one.id, one.rows_total, one.reason) for one in waiting] == [(export.id, 3, "quarterly review")]
    with pytest.raises(CrmError) as refused:
        mine.ask("approve_export", pb.ApproveExportRequest(id=export.id))
    assert refused.value.reason == "OWN_EXPORT"
    theirs.ask("approve_export", pb.ApproveExportRequest(id=export.id))
    run(app)
    done = mine.ask("get_export", pb.GetExportRequest(id=export.id))
    assert (done.rows_done, done.approver_id) == (3, officer.id)


def test_many_small_exports_count_together_for_a_day(app: CustomerApp, clock: FixedClock) -> None:
    me = user()
    people(app, me, 3)
    allow(app, 5)
    desk = Desk(app, me)
    states = [pb.ExportState.Name(desk.start().state) for _ in range(2)]
    assert states == ["EXPORT_STATE_RUNNING", "EXPORT_STATE_AWAITING_APPROVAL"]
    clock.instant += timedelta(hours=25)
    assert pb.ExportState.Name(desk.start().state) == "EXPORT_STATE_RUNNING"


def test_what_was_rejected_is_never_written(app: CustomerApp) -> None:
    me, officer = user(), user(Scope.ALL, "exports.approve")
    people(app, me, 3)
    allow(app, 2)
    desk = Desk(app, me)
    export = desk.start()
    Desk(app, officer).ask("reject_export", pb.RejectExportRequest(id=export.id))
    run(app)
    assert desk.state(export.id) == "EXPORT_STATE_REJECTED"
    assert refusal(desk, export.id) == "EXPORT_STATE"
