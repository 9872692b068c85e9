"""The ticketing service put together: what each of its processes starts from."""

from __future__ import annotations

from kernel.pure.grants import Principal
from kernel.sql.app import App
from ticketing.config import TicketingSettings
from ticketing.store.unit_of_work import TicketingWork


class TicketingApp(App):
    service = "ticketing"

    def work(self, principal: Principal) -> TicketingWork:
        return TicketingWork(self, principal)


def build() -> TicketingApp:
    """The service as the environment describes it."""
    return TicketingApp(TicketingSettings())
