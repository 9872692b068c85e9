"""python -m ticketing.events [declare]: hears and tells facts; or declares the topology."""

import kernel.bus.green  # noqa: F401  isort: skip

from kernel.bus.runner import main
from ticketing.events.subscriptions import TicketingEvents, nobody_yet
from ticketing.wiring import build

if __name__ == "__main__":
    main(build(), TicketingEvents, nobody_yet=nobody_yet)
