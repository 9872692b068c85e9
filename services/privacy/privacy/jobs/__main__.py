"""python -m privacy.jobs: keeps time and does long work."""

from kernel.jobs.worker import main
from privacy.wiring import build

if __name__ == "__main__":
    app = build()
    main(app, jobs=[], timers={}, destroy_day_keys=app.keyring.destroy_days_before)
