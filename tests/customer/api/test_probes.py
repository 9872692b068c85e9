"""100,000 questions about one customer each, by people who may or may not know of it: no answer leaks it.

Besides, each customer in a list is looked at, and each count is one question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any
from uuid import UUID

import pytest

from crm.customer.v1 import customer_service_pb2 as rpc
from crm.customer.v1 import duplicate_service_pb2 as dup
from crm.customer.v1 import group_service_pb2 as grp
from crm.customer.v1 import timeline_service_pb2 as tml
from customer.domain.errors import CustomerNotFound, PairNotFound
from customer.store import group_queries, queries, timeline
from customer.store.group_rules import Today
from customer.wiring import CustomerApp
from kernel.pure.clock import today
from kernel.sql.subjects import SubjectRestricted
from tests.customer.api.archive import (
    DELETE,
    EXPORT,
    INTERACT,
    MERGE,
    PERSONAL,
    READ,
    REVEAL,
    UPDATE,
    Archive,
    Caller,
    secrets,
)
from tests.customer.conftest import NOON

SEED = 20261124
CALLERS = 68
PROBES = 100_000


@pytest.fixture
def archive(app: CustomerApp) -> Iterator[Archive]:
    yield Archive(app, Random(SEED))
    with app.engine.begin() as connection:
        connection.exec_driver_sql("truncate staff, teams, duplicate_pairs")


class Probe:
    """Asks on behalf of one caller, and keeps what was wrong with the answers."""

    def __init__(self, archive: Archive, caller: Caller) -> None:
        self.archive, self.caller, self.app = archive, caller, archive.app
        self.client, self.desk = archive.client(caller), archive.desk(caller)
        # Questions about one customer, those of them that were answered, and customers seen in lists.
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.listed: Counter[str] = Counter()
        self.wrong: list[str] = []

    def look(self, way: str, customer_id: UUID, found: bool) -> None:
        """Of what a query has found: just who is to be seen."""
        self.asked[way] += 1
        self.answered[way] += found
        if found != (self.archive.root_of[customer_id] in self.caller.shown[READ]):
            self.wrong.append(f"{way} {'shows' if found else 'hides'} {customer_id}")

    def ask(
        self, ask: Callable[[str, Any], Any], method: str, request: Any, customer_id: UUID, permission: str
    ) -> None:
        """A question that must be refused as if the customer were not there when it is out of reach."""
        self.asked[method] += 1
        root = self.archive.root_of[customer_id]
        known = root in self.caller.shown[permission]
        try:
            answer = ask(method, request)
        except CustomerNotFound as refused:
            if known or refused.metadata != {"id": str(customer_id)}:
                self.wrong.append(f"{method} hides {customer_id}")
            return
        except SubjectRestricted:
            if known or root not in self.caller.reached[permission] & self.archive.restricted:
                self.wrong.append(f"{method} tells that {customer_id} rests")
            return
        self.answered[method] += 1
        if not known:
            self.wrong.append(f"{method} shows {customer_id}")
        if method != "reveal_customer":
            self.masked(method, answer, root)

    def items(self, way: str, found: Iterable[UUID], wanted: set[UUID]) -> None:
        """Each customer of a list is one that is wanted, and none is missing."""
        shown = list(found)
        self.listed[way] += len(shown)
        self.wrong += [f"{way} shows {one}" for one in shown if one not in wanted]
        self.wrong += [f"{way} hides {one}" for one in wanted.difference(shown)]

    def page(self, ask: Callable[[str, Any], Any], method: str, request: Any, wanted: set[UUID]) -> None:
        """All pages of a list of customers, each as masked as it must be."""
        found = []
        while True:
            answer = ask(method, request)
            for customer in answer.customers:
                found.append(UUID(customer.id))
                self.masked(method, customer, found[-1])
            request.page_token = answer.next_page_token
            if not request.page_token:
                break
        self.items(method, found, wanted)

    def count(self, way: str, counted: int, wanted: set[Any]) -> None:
        self.listed[way] += 1
        if counted != len(wanted):
            self.wrong.append(f"{way} counts {counted}, not {len(wanted)}")

    def masked(self, way: str, answer: Any, root: UUID) -> None:
        if root in self.caller.reached[PERSONAL]:
            return
        told = answer.SerializeToString()
        if any(secret in told for secret in self.archive.secrets[root]):
            self.wrong.append(f"{way} unmasks {root}")


def query_each(probe: Probe, chance: Random) -> None:
    """What answers are made of, about each customer."""
    app, who, ids = probe.app, probe.caller.principal, probe.archive.ids
    reader, zone, day = app.reader, app.clock.zone, Today(today(app.clock), app.clock.zone)
    group = group_queries.get_group(reader, who, probe.archive.group_id)
    for one in ids:
        probe.look("get", one, queries.get_customer(reader, who, one) is not None)
        probe.look("as of", one, queries.get_customer_as_of(reader, who, one, NOON) is not None)
        probe.look("versions", one, bool(queries.list_versions(reader, who, one, 9, 1)))
    for one in chance.sample(ids, 60):
        probe.look("timeline", one, timeline.list_timeline(reader, who, one, None, 5, zone) is not None)
        relations = timeline.list_relations(reader, who, one)
        probe.look("relations", one, relations is not None)
        _others(probe, probe.archive.root_of[one], relations or ())
        if probe.archive.root_of[one] not in probe.archive.restricted:
            explained = group_queries.explain(reader, who, group, one, day)
            probe.look("group member", one, explained is not None)


def _others(probe: Probe, root: UUID, relations: Iterable[Any]) -> None:
    found = [row.to_id if row.from_id == root else row.from_id for row in relations]
    known = probe.caller.shown[READ]
    probe.items("related", found, probe.archive.related[root] & known if root in known else set())


def ask_about_all(probe: Probe) -> None:
    archive, shown = probe.archive, probe.caller.shown
    known, ask, impersonal = shown[READ], probe.client.ask, rpc.CUSTOMER_FIELDS_IMPERSONAL
    undeleted = known | (probe.caller.reached[READ] & archive.deleted)
    probe.page(ask, "list_customers", rpc.ListCustomersRequest(page_size=200), known)
    probe.page(ask, "list_customers", rpc.ListCustomersRequest(page_size=200, show_deleted=True), undeleted)
    probe.page(ask, "list_customers", rpc.ListCustomersRequest(page_size=200, fields=impersonal), known)
    probe.page(ask, "search_customers", rpc.SearchCustomersRequest(page_size=200, text="王小明"), known)
    probe.count("count", ask("count_customers", rpc.CountCustomersRequest()).customers, known)
    exported, _, _ = archive.app.exporting.page(probe.caller.principal, "", "", personal=False)
    probe.items("export", (row.id for row in exported), known & shown[EXPORT])
    members = grp.ListGroupMembersRequest(group_id=str(archive.group_id), page_size=200)
    probe.page(probe.desk.ask, "list_group_members", members, archive.grouped & known)
    group = probe.desk.ask("get_group", grp.GetGroupRequest(id=str(archive.group_id)))
    probe.count("group", group.member_count, archive.grouped & known)
    preview = probe.desk.ask("preview_group", grp.PreviewGroupRequest(expression='city == "上海"'))
    probe.count("preview", preview.member_count, archive.grouped & known)
    _pairs(probe)


def _pairs(probe: Probe) -> None:
    pairs, token = [], ""
    while True:
        request = dup.ListDuplicatePairsRequest(page_size=200, page_token=token)
        answer = probe.desk.ask("list_duplicate_pairs", request)
        pairs += [(UUID(pair.first_id), UUID(pair.second_id)) for pair in answer.pairs]
        token = answer.next_page_token
        if not token:
            break
    probe.listed["pairs"] += len(pairs)
    if {*pairs} != {pair for pair in probe.archive.pairs if {*pair} <= probe.caller.shown[MERGE]}:
        probe.wrong.append("pairs")


def ask_about_some(probe: Probe, chance: Random) -> None:
    """Whole answers about one customer."""
    ids, ask, desk = probe.archive.ids, probe.client.ask, probe.desk.ask
    for one in chance.sample(ids, 25):
        text = str(one)
        probe.ask(ask, "get_customer", rpc.GetCustomerRequest(id=text), one, READ)
        probe.ask(ask, "get_customer_view", rpc.GetCustomerViewRequest(id=text), one, READ)
        probe.ask(desk, "list_timeline", tml.ListTimelineRequest(customer_id=text), one, READ)
    for one in chance.sample(ids, 6):
        _check_duplicates(probe, one)


def _check_duplicates(probe: Probe, one: UUID) -> None:
    """Somebody out of reach is told of by the team, and by nothing else."""
    root, archive = probe.archive.root_of[one], probe.archive
    request = dup.CheckDuplicatesRequest()
    request.customer.person.phones.append(secrets(archive.ids.index(one))[0])
    answer = probe.desk.ask("check_duplicates", request)
    told, found = answer.SerializeToString(), {match.customer_id for match in answer.matches}
    visible = root in probe.caller.shown[READ] - archive.restricted
    probe.asked["duplicates"] += 1
    probe.answered["duplicates"] += visible
    if (str(root) in found) != visible or (not visible and str(root).encode() in told):
        probe.wrong.append(f"duplicates tell of {root}")
    if bool(answer.matches) != (root not in archive.deleted | archive.restricted):
        probe.wrong.append(f"duplicates and {root}")


def command(probe: Probe, chance: Random) -> None:
    """Commands, of which those that change how customers stand only where they must be refused."""
    ask, desk, reached = probe.client.ask, probe.desk.ask, probe.caller.reached
    for one in chance.sample(sorted(probe.archive.roots), 10):
        text = str(one)
        change = rpc.UpdateCustomerRequest(customer={"id": text, "industry": f"{chance.random()}"})
        probe.ask(ask, "update_customer", change, one, UPDATE)
        probe.ask(
            ask, "reveal_customer", rpc.RevealCustomerRequest(id=text, reason="核对电话号码"), one, REVEAL
        )
        said = tml.RecordInteractionRequest(customer_id=text)
        said.interaction.kind, said.interaction.channel = tml.INTERACTION_KIND_VISIT, "visit"
        probe.ask(desk, "record_interaction", said, one, INTERACT)
        if one not in reached[DELETE]:
            probe.ask(ask, "delete_customer", rpc.DeleteCustomerRequest(id=text), one, DELETE)
            probe.ask(ask, "undelete_customer", rpc.UndeleteCustomerRequest(id=text), one, DELETE)
        if one not in reached[MERGE]:
            merge = dup.MergeCustomersRequest(
                survivor_id=text, absorbed_ids=[str(chance.choice(probe.archive.ids))]
            )
            if merge.absorbed_ids[0] != text:
                probe.ask(desk, "merge_customers", merge, one, MERGE)
            _dismiss(probe, one, chance)
    absorbed = [one for one, root in probe.archive.root_of.items() if one != root]
    for one in chance.sample(absorbed, 10):
        if probe.archive.root_of[one] not in reached[MERGE]:
            probe.ask(desk, "unmerge_customer", dup.UnmergeCustomerRequest(id=str(one)), one, MERGE)


def _dismiss(probe: Probe, one: UUID, chance: Random) -> None:
    pairs = sorted(pair for pair in probe.archive.pairs if one in pair)
    if not pairs:
        return
    first, second = map(str, chance.choice(pairs))
    probe.asked["dismiss_duplicate_pair"] += 1
    try:
        probe.desk.ask(
            "dismiss_duplicate_pair", dup.DismissDuplicatePairRequest(first_id=first, second_id=second)
        )
    except PairNotFound:
        return
    probe.wrong.append(f"a pair of {one} is dismissed")


def test_100_000_questions_leak_no_customer(archive: Archive) -> None:
    chance = Random(SEED)
    asked: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    listed: Counter[str] = Counter()
    for _ in range(CALLERS):
        probe = Probe(archive, archive.caller(chance))
        query_each(probe, chance)
        ask_about_all(probe)
        ask_about_some(probe, chance)
        command(probe, chance)
        assert probe.wrong == []
        asked, answered, listed = asked + probe.asked, answered + probe.answered, listed + probe.listed
    assert asked.total() >= PROBES, (asked, listed)
    # Most are refused, and each way of asking was answered, too, where it should be.
    assert answered.total() < asked.total() / 2
    assert {*asked} - {*answered} == {
        "delete_customer",
        "undelete_customer",
        "merge_customers",
        "unmerge_customer",
        "dismiss_duplicate_pair",
    }
    assert min(listed.values()) >= CALLERS, listed
