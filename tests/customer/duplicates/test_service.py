"""DuplicateService as its callers see it."""

from __future__ import annotations

from typing import Any

import pytest

from crm.customer.v1 import customer_pb2 as pb
from crm.customer.v1 import duplicate_service_pb2 as rpc
from crm.customer.v1.customer_service_pb2 import GetCustomerRequest
from customer.api.customers import CustomerServicer
from customer.api.duplicates import DuplicateServicer
from customer.domain.customer import Person
from customer.domain.errors import CustomerNotFound, ScanNotFound
from customer.jobs.scan_duplicates import scan_duplicates
from customer.wiring import CustomerApp
from kernel.jobs.job import Running
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from kernel.rpc.call import Call
from tests.customer.conftest import seller
from tests.customer.duplicates.people import EVERYBODY, WANG, known, team

ASKED = pb.Customer(person=pb.Person(full_name="王小明", phones=["13800000001"], birth_date="1980-01-02"))


def ask(app: CustomerApp, method: str, request: Any, principal: Principal = EVERYBODY) -> Any:
    """The answer of a command, committed."""
    with app.work(principal) as work:
        call = Call(principal, "en", "", lambda kind, ids: None, work)
        return getattr(DuplicateServicer(app), method)(request, call)


def read(app: CustomerApp, method: str, request: Any, principal: Principal = EVERYBODY) -> Any:
    return getattr(DuplicateServicer(app), method)(request, Call(principal, "en", "", lambda kind, ids: None))


def get(app: CustomerApp, customer_id: str, principal: Principal = EVERYBODY) -> pb.Customer:
    call = Call(principal, "en", "", lambda kind, ids: None)
    return CustomerServicer(app).get_customer(GetCustomerRequest(id=customer_id), call)


def test_a_match_within_reach_says_why(app: CustomerApp) -> None:
    wang = known(app, WANG)
    [match] = ask(app, "check_duplicates", rpc.CheckDuplicatesRequest(customer=ASKED)).matches
    assert (match.customer_id, match.decision, match.team_id) == (str(wang), rpc.MATCH_DECISION_SAME, "")
    assert ("phone", "exact") in {(reason.field, reason.level) for reason in match.reasons}
    assert match.score == pytest.approx(sum(reason.weight for reason in match.reasons))


def test_a_match_out_of_reach_says_only_whose_it_is(app: CustomerApp) -> None:
    north, south = team(app), team(app)
    known(app, WANG, north.seller)
    [match] = ask(app, "check_duplicates", rpc.CheckDuplicatesRequest(customer=ASKED), south.seller).matches
    assert match == rpc.DuplicateMatch(decision=rpc.MATCH_DECISION_SAME, team_id=str(north.id))


def test_merging_answers_the_survivor_with_all_that_is_known(app: CustomerApp) -> None:
    old = str(known(app, Person("王小明", phones=("+8613800000001",))))
    new = str(known(app, Person("小明", emails=("w@example.com",))))
    survivor = ask(app, "merge_customers", rpc.MergeCustomersRequest(survivor_id=old, absorbed_ids=[new]))
    assert (survivor.id, survivor.etag, survivor.person.full_name) == (old, "2", "王小明")
    assert len(survivor.person.emails) == 1
    assert get(app, new).id == old
    taken_out = ask(app, "unmerge_customer", rpc.UnmergeCustomerRequest(id=new))
    assert (taken_out.id, taken_out.person.full_name) == (new, "小明")
    assert get(app, new).id == new
    assert not get(app, old).person.emails


def test_whoever_reaches_the_survivor_reads_the_absorbed_one_through_it(app: CustomerApp) -> None:
    mine, other = seller(), seller()
    old, new = known(app, WANG, mine), known(app, WANG, other)
    request = rpc.MergeCustomersRequest(survivor_id=str(old), absorbed_ids=[str(new)])
    ask(app, "merge_customers", request)
    assert get(app, str(new), mine).id == str(old)
    with pytest.raises(CustomerNotFound):
        get(app, str(new), other)


def test_ids_that_are_none_are_named(app: CustomerApp) -> None:
    request = rpc.MergeCustomersRequest(survivor_id=str(new_id()), absorbed_ids=[str(new_id()), "7"])
    with pytest.raises(Invalid) as refused:
        ask(app, "merge_customers", request)
    assert [v.field for v in refused.value.violations] == ["absorbed_ids[1]"]


def test_a_scan_waits_for_the_jobs_process_and_tells_how_far_it_is(app: CustomerApp) -> None:
    first, second = known(app, WANG), known(app, WANG)
    started = ask(app, "start_duplicate_scan", rpc.StartDuplicateScanRequest(merge=True))
    assert (started.state, started.customers_total) == (rpc.SCAN_STATE_WAITING, 2)
    job = app.reader.row(
        "select args from jobs.procrastinate_jobs where task_name = 'scan_duplicates'"
        " order by id desc limit 1"
    )
    assert job == ({"scan_id": started.id},)
    scan_duplicates(Running(app, 1, lambda: False), started.id)
    ended = read(app, "get_duplicate_scan", rpc.GetDuplicateScanRequest(id=started.id))
    assert (ended.state, ended.customers_seen, ended.pairs_same, ended.merged) == (
        rpc.SCAN_STATE_DONE,
        2,
        1,
        1,
    )
    assert ended.HasField("end_time")
    assert get(app, str(second)).id == str(first)


def test_a_scan_that_fails_for_good_says_so(app: CustomerApp, monkeypatch: pytest.MonkeyPatch) -> None:
    started = ask(app, "start_duplicate_scan", rpc.StartDuplicateScanRequest())
    monkeypatch.setattr("customer.jobs.scan_duplicates.scan_step", lambda work, scan: 1 / 0)
    for attempt, state in ((4, rpc.SCAN_STATE_WAITING), (5, rpc.SCAN_STATE_FAILED)):
        with pytest.raises(ZeroDivisionError):
            scan_duplicates(Running(app, attempt, lambda: False), started.id)
        assert read(app, "get_duplicate_scan", rpc.GetDuplicateScanRequest(id=started.id)).state == state


def test_a_scan_of_somebody_else_is_not_there(app: CustomerApp) -> None:
    started = ask(app, "start_duplicate_scan", rpc.StartDuplicateScanRequest(), seller(Scope.TEAM))
    with pytest.raises(ScanNotFound):
        read(app, "get_duplicate_scan", rpc.GetDuplicateScanRequest(id=started.id), seller(Scope.TEAM))


def test_pairs_come_by_pages_and_are_dismissed(app: CustomerApp) -> None:
    for _ in range(3):
        known(app, WANG)
    started = ask(app, "start_duplicate_scan", rpc.StartDuplicateScanRequest())
    scan_duplicates(Running(app, 1, lambda: False), started.id)
    listed, token = [], ""
    while True:
        request = rpc.ListDuplicatePairsRequest(page_size=2, page_token=token)
        page = read(app, "list_duplicate_pairs", request)
        listed += page.pairs
        token = page.next_page_token
        if not token:
            break
    assert len({(pair.first_id, pair.second_id) for pair in listed}) == len(listed) == 3
    assert {pair.decision for pair in listed} == {rpc.MATCH_DECISION_SAME}
    [pair, *rest] = listed
    request = rpc.DismissDuplicatePairRequest(first_id=pair.second_id, second_id=pair.first_id)
    assert ask(app, "dismiss_duplicate_pair", request) == pair
    assert list(read(app, "list_duplicate_pairs", rpc.ListDuplicatePairsRequest()).pairs) == rest
    possible = rpc.ListDuplicatePairsRequest(decision=rpc.MATCH_DECISION_POSSIBLE)
    assert not read(app, "list_duplicate_pairs", possible).pairs
