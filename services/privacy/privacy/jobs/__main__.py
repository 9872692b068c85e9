"""python -m privacy.jobs: ends consents and holds, sees erasures through, measures."""

from kernel.jobs.worker import main
from kernel.rpc.channel import Peers
from privacy.jobs.check_ledger import CHECK_LEDGER
from privacy.jobs.erase_subjects import (
    alarm_erasures,
    begin_erasure,
    confirm_erasure,
    end_holds,
    watch_erasures,
)
from privacy.jobs.expire_consents import expire_consents
from privacy.jobs.measure import MEASURE
from privacy.usecases.erase_subjects import ALARM, WATCH
from privacy.usecases.hold_subjects import ENDS
from privacy.usecases.record_consents import EXPIRES
from privacy.wiring import build

if __name__ == "__main__":
    app = build()
    peers = Peers(app.settings)
    app.on_close(peers.close)
    main(
        app,
        jobs=[MEASURE, CHECK_LEDGER, begin_erasure(peers), confirm_erasure(peers)],
        timers={EXPIRES: expire_consents, WATCH: watch_erasures, ALARM: alarm_erasures, ENDS: end_holds},
        destroy_day_keys=app.keyring.destroy_days_before,
    )
