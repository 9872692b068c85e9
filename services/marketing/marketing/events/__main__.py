"""python -m marketing.events [declare]: hears and tells facts; or declares the topology."""

import kernel.bus.green  # noqa: F401  isort: skip

from kernel.bus.runner import main
from marketing.events.subscriptions import MarketingEvents, nobody_yet
from marketing.wiring import build

if __name__ == "__main__":
    main(build(), MarketingEvents, nobody_yet=nobody_yet)
