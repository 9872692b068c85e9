"""The marketing service put together: what each of its processes starts from."""

from __future__ import annotations

from functools import cached_property

from kernel.pure.clock import Clock
from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.crypto.blind import BlindIndex
from marketing.config import MarketingSettings
from marketing.domain.tokens import Tokens
from marketing.store.unit_of_work import MarketingWork

_TRACKING_KEY = ("tracking", "1")


class MarketingApp(App):
    service = "marketing"
    settings: MarketingSettings

    def __init__(self, settings: MarketingSettings, clock: Clock | None = None) -> None:
        super().__init__(settings, clock)
        self.blind = BlindIndex(self.keyring)

    def work(self, principal: Principal) -> MarketingWork:
        return MarketingWork(self, principal, self.blind)

    @cached_property
    def tokens(self) -> Tokens:
        """Signs the links in messages."""
        return Tokens(self.keyring.service_key(*_TRACKING_KEY))


def build() -> MarketingApp:
    """The service as the environment describes it."""
    return MarketingApp(MarketingSettings())
