"""Who may let how much go, and in which order things happen to an export."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer.domain.exporting.errors import ExportExpired, OwnExport
from customer.domain.exporting.errors import ExportState as WrongState
from customer.domain.exporting.runs import KEPT_FOR, Export, Options, Page, Policy, State
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal, PrincipalKind
from kernel.pure.ids import new_id

NOW = datetime(2026, 6, 30, tzinfo=UTC)
OTHER, THIRD = new_id(), new_id()


def export(rows: int, allowance: int = 100) -> Export:
    me = Principal(PrincipalKind.USER, str(new_id()))
    options = Options("", ("id",), "csv", "a test", False, "", "en")
    made = Export(new_id(), me, options, State.RUNNING, rows, allowance, 1, NOW, NOW + KEPT_FOR)
    made.begin()
    return made


def page(rows: int, after: str = "") -> Page:
    return Page(after, f"{after}x", rows, b"." * rows, {}, at_end=False, personal=False)


@pytest.mark.parametrize(
    ("rows", "state"), [(100, State.RUNNING), (101, State.AWAITING_APPROVAL), (0, State.RUNNING)]
)
def test_more_rows_than_are_allowed_wait_for_approval(rows: int, state: State) -> None:
    assert export(rows).state is state


def test_somebody_else_approves() -> None:
    waiting = export(101)
    waiting.approve(OTHER)
    assert (waiting.state, waiting.approver_id) == (State.RUNNING, OTHER)


def test_nobody_decides_on_their_own_export() -> None:
    waiting = export(101)
    me = UUID(waiting.principal.id)
    with pytest.raises(OwnExport):
        waiting.approve(me)
    with pytest.raises(OwnExport):
        waiting.reject(me, NOW)
    assert waiting.state is State.AWAITING_APPROVAL


def test_a_service_without_a_person_approves_nothing() -> None:
    with pytest.raises(OwnExport):
        export(101).approve(None)


def test_what_was_rejected_is_not_approved_any_more() -> None:
    waiting = export(101)
    waiting.reject(OTHER, NOW)
    waiting.reject(OTHER, NOW)
    with pytest.raises(WrongState):
        waiting.approve(THIRD)
    with pytest.raises(WrongState):
        waiting.approve(OTHER)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_never_is_more_written_than_was_allowed_without_approval(pages: list[int]) -> None:
    """Customers may come to fit a filter while it is written."""
    running = export(rows=10)
    for rows in pages:
        if running.runnable:
            running.take(page(rows, running.after))
    assert running.rows_done <= 100
    assert running.runnable == (sum(pages) <= 100)


def test_once_approved_it_goes_on_where_it_stopped() -> None:
    running = export(rows=10)
    assert running.take(page(90))
    assert not running.take(page(20, "x"))
    assert (running.state, running.rows_done, running.rows_total) == (State.AWAITING_APPROVAL, 90, 110)
    running.approve(OTHER)
    assert running.take(page(20, "x"))
    assert running.rows_done == 110


def test_a_file_is_there_from_its_end_on_for_seven_days() -> None:
    running = export(rows=1)
    with pytest.raises(WrongState):
        running.require_file()
    running.finish(NOW + timedelta(hours=1))
    running.require_file()
    assert running.expires_at == NOW + timedelta(days=7, hours=1)
    running.expire(running.expires_at)
    with pytest.raises(ExportExpired):
        running.require_file()


def test_what_has_ended_is_not_cancelled() -> None:
    running = export(rows=1)
    running.finish(NOW)
    with pytest.raises(WrongState):
        running.cancel(NOW)


def test_a_policy_is_followed_by_its_next_version() -> None:
    assert Policy(3, 10_000).changed(500) == Policy(4, 500)
    with pytest.raises(Invalid):
        Policy(3, 10_000).changed(-1)
