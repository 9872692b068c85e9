"""python -m gateway.events [declare]: tells facts; or declares the topology."""

import kernel.bus.green  # noqa: F401  isort: skip

from gateway.events.subscriptions import Subscriptions, nobody_yet
from gateway.wiring import build
from kernel.bus.runner import main

if __name__ == "__main__":
    main(build(), Subscriptions, nobody_yet=nobody_yet)
