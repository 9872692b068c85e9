"""Settings of the sales service beyond the kernel's; the only place that reads the environment."""

from __future__ import annotations

from kernel.ops.settings import Settings


class SalesSettings(Settings):
    # Days after today that an order may still be dated; a later day is taken for a slip of the pen.
    order_days_ahead: int = 366
    # Forms that one address may submit in a minute.
    forms_a_minute: int = 20
