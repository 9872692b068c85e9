"""Who may do what, how far."""

import pytest

from kernel.pure.errors import PermissionDenied
from kernel.pure.grants import ANONYMOUS, Grant, Principal, Scope, widest


def test_the_widest_scope_of_several_roles_counts() -> None:
    grants = [Grant("a.b.read", Scope.TEAM), Grant("a.b.read", Scope.OWN), Grant("a.b.write", Scope.OWN)]
    assert widest(grants) == {"a.b.read": Scope.TEAM, "a.b.write": Scope.OWN}


def test_strangers_may_nothing() -> None:
    with pytest.raises(PermissionDenied):
        ANONYMOUS.require("a.b.read")


def test_a_service_reaches_everything_in_its_own_database() -> None:
    assert Principal.service("customer").require("a.b.read") is Scope.ALL
