"""python -m privacy.events [declare]: hears and tells facts; or declares the topology."""

import kernel.bus.green  # noqa: F401  isort: skip

from kernel.bus.runner import main
from privacy.events.subscriptions import PrivacyEvents, nobody_yet
from privacy.wiring import build

if __name__ == "__main__":
    main(build(), PrivacyEvents, nobody_yet=nobody_yet)
