"""Settings of the marketing service beyond the kernel's; the only place that reads the environment."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from kernel.ops.settings import Settings


class MarketingSettings(Settings):
    """Read from the environment, each name with the prefix CRM_."""

    # Where recipients reach the gateway: links in messages begin with it.
    public_url: str = "https://localhost:8443"
    # From whom campaigns come: an address of the enterprise, "Shop <news@shop.example>".
    campaign_sender: str = "CRM <news@localhost>"
    # Seconds after which an attempt that did not end was made by a process that died.
    attempt_seconds: int = Field(120, ge=60)

    @property
    def longest_attempt(self) -> timedelta:
        return timedelta(seconds=self.attempt_seconds)
