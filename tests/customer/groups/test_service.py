"""GroupService and AudienceService as their callers see them."""

from __future__ import annotations

from typing import Any

import pytest

from crm.customer.v1 import audience_service_pb2 as audience_rpc
from crm.customer.v1 import group_service_pb2 as rpc
from customer.api.groups import GroupServicer
from customer.api.internal import AudienceServicer
from customer.domain import groups as domain
from customer.domain.errors import (
    CustomerNotFound,
    GroupNameTaken,
    GroupNotFound,
    GroupNotReady,
    TooManyGroups,
)
from customer.usecases import define_groups
from customer.wiring import CustomerApp
from kernel.pure.errors import Invalid, StaleEtag
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from kernel.rpc.call import Call
from tests.customer.conftest import NOON, seller
from tests.customer.groups.world import EVERYBODY, customer, order, settle

MARKETING = Principal.service("marketing")
SHANGHAI = 'city == "上海"'


def ask(app: CustomerApp, method: str, request: Any, principal: Principal = EVERYBODY) -> Any:
    with app.work(principal) as work:
        return getattr(GroupServicer(app), method)(
            request, Call(principal, "en", "", lambda kind, ids: None, work)
        )


def created(app: CustomerApp, expression: str = SHANGHAI, name: str = "上海客户") -> rpc.Group:
    return ask(app, "create_group", rpc.CreateGroupRequest(group={"name": name, "expression": expression}))


def audience(
    app: CustomerApp, group_id: str, size: int = 0, token: str = ""
) -> audience_rpc.ListMembersResponse:
    request = audience_rpc.ListMembersRequest(group_id=group_id, page_size=size, page_token=token)
    call = Call(MARKETING, "en", "", lambda kind, ids: None)
    return AudienceServicer(app).list_members(request, call)


def test_a_group_is_evaluating_then_ready_with_its_members(app: CustomerApp) -> None:
    one = customer(app, city="上海")
    group = created(app)
    assert (group.state, group.rule_version, group.member_count) == (rpc.GROUP_STATE_EVALUATING, 1, 0)
    settle(app)
    group = ask(app, "get_group", rpc.GetGroupRequest(id=group.id))
    assert (group.state, group.member_count) == (rpc.GROUP_STATE_READY, 1)
    listed = ask(app, "list_group_members", rpc.ListGroupMembersRequest(group_id=group.id))
    assert [found.id for found in listed.customers] == [str(one)]


def test_members_and_their_number_are_those_within_reach(app: CustomerApp) -> None:
    north, south = seller(), seller()
    mine = customer(app, north, city="上海")
    customer(app, south, city="上海")
    group = created(app)
    settle(app)
    assert ask(app, "get_group", rpc.GetGroupRequest(id=group.id), north).member_count == 1
    [listed] = ask(app, "list_groups", rpc.ListGroupsRequest(), north).groups
    assert listed.member_count == 1
    members = ask(app, "list_group_members", rpc.ListGroupMembersRequest(group_id=group.id), north)
    assert [found.id for found in members.customers] == [str(mine)]
    preview = ask(app, "preview_group", rpc.PreviewGroupRequest(expression=SHANGHAI), north)
    assert (preview.member_count, list(preview.sample_ids)) == (1, [str(mine)])


def test_a_preview_stores_nothing(app: CustomerApp) -> None:
    ask(app, "preview_group", rpc.PreviewGroupRequest(expression=SHANGHAI))
    assert ask(app, "list_groups", rpc.ListGroupsRequest()).groups == []


def test_groups_are_listed_newest_first_in_pages(app: CustomerApp) -> None:
    ids = [created(app, name=f"群 {number}").id for number in range(3)]
    page = ask(app, "list_groups", rpc.ListGroupsRequest(page_size=2))
    rest = ask(app, "list_groups", rpc.ListGroupsRequest(page_size=2, page_token=page.next_page_token))
    assert [group.id for group in [*page.groups, *rest.groups]] == ids[::-1]
    assert rest.next_page_token == ""


def test_a_new_name_is_no_new_rule(app: CustomerApp) -> None:
    group = created(app)
    settle(app)
    request = rpc.UpdateGroupRequest(group={"id": group.id, "name": "华东", "etag": group.etag})
    changed = ask(app, "update_group", request)
    assert (changed.name, changed.rule_version, changed.state) == ("华东", 1, rpc.GROUP_STATE_READY)
    with pytest.raises(StaleEtag):
        ask(app, "update_group", request)


def test_only_what_can_be_set_is_updated(app: CustomerApp) -> None:
    request = rpc.UpdateGroupRequest(group={"id": created(app).id})
    request.update_mask.paths.append("rule_version")
    with pytest.raises(Invalid):
        ask(app, "update_group", request)


def test_a_deleted_group_is_gone_and_its_name_free(app: CustomerApp) -> None:
    group = created(app)
    ask(app, "delete_group", rpc.DeleteGroupRequest(id=group.id))
    with pytest.raises(GroupNotFound):
        ask(app, "get_group", rpc.GetGroupRequest(id=group.id))
    with pytest.raises(GroupNotFound):
        audience(app, group.id)
    assert created(app).id != group.id


def test_two_groups_have_two_names(app: CustomerApp) -> None:
    created(app)
    with pytest.raises(GroupNameTaken):
        created(app)


def test_there_is_a_largest_number_of_groups(app: CustomerApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(define_groups, "MOST_GROUPS", 1)
    created(app)
    with pytest.raises(TooManyGroups):
        created(app, name="另一个")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " ", "expression": SHANGHAI}, "group.name"),
        ({"name": "x" * 101, "expression": SHANGHAI}, "group.name"),
        ({"name": "群", "expression": ""}, "group.expression"),
        ({"name": "群", "expression": "city =="}, "group.expression"),
        ({"name": "群", "expression": "person.full_name == '王'"}, "group.expression"),
        ({"name": "群", "expression": "days_since(city) > 3"}, "group.expression"),
        ({"name": "群", "expression": "purchases.last_order_on > 3"}, "group.expression"),
    ],
)
def test_what_is_wrong_is_named(app: CustomerApp, wrong: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        ask(app, "create_group", rpc.CreateGroupRequest(group=wrong))
    assert [violation.field for violation in refused.value.violations] == [field]


def test_an_audience_is_read_in_pages_once_the_group_is_ready(app: CustomerApp) -> None:
    ids = sorted(str(customer(app, city="上海")) for _ in range(3))
    group = created(app)
    with pytest.raises(GroupNotReady):
        audience(app, group.id)
    settle(app)
    first = audience(app, group.id, 2)
    rest = audience(app, group.id, 2, first.next_page_token)
    assert [*first.customer_ids, *rest.customer_ids] == ids
    assert rest.next_page_token == ""


def test_an_empty_audience_is_empty(app: CustomerApp) -> None:
    group = created(app)
    settle(app)
    assert audience(app, group.id) == audience_rpc.ListMembersResponse()


def test_a_membership_is_explained_by_what_the_rule_asks_for(app: CustomerApp) -> None:
    one = customer(app, city="上海")
    order(app, one, NOON.date(), 250)
    group = created(app, f"{SHANGHAI} && purchases.total >= 200 && days_since(purchases.last_order_on) < 9")
    settle(app)
    request = rpc.ExplainGroupMemberRequest(group_id=group.id, customer_id=str(one))
    told = ask(app, "explain_group_member", request)
    assert (told.member, told.rule_version, told.since.ToJsonString()) == (True, 1, "2026-06-30T04:00:00Z")
    assert dict(told.inputs) == {
        "city": "上海", "purchases.last_order_on": "2026-06-30", "purchases.total": "250.000",
    }  # fmt: skip


def test_nothing_is_explained_of_a_customer_out_of_reach(app: CustomerApp) -> None:
    one, group = customer(app, city="上海"), created(app)
    request = rpc.ExplainGroupMemberRequest(group_id=group.id, customer_id=str(one))
    with pytest.raises(CustomerNotFound):
        ask(app, "explain_group_member", request, seller(Scope.OWN))
    request.group_id = str(new_id())
    with pytest.raises(GroupNotFound):
        ask(app, "explain_group_member", request)


def test_ages_have_days_on_which_they_matter() -> None:
    expression = "3 < days_since(a.b) && !(days_since(a.b) in [7, 9]) || days_since(c) == 0"
    assert {(moment.path, moment.days) for moment in domain.moments(expression)} == {
        (("a", "b"), 3), (("a", "b"), 7), (("a", "b"), 9), (("c",), 0),
    }  # fmt: skip
