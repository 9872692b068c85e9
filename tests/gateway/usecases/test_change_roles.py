"""Roles of the enterprise's own, and that nobody gives more than they hold."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest

from gateway.domain.errors import (
    BeyondOwnRights,
    LastAdministrator,
    PresetRole,
    RoleIdTaken,
    RoleInUse,
    RoleNotFound,
)
from gateway.domain.presets import PRESETS
from gateway.domain.roles import MANAGE_USERS, Role, RoleDraft, granted
from gateway.domain.teams import Team
from gateway.domain.users import User, UserDraft
from gateway.store import queries
from gateway.usecases.change_roles import create_role, delete_role, update_role
from gateway.usecases.change_teams import create_team
from gateway.usecases.create_user import create_service_account, create_user
from gateway.usecases.sign_in import sign_in
from gateway.usecases.update_user import update_user
from gateway.wiring import GatewayApp
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from tests.gateway.conftest import PASSWORD, MakeUser
from tests.support.servers import eventually

GATEWAY = Principal.service("gateway")
READ, UPDATE, SELL = "customer.customers.read", "customer.customers.update", "sales.orders.read"


def acting(**grants: Scope) -> Principal:
    """A user with these grants, by the permission with "__" for its dots."""
    held = {permission.replace("__", "."): scope for permission, scope in grants.items()}
    return Principal(PrincipalKind.USER, str(new_id()), held, session_id=str(new_id()))


def administrator() -> Principal:
    [admin] = (role for role in PRESETS if role.id == "admin")
    return Principal(PrincipalKind.USER, str(new_id()), granted([admin]))


def draft(id: str = "night_shift", title: str = "夜班", **grants: Scope) -> RoleDraft:
    return RoleDraft(id, title, tuple((name.replace("__", "."), scope) for name, scope in grants.items()))


def create(app: GatewayApp, wanted: RoleDraft, principal: Principal = GATEWAY) -> Role:
    with app.work(principal) as work:
        return create_role(work, wanted)


def update(app: GatewayApp, wanted: RoleDraft, *fields: str, principal: Principal = GATEWAY) -> Role:
    with app.work(principal) as work:
        return update_role(work, wanted, fields or ("title", "grants"))


def delete(app: GatewayApp, role_id: str) -> None:
    with app.work(GATEWAY) as work:
        delete_role(work, role_id)


def stored(app: GatewayApp, role_id: str = "night_shift") -> Mapping[str, Scope] | None:
    """The grants of a role; None when there is none."""
    for row in queries.list_roles(app.reader):
        if row.id == role_id:
            return {grant["permission"]: Scope(grant["scope"]) for grant in row.grants}
    return None


def revoked(app: GatewayApp) -> set[UUID]:
    return {row.subject_id for row in queries.recent_revocations(app.reader, app.clock.now())}


def audited(app: GatewayApp) -> list[tuple[str, str, dict[str, object]]]:
    query = "select action, object_id, facts from audit where object_type = 'role' order by id"
    return [(row.action, row.object_id, row.facts) for row in app.reader.rows(query)]


def test_a_role_is_made_changed_and_deleted(app: GatewayApp) -> None:
    made = create(app, draft(customer__customers__read=Scope.TEAM))
    assert (made.preset, made.title_en, made.title_zh) == (False, "夜班", "夜班")
    assert stored(app) == {READ: Scope.TEAM}
    update(app, draft(title="Night", sales__orders__read=Scope.OWN), "grants")
    assert stored(app) == {SELL: Scope.OWN}
    assert update(app, draft(title="Night"), "title").title_zh == "Night"
    assert stored(app) == {SELL: Scope.OWN}
    delete(app, "night_shift")
    assert stored(app) is None


def test_all_wrong_fields_are_named_at_once(app: GatewayApp) -> None:
    with pytest.raises(Invalid) as refusal:
        create(
            app, RoleDraft("Night", " ", ((READ, Scope.ALL), ("sales.orders.burn", Scope.ALL), (SELL, None)))
        )
    assert [violation.field for violation in refusal.value.violations] == [
        "role.id", "role.title", "role.grants[1].permission", "role.grants[2].scope",
    ]  # fmt: skip


def test_an_id_belongs_to_one_role(app: GatewayApp) -> None:
    create(app, draft())
    for taken in ("night_shift", "seller", "admin"):
        with pytest.raises(RoleIdTaken):
            create(app, draft(taken))


@pytest.mark.parametrize("preset", [role.id for role in PRESETS])
def test_presets_stay_as_they_are(app: GatewayApp, preset: str) -> None:
    before = stored(app, preset)
    with pytest.raises(PresetRole):
        update(app, draft(preset, customer__customers__read=Scope.ALL))
    with pytest.raises(PresetRole):
        delete(app, preset)
    assert stored(app, preset) == before


def test_an_unknown_role_is_not_found(app: GatewayApp) -> None:
    with pytest.raises(RoleNotFound):
        update(app, draft("nobodys"))
    with pytest.raises(RoleNotFound):
        delete(app, "nobodys")


def test_a_role_that_somebody_has_is_not_deleted(app: GatewayApp, make_user: MakeUser) -> None:
    create(app, draft())
    create(app, draft("day_shift"))
    user = make_user("li.na", "night_shift", disabled=True)
    with app.work(GATEWAY) as work:
        create_service_account(work, "ERP", ("day_shift",))
    for role_id in ("night_shift", "day_shift"):
        with pytest.raises(RoleInUse):
            delete(app, role_id)
    with app.work(GATEWAY) as work:
        update_user(work, user.id, "", UserDraft("", "", None, ()), ["role_ids"])
    delete(app, "night_shift")


def test_a_change_of_grants_voids_the_tokens_of_all_who_have_the_role(
    app: GatewayApp, make_user: MakeUser
) -> None:
    create(app, draft(customer__customers__read=Scope.TEAM))
    holders = {make_user("one", "night_shift").id, make_user("two", "night_shift", "seller").id}
    make_user("other", "seller")
    with app.work(GATEWAY) as work:
        holders.add(create_service_account(work, "ERP", ("night_shift",))[0].id)
    update(app, draft(title="Night", customer__customers__read=Scope.TEAM))
    assert revoked(app) == set()
    update(app, draft(title="Night", customer__customers__read=Scope.OWN))
    assert revoked(app) == holders
    instants = {row.issued_before for row in queries.recent_revocations(app.reader, app.clock.now())}
    assert instants == {app.clock.now()}


def test_what_changes_nothing_leaves_no_trace(app: GatewayApp, make_user: MakeUser) -> None:
    wanted = draft(customer__customers__read=Scope.TEAM, sales__orders__read=Scope.OWN)
    create(app, wanted)
    make_user("li.na", "night_shift")
    update(app, RoleDraft(wanted.id, wanted.title, wanted.grants[::-1]))
    assert revoked(app) == set()
    assert [action for action, *_ in audited(app)] == ["create"]


def test_who_did_what_is_audited(app: GatewayApp) -> None:
    create(app, draft(customer__customers__read=Scope.TEAM))
    update(app, draft(title="Night", sales__orders__read=Scope.OWN))
    delete(app, "night_shift")
    assert audited(app) == [
        ("create", "night_shift", {"grants": {READ: "team"}}),
        ("update", "night_shift", {"grants": {SELL: "own"}, "titled": True}),
        ("delete", "night_shift", {"grants": {SELL: "own"}}),
    ]


def test_nobody_makes_a_role_that_reaches_further_than_they_do(app: GatewayApp) -> None:
    manager = acting(customer__customers__read=Scope.SUBTREE, gateway__roles__manage=Scope.ALL)
    create(app, draft("same", customer__customers__read=Scope.SUBTREE), manager)
    create(app, draft("narrower", customer__customers__read=Scope.OWN), manager)
    for beyond in (
        draft("wider", customer__customers__read=Scope.ALL),
        draft("other", sales__orders__read=Scope.OWN),
        draft("both", customer__customers__read=Scope.OWN, gateway__users__manage=Scope.ALL),
    ):
        with pytest.raises(BeyondOwnRights):
            create(app, beyond, manager)
        assert stored(app, beyond.id) is None


def test_nobody_widens_a_role_beyond_what_they_hold_but_may_narrow_one(app: GatewayApp) -> None:
    create(app, draft(customer__customers__read=Scope.ALL, sales__orders__read=Scope.ALL))
    manager = acting(customer__customers__read=Scope.TEAM, customer__customers__update=Scope.TEAM)
    for beyond in (
        draft(customer__customers__read=Scope.ALL, customer__customers__update=Scope.SUBTREE),
        draft(customer__customers__read=Scope.ALL, sales__products__write=Scope.ALL),
    ):
        with pytest.raises(BeyondOwnRights):
            update(app, beyond, principal=manager)
    update(
        app,
        draft(customer__customers__read=Scope.ALL, customer__customers__update=Scope.TEAM),
        principal=manager,
    )
    assert stored(app) == {READ: Scope.ALL, UPDATE: Scope.TEAM}


def test_nobody_gives_a_role_that_reaches_further_than_they_do(app: GatewayApp, make_user: MakeUser) -> None:
    create(app, draft("own_readers", customer__customers__read=Scope.OWN))
    hiring = acting(gateway__users__manage=Scope.ALL, customer__customers__read=Scope.TEAM)
    user = make_user("li.na", "seller")
    with app.work(hiring) as work:
        create_user(work, app.passwords, UserDraft("new.one", "", None, ("own_readers",)), PASSWORD)
        update_user(work, user.id, "", UserDraft("", "", None, ("own_readers", "seller")), ["role_ids"])
        for role_id in ("admin", "seller"):
            with pytest.raises(BeyondOwnRights):
                create_user(work, app.passwords, UserDraft("new.two", "", None, (role_id,)), PASSWORD)
            with pytest.raises(BeyondOwnRights):
                create_service_account(work, "ERP", (role_id,))
        with pytest.raises(BeyondOwnRights):
            update_user(work, user.id, "", UserDraft("", "", None, ("admin", "seller")), ["role_ids"])
        update_user(work, user.id, "", UserDraft("", "", None, ()), ["role_ids"])


def test_nobody_is_placed_where_they_reach_further_than_who_places_them(
    app: GatewayApp, make_user: MakeUser
) -> None:
    with app.work(GATEWAY) as work:
        top = create_team(work, "top", None)
        middle, aside = create_team(work, "middle", top.id), create_team(work, "aside", top.id)
        below = create_team(work, "below", middle.id)
    create(app, draft("readers", customer__customers__read=Scope.SUBTREE))
    user = make_user("li.na", "readers", team_id=below.id)
    hiring = acting(gateway__users__manage=Scope.ALL, customer__customers__read=Scope.SUBTREE)
    hiring = replace(hiring, team_id=middle.id)

    def place(team: Team | None) -> None:
        with app.work(hiring) as work:
            wanted = UserDraft("", "", team.id if team else None, ())
            update_user(work, user.id, "", wanted, ["team_id"])

    def make(login: str, team: Team) -> User:
        with app.work(hiring) as work:
            return create_user(work, app.passwords, UserDraft(login, "", team.id, ("readers",)), PASSWORD)

    for team in (middle, None, below):
        place(team)
    assert make("new.one", below).team_id == below.id
    for team in (top, aside):
        with pytest.raises(BeyondOwnRights):
            place(team)
        with pytest.raises(BeyondOwnRights):
            make("new.two", team)


def test_whoever_reaches_one_team_places_nobody_in_another(app: GatewayApp, make_user: MakeUser) -> None:
    with app.work(GATEWAY) as work:
        top = create_team(work, "top", None)
        below = create_team(work, "below", top.id)
    create(app, draft("readers", customer__customers__read=Scope.TEAM))
    user = make_user("li.na", "readers")
    hiring = replace(acting(customer__customers__read=Scope.TEAM), team_id=top.id)
    with app.work(hiring) as work:
        update_user(work, user.id, "", UserDraft("", "", top.id, ()), ["team_id"])
        with pytest.raises(BeyondOwnRights):
            update_user(work, user.id, "", UserDraft("", "", below.id, ()), ["team_id"])


def test_users_are_made_customers_by_those_who_reach_every_customer(
    app: GatewayApp, make_user: MakeUser
) -> None:
    me, other = new_id(), new_id()
    [preset] = (role for role in PRESETS if role.id == "customer")
    grants = {grant.permission: Scope.OWN for grant in preset.grants}
    narrow = Principal(PrincipalKind.USER, str(new_id()), grants)
    wide = replace(narrow, grants=dict.fromkeys(grants, Scope.ALL))
    wanted = UserDraft("customer.one", "", None, ("customer",), customer_id=me)
    with pytest.raises(BeyondOwnRights), app.work(narrow) as work:
        create_user(work, app.passwords, wanted, PASSWORD)
    with app.work(wide) as work:
        user = create_user(work, app.passwords, wanted, PASSWORD)
    moved = replace(wanted, customer_id=other)
    with pytest.raises(BeyondOwnRights), app.work(narrow) as work:
        update_user(work, user.id, "", moved, ["customer_id"])
    # Who has no roles reaches nothing as a customer; roles that follow are given by the same rule.
    idle = make_user("customer.two", customer_id=me)
    with pytest.raises(BeyondOwnRights), app.work(narrow) as work:
        update_user(work, idle.id, "", wanted, ["role_ids"])
    with app.work(wide) as work:
        assert update_user(work, user.id, "", moved, ["customer_id"]).customer_id == other
        assert update_user(work, idle.id, "", wanted, ["role_ids"]).role_ids == ("customer",)
    lost = {row.subject_id for row in queries.recent_revocations(app.reader, app.clock.now())}
    assert {user.id, idle.id} <= lost


def test_an_administrator_gives_every_role_there_is(app: GatewayApp) -> None:
    everything = tuple(role.id for role in PRESETS)
    with app.work(administrator()) as work:
        user = create_user(work, app.passwords, UserDraft("li.na", "", None, everything), PASSWORD)
        create_role(work, draft("readers", customer__personal__read=Scope.ALL))
    assert user.role_ids == everything
    assert stored(app, "readers") == {"customer.personal.read": Scope.ALL}


def test_the_last_right_to_manage_users_is_not_taken_out_of_a_role(
    app: GatewayApp, make_user: MakeUser
) -> None:
    create(app, draft(gateway__users__manage=Scope.ALL))
    make_user("li.na", "night_shift")
    with pytest.raises(LastAdministrator):
        update(app, draft(sales__orders__read=Scope.ALL))
    assert stored(app) == {MANAGE_USERS: Scope.ALL}
    make_user("admin", "admin")
    update(app, draft(sales__orders__read=Scope.ALL))


def test_a_token_made_while_its_role_changes_carries_the_new_grants(
    app: GatewayApp, make_user: MakeUser
) -> None:
    create(app, draft(customer__customers__read=Scope.ALL))
    make_user("li.na", "night_shift")

    def sign() -> Principal:
        with app.work(GATEWAY) as work:
            return sign_in(work, app.passwords, app.lifetimes, "li.na", PASSWORD).principal

    with ThreadPoolExecutor(1) as other:
        with app.work(GATEWAY) as work:
            update_role(work, draft(customer__customers__read=Scope.OWN), ["grants"])
            signing = other.submit(sign)
            _until_it_waits(app, signing)
        assert signing.result().grants == {READ: Scope.OWN}


def test_a_role_is_not_given_while_it_is_deleted(app: GatewayApp, make_user: MakeUser) -> None:
    create(app, draft())
    with ThreadPoolExecutor(1) as other:
        with app.work(GATEWAY) as work:
            delete_role(work, "night_shift")
            giving = other.submit(make_user, "li.na", "night_shift")
            _until_it_waits(app, giving)
        with pytest.raises(Invalid):
            giving.result()


def _until_it_waits(app: GatewayApp, other: Future[object]) -> None:
    """Until the other transaction waits for ours."""
    query = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    eventually(lambda: other.done() or app.reader.rows(query))
    assert not other.done()
