"""What other services hear of the rights of those for whom they work."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from crm.gateway.v1 import directory_service_pb2 as pb
from crm.gateway.v1.auth_service_pb2 import GetSelfRequest
from crm.gateway.v1.identity_pb2 import SCOPE_ALL, SCOPE_OWN, Grant, User
from kernel.pure.ids import new_id
from tests.gateway.api.conftest import AUTH, DIRECTORY, Gateway, NewLogin, Refused

READ = "customer.customers.read"


def scope_of(grants: Iterable[Grant], permission: str) -> int | None:
    return next((grant.scope for grant in grants if grant.permission == permission), None)


def change(gateway: Gateway, admin: str, user: User, *paths: str) -> None:
    request = pb.UpdateUserRequest(user=user, update_mask=FieldMask(paths=paths))
    gateway.call(f"{DIRECTORY}/UpdateUser", request, admin)


def test_rights_are_those_of_all_roles_as_they_are_now(gateway: Gateway, new_login: NewLogin) -> None:
    admin, user_id = gateway.as_user(new_login(), "admin"), gateway.user(new_login(), "seller")
    assert scope_of(gateway.rights(user_id).grants, READ) == SCOPE_OWN
    change(gateway, admin, User(id=user_id, role_ids=["seller", "admin"]), "role_ids")
    assert scope_of(gateway.rights(user_id).grants, READ) == SCOPE_ALL
    change(gateway, admin, User(id=user_id, role_ids=[]), "role_ids")
    assert not gateway.rights(user_id).grants


def test_nobody_has_rights_who_is_disabled_or_not_known(gateway: Gateway, new_login: NewLogin) -> None:
    admin, user_id = gateway.as_user(new_login(), "admin"), gateway.user(new_login(), "seller")
    change(gateway, admin, User(id=user_id, disabled=True), "disabled")
    assert not gateway.rights(user_id).grants
    assert not gateway.rights(str(new_id())).grants


def test_a_customer_in_the_portal_is_known_by_token_and_rights(gateway: Gateway, new_login: NewLogin) -> None:
    admin, login, me = gateway.as_user(new_login(), "admin"), new_login(), str(new_id())
    user_id = gateway.user(login, "customer")
    change(gateway, admin, User(id=user_id, customer_id=me), "customer_id")
    assert gateway.rights(user_id).customer_id == me
    token = gateway.login(login).access_token
    assert gateway.call(f"{AUTH}/GetSelf", GetSelfRequest(), token).customer_id == me
    change(gateway, admin, User(id=user_id), "customer_id")
    assert gateway.rights(user_id).customer_id == ""


@pytest.mark.parametrize("caller", ["envoy", "stranger", "sales"])
def test_rights_are_told_to_services_that_work_for_others_only(
    gateway: Gateway, new_login: NewLogin, caller: str
) -> None:
    user_id = gateway.user(new_login(), "seller")
    with pytest.raises(Refused) as refused:
        gateway.rights(user_id, caller)
    assert refused.value.code == "PERMISSION_DENIED"
