"""Settings of the privacy service; the only place that reads the environment."""

from __future__ import annotations

from kernel.ops.settings import Settings


class PrivacySettings(Settings):
    """Read from the environment, each name with the prefix CRM_."""
