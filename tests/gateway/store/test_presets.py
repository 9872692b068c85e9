"""Preset roles follow the release; roles of the installation's own stay."""

from __future__ import annotations

from gateway.domain.presets import PRESETS
from gateway.domain.roles import Role
from gateway.store import queries
from gateway.wiring import GatewayApp
from kernel.pure.grants import Grant, Principal, Scope


def test_an_upgrade_replaces_presets_and_leaves_other_roles_alone(app: GatewayApp) -> None:
    grant = Grant("sales.orders.read", Scope.TEAM)
    own = Role("night_shift", "Night shift", "夜班", (grant,), preset=False)
    outdated = Role("seller", "Old", "旧", (), preset=True)
    with app.work(Principal.service("gateway")) as work:
        work.roles.install([own, outdated])
        work.roles.install(PRESETS)
        assert work.roles.of(["night_shift"]) == [own]
        assert sorted(work.roles.of([role.id for role in PRESETS]), key=lambda role: role.id) == sorted(
            PRESETS, key=lambda role: role.id
        )
        work.discard()
    assert {row.id for row in queries.list_roles(app.reader)} == {role.id for role in PRESETS}
