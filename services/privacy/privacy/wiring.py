"""The privacy service put together: what each of its processes starts from."""

from __future__ import annotations

from kernel.pure.clock import Clock
from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.crypto.blind import BlindIndex
from privacy.config import PrivacySettings
from privacy.store.unit_of_work import PrivacyWork


class PrivacyApp(App):
    service = "privacy"
    decides_on_rest = True
    settings: PrivacySettings

    def __init__(self, settings: PrivacySettings, clock: Clock | None = None) -> None:
        super().__init__(settings, clock)
        self.blind = BlindIndex(self.keyring)

    def work(self, principal: Principal) -> PrivacyWork:
        return PrivacyWork(self, principal, self.settings, self.blind)


def build() -> PrivacyApp:
    """The service as the environment describes it."""
    return PrivacyApp(PrivacySettings())
