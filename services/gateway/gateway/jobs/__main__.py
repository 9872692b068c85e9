"""python -m gateway.jobs: keeps time and does long work.

python -m gateway.jobs bootstrap --login LOGIN --password-file FILE: the first administrator.
"""

import sys

from gateway.jobs.bootstrap import bootstrap
from gateway.jobs.forget_sessions import FORGET_SESSIONS
from gateway.jobs.rotate_keys import ROTATE_KEYS, tell_edge
from gateway.wiring import build
from kernel.jobs.worker import main
from kernel.ops import logs

if __name__ == "__main__":
    app = build()
    if sys.argv[1:2] == ["bootstrap"]:
        print(bootstrap(app, sys.argv[2:]))
        app.close()
    else:
        logs.configure(app.service, "jobs", app.settings.log_level)
        tell_edge(app)
        main(
            app,
            jobs=[ROTATE_KEYS, FORGET_SESSIONS],
            timers={},
            destroy_day_keys=app.keyring.destroy_days_before,
        )
