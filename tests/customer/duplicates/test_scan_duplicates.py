"""A scan finds who is in the archive twice, lists or merges them, and goes on after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import pytest
from procrastinate.exceptions import JobAborted

from customer.domain.customer import Person
from customer.domain.errors import PairNotFound
from customer.jobs.scan_duplicates import scan_duplicates
from customer.store import duplicate_queries as queries
from customer.usecases import scan_duplicates as scanning
from customer.usecases.dismiss_pair import dismiss_pair
from customer.usecases.merge_customers import merge_customers
from customer.usecases.scan_duplicates import start_scan
from customer.usecases.unmerge_customer import unmerge_customer
from customer.wiring import CustomerApp
from kernel.jobs.job import Running
from kernel.pure.grants import Principal, Scope
from kernel.sql import staff
from tests.customer.conftest import seller
from tests.customer.duplicates.people import EVERYBODY, WANG, known, team

HONG = replace(WANG, full_name="王小红")
LI = Person("李晓雷", phones=("+8613900000002",), emails=("li@example.com",), birth_date="1990-03-04")


def scan(app: CustomerApp, *, merge: bool = False, principal: Principal = EVERYBODY) -> UUID:
    with app.work(principal) as work:
        scan_id = start_scan(work, merge).id
    scan_duplicates(Running(app, 1, lambda: False), str(scan_id))
    return scan_id


def row(app: CustomerApp, scan_id: UUID, principal: Principal = EVERYBODY) -> object:
    return queries.get_scan(app.reader, principal, scan_id)


def pairs(
    app: CustomerApp, principal: Principal = EVERYBODY, decision: str = ""
) -> list[tuple[UUID, UUID, str]]:
    rows = queries.list_pairs(app.reader, principal, decision, None, 100)
    return [(r.first_id, r.second_id, r.decision) for r in rows]


def links(app: CustomerApp) -> dict[UUID, UUID]:
    rows = app.reader.rows("select id, survivor_id from customers where survivor_id is not null")
    return {r.id: r.survivor_id for r in rows}


@contextmanager
def batches_of(size: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(scanning, "_BATCH", size)
        yield


def test_pairs_are_listed_surest_first(app: CustomerApp) -> None:
    wang, hong, again, li = (known(app, one) for one in (WANG, HONG, WANG, LI))
    found = row(app, scan(app))
    assert pairs(app) == [(wang, again, "same"), (wang, hong, "possible"), (hong, again, "possible")]
    assert pairs(app, decision="same") == [(wang, again, "same")]
    assert (found.state, found.customers_seen, found.customers_total) == ("done", 4, 4)  # type: ignore[attr-defined]
    assert (found.pairs_same, found.pairs_possible, found.merged) == (1, 2, 0)  # type: ignore[attr-defined]
    assert links(app) == {}
    assert li not in {i for pair in pairs(app) for i in pair[:2]}


def test_pages_continue_where_the_last_one_ended(app: CustomerApp) -> None:
    for _ in range(4):
        known(app, WANG)
    scan(app)
    paged, after = [], None
    while rows := queries.list_pairs(app.reader, EVERYBODY, "", after, 2):
        paged += [(r.first_id, r.second_id, r.decision) for r in rows]
        after = (rows[-1].score, rows[-1].first_id, rows[-1].second_id)
    assert paged == pairs(app)
    assert len(paged) == 6


def test_who_is_surely_the_same_is_merged_into_the_oldest(app: CustomerApp) -> None:
    wang, li, hong, wang_2, wang_3, li_2 = (known(app, one) for one in (WANG, LI, HONG, WANG, WANG, LI))
    found = row(app, scan(app, merge=True))
    assert links(app) == {wang_2: wang, wang_3: wang, li_2: li}
    assert (found.state, found.merged) == ("done", 3)  # type: ignore[attr-defined]
    assert pairs(app) == [(wang, hong, "possible")]


def test_batches_find_what_one_look_finds(app: CustomerApp, monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (WANG, LI, HONG, WANG, LI, WANG):
        known(app, one)
    scan(app)
    at_once = pairs(app)
    with app.engine.begin() as connection:
        connection.exec_driver_sql("truncate duplicate_pairs")
    with batches_of(2, monkeypatch):
        scan(app)
    assert pairs(app) == at_once


def test_a_killed_scan_goes_on_where_it_was(app: CustomerApp, monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (WANG, LI, HONG, WANG, LI, WANG):
        known(app, one)
    with app.work(EVERYBODY) as work:
        scan_id = start_scan(work, True).id
    with batches_of(2, monkeypatch):
        for _ in range(2):
            with pytest.raises(JobAborted):
                scan_duplicates(Running(app, 1, lambda: True), str(scan_id))
        halfway = row(app, scan_id)
        assert (halfway.state, halfway.customers_seen) == ("running", 4)  # type: ignore[attr-defined]
        scan_duplicates(Running(app, 1, lambda: False), str(scan_id))
    found = row(app, scan_id)
    assert (found.state, found.customers_seen, found.merged) == ("done", 6, 3)  # type: ignore[attr-defined]


def test_a_scan_reaches_as_far_as_who_started_it(app: CustomerApp) -> None:
    north, south = team(app), team(app)
    known(app, WANG, south.seller)
    first, second = known(app, WANG, north.seller), known(app, WANG, north.seller)
    scan_id = scan(app, merge=True, principal=north.seller)
    assert links(app) == {second: first}
    assert row(app, scan_id, north.seller).customers_total == 2  # type: ignore[attr-defined]
    assert row(app, scan_id, south.seller) is None


def test_pairs_show_to_those_who_reach_both(app: CustomerApp) -> None:
    north, south = team(app), team(app)
    known(app, WANG, north.seller)
    known(app, WANG, south.seller)
    scan(app)
    assert len(pairs(app)) == 1
    assert pairs(app, north.seller) == pairs(app, south.seller) == []


def test_a_scan_of_somebody_locked_out_meanwhile_fails(app: CustomerApp) -> None:
    north = team(app)
    user = north.seller.user_id
    assert user is not None
    with app.work(north.seller) as work:
        scan_id = start_scan(work, True).id
        staff.record_users(work.session, [(user, 2, north.id, True)])
    scan_duplicates(Running(app, 1, lambda: False), str(scan_id))
    assert row(app, scan_id).state == "failed"  # type: ignore[attr-defined]


def test_a_pair_somebody_dismissed_is_neither_shown_nor_merged(app: CustomerApp) -> None:
    wang, again = known(app, WANG), known(app, WANG)
    scan(app)
    with app.work(EVERYBODY) as work:
        dismissed = dismiss_pair(work, again, wang)
    assert (dismissed.first_id, dismissed.second_id, dismissed.decision) == (wang, again, "same")
    scan(app, merge=True)
    assert (pairs(app), links(app)) == ([], {})


@pytest.mark.parametrize("scope", [Scope.OWN, None])
def test_only_a_pair_within_reach_is_dismissed(app: CustomerApp, scope: Scope | None) -> None:
    wang, again = known(app, WANG), known(app, WANG)
    if scope is not None:
        scan(app)
    with pytest.raises(PairNotFound), app.work(EVERYBODY if scope is None else seller(scope)) as work:
        dismiss_pair(work, wang, again)


def test_who_was_taken_apart_is_not_merged_again_by_a_scan(app: CustomerApp) -> None:
    wang, again = known(app, WANG), known(app, WANG)
    scan(app, merge=True)
    with app.work(EVERYBODY) as work:
        unmerge_customer(work, again)
    scan(app, merge=True)
    assert (pairs(app), links(app)) == ([], {})
    with app.work(EVERYBODY) as work:
        merge_customers(work, wang, [again])
    assert links(app) == {again: wang}


def test_what_is_known_of_an_absorbed_customer_speaks_for_its_survivor(app: CustomerApp) -> None:
    survivor, absorbed, third = known(app, LI), known(app, WANG), known(app, WANG)
    with app.work(EVERYBODY) as work:
        merge_customers(work, survivor, [absorbed])
    scan(app)
    assert pairs(app) == [(survivor, third, "same")]


def test_a_chain_of_resemblances_is_not_one_person(app: CustomerApp) -> None:
    """The one in the middle is surely either of two who have nothing in common but a name."""
    phones, emails = ("+8613800000001", "+8613911112222"), ("w@example.com", "v@example.com")
    father = known(app, Person("王小明", phones[:1], emails[:1], birth_date="1950-01-02"))
    middle = known(app, Person("王小明", phones, emails))
    son = known(app, Person("王小明", phones[1:], emails[1:], birth_date="1981-12-13"))
    scan(app, merge=True)
    assert links(app) in ({middle: father}, {son: middle})


def test_of_scans_that_wait_one_runs_at_a_time(app: CustomerApp) -> None:
    with app.work(EVERYBODY) as work:
        start_scan(work, merge=False)
        start_scan(work, merge=False)
    jobs = app.reader.rows("select lock from jobs.procrastinate_jobs where task_name = 'scan_duplicates'")
    assert len(jobs) >= 2
    assert {job.lock for job in jobs} == {"scan_duplicates"}
