"""What the gateway hears: nothing. Its events process publishes what the others tell it to: the outbox."""

from __future__ import annotations


class Subscriptions:
    """No handler."""


# Told by this service, heard by no other yet.
nobody_yet: frozenset[str] = frozenset()
