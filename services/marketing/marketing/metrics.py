"""What the marketing service counts beyond the kernel's metrics."""

from __future__ import annotations

from prometheus_client import Counter

messages_ended = Counter(
    "campaign_messages_total",
    "Messages of campaigns by what became of them: sent, skipped, failed, unknown.",
    ("state",),
)
campaigns_held_up = Counter(
    "campaigns_held_up_total",
    "Times that a campaign had to wait, by what for: a service or the mail server was away.",
    ("reason",),
)
