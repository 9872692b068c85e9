"""Roles: the presets fit the contracts, and several roles give the widest grant of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.presets import ADMIN, NARROWABLE, PERMISSIONS, PRESETS
from gateway.domain.roles import Role, check_grants, check_id, granted, own_role, widened
from kernel.pure.errors import Checks
from kernel.pure.grants import Grant, Scope
from tests.architecture import descriptors
from tests.architecture.test_protos import BESIDE_METHODS

IDS = {
    "admin", "seller", "sales_manager", "agent", "service_manager", "marketer", "privacy_officer",
    "auditor", "integration", "customer",
}  # fmt: skip


def _declared() -> set[str]:
    said = (descriptors.access(method) for method in descriptors.methods())
    return {access.permission for access in said if access is not None and access.permission}


def _preset(id: str) -> dict[str, Scope]:
    return granted(role for role in PRESETS if role.id == id)


def test_the_presets_are_those_of_the_architecture() -> None:
    assert {role.id for role in PRESETS} == IDS
    assert len(PRESETS) == len(IDS)
    assert all(role.preset and role.title_en and role.title_zh for role in PRESETS)


def test_every_permission_of_the_contracts_is_in_a_preset_and_no_other() -> None:
    held = {grant.permission for role in PRESETS for grant in role.grants}
    assert held == PERMISSIONS == _declared() | set(BESIDE_METHODS)


def test_no_preset_names_a_permission_twice() -> None:
    for role in PRESETS:
        assert len({grant.permission for grant in role.grants}) == len(role.grants), role.id


def test_an_administrator_may_do_everything() -> None:
    assert _preset(ADMIN) == dict.fromkeys(_declared(), Scope.ALL)


def test_an_auditor_reads_everything_and_changes_nothing() -> None:
    assert _preset("auditor") == {name: Scope.ALL for name in _declared() if name.endswith(".read")}


def test_a_seller_reaches_own_customers_and_a_manager_those_of_the_teams_below() -> None:
    for permission in ("customer.customers.read", "customer.customers.update", "sales.orders.read"):
        assert _preset("seller")[permission] is Scope.OWN
        assert _preset("sales_manager")[permission] is Scope.SUBTREE


def test_a_customer_reaches_only_what_is_about_them() -> None:
    assert set(_preset("customer").values()) == {Scope.SELF}


def test_the_directory_belongs_to_nobody_so_its_grants_have_no_narrow_scope() -> None:
    narrow = {
        grant
        for role in PRESETS
        for grant in role.grants
        if grant.permission.startswith("gateway.") and grant.scope is not Scope.ALL
    }
    assert not narrow


grants = st.builds(Grant, st.sampled_from("abcd"), st.sampled_from(Scope))
roles = st.lists(
    st.lists(grants, max_size=6).map(lambda held: Role("r", "", "", tuple(held), preset=False)), max_size=5
)


@given(roles)
def test_several_roles_give_the_widest_scope_of_each_permission(held: list[Role]) -> None:
    together = granted(held)
    every = [grant for role in held for grant in role.grants]
    assert set(together) == {grant.permission for grant in every}
    for permission, scope in together.items():
        assert scope == max(grant.scope for grant in every if grant.permission == permission)


@given(roles, roles)
def test_another_role_never_takes_a_right_away(some: list[Role], more: list[Role]) -> None:
    before, after = granted(some), granted([*some, *more])
    assert all(after[permission] >= scope for permission, scope in before.items())


@given(roles)
def test_the_order_of_roles_does_not_matter(held: list[Role]) -> None:
    assert granted(held) == granted(reversed(held))


@given(roles, roles)
def test_what_is_widened_is_what_the_former_role_did_not_give(some: list[Role], more: list[Role]) -> None:
    grants = {
        name: [Grant(p, s) for p, s in granted(held).items()] for name, held in (("a", some), ("b", more))
    }
    before, after = own_role("r", "", grants["a"]), own_role("r", "", grants["b"])
    further = widened(before, after)
    assert granted([before]) | {grant.permission: grant.scope for grant in further} == granted(
        [before, after]
    )


@pytest.mark.parametrize("id", ["ab", "night_shift", "a1", "a" * 40])
def test_an_id_is_a_word_of_lower_case_letters(id: str) -> None:
    checks = Checks()
    check_id(id, checks, "role.id")
    assert not checks.found


@pytest.mark.parametrize(
    "id", ["", "a", "a" * 41, "1a", "_a", "Night", "night shift", "night-shift", "ab\n", "é1"]
)
def test_other_ids_are_refused(id: str) -> None:
    checks = Checks()
    check_id(id, checks, "role.id")
    assert [(violation.field, violation.rule) for violation in checks.found] == [
        ("role.id", "ROLE_ID_FORMAT")
    ]


def test_of_each_wrong_grant_its_field_is_named_and_the_right_ones_are_kept() -> None:
    wanted = [
        ("sales.orders.read", Scope.TEAM),
        ("sales.orders.burn", Scope.ALL),
        ("sales.orders.read", Scope.ALL),
        ("customer.customers.read", None),
        ("gateway.users.manage", Scope.OWN),
        ("sales.products.read", Scope.ALL),
    ]
    checks = Checks()
    assert check_grants(wanted, PERMISSIONS, NARROWABLE, checks) == (
        Grant("sales.orders.read", Scope.TEAM),
        Grant("sales.products.read", Scope.ALL),
    )
    assert [(violation.field, violation.rule) for violation in checks.found] == [
        ("role.grants[1].permission", "UNKNOWN_PERMISSION"),
        ("role.grants[2].permission", "GRANTED_TWICE"),
        ("role.grants[3].scope", "REQUIRED"),
        ("role.grants[4].scope", "SCOPE_NOT_NARROWABLE"),
    ]


def test_what_belongs_to_somebody_can_be_given_in_part_and_the_directory_can_not() -> None:
    assert {"customer.customers.read", "sales.orders.read"} <= NARROWABLE
    assert not {permission for permission in NARROWABLE if permission.startswith("gateway.")}
