"""What anybody may send is counted by the address that it comes from."""

from __future__ import annotations

from kernel.rpc.call import Call
from ticketing.domain.errors import TooManyForms
from ticketing.wiring import TicketingApp

_HOUR = 3600.0


def throttle(app: TicketingApp, call: Call) -> None:
    """Raises TooManyForms."""
    count, left = app.counters.hit(f"form:{call.address}", _HOUR)
    if count > app.settings.forms_per_address:
        raise TooManyForms(left)
