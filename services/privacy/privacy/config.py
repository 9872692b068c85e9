"""Settings of the privacy service beyond the kernel's; the only place that reads the environment."""

from __future__ import annotations

from kernel.ops.settings import Settings


class PrivacySettings(Settings):
    # Whose law decides which legal bases there are: "CN" (PIPL) or "EU" (GDPR).
    jurisdiction: str = "CN"
