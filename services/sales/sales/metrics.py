"""What the sales service counts beyond the kernel's metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

_OUTCOME = ("outcome",)
_REASON = ("reason",)

orders_recorded = Counter(
    "orders_recorded_total",
    "Orders the ERP sent: stored, unchanged (as new or newer held) or refused.",
    _OUTCOME,
)
products_recorded = Counter(
    "products_recorded_total",
    "Products the ERP sent: stored, unchanged (as new or newer held) or refused.",
    _OUTCOME,
)
leads_taken = Counter("leads_taken_total", "Leads that came in, by the door they came by.", ("door",))
forms_submitted = Counter("lead_forms_submitted_total", "Forms that were filled in and kept.")
forms_waiting = Gauge(
    "lead_forms_waiting", "Forms kept that are no leads yet: grows while customers are away."
)
forms_refused = Counter(
    "lead_forms_refused_total",
    "Forms that can be no lead, by the reason: kept for a while and then destroyed.",
    _REASON,
)
forms_forgotten = Counter(
    "lead_forms_forgotten_total", "Refused forms that were destroyed when they were kept long enough."
)
submissions_are_counted_locally = Gauge(
    "submissions_are_counted_locally",
    "1 while Redis does not answer and each process counts submissions of forms for itself.",
)
contracts_signed = Counter("contracts_signed_total", "Contracts that were rendered and signed.")
contracts_waiting = Gauge(
    "contracts_waiting",
    "Drafts not signed yet: stays above 0 when a font, a certificate or a name is missing.",
)
