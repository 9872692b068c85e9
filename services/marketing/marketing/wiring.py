"""The marketing service put together: what each of its processes starts from."""

from __future__ import annotations

from kernel.pure.grants import Principal
from kernel.sql.app import App
from marketing.config import MarketingSettings
from marketing.store.unit_of_work import MarketingWork


class MarketingApp(App):
    service = "marketing"

    def work(self, principal: Principal) -> MarketingWork:
        return MarketingWork(self, principal)


def build() -> MarketingApp:
    """The service as the environment describes it."""
    return MarketingApp(MarketingSettings())
