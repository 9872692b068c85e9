"""The privacy service put together: what each of its processes starts from."""

from __future__ import annotations

from kernel.pure.grants import Principal
from kernel.sql.app import App
from privacy.config import PrivacySettings
from privacy.store.unit_of_work import PrivacyWork


class PrivacyApp(App):
    service = "privacy"

    def work(self, principal: Principal) -> PrivacyWork:
        return PrivacyWork(self, principal)


def build() -> PrivacyApp:
    """The service as the environment describes it."""
    return PrivacyApp(PrivacySettings())
