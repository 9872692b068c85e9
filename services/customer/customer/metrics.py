"""Metrics of the customer service's own."""

from prometheus_client import Counter, Gauge

customers_recorded = Counter(
    "customers_recorded_total", "Customers asked to be recorded, by what became of them.", ("outcome",)
)
customers_exported = Counter("customers_exported_total", "Customers written into exported files.")
match_keys_capped = Counter(
    "match_keys_capped_total",
    "Match keys left out of a search for duplicates because too many customers share them.",
)
questions_are_counted_locally = Gauge(
    "duplicate_questions_are_counted_locally",
    "1 while questions about customers of other teams are counted in this process only, because Redis does"
    " not answer.",
)
