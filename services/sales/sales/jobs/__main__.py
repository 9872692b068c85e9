"""python -m sales.jobs: the kernel's sweeps; this service has no timers and no long work of its own yet."""

from kernel.jobs.worker import main
from sales.wiring import build

if __name__ == "__main__":
    app = build()
    main(app, jobs=[], timers={}, destroy_day_keys=app.keyring.destroy_days_before)
