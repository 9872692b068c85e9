"""What the sales service counts beyond the kernel's metrics."""

from __future__ import annotations

from prometheus_client import Counter

_OUTCOME = ("outcome",)

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
