"""The directory over the wire."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from crm.gateway.v1 import directory_service_pb2 as pb
from crm.gateway.v1.identity_pb2 import SCOPE_SUBTREE, ServiceAccount, Team, User
from kernel.pure.ids import new_id
from kernel.sql.crypto.errors import KeyringUnavailable
from tests.gateway.api.conftest import DIRECTORY, Gateway, NewLogin
from tests.gateway.conftest import PASSWORD


@pytest.fixture
def admin(gateway: Gateway, new_login: NewLogin) -> str:
    return gateway.as_user(new_login(), "admin")


def create(gateway: Gateway, token: str, login: str, **fields: object) -> User:
    user = User(login=login, **fields)  # type: ignore[arg-type]
    answer: User = gateway.call(
        f"{DIRECTORY}/CreateUser", pb.CreateUserRequest(user=user, password=PASSWORD), token
    )
    return answer


def update(gateway: Gateway, token: str, user: User, *paths: str) -> User:
    request = pb.UpdateUserRequest(user=user, update_mask=FieldMask(paths=paths))
    answer: User = gateway.call(f"{DIRECTORY}/UpdateUser", request, token)
    return answer


def test_a_user_is_made_read_and_changed(gateway: Gateway, admin: str, new_login: NewLogin) -> None:
    team = gateway.call(f"{DIRECTORY}/CreateTeam", pb.CreateTeamRequest(team=Team(name="华东")), admin)
    made = create(
        gateway, admin, new_login(), display_name="李娜", team_id=team.id, role_ids=["seller", "seller"]
    )
    assert (made.etag, made.display_name, list(made.role_ids)) == ("1", "李娜", ["seller"])
    assert gateway.call(f"{DIRECTORY}/GetUser", pb.GetUserRequest(id=made.id), admin) == made
    wanted = User(id=made.id, etag="1", role_ids=["agent"], display_name="ignored", team_id="")
    changed = update(gateway, admin, wanted, "role_ids", "team_id")
    assert (changed.etag, list(changed.role_ids), changed.team_id) == ("2", ["agent"], "")
    assert changed.display_name == "李娜"


def test_without_a_mask_the_fields_that_are_set_change(
    gateway: Gateway, admin: str, new_login: NewLogin
) -> None:
    made = create(gateway, admin, new_login(), display_name="李娜", role_ids=["seller"])
    changed = update(gateway, admin, User(id=made.id, disabled=True))
    assert changed.disabled
    assert (changed.display_name, list(changed.role_ids)) == ("李娜", ["seller"])


def test_a_login_can_not_be_changed(gateway: Gateway, admin: str, new_login: NewLogin) -> None:
    made = create(gateway, admin, new_login())
    request = pb.UpdateUserRequest(user=User(id=made.id, login="x1"), update_mask=FieldMask(paths=["login"]))
    assert gateway.refusal(f"{DIRECTORY}/UpdateUser", request, admin).fields == [
        ("update_mask", "UPDATE_MASK")
    ]


def test_a_stale_etag_is_aborted(gateway: Gateway, admin: str, new_login: NewLogin) -> None:
    made = create(gateway, admin, new_login())
    request = pb.UpdateUserRequest(user=User(id=made.id, etag="9", disabled=True))
    refusal = gateway.refusal(f"{DIRECTORY}/UpdateUser", request, admin)
    assert (refusal.code, refusal.reason) == ("ABORTED", "STALE_ETAG")


def test_the_same_request_makes_one_user(gateway: Gateway, admin: str, new_login: NewLogin) -> None:
    request = pb.CreateUserRequest(user=User(login=new_login()), password=PASSWORD, request_id=str(new_id()))
    first = gateway.call(f"{DIRECTORY}/CreateUser", request, admin)
    assert gateway.call(f"{DIRECTORY}/CreateUser", request, admin) == first


def test_users_are_listed_by_page_and_found_by_login(
    gateway: Gateway, admin: str, new_login: NewLogin
) -> None:
    made = [create(gateway, admin, new_login(), display_name=f"n{number}") for number in range(4)]
    listed: list[User] = []
    token = ""
    while True:
        page = gateway.call(
            f"{DIRECTORY}/ListUsers", pb.ListUsersRequest(page_size=2, page_token=token), admin
        )
        assert len(page.users) <= 2
        listed += page.users
        token = page.next_page_token
        if not token:
            break
    assert [user.id for user in listed][1:] == [user.id for user in made]
    request = pb.ListUsersRequest(login=made[2].login)
    assert list(gateway.call(f"{DIRECTORY}/ListUsers", request, admin).users) == [made[2]]


def test_a_page_token_of_another_query_is_refused(gateway: Gateway, admin: str, new_login: NewLogin) -> None:
    create(gateway, admin, new_login())
    page = gateway.call(f"{DIRECTORY}/ListUsers", pb.ListUsersRequest(page_size=1), admin)
    other = pb.ListTeamsRequest(page_size=1, page_token=page.next_page_token)
    assert gateway.refusal(f"{DIRECTORY}/ListTeams", other, admin).fields == [("page_token", "PAGE_TOKEN")]


def test_while_the_keyring_is_away_users_are_listed_without_names(
    gateway: Gateway, admin: str, new_login: NewLogin, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(gateway, admin, new_login(), display_name="李娜")

    def away(*_: object) -> object:
        raise KeyringUnavailable

    monkeypatch.setattr(gateway.app.keyring, "keys", away)
    page = gateway.call(f"{DIRECTORY}/ListUsers", pb.ListUsersRequest(login=made.login), admin)
    assert [(user.id, user.display_name) for user in page.users] == [(made.id, "")]


def test_teams_are_made_moved_and_listed(gateway: Gateway, admin: str) -> None:
    def team(name: str, parent_id: str = "") -> Team:
        request = pb.CreateTeamRequest(team=Team(name=name, parent_id=parent_id))
        answer: Team = gateway.call(f"{DIRECTORY}/CreateTeam", request, admin)
        return answer

    east, north = team("华东"), team("华北")
    city = team("上海", east.id)
    wanted = Team(id=city.id, parent_id=north.id, etag="1")
    request = pb.UpdateTeamRequest(team=wanted, update_mask=FieldMask(paths=["parent_id"]))
    moved = gateway.call(f"{DIRECTORY}/UpdateTeam", request, admin)
    assert (moved.name, moved.parent_id, moved.etag) == ("上海", north.id, "2")
    listed = gateway.call(f"{DIRECTORY}/ListTeams", pb.ListTeamsRequest(), admin).teams
    assert list(listed) == [east, north, moved]
    ring = pb.UpdateTeamRequest(team=Team(id=north.id, parent_id=city.id))
    assert gateway.refusal(f"{DIRECTORY}/UpdateTeam", ring, admin).reason == "TEAM_BELOW_ITSELF"


def test_roles_are_titled_in_the_callers_language(gateway: Gateway, admin: str) -> None:
    english = gateway.call(f"{DIRECTORY}/ListRoles", pb.ListRolesRequest(), admin).roles
    chinese = gateway.call(
        f"{DIRECTORY}/ListRoles", pb.ListRolesRequest(), admin, accept_language="zh-CN"
    ).roles
    titles = {role.id: role.title for role in english}
    assert titles["sales_manager"] == "Sales manager"
    assert {role.id: role.title for role in chinese}["sales_manager"] == "销售经理"
    [manager] = [role for role in english if role.id == "sales_manager"]
    assert manager.preset
    scopes = {grant.permission: grant.scope for grant in manager.grants}
    assert scopes["customer.customers.read"] == SCOPE_SUBTREE


def test_service_accounts_are_listed_without_secrets(gateway: Gateway, admin: str) -> None:
    request = pb.CreateServiceAccountRequest(
        service_account=ServiceAccount(name="ERP", role_ids=["integration"])
    )
    made = gateway.call(f"{DIRECTORY}/CreateServiceAccount", request, admin)
    listed = gateway.call(f"{DIRECTORY}/ListServiceAccounts", pb.ListServiceAccountsRequest(), admin)
    assert list(listed.service_accounts) == [made.service_account]
    assert made.client_secret not in str(listed)


CALLS = [
    ("CreateUser", pb.CreateUserRequest()),
    ("GetUser", pb.GetUserRequest()),
    ("ListUsers", pb.ListUsersRequest()),
    ("UpdateUser", pb.UpdateUserRequest()),
    ("RevokeSessions", pb.RevokeSessionsRequest()),
    ("CreateTeam", pb.CreateTeamRequest()),
    ("ListTeams", pb.ListTeamsRequest()),
    ("UpdateTeam", pb.UpdateTeamRequest()),
    ("ListRoles", pb.ListRolesRequest()),
    ("CreateRole", pb.CreateRoleRequest()),
    ("UpdateRole", pb.UpdateRoleRequest()),
    ("DeleteRole", pb.DeleteRoleRequest()),
    ("CreateServiceAccount", pb.CreateServiceAccountRequest()),
    ("ListServiceAccounts", pb.ListServiceAccountsRequest()),
]


@pytest.mark.parametrize(("method", "request_"), CALLS)
def test_a_seller_has_no_business_in_the_directory(
    gateway: Gateway, new_login: NewLogin, method: str, request_: object
) -> None:
    seller = gateway.as_user(new_login(), "seller")
    assert gateway.refusal(f"{DIRECTORY}/{method}", request_, seller).reason == "PERMISSION_DENIED"
    assert gateway.refusal(f"{DIRECTORY}/{method}", request_).code == "UNAUTHENTICATED"


@pytest.mark.parametrize(("method", "request_"), CALLS)
def test_an_empty_request_is_answered_or_refused_but_never_a_fault(
    gateway: Gateway, admin: str, method: str, request_: object
) -> None:
    if method.startswith("List"):
        assert gateway.call(f"{DIRECTORY}/{method}", request_, admin) is not None
    else:
        assert gateway.refusal(f"{DIRECTORY}/{method}", request_, admin).code == "INVALID_ARGUMENT"
