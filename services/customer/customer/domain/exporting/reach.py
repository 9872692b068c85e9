"""Whether somebody still reaches what an export of theirs began with."""

from __future__ import annotations

from customer.domain.exporting.errors import ExportForbidden
from customer.domain.exporting.fields import BY_NAME
from customer.domain.exporting.runs import Export
from kernel.pure.grants import Principal, Scope

PERMISSION = "customer.customers.export"
RAW = "customer.exports.raw"
_READ = "customer.customers.read"
_READ_PERSONAL = "customer.personal.read"
_READ_RESTRICTED = "customer.restricted.read"


def check_reach(export: Export, now: Principal) -> None:
    """`now` is whoever started the export, with the rights of now. More of them change nothing; with
    less of them what is written already would be too much.

    Raises ExportForbidden.
    """
    if not all(_reaches(now, export.principal, permission) for permission in _deciding(export)):
        raise ExportForbidden


def _deciding(export: Export) -> list[str]:
    """The permissions on which it depends what is in the file."""
    deciding = [PERMISSION, _READ, _READ_RESTRICTED]
    if export.options.raw:
        deciding.append(RAW)
    if any(BY_NAME[name].personal for name in export.options.fields):
        deciding.append(_READ_PERSONAL)
    return deciding


def _reaches(now: Principal, then: Principal, permission: str) -> bool:
    before, present = then.scope_of(permission), now.scope_of(permission)
    if before is None:
        return True
    if present is None or present < before:
        return False
    # Another team has other customers.
    return present is Scope.ALL or before < Scope.TEAM or now.team_id == then.team_id
