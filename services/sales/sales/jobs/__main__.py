"""python -m sales.jobs: keeps time for leads, makes leads of forms, scores anew."""

from kernel.jobs.job import Job
from kernel.jobs.worker import main
from kernel.rpc.channel import Peers
from sales.jobs.leads import remind, rescore, return_leads
from sales.jobs.resolve_forms import ResolveForms
from sales.usecases.ports import REMIND, RESCORE, RESOLVE_FORMS, RETURN_LEAD
from sales.wiring import build

if __name__ == "__main__":
    app = build()
    peers = Peers(app.settings)
    app.on_close(peers.close)
    jobs = [
        Job(RESOLVE_FORMS, ResolveForms.over(app, peers), attempts=2, every="* * * * *"),
        Job(RESCORE, rescore),
    ]
    main(
        app,
        jobs=jobs,
        timers={RETURN_LEAD: return_leads, REMIND: remind},
        destroy_day_keys=app.keyring.destroy_days_before,
    )
