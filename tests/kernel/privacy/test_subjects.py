"""Whose data must rest is asked; whose is gone is remembered without being known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from kernel.pure.ids import new_id
from kernel.sql import subjects
from kernel.sql.app import App
from kernel.sql.subjects import SubjectRestricted
from kernel.sql.uow import UnitOfWork

Work = Callable[[], UnitOfWork]


def test_the_newest_word_on_a_person_counts_whatever_the_order(app: App, work: Work) -> None:
    one, other = new_id(), new_id()
    with work() as open_work:
        subjects.restrict(open_work.session, [(one, 2, True), (one, 1, False), (other, 1, True)])
        subjects.restrict(open_work.session, [(other, 2, False), (one, 1, False)])
    assert subjects.restricted(app.reader, [one, other, new_id()]) == {one}


def test_use_of_restricted_data_is_refused(app: App, work: Work) -> None:
    one, other = new_id(), new_id()
    with work() as open_work:
        subjects.restrict(open_work.session, [(one, 1, True)])
    subjects.refuse_restricted(app.reader, [other])
    with pytest.raises(SubjectRestricted):
        subjects.refuse_restricted(app.reader, [other, one])


def test_late_events_about_an_erased_person_are_recognised_and_counted(app: App, work: Work) -> None:
    gone, living = new_id(), new_id()
    with work() as open_work:
        subjects.remember_erased(open_work, [gone], new_id())
        subjects.remember_erased(open_work, [gone], new_id())
    before = _dropped()
    with work() as open_work:
        assert subjects.drop_erased(open_work, "sales.test", [gone, living]) == {gone}
    assert _dropped() - before == 1


def test_the_tombstone_does_not_tell_who_it_was(app: App, work: Work) -> None:
    gone = new_id()
    with work() as open_work:
        subjects.remember_erased(open_work, [gone], new_id())
    [row] = app.reader.rows("select mac from erased_subjects")
    assert gone.bytes != bytes(row.mac)
    assert len(row.mac) == 16


def _dropped() -> float:
    return REGISTRY.get_sample_value("erased_subject_events_total", {"handler": "sales.test"}) or 0.0
