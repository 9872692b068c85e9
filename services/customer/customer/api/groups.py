"""GroupService: groups of customers, and who belongs to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask

from crm.customer.v1 import group_service_pb2 as rpc
from customer.api.finding import Finding
from customer.domain.errors import GroupNotFound
from customer.domain.groups import GroupDraft, names
from customer.store import group_queries as queries
from customer.store import queries as customer_queries
from customer.store.group_rules import Today
from customer.usecases.define_groups import create_group, delete_group, update_group
from kernel.pure.clock import today
from kernel.pure.errors import Invalid, Violation
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from kernel.sql.engine import Reader

_SETTABLE = ("name", "description", "expression")


class GroupServicer(Finding):
    def create_group(self, request: rpc.CreateGroupRequest, call: Call) -> rpc.Group:
        group = create_group(call.work, _draft(request.group))
        return self._group(call.work.reader, group.id, call)

    def get_group(self, request: rpc.GetGroupRequest, call: Call) -> rpc.Group:
        return self._group(self._app.reader, parse_id(request.id, "id"), call)

    def list_groups(self, request: rpc.ListGroupsRequest, call: Call) -> rpc.ListGroupsResponse:
        size = page_size(request.page_size)
        query = ("ListGroups", call.principal.id)
        cursor = self._app.page_tokens.open(query, request.page_token)
        before = UUID(cursor[0]) if cursor else None
        rows = queries.list_groups(self._app.reader, call.principal, before, size + 1)
        token = self._app.page_tokens.seal(query, [str(rows[size - 1].id)]) if len(rows) > size else ""
        return rpc.ListGroupsResponse(groups=[_group(row) for row in rows[:size]], next_page_token=token)

    def update_group(self, request: rpc.UpdateGroupRequest, call: Call) -> rpc.Group:
        group_id = parse_id(request.group.id, "group.id")
        change = _change(request.group, request.update_mask)
        update_group(call.work, group_id, request.group.etag, change)
        return self._group(call.work.reader, group_id, call)

    def delete_group(self, request: rpc.DeleteGroupRequest, call: Call) -> rpc.DeleteGroupResponse:
        delete_group(call.work, parse_id(request.id, "id"), request.etag)
        return rpc.DeleteGroupResponse()

    def preview_group(self, request: rpc.PreviewGroupRequest, call: Call) -> rpc.PreviewGroupResponse:
        count, samples = queries.preview(
            self._app.reader, call.principal, request.expression.strip(), self._today()
        )
        return rpc.PreviewGroupResponse(member_count=count, sample_ids=map(str, samples))

    def list_group_members(
        self, request: rpc.ListGroupMembersRequest, call: Call
    ) -> rpc.ListGroupMembersResponse:
        group_id = parse_id(request.group_id, "group_id")
        query = ("ListGroupMembers", call.principal.id, group_id)
        self._app.page_tokens.open(query, request.page_token)
        self._group(self._app.reader, group_id, call)
        customers, token = self._page(queries.members(group_id), query, request, call)
        return rpc.ListGroupMembersResponse(customers=customers, next_page_token=token)

    def explain_group_member(
        self, request: rpc.ExplainGroupMemberRequest, call: Call
    ) -> rpc.ExplainGroupMemberResponse:
        group_id = parse_id(request.group_id, "group_id")
        customer_id = parse_id(request.customer_id, "customer_id")
        group = queries.get_group(self._app.reader, call.principal, group_id)
        if group is None:
            raise GroupNotFound(id=group_id)
        row = queries.explain(self._app.reader, call.principal, group, customer_id, self._today())
        if row is None:
            raise customer_queries.refusal(
                self._app.reader, call.principal, customer_queries.READ, customer_id
            )
        call.viewed("customer", [row.id])
        asked = [".".join(path) for path in sorted(names(group.expression))]
        return rpc.ExplainGroupMemberResponse(
            member=row.member,
            since=row.since,
            rule_version=row.rule_version or 0,
            expression=group.expression,
            inputs=dict(zip(asked, row.inputs, strict=True)),
        )

    def _today(self) -> Today:
        return Today(today(self._app.clock), self._app.clock.zone)

    def _group(self, reader: Reader, group_id: UUID, call: Call) -> rpc.Group:
        row = queries.get_group(reader, call.principal, group_id)
        if row is None:
            raise GroupNotFound(id=group_id)
        return _group(row)


def _draft(message: rpc.Group) -> GroupDraft:
    return GroupDraft(**{name: getattr(message, name) for name in _SETTABLE})


def _change(message: rpc.Group, mask: FieldMask) -> Callable[[GroupDraft], GroupDraft]:
    """The change an update asks for: the fields of the mask, or all that are set. Raises Invalid."""
    paths = list(mask.paths) or [name for name in _SETTABLE if getattr(message, name)]
    for index, path in enumerate(paths):
        if path not in _SETTABLE:
            raise Invalid.of(
                Violation(
                    f"update_mask.paths[{index}]",
                    "UNKNOWN_FIELD",
                    "must name a field of a group that can be set",
                    "必须是客户群可修改的字段",
                )
            )
    return lambda before: GroupDraft(**{**vars(before), **{path: getattr(message, path) for path in paths}})


def _group(row: Any) -> rpc.Group:
    return rpc.Group(
        id=str(row.id),
        etag=str(row.version),
        name=row.name,
        description=row.description,
        expression=row.expression,
        rule_version=row.rule_version,
        state=f"GROUP_STATE_{row.state.upper()}",
        member_count=row.members,
        create_time=row.created_at,
        update_time=row.updated_at,
    )
