"""Metrics of the gateway service, each with a sentence."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

sign_ins = Counter(
    "sign_ins_total",
    "Attempts to get tokens, by way (password, refresh, secret) and outcome (granted, refused, throttled).",
    ("way", "outcome"),
)
sessions_ended = Counter(
    "sessions_ended_total",
    "Sessions that were ended before their time, by cause (logout, revoked, reuse).",
    ("cause",),
)
throttle_is_local = Gauge(
    "throttle_is_local", "1 while attempts are counted in this process only, because Redis does not answer."
)
signing_keys_made = Counter("signing_keys_made_total", "Signing keys made by this process.")
