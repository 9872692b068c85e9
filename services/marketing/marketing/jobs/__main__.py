"""python -m marketing.jobs: keeps time and does long work."""

from kernel.jobs.job import Job
from kernel.jobs.worker import main
from marketing.jobs.send_campaigns import send_campaigns
from marketing.usecases.ports import SEND
from marketing.wiring import build

if __name__ == "__main__":
    app = build()
    # Each minute besides, for campaigns that had to wait or whose job was lost.
    jobs = [Job(SEND, send_campaigns, every="* * * * *")]
    main(app, jobs=jobs, timers={}, destroy_day_keys=app.keyring.destroy_days_before)
