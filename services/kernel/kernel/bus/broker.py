"""Reaching the broker: the one place that knows how a plain connection is made and what it raises."""

from __future__ import annotations

from typing import Any

from amqp.exceptions import AMQPError
from kombu.connection import Connection
from kombu.exceptions import OperationalError

# What a broker that stops, starts or hangs makes the libraries raise.
BROKER_ERRORS: tuple[type[Exception], ...] = (OSError, AMQPError, OperationalError)


def connect(amqp_url: str) -> Any:
    """An open connection of kombu, to be used in a with statement or released. Raises one of BROKER_ERRORS.

    Without heartbeats: it is for short work, and who waits for an answer sets a time for it.
    """
    connection: Any = Connection(amqp_url, connect_timeout=5, heartbeat=0)  # type: ignore[no-untyped-call]
    # One try: whoever calls knows how long to pause before the next.
    connection.ensure_connection(max_retries=0)
    return connection
