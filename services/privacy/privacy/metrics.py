"""What the privacy service counts beyond the kernel's metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

consents_recorded = Counter(
    "consents_recorded_total", "What persons said, as it went into the ledger.", ("purpose", "state")
)
consent_coverage = Gauge(
    "consent_coverage_ratio",
    "Share of the persons stored who were told what for and agreed, or rest on another basis: 1 is the aim.",
)
