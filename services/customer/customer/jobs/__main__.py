"""python -m customer.jobs: keeps time and does long work."""

from customer.jobs.purge_customers import purge_customers
from customer.jobs.review_classes import review_classes
from customer.usecases.ports import PURGE, REVIEW
from customer.wiring import build
from kernel.jobs.worker import main

if __name__ == "__main__":
    app = build()
    timers = {REVIEW: review_classes, PURGE: purge_customers}
    main(app, jobs=[], timers=timers, destroy_day_keys=app.keyring.destroy_days_before)
