"""What the ticketing service counts beyond the kernel's metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

tickets_opened = Counter(
    "tickets_opened_total", "Tickets that were opened, by channel and kind.", ("channel", "kind")
)
consultations_linked = Counter(
    "consultations_linked_total",
    "What customers said that became a message of a ticket that was open.",
    ("channel",),
)
mails_received = Counter(
    "mails_received_total",
    "Mails at the door: stored, repeated (held already), refused (not for us) or put_off (store away).",
    ("outcome",),
)
mails_unreadable = Counter(
    "mails_unreadable_total", "Mails that became a ticket without being readable.", ("reason",)
)
mails_sent = Counter(
    "service_mails_sent_total", "Mails to customers, by purpose and outcome.",
    ("purpose", "outcome"),
)  # fmt: skip
surveys_answered = Counter("surveys_answered_total", "Surveys of closed tickets that customers answered.")
forms_are_counted_locally = Gauge(
    "ticket_forms_are_counted_locally",
    "1 while Redis does not answer and each process counts forms and answers to surveys for itself.",
)
