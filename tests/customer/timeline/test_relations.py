"""Who has to do with whom: contacts, family, referrals; in scope, through merges."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from crm.customer.v1 import timeline_service_pb2 as rpc
from customer.domain.errors import CustomerNotFound, RelationExists, RelationNotFound
from customer.usecases.unmerge_customer import unmerge_customer
from customer.wiring import CustomerApp
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from tests.customer.timeline.world import Client, caller, company, delete, merge, person

ALL = {"scope": Scope.ALL, "personal": Scope.ALL}


def relate(
    app: CustomerApp, who: Principal, from_id: UUID, to_id: UUID, kind: str = "contact", **more: Any
) -> rpc.Relation:
    told = rpc.Relation(kind=kind, from_id=str(from_id), to_id=str(to_id), **more)
    answer: rpc.Relation = Client(app, who).command(
        "create_relation", rpc.CreateRelationRequest(relation=told)
    )
    return answer


def separate(app: CustomerApp, who: Principal, relation_id: object) -> None:
    Client(app, who).command("delete_relation", rpc.DeleteRelationRequest(id=str(relation_id)))


def refused(app: CustomerApp, who: Principal, *ends: UUID, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as error:
        relate(app, who, *ends, **more)
    return [(violation.field, violation.rule) for violation in error.value.violations]


def named(relations: list[rpc.Relation]) -> list[tuple[str, str, bool]]:
    return [(relation.kind, relation.role, relation.primary) for relation in relations]


def test_a_contact_is_seen_from_both_ends(app: CustomerApp) -> None:
    me = caller()
    wang, acme = person(app, me), company(app, me)
    made = relate(app, me, wang, acme, role=" 采购  经理 ", primary=True)
    assert (made.from_id, made.to_id) == (str(wang), str(acme))
    assert named([made]) == [("contact", "采购 经理", True)]
    assert Client(app, me).relations(wang) == Client(app, me).relations(acme) == [made]


def test_a_customer_without_relations_has_an_empty_list(app: CustomerApp) -> None:
    me = caller()
    assert Client(app, me).relations(person(app, me)) == []


def test_relations_stand_by_kind_with_the_first_contact_first(app: CustomerApp) -> None:
    me = caller()
    acme, group = company(app, me), company(app, me)
    relate(app, me, acme, group, "partner")
    relate(app, me, group, acme, "parent_company")
    relate(app, me, person(app, me), acme, role="财务")
    relate(app, me, person(app, me), acme, role="采购", primary=True)
    assert named(Client(app, me).relations(acme)) == [
        ("contact", "采购", True),
        ("contact", "财务", False),
        ("parent_company", "", False),
        ("partner", "", False),
    ]


def test_a_company_has_one_first_contact_the_one_named_last(app: CustomerApp) -> None:
    me = caller()
    acme = company(app, me)
    first = relate(app, me, person(app, me), acme, role="采购", primary=True)
    relate(app, me, person(app, me), acme, role="财务", primary=True)
    assert named(Client(app, me).relations(acme)) == [("contact", "财务", True), ("contact", "采购", False)]
    rows = app.reader.rows("select object_id, facts from audit where action = 'update'")
    assert rows == [(first.id, {"fields": ["primary"]})]


def test_two_first_contacts_named_at_once_leave_one(app: CustomerApp) -> None:
    me = caller()
    acme = company(app, me)
    people = [person(app, me) for _ in range(6)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda one: relate(app, me, one, acme, primary=True), people))
    relations = Client(app, me).relations(acme)
    assert [relation.primary for relation in relations] == [True] + [False] * 5


def test_two_customers_have_one_relation_of_a_kind_whichever_way(app: CustomerApp) -> None:
    me = caller()
    one, other = person(app, me), person(app, me)
    relate(app, me, one, other, "family")
    for ends in ((one, other), (other, one)):
        with pytest.raises(RelationExists):
            relate(app, me, *ends, "family")
    relate(app, me, other, one, "referral")


def test_a_relation_told_by_many_at_once_is_kept_once(app: CustomerApp) -> None:
    me = caller()
    one, other = person(app, me), person(app, me)

    def tell(number: int) -> int:
        try:
            relate(app, me, *((one, other) if number % 2 else (other, one)), "family")
        except RelationExists:
            return 0
        return 1

    with ThreadPoolExecutor(3) as threads:
        assert sum(threads.map(tell, range(6))) == 1
    assert len(Client(app, me).relations(one)) == 1


def test_each_kind_has_its_ends(app: CustomerApp) -> None:
    me = caller()
    wang, li, acme, bolt = person(app, me), person(app, me), company(app, me), company(app, me)
    to_company, from_person = ("relation.to_id", "RELATION_END"), ("relation.from_id", "RELATION_END")
    assert refused(app, me, acme, bolt, kind="contact") == [from_person]
    assert refused(app, me, wang, li, kind="contact") == [to_company]
    assert refused(app, me, acme, wang, kind="contact") == [from_person, to_company]
    assert refused(app, me, wang, acme, kind="family") == [to_company]
    assert refused(app, me, wang, acme, kind="parent_company") == [from_person]
    for ends in ((wang, li), (wang, acme), (acme, bolt)):
        relate(app, me, *ends, "partner")
        relate(app, me, *ends, "referral")


def test_all_that_is_wrong_is_said_at_once(app: CustomerApp) -> None:
    me = caller()
    wang = person(app, me)
    assert refused(app, me, wang, wang, kind="friend", role="x" * 101) == [
        ("relation.kind", "RELATION_KIND"),
        ("relation.role", "TOO_LONG"),
        ("relation.to_id", "RELATED_TO_ITSELF"),
    ]
    assert refused(app, me, wang, person(app, me), kind="family", role="父亲", primary=True) == [
        ("relation.role", "CONTACTS_ONLY"),
        ("relation.primary", "CONTACTS_ONLY"),
    ]


def test_a_relation_begins_at_a_customer_one_may_change_and_ends_at_one_may_see(app: CustomerApp) -> None:
    me, other = caller(), caller()
    mine, foreign, deleted = person(app, me), person(app, other), person(app, me)
    delete(app, deleted)
    for ends in ((mine, foreign), (foreign, mine), (mine, deleted), (deleted, mine), (mine, new_id())):
        with pytest.raises(CustomerNotFound):
            relate(app, me, *ends, "family")
    marketer = Principal(
        me.kind,
        str(new_id()),
        {"customer.customers.update": Scope.OWN, "customer.customers.read": Scope.ALL},
    )
    with app.engine.begin() as connection:
        connection.exec_driver_sql("update customers set owner_id = %s where id = %s", (marketer.id, mine))
    assert relate(app, marketer, mine, foreign, "family").to_id == str(foreign)
    with pytest.raises(CustomerNotFound):
        relate(app, marketer, foreign, mine, "referral")


def test_relations_to_customers_out_of_scope_are_not_listed(app: CustomerApp) -> None:
    manager, mine, other = caller(**ALL), caller(), caller()
    acme, own, foreign, deleted = (
        company(app, mine),
        person(app, mine),
        person(app, other),
        person(app, mine),
    )
    for contact in (own, foreign, deleted):
        relate(app, manager, contact, acme)
    delete(app, deleted)
    assert len(Client(app, manager).relations(acme)) == 2
    assert [relation.from_id for relation in Client(app, mine).relations(acme)] == [str(own)]
    assert Client(app, other).relations(foreign) == []


def test_the_relations_of_a_customer_out_of_scope_look_as_if_it_were_not_there(app: CustomerApp) -> None:
    me = caller()
    deleted = person(app, me)
    delete(app, deleted)
    for customer_id in (person(app, caller()), deleted, new_id()):
        with pytest.raises(CustomerNotFound):
            Client(app, me).relations(customer_id)


def test_a_relation_is_taken_back_and_both_are_audited(app: CustomerApp) -> None:
    me = caller()
    wang, acme = person(app, me), company(app, me)
    made = relate(app, me, wang, acme)
    separate(app, me, made.id)
    assert Client(app, me).relations(acme) == []
    rows = app.reader.rows(
        "select action, object_id, facts from audit where object_type = 'relation' order by id"
    )
    facts = {"kind": "contact", "ends": [str(wang), str(acme)]}
    assert rows == [("create", made.id, facts), ("delete", made.id, facts)]
    with pytest.raises(RelationNotFound):
        separate(app, me, made.id)


def test_only_whoever_reaches_both_ends_takes_a_relation_back(app: CustomerApp) -> None:
    manager, mine, other = caller(**ALL), caller(), caller()
    wang, acme = person(app, mine), company(app, other)
    made = relate(app, manager, wang, acme)
    for who in (mine, other, caller()):
        with pytest.raises(RelationNotFound):
            separate(app, who, made.id)
    separate(app, manager, made.id)
    assert Client(app, manager).relations(wang) == []


def test_relations_are_read_and_made_through_merges(app: CustomerApp) -> None:
    me = caller(**ALL)
    survivor, absorbed, acme = person(app, me), person(app, me), company(app, me)
    before = relate(app, me, absorbed, acme, role="采购")
    merge(app, me, survivor, absorbed)
    for asked in (survivor, absorbed, acme):
        (shown,) = Client(app, me).relations(asked)
        assert (shown.id, shown.from_id, shown.to_id) == (before.id, str(survivor), str(acme))
    for one in (survivor, absorbed):
        with pytest.raises(RelationExists):
            relate(app, me, one, acme)
    assert relate(app, me, absorbed, acme, "partner").from_id == str(survivor)
    with app.work(me) as work:
        unmerge_customer(work, absorbed)
    assert named(Client(app, me).relations(absorbed)) == [("contact", "采购", False)]
    assert named(Client(app, me).relations(survivor)) == [("partner", "", False)]


def test_relations_that_a_merge_made_equal_are_one(app: CustomerApp) -> None:
    me = caller(**ALL)
    one, other, acme = person(app, me), person(app, me), company(app, me)
    relate(app, me, one, acme, role="采购")
    relate(app, me, other, acme, role="采购经理", primary=True)
    merge(app, me, one, other)
    (shown,) = Client(app, me).relations(acme)
    assert named([shown]) == [("contact", "采购经理", True)]
    separate(app, me, shown.id)
    assert Client(app, me).relations(acme) == Client(app, me).relations(one) == []


def test_of_two_first_contacts_brought_together_by_a_merge_one_stays_first(app: CustomerApp) -> None:
    me = caller(**ALL)
    wang, li, acme, twin = person(app, me), person(app, me), company(app, me), company(app, me)
    relate(app, me, wang, acme, role="采购", primary=True)
    relate(app, me, li, twin, role="财务", primary=True)
    merge(app, me, acme, twin)
    assert named(Client(app, me).relations(acme)) == [("contact", "财务", True), ("contact", "采购", False)]
    assert named(Client(app, me).relations(wang)) == [("contact", "采购", False)]
    with app.work(me) as work:
        unmerge_customer(work, twin)
    for one, role in ((acme, "采购"), (twin, "财务")):
        assert named(Client(app, me).relations(one)) == [("contact", role, True)]


def test_a_relation_within_a_merged_group_says_nothing(app: CustomerApp) -> None:
    me = caller(**ALL)
    one, other = person(app, me), person(app, me)
    relate(app, me, one, other, "family")
    merge(app, me, one, other)
    assert Client(app, me).relations(one) == []
    assert refused(app, me, one, other, kind="referral") == [("relation.to_id", "RELATED_TO_ITSELF")]
