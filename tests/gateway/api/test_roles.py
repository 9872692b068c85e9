"""Roles of the enterprise's own over the wire."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from crm.gateway.v1 import directory_service_pb2 as pb
from crm.gateway.v1.auth_service_pb2 import GetSelfRequest
from crm.gateway.v1.identity_pb2 import SCOPE_ALL, SCOPE_OWN, SCOPE_TEAM, Grant, Role, User
from kernel.pure.ids import new_id
from tests.gateway.api.conftest import AUTH, DIRECTORY, Gateway, NewLogin
from tests.gateway.conftest import PASSWORD

READ = Grant(permission="customer.customers.read", scope=SCOPE_TEAM)
MANAGE_ROLES = Grant(permission="gateway.roles.manage", scope=SCOPE_ALL)
MANAGE_USERS = Grant(permission="gateway.users.manage", scope=SCOPE_ALL)


@pytest.fixture
def admin(gateway: Gateway, new_login: NewLogin) -> str:
    return gateway.as_user(new_login(), "admin")


def create(gateway: Gateway, token: str, *grants: Grant, **more: str) -> Role:
    role = Role(id=more.pop("id", "night_shift"), title="Night shift", grants=grants)
    answer: Role = gateway.call(f"{DIRECTORY}/CreateRole", pb.CreateRoleRequest(role=role, **more), token)
    return answer


def listed(gateway: Gateway, token: str) -> dict[str, Role]:
    answer = gateway.call(f"{DIRECTORY}/ListRoles", pb.ListRolesRequest(), token)
    return {role.id: role for role in answer.roles}


def test_a_role_is_made_listed_changed_and_deleted(gateway: Gateway, admin: str) -> None:
    made = create(gateway, admin, READ)
    assert made == Role(id="night_shift", title="Night shift", grants=[READ])
    assert listed(gateway, admin)["night_shift"] == made
    wanted = Role(id="night_shift", title="ignored", grants=[MANAGE_ROLES])
    request = pb.UpdateRoleRequest(role=wanted, update_mask=FieldMask(paths=["grants"]))
    changed = gateway.call(f"{DIRECTORY}/UpdateRole", request, admin)
    assert changed == Role(id="night_shift", title="Night shift", grants=[MANAGE_ROLES])
    assert listed(gateway, admin)["night_shift"] == changed
    gateway.call(f"{DIRECTORY}/DeleteRole", pb.DeleteRoleRequest(id="night_shift"), admin)
    assert "night_shift" not in listed(gateway, admin)


def test_without_a_mask_the_fields_that_are_set_change(gateway: Gateway, admin: str) -> None:
    create(gateway, admin, READ)
    request = pb.UpdateRoleRequest(role=Role(id="night_shift", title="Nights"))
    changed = gateway.call(f"{DIRECTORY}/UpdateRole", request, admin)
    assert (changed.title, list(changed.grants)) == ("Nights", [READ])
    everything = pb.UpdateRoleRequest(
        role=Role(id="night_shift", title="Nights"), update_mask=FieldMask(paths=["*"])
    )
    assert not gateway.call(f"{DIRECTORY}/UpdateRole", everything, admin).grants


def test_the_same_request_makes_one_role(gateway: Gateway, admin: str) -> None:
    request_id = str(new_id())
    first = create(gateway, admin, READ, request_id=request_id)
    assert create(gateway, admin, READ, request_id=request_id) == first
    request = pb.CreateRoleRequest(role=first)
    assert gateway.refusal(f"{DIRECTORY}/CreateRole", request, admin).reason == "ROLE_ID_TAKEN"


def test_a_grant_that_can_not_be_is_named_by_its_field(gateway: Gateway, admin: str) -> None:
    role = Role(
        id="night_shift",
        title="Night shift",
        grants=[
            READ,
            Grant(permission="customer.customers.burn", scope=SCOPE_ALL),
            Grant(permission="sales.orders.read"),
            Grant(permission="gateway.users.manage", scope=SCOPE_OWN),
        ],
    )
    refusal = gateway.refusal(f"{DIRECTORY}/CreateRole", pb.CreateRoleRequest(role=role), admin)
    assert refusal.fields == [
        ("role.grants[1].permission", "UNKNOWN_PERMISSION"),
        ("role.grants[2].scope", "REQUIRED"),
        ("role.grants[3].scope", "SCOPE_NOT_NARROWABLE"),
    ]


def test_a_preset_is_neither_changed_nor_deleted(gateway: Gateway, admin: str) -> None:
    update = pb.UpdateRoleRequest(role=Role(id="seller", grants=[READ]))
    delete = pb.DeleteRoleRequest(id="seller")
    for method, request in (("UpdateRole", update), ("DeleteRole", delete)):
        assert gateway.refusal(f"{DIRECTORY}/{method}", request, admin).reason == "PRESET_ROLE"


def test_the_tokens_of_all_who_have_a_role_end_when_its_grants_change(
    gateway: Gateway, admin: str, new_login: NewLogin
) -> None:
    create(gateway, admin, READ)
    login, others = new_login(), gateway.as_user(new_login(), "seller")
    token = gateway.as_user(login, "night_shift")
    wanted = pb.UpdateRoleRequest(role=Role(id="night_shift", grants=[MANAGE_ROLES]))
    gateway.call(f"{DIRECTORY}/UpdateRole", wanted, admin)
    assert gateway.until_refused(token).reason == "TOKEN_REVOKED"
    again = str(gateway.login(login).access_token)
    held = gateway.call(f"{AUTH}/GetSelf", GetSelfRequest(), again).grants
    assert list(held) == [MANAGE_ROLES]
    assert gateway.call(f"{AUTH}/GetSelf", GetSelfRequest(), others).id


def test_whoever_manages_roles_and_users_can_not_make_themselves_an_administrator(
    gateway: Gateway, admin: str, new_login: NewLogin
) -> None:
    create(gateway, admin, MANAGE_ROLES, MANAGE_USERS, id="keeper")
    login = new_login()
    token = gateway.as_user(login, "keeper")
    me = gateway.call(f"{AUTH}/GetSelf", GetSelfRequest(), token).id
    wider = [MANAGE_ROLES, MANAGE_USERS, READ]
    attempts = [
        ("CreateRole", pb.CreateRoleRequest(role=Role(id="mine", title="Mine", grants=wider))),
        ("UpdateRole", pb.UpdateRoleRequest(role=Role(id="keeper", grants=wider))),
        ("UpdateUser", pb.UpdateUserRequest(user=User(id=me, role_ids=["admin"]))),
        (
            "CreateUser",
            pb.CreateUserRequest(user=User(login=new_login(), role_ids=["admin"]), password=PASSWORD),
        ),
    ]
    for method, request in attempts:
        refusal = gateway.refusal(f"{DIRECTORY}/{method}", request, token)
        assert (refusal.code, refusal.reason) == ("PERMISSION_DENIED", "BEYOND_OWN_RIGHTS"), method
