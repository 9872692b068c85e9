"""The sales service put together: what each of its processes starts from."""

from __future__ import annotations

from kernel.pure.clock import Clock
from kernel.pure.grants import Principal
from kernel.sql.app import App
from sales.config import SalesSettings
from sales.store.unit_of_work import SalesWork


class SalesApp(App):
    service = "sales"
    settings: SalesSettings

    def __init__(self, settings: SalesSettings, clock: Clock | None = None) -> None:
        super().__init__(settings, clock)

    def work(self, principal: Principal) -> SalesWork:
        return SalesWork(self, principal, self.settings)


def build() -> SalesApp:
    """The service as the environment describes it."""
    return SalesApp(SalesSettings())
