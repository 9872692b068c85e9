"""The metrics catalogue: names are a contract with the people who watch them.

Each metric is declared here once, with a sentence. A service's own stand in its metrics.py.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_METHOD = ("grpc_service", "grpc_method")

calls_started = Counter("grpc_server_started_total", "Calls that reached the server.", _METHOD)
calls_handled = Counter(
    "grpc_server_handled_total", "Calls that were answered, by status code.", (*_METHOD, "grpc_code")
)
call_seconds = Histogram(
    "grpc_server_handling_seconds", "Time from start to answer of a call.", _METHOD, buckets=_SECONDS
)
calls_shed = Counter("grpc_server_shed_total", "Calls refused because too much was waiting.", _METHOD)
calls_waiting = Gauge("grpc_server_wait_seconds", "How long a call arriving now is expected to wait.")
replays = Counter(
    "idempotent_replays_total", "Commands answered from the stored answer of the same request id.", _METHOD
)

outbox_pending = Gauge("outbox_pending", "Events committed and not yet confirmed by the broker.")
outbox_age = Gauge(
    "outbox_oldest_age_seconds", "Age of the oldest event not yet confirmed; 0 when there is none."
)
events_published = Counter("events_published_total", "Events confirmed by the broker.", ("event",))
events_unroutable = Counter(
    "events_unroutable_total", "Events the broker returned because no queue wants them: an alarm.", ("event",)
)
event_seconds = Histogram(
    "event_handler_seconds",
    "Time a handler took for one event, commit included.",
    ("handler",),
    buckets=_SECONDS,
)
event_lag = Histogram(
    "event_lag_seconds", "Time from the commit of a fact to the commit of its effect here.", ("handler",),
    buckets=(*_SECONDS, 30, 60, 600),
)  # fmt: skip
inbox_duplicates = Counter(
    "inbox_duplicates_total", "Events that had taken effect before and were only acknowledged.", ("handler",)
)
event_retries = Counter("event_retries_total", "Events put on a retry queue.", ("handler", "delay"))
events_dead = Counter("dead_lettered_total", "Events put on a dead-letter queue.", ("handler", "reason"))
dead_letters = Gauge("dead_letters", "Messages on the dead-letter queue of a handler.", ("queue",))

timers_fired = Counter("timers_fired_total", "Timers whose effect was committed.", ("kind",))
timers_failed = Counter("timers_failed_total", "Attempts to fire a timer that failed.", ("kind",))
timers_lag = Gauge("timers_due_lag_seconds", "How late the most overdue timer is; 0 when none is due.")
jobs_stalled = Counter("jobs_rescued_total", "Jobs of a dead worker that were started again.")

pool_in_use = Gauge("db_pool_in_use", "Connections to the service's database in use in this process.")
pool_size = Gauge("db_pool_size", "Connections to the service's database this process may hold.")

trust_age = Gauge("trust_age_seconds", "Time since keys and revocations were heard from the gateway.")
keyring_errors = Counter("keyring_errors_total", "Questions to the keyring that failed.")

audit_sealed = Counter("audit_sealed_total", "Audit rows put into the service's chain.")
audit_broken = Gauge(
    "audit_broken_position",
    "First position at which the service's own audit chain is broken; 0 when it is whole.",
)
late_for_erased = Counter(
    "erased_subject_events_total",
    "Items of late events that were dropped: their subject was erased.",
    ("handler",),
)
