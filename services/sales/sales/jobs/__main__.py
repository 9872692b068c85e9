"""python -m sales.jobs: keeps time for leads and contracts, makes leads of forms, signs contracts."""

from kernel.jobs.job import Job
from kernel.jobs.worker import main
from kernel.rpc.channel import Peers
from sales.jobs.forget_forms import ForgetForms
from sales.jobs.leads import remind, rescore, return_leads
from sales.jobs.release_contracts import release
from sales.jobs.resolve_forms import ResolveForms
from sales.jobs.sign_contracts import CustomerNames, SignContracts
from sales.jobs.watch_contracts import watch_contracts
from sales.usecases.ports import (
    FORGET_FORMS,
    RELEASE,
    REMIND,
    RESCORE,
    RESOLVE_FORMS,
    RETURN_LEAD,
    SIGN_CONTRACTS,
    WATCH_CONTRACT,
)
from sales.wiring import build

if __name__ == "__main__":
    app = build()
    peers = Peers(app.settings)
    app.on_close(peers.close)
    jobs = [
        Job(RESOLVE_FORMS, ResolveForms.over(app, peers), attempts=2, every="* * * * *"),
        Job(FORGET_FORMS, ForgetForms(app), every="55 18 * * *"),
        Job(RESCORE, rescore),
        Job(RELEASE, release, every="50 18 * * *"),
        Job(SIGN_CONTRACTS, SignContracts(app, CustomerNames(peers)), attempts=2, every="* * * * *"),
    ]
    main(
        app,
        jobs=jobs,
        timers={RETURN_LEAD: return_leads, REMIND: remind, WATCH_CONTRACT: watch_contracts},
        destroy_day_keys=app.keyring.destroy_days_before,
    )
