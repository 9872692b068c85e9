"""Creating and changing users."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from gateway.domain.errors import LastAdministrator, LoginTaken, UserNotFound
from gateway.domain.users import User, UserDraft
from gateway.store import queries
from gateway.usecases.create_user import create_first_user, create_service_account, create_user
from gateway.usecases.end_sessions import revoke_sessions
from gateway.usecases.update_user import update_user
from gateway.wiring import GatewayApp
from kernel.pure.clock import FixedClock
from kernel.pure.errors import CrmError, Invalid, StaleEtag
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from tests.contracts.examples import promised, same_shape
from tests.gateway.conftest import PASSWORD, MakeUser, told

GATEWAY = Principal.service("gateway")


def change(app: GatewayApp, user: User, etag: str = "", **fields: object) -> User:
    wanted = {"display_name": "", "team_id": None, "role_ids": (), **fields}
    with app.work(GATEWAY) as work:
        return update_user(work, user.id, etag, UserDraft(login="", **wanted), fields)  # type: ignore[arg-type]


def revoked(app: GatewayApp) -> set[UUID]:
    return {row.subject_id for row in queries.recent_revocations(app.reader, app.clock.now())}


def test_a_new_user_is_told_as_promised(app: GatewayApp, make_user: MakeUser) -> None:
    user = make_user("li.na", "seller", display_name="李娜")
    [said] = told(app)
    assert said["data"] == {"users": [{"userId": str(user.id), "version": 1, "roleIds": ["seller"]}]}
    for promise in promised("crm.gateway.v1.UsersRecorded"):
        same_shape(said, promise)


def test_all_wrong_fields_are_named_at_once(app: GatewayApp) -> None:
    draft = UserDraft("Li Na", "x" * 101, new_id(), ("seller", "emperor"))
    with app.work(GATEWAY) as work, pytest.raises(Invalid) as refusal:
        create_user(work, app.passwords, draft, "short")
    assert [(v.field, v.rule) for v in refusal.value.violations] == [
        ("user.login", "LOGIN_FORMAT"),
        ("password", "PASSWORD_LENGTH"),
        ("user.display_name", "DISPLAY_NAME_LENGTH"),
        ("user.team_id", "UNKNOWN_TEAM"),
        ("user.role_ids", "UNKNOWN_ROLE"),
    ]


def test_a_login_belongs_to_one_user(app: GatewayApp, make_user: MakeUser) -> None:
    make_user("li.na")
    with pytest.raises(LoginTaken):
        make_user("li.na")


def test_a_display_name_is_sealed(app: GatewayApp, make_user: MakeUser) -> None:
    user = make_user("li.na", display_name="李娜娜")
    row = queries.get_user(app.reader, app.sealer, user.id)
    assert row is not None
    assert row.display_name == "李娜娜"
    [stored] = app.reader.rows("select sealed from users")
    assert "李娜娜".encode() not in stored.sealed


def test_only_the_named_fields_change(app: GatewayApp, make_user: MakeUser) -> None:
    user = make_user("li.na", "seller", display_name="李娜")
    changed = change(app, user, display_name="Li Na")
    assert (changed.display_name, changed.role_ids, changed.version) == ("Li Na", ("seller",), 2)
    row = queries.get_user(app.reader, app.sealer, user.id)
    assert row is not None
    assert (row.display_name, row.role_ids, row.version) == ("Li Na", ["seller"], 2)


def test_a_change_that_changes_nothing_leaves_no_trace(app: GatewayApp, make_user: MakeUser) -> None:
    user = make_user("li.na", "seller")
    assert change(app, user, role_ids=("seller",)).version == 1
    assert len(told(app)) == 1


def test_a_change_of_rights_voids_tokens_and_a_change_of_name_does_not(
    app: GatewayApp, make_user: MakeUser
) -> None:
    user = make_user("li.na", "seller")
    change(app, user, display_name="Li Na")
    assert revoked(app) == set()
    change(app, user, role_ids=("agent",))
    assert revoked(app) == {user.id}
    assert told(app)[-1]["data"]["users"][0]["roleIds"] == ["agent"]


def test_tokens_are_void_until_the_instant_of_the_change(
    app: GatewayApp, make_user: MakeUser, clock: FixedClock
) -> None:
    user = make_user("li.na", "seller")
    change(app, user, role_ids=("agent",))
    [row] = queries.recent_revocations(app.reader, clock.now())
    assert row.issued_before == clock.now()


def test_a_stale_etag_is_refused(app: GatewayApp, make_user: MakeUser) -> None:
    user = make_user("li.na")
    change(app, user, "1", disabled=True)
    with pytest.raises(StaleEtag):
        change(app, user, "1", disabled=False)


def test_a_team_or_role_that_is_not_there_is_refused(app: GatewayApp, make_user: MakeUser) -> None:
    user = make_user("li.na")
    with pytest.raises(Invalid) as refusal:
        change(app, user, team_id=new_id(), role_ids=("emperor",))
    assert [v.field for v in refusal.value.violations] == ["user.team_id", "user.role_ids"]


def test_an_unknown_user_is_not_found(app: GatewayApp) -> None:
    with app.work(GATEWAY) as work:
        with pytest.raises(UserNotFound):
            revoke_sessions(work, new_id())
        with pytest.raises(UserNotFound):
            update_user(work, new_id(), "", UserDraft("", "", None, ()), {"disabled"})


def test_the_last_administrator_stays(app: GatewayApp, make_user: MakeUser) -> None:
    admin = make_user("admin", "admin")
    make_user("former", "admin", disabled=True)
    for fields in ({"disabled": True}, {"role_ids": ("seller",)}):
        with pytest.raises(LastAdministrator):
            change(app, admin, **fields)
    make_user("second", "admin")
    assert change(app, admin, role_ids=("seller",)).version == 2


def test_two_administrators_can_not_disable_each_other(app: GatewayApp, make_user: MakeUser) -> None:
    admins = [make_user("one", "admin"), make_user("two", "admin")]

    def disable(user: User) -> str:
        try:
            change(app, user, disabled=True)
        except CrmError as refusal:
            return refusal.reason
        return "disabled"

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(disable, admins)) == ["LAST_ADMINISTRATOR", "disabled"]


def test_the_first_user_is_made_once(app: GatewayApp) -> None:
    def first(number: int) -> bool:
        with app.work(GATEWAY) as work:
            return create_first_user(work, app.passwords, f"admin{number}", PASSWORD) is not None

    with ThreadPoolExecutor(4) as several:
        assert sorted(several.map(first, range(4))) == [False, False, False, True]
    assert not first(9)
    [user] = queries.list_users(app.reader, app.sealer, None, "", 10)
    assert user.role_ids == ["admin"]


def test_a_service_account_needs_a_name_and_roles_that_exist(app: GatewayApp) -> None:
    with app.work(GATEWAY) as work, pytest.raises(Invalid) as refusal:
        create_service_account(work, " ", ("emperor",))
    assert [v.field for v in refusal.value.violations] == ["service_account.name", "service_account.role_ids"]


def test_who_did_it_is_audited_without_names(app: GatewayApp, make_user: MakeUser) -> None:
    user = make_user("li.na", "seller", display_name="李娜")
    change(app, user, display_name="Li Na", role_ids=("agent",))
    rows = app.reader.rows("select action, object_id, facts from audit order by id")
    assert [(row.action, row.object_id) for row in rows] == [
        ("create", str(user.id)),
        ("update", str(user.id)),
    ]
    assert rows[1].facts == {"changed": ["display_name", "role_ids"], "roles": ["agent"], "disabled": False}
