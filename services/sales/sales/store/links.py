"""Who is read through whom."""

from __future__ import annotations

# The customer that the one in place of {} is read through: the one it was merged into, or itself.
READ_THROUGH = "coalesce((select survivor_id from links where customer_id = {0}), {0})"
