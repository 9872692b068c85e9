"""Each night: forms that can be no lead go when they were kept long enough, and their keys with them."""

from __future__ import annotations

from kernel.jobs.job import Running
from kernel.pure.grants import Principal
from sales import metrics
from sales.usecases.take_forms import forget_refused
from sales.wiring import SalesApp

_CHUNK = 500
_SELF = Principal.service("sales")


class ForgetForms:
    """The body of the job."""

    def __init__(self, app: SalesApp) -> None:
        self._app = app

    def __call__(self, running: Running) -> None:
        """A kill after the keys are gone and before the commit finds the same rows the next night."""
        while True:
            with self._app.work(_SELF) as work:
                gone = forget_refused(work, self._app.settings.refused_forms_days, _CHUNK)
                if gone:
                    self._app.forget_intake(gone)
            metrics.forms_forgotten.inc(len(gone))
            if len(gone) < _CHUNK:
                return
            running.checkpoint()
