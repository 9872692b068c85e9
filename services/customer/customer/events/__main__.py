"""python -m customer.events [declare]: hears and tells facts; or declares the topology."""

import kernel.bus.green  # noqa: F401  isort: skip

from customer.events.subscriptions import CustomerEvents, nobody_yet
from customer.wiring import build
from kernel.bus.runner import main

if __name__ == "__main__":
    main(build(), CustomerEvents, nobody_yet=nobody_yet)
