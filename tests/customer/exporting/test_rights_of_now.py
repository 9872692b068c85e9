"""An export goes on, and its file is handed out, only while its exporter may still have all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from procrastinate.exceptions import JobAborted

from crm.customer.v1 import export_service_pb2 as pb
from customer.store import exporting
from customer.wiring import CustomerApp
from kernel.pure.errors import Unavailable
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from tests.customer.exporting.desk import Desk, people, refusal, run, user

Change = Callable[[Principal], Principal]


def _with(**scopes: Scope | None) -> Change:
    """Other scopes of some rights; None: without it."""

    def change(principal: Principal) -> Principal:
        grants = {**principal.grants, **{f"customer.{right}": scope for right, scope in changed.items()}}
        return replace(principal, grants={right: scope for right, scope in grants.items() if scope})

    changed = {right.replace("__", "."): scope for right, scope in scopes.items()}
    return change


def gone(principal: Principal) -> Principal:
    """As of somebody who was disabled."""
    return replace(principal, grants={})


def moved(principal: Principal) -> Principal:
    return replace(principal, team_id=new_id())


LESS: dict[str, Change] = {
    "nothing is left": gone,
    "the right to export is gone": _with(customers__export=None),
    "exporting reaches less": _with(customers__export=Scope.TEAM),
    "reading reaches less": _with(customers__read=Scope.OWN),
    "personal fields are masked": _with(personal__read=None),
    "personal fields are masked of others": _with(personal__read=Scope.OWN),
    "raw cells are not for them": _with(exports__raw=None),
    "the restricted are not for them": _with(restricted__read=None),
}
RIGHTS = ("personal.read", "exports.raw", "restricted.read")


def exporter(scope: Scope = Scope.ALL) -> Principal:
    return replace(user(scope, *RIGHTS), team_id=new_id())


def ended(desk: Desk, export_id: str) -> tuple[str, str]:
    answer = desk.ask("get_export", pb.GetExportRequest(id=export_id))
    return pb.ExportState.Name(answer.state), answer.error


@pytest.mark.parametrize("change", LESS.values(), ids=LESS)
def test_who_may_have_less_is_stopped_before_the_next_page(
    app: CustomerApp, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    monkeypatch.setattr(exporting, "PAGE_ROWS", 2)
    people(app, me := exporter(), 5)
    desk = Desk(app, me)
    export = desk.start(raw=True)
    with pytest.raises(JobAborted):
        run(app, stop_after=1)
    assert app.reader.rows("select 1 from export_chunks where export_id = %s", (export.id,))
    run(app, present=change)
    assert ended(desk, export.id) == ("EXPORT_STATE_FAILED", "发起导出的用户已无权导出这些数据。")
    assert app.reader.rows("select 1 from export_chunks where export_id = %s", (export.id,)) == []


def test_who_is_in_another_team_now_is_stopped_unless_teams_do_not_matter(app: CustomerApp) -> None:
    for scope, state in ((Scope.TEAM, "FAILED"), (Scope.OWN, "DONE"), (Scope.ALL, "DONE")):
        people(app, me := exporter(scope), 1)
        desk = Desk(app, me)
        export = desk.start()
        run(app, present=moved)
        assert desk.state(export.id) == f"EXPORT_STATE_{state}"


def test_rights_that_have_nothing_to_do_with_the_file_may_go(app: CustomerApp) -> None:
    people(app, me := exporter(), 1)
    desk = Desk(app, me)
    export = desk.start(fields=["id", "city"])
    fewer = _with(personal__read=None, exports__raw=None, customers__merge=None)
    run(app, present=fewer)
    assert desk.state(export.id) == "EXPORT_STATE_DONE"
    assert Desk(app, fewer(me)).file(export.id)


def test_who_may_have_more_gets_what_was_asked_for_then(app: CustomerApp) -> None:
    me, colleague = exporter(Scope.OWN), exporter()
    people(app, me, 1)
    people(app, colleague, 1)
    desk = Desk(app, me)
    export = desk.start()

    def promoted(principal: Principal) -> Principal:
        return replace(principal, grants=dict.fromkeys(principal.grants, Scope.ALL))

    run(app, present=promoted)
    assert desk.ask("get_export", pb.GetExportRequest(id=export.id)).rows_done == 1


@pytest.mark.parametrize("change", [gone, _with(customers__read=Scope.TEAM), _with(personal__read=None)])
def test_a_file_is_not_handed_out_to_who_may_have_less(app: CustomerApp, change: Change) -> None:
    people(app, me := exporter(), 1)
    export = Desk(app, me).start()
    run(app)
    assert Desk(app, me).file(export.id)
    assert refusal(Desk(app, change(me)), export.id) == "EXPORT_FORBIDDEN"


class Away(Unavailable):
    reason = "AWAY"


def test_an_export_waits_while_nobody_can_say_what_its_owner_may_do(app: CustomerApp) -> None:
    def away(_: Principal) -> Any:
        raise Away

    people(app, me := exporter(), 1)
    desk = Desk(app, me)
    export = desk.start()
    with pytest.raises(Away):
        run(app, present=away)
    assert desk.state(export.id) == "EXPORT_STATE_RUNNING"
    run(app)
    assert desk.state(export.id) == "EXPORT_STATE_DONE"
