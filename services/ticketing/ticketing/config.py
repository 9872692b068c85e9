"""Settings of the ticketing service; the only place that reads the environment."""

from __future__ import annotations

from kernel.ops.settings import Settings


class TicketingSettings(Settings):
    """Read from the environment, each name with the prefix CRM_."""
