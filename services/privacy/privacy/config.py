"""Settings of the privacy service beyond the kernel's; the only place that reads the environment."""

from __future__ import annotations

from kernel.ops.settings import Settings


class PrivacySettings(Settings):
    # Whose law decides which legal bases there are: "CN" (PIPL) or "EU" (GDPR).
    jurisdiction: str = "CN"
    # Days within which an erasure must be closed.
    erasure_days: int = 15
    # Years for which the proof of a consent is kept after an erasure.
    proof_years: int = 3
