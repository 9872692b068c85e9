"""What the privacy service counts beyond the kernel's metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

consents_recorded = Counter(
    "consents_recorded_total", "What persons said, as it went into the ledger.", ("purpose", "state")
)
sends_checked = Counter(
    "sends_checked_total", "Persons asked for by whoever would send: permitted, or why not.", ("verdict",)
)
erasures_open = Gauge("erasures_open", "Requests to erase that are not closed.")
erasures_overdue = Gauge("erasures_overdue", "Requests to erase past their deadline: an alarm.")
erasures_failed = Counter(
    "erasures_unanswered_total", "Erasures that a service did not answer within all tries.", ("participant",)
)
erasure_alarms = Counter(
    "erasure_alarms_total", "Requests still open after a share of the time allowed.", ("percent",)
)
ledger_broken = Gauge(
    "consent_ledger_broken",
    "1 while the ledger of consents is not what the audit says was recorded: an alarm.",
)
sends_without_grant = Gauge(
    "sends_without_grant",
    "Messages found that went out without a consent that lived then: an alarm when it is above 0 or grows.",
)
consent_coverage = Gauge(
    "consent_coverage_ratio",
    "Share of the persons stored who were told what for and agreed, or rest on another basis: 1 is the aim.",
)
