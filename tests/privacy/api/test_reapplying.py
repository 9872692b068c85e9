"""After a restore everything that was erased since is erased again, and nothing that was not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.privacy.v1 import erasure_service_pb2 as rpc
from kernel.jobs.timers import fire_due
from kernel.pure.grants import Scope
from privacy.jobs.erase_subjects import watch_erasures
from privacy.usecases import reapply_erasures
from privacy.usecases.erase_subjects import WATCH
from privacy.usecases.ports import PersonRow
from privacy.wiring import PrivacyApp
from tests.privacy.api.test_erasures import (
    ITSELF,
    OFFICER,
    alone,
    begin,
    call,
    create,
    erase,
    get,
    to_the_end,
    told,
    verify,
)
from tests.privacy.conftest import NOON
from tests.privacy.people import merge, officer, person
from tests.support.api import Api, Refused

__all__ = ["alone"]
HOUR = timedelta(hours=1)


def reapply(api: Api, since: datetime, before: datetime | None = None, **more: Any) -> Any:
    request = rpc.ReapplyErasuresRequest(**more)
    request.closed_since.FromDatetime(since)
    if before is not None:
        request.closed_before.FromDatetime(before)
    return call(api, "ReapplyErasures", request)


def test_what_a_backup_brings_back_is_erased_again(api: Api, app: PrivacyApp) -> None:
    """All ids of the person, though nobody knows any more that they were merged."""
    one, other = person(app), person(app)
    merge(app, other, one)
    erasure_id = erase(api, app, one, one, other)
    before = get(api, erasure_id)
    with app.work(ITSELF) as work:
        work.persons.apply([PersonRow(one, 1, None), PersonRow(other, 1, None)])
    app.clock.instant = NOON + 5 * HOUR
    assert list(reapply(api, NOON - HOUR).ids) == [erasure_id]
    opened = get(api, erasure_id)
    assert (opened.state, opened.overdue) == (rpc.ERASURE_STATE_ERASING, False)
    assert [task.state for task in opened.tasks] == [rpc.TASK_STATE_PENDING]
    # The certificate from before stands meanwhile.
    held = call(api, "GetErasureCertificate", rpc.GetErasureCertificateRequest(id=erasure_id))
    [order] = told(app, "ErasureOrdered")
    assert order["subjectIds"] == sorted([str(one), str(other)])
    rest = told(app, "SubjectsRestricted")[-1]["subjects"]
    assert {item["subjectId"]: item["restricted"] for item in rest} == {str(one): True, str(other): True}
    to_the_end(app, one)
    closed = get(api, erasure_id)
    assert closed.state == rpc.ERASURE_STATE_CLOSED
    assert closed.close_time.ToDatetime() > before.close_time.ToDatetime()
    [task] = closed.tasks
    assert task.verified
    assert {row.table: row.rows for row in task.counts}["persons"] == 4
    assert not app.reader.rows("select from persons")
    renewed = call(api, "GetErasureCertificate", rpc.GetErasureCertificateRequest(id=erasure_id))
    assert renewed.document != held.document


def test_only_what_was_closed_since_the_backup_is_opened_again(api: Api, app: PrivacyApp) -> None:
    old = erase(api, app, person(app))
    app.clock.instant = NOON + HOUR
    recent = erase(api, app, person(app))
    open_one = create(api, person(app))
    verify(api, open_one)
    refused = create(api, person(app))
    request = rpc.RefuseErasureRequestRequest(id=refused, code=rpc.REFUSAL_CODE_LEGAL_DUTY, reason="税务稽查")
    call(api, "RefuseErasureRequest", request)
    app.clock.instant = NOON + 2 * HOUR
    assert list(reapply(api, NOON + HOUR).ids) == [recent]
    # Once more: it is open already.
    assert list(reapply(api, NOON + HOUR).ids) == []
    assert get(api, old).state == rpc.ERASURE_STATE_CLOSED
    assert get(api, open_one).state == rpc.ERASURE_STATE_VERIFIED


def test_many_are_opened_again_page_by_page_each_once(
    api: Api, app: PrivacyApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the first are closed again before the last are opened."""
    for module in (reapply_erasures, __import__("privacy.api.erasures", fromlist=["BATCH"])):
        monkeypatch.setattr(module, "BATCH", 2)
    closed = {erase(api, app, person(app)) for _ in range(5)}
    app.clock.instant = begun = NOON + HOUR
    opened: list[str] = []
    while True:
        answer = reapply(api, NOON, begun)
        opened += answer.ids
        app.clock.instant += HOUR
        to_the_end(app)
        if not answer.more:
            break
    assert sorted(opened) == sorted(closed)
    assert {get(api, one).state for one in closed} == {rpc.ERASURE_STATE_CLOSED}


def test_who_does_not_answer_is_told_again(api: Api, app: PrivacyApp) -> None:
    erasure_id = erase(api, app, person(app))
    app.clock.instant = NOON + HOUR
    reapply(api, NOON)
    app.clock.instant = NOON + 2 * HOUR
    fire_due(app, {WATCH: watch_erasures}, now=app.clock.instant)
    attempts = [order["attempt"] for order in told(app, "ErasureOrdered")]
    assert len(attempts) == 2
    assert attempts == sorted(set(attempts))
    to_the_end(app)
    assert get(api, erasure_id).state == rpc.ERASURE_STATE_CLOSED


def test_the_same_request_opens_once(api: Api, app: PrivacyApp) -> None:
    erase(api, app, person(app))
    app.clock.instant = NOON + HOUR
    again = {"request_id": "01980a5e-7c00-7000-8000-0000000000aa"}
    assert reapply(api, NOON, **again) == reapply(api, NOON, **again)


def test_it_needs_an_instant_of_the_past_and_the_right_to_erase(api: Api, app: PrivacyApp) -> None:
    for since in (None, NOON + HOUR):
        request = rpc.ReapplyErasuresRequest()
        if since:
            request.closed_since.FromDatetime(since)
        with pytest.raises(Refused) as refused:
            call(api, "ReapplyErasures", request)
        assert refused.value.fields == [("closed_since", "PERIOD")]
    seller = officer(Scope.ALL)
    reading = type(seller)(seller.kind, seller.id, {"privacy.erasures.read": Scope.ALL})
    with pytest.raises(Refused) as refused:
        call(api, "ReapplyErasures", rpc.ReapplyErasuresRequest(), reading)
    assert refused.value.code == "PERMISSION_DENIED"


def test_each_is_audited_and_noted(api: Api, app: PrivacyApp) -> None:
    erasure_id = erase(api, app, person(app))
    app.clock.instant = NOON + HOUR
    reapply(api, NOON)
    audited = app.reader.rows("select object_id, actor_id from audit where action = 'reopen_erasure'")
    assert audited == [(erasure_id, OFFICER.id)]
    noted = app.reader.rows("select erasure_id::text from erasure_log where what = 'reopened'")
    assert noted == [(erasure_id,)]


def test_one_that_was_begun_is_not_touched(api: Api, app: PrivacyApp) -> None:
    erasure_id = create(api, person(app))
    verify(api, erasure_id)
    begin(app, erasure_id)
    app.clock.instant = NOON + HOUR
    assert list(reapply(api, NOON - HOUR).ids) == []
