"""python -m privacy.jobs: ends consents, measures their coverage, and the kernel's sweeps."""

from kernel.jobs.worker import main
from privacy.jobs.expire_consents import expire_consents
from privacy.jobs.measure_coverage import MEASURE_COVERAGE
from privacy.usecases.record_consents import EXPIRES
from privacy.wiring import build

if __name__ == "__main__":
    app = build()
    main(
        app,
        jobs=[MEASURE_COVERAGE],
        timers={EXPIRES: expire_consents},
        destroy_day_keys=app.keyring.destroy_days_before,
    )
