"""Importing as the job does it: 100 rows first, then the file, on behalf of who started it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from customer.domain.importing.runs import Import, State
from customer.jobs.import_customers import import_customers
from customer.wiring import CustomerApp
from kernel.jobs.job import Running
from kernel.pure.errors import Unavailable
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from tests.customer.conftest import seller
from tests.customer.importing.people import RIGHTS, confirmed, csv_of, importer, rows_of, started, worked_on


def after(app: CustomerApp, import_id: UUID) -> Import:
    with app.work(Principal.service("customer")) as work:
        return work.imports.hold(import_id)


def count(app: CustomerApp, table: str) -> int:
    return int(app.reader.rows(f"select count(*) as n from {table}")[0].n)


def test_a_hundred_rows_are_stored_and_the_rest_waits_for_a_word(app: CustomerApp) -> None:
    me = importer()
    begun = started(app, me, csv_of(rows_of(2200, 120)))
    worked_on(app)
    tried = after(app, begun.id)
    assert (tried.state, tried.counts.read, count(app, "customers")) == (State.TRIAL_DONE, 100, 100)


def test_every_row_is_stored_merged_unchanged_or_reported(app: CustomerApp) -> None:
    me = importer()
    rows = rows_of(2201, 150)
    wrong = [("w1", "", *rows[0][2:]), ("w2", "王五", "1", "", "", "", "", "", "")]
    begun = started(app, me, csv_of([*rows, rows[7], *wrong]))
    worked_on(app)
    confirmed(app, me, begun.id)
    worked_on(app)
    done = after(app, begun.id)
    counts = done.counts
    assert (done.state, counts.read, counts.unchanged, counts.refused) == (
        State.DONE,
        len(rows) + 3,
        1,
        # Some of the generator's own rows hold what is no phone or e-mail address.
        2 + len(rows) - counts.created - counts.merged,
    )
    assert count(app, "customers") == counts.created + counts.merged
    refused = app.reader.rows("select line from import_rows where outcome = 'refused' order by line")
    assert [row.line for row in refused][-2:] == [len(rows) + 3, len(rows) + 4]


def test_a_file_brought_in_twice_changes_nothing_the_second_time(app: CustomerApp) -> None:
    me = importer()
    data = csv_of(rows_of(2202, 60))
    for _ in range(2):
        begun = started(app, me, data)
        worked_on(app)
        confirmed(app, me, begun.id)
        worked_on(app)
    again = after(app, begun.id)
    assert again.counts.unchanged == again.counts.read - again.counts.refused
    assert (again.counts.created, again.counts.merged) == (0, 0)


def gone(principal: Principal) -> Principal:
    return replace(principal, grants={})


def narrowed(principal: Principal) -> Principal:
    return replace(principal, grants={**RIGHTS, "customer.customers.import": Scope.OWN})


def merging_no_more(principal: Principal) -> Principal:
    return replace(principal, grants={"customer.customers.import": Scope.ALL})


@pytest.mark.parametrize("present", [gone, narrowed, merging_no_more])
def test_who_may_not_import_any_more_is_stopped_before_the_next_step(
    app: CustomerApp, present: Callable[[Principal], Principal]
) -> None:
    """The right is gone, or reaches no more the one who was to own the customers, or what was asked for
    needs another right that is gone."""
    me = importer()
    begun = started(app, me, csv_of(rows_of(2203, 120)), owner_id=new_id())
    worked_on(app)
    confirmed(app, me, begun.id)
    import_customers(Running(app, 1, lambda: False, present))
    stopped = after(app, begun.id)
    assert (stopped.state, stopped.error) == (State.FAILED, "IMPORT_FORBIDDEN")
    assert count(app, "customers") == stopped.counts.read == 100


class Away(Unavailable):
    reason = "AWAY"


def test_an_import_waits_while_nobody_can_say_what_its_owner_may_do(app: CustomerApp) -> None:
    def away(_: Principal) -> Principal:
        raise Away

    begun = started(app, importer(), csv_of(rows_of(2204, 5)))
    with pytest.raises(Away):
        import_customers(Running(app, 1, lambda: False, away))
    assert after(app, begun.id).state is State.TRIAL_RUNNING
    worked_on(app)
    assert after(app, begun.id).state is State.TRIAL_DONE


def test_rows_of_somebody_who_reaches_only_their_own_belong_to_them(app: CustomerApp) -> None:
    me = replace(seller(), grants=dict.fromkeys(RIGHTS, Scope.OWN))
    started(app, me, csv_of(rows_of(2205, 3)))
    worked_on(app)
    assert {str(row.owner_id) for row in app.reader.rows("select owner_id from customers")} == {me.id}
