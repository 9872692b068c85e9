"""Settings of the customer service beyond the kernel's; the only place that reads the environment."""

from kernel.ops.settings import Settings


class CustomerSettings(Settings):
    """Nothing of its own yet."""
