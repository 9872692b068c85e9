"""python -m sales.events [declare]: hears and tells facts; or declares the topology."""

import kernel.bus.green  # noqa: F401  isort: skip

from kernel.bus.runner import main
from sales.events.subscriptions import SalesEvents, nobody_yet
from sales.wiring import build

if __name__ == "__main__":
    main(build(), SalesEvents, nobody_yet=nobody_yet)
