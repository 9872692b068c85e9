"""Metrics of the customer service's own."""

from prometheus_client import Counter

customers_recorded = Counter(
    "customers_recorded_total", "Customers asked to be recorded, by what became of them.", ("outcome",)
)
