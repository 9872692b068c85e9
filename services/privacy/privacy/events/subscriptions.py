"""What the privacy service hears: who belongs to which team."""

from __future__ import annotations

from typing import Any

from kernel.bus.directory import FollowsDirectory

# Told by this service, heard by no other yet.
nobody_yet: frozenset[type[Any]] = frozenset()


class PrivacyEvents(FollowsDirectory):
    """The gateway's directory decides how far a scope reaches."""
