"""python -m customer.jobs: keeps time and does long work."""

from customer.jobs.review_classes import review_classes
from customer.usecases.ports import REVIEW
from customer.wiring import build
from kernel.jobs.worker import main

if __name__ == "__main__":
    app = build()
    main(app, jobs=[], timers={REVIEW: review_classes}, destroy_day_keys=app.keyring.destroy_days_before)
