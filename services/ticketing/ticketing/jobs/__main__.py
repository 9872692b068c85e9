"""python -m ticketing.jobs: keeps time and does long work."""

from kernel.jobs.worker import main
from kernel.rpc.channel import Peers
from ticketing.jobs import give_out_tickets, send_answer, send_survey, take_mail, watch_clocks
from ticketing.jobs.customers import Customers
from ticketing.usecases.ports import CLOCK_TIMER, CLOSE_TIMER
from ticketing.wiring import build

if __name__ == "__main__":
    app = build()
    timers = {CLOCK_TIMER: watch_clocks.watch, CLOSE_TIMER: watch_clocks.close}
    peers = Peers(app.settings)
    app.on_close(peers.close)
    customers = Customers(peers)
    jobs = [
        give_out_tickets.JOB,
        send_answer.job(customers),
        send_survey.job(customers),
        take_mail.job(customers),
        take_mail.sweep(customers),
    ]
    main(app, jobs=jobs, timers=timers, destroy_day_keys=app.keyring.destroy_days_before)
