"""Makes leads of kept forms, as soon as the customer service answers."""

from __future__ import annotations

from kernel.jobs.job import Running
from kernel.ops.logs import logger
from kernel.pure.errors import CrmError
from kernel.pure.grants import Principal
from kernel.rpc.channel import Peers
from sales import metrics
from sales.jobs.people import CustomerService
from sales.usecases.ports import People
from sales.usecases.take_forms import resolve_form
from sales.wiring import SalesApp

log = logger(__name__)

_CHUNK = 100
_SELF = Principal.service("sales")


class ResolveForms:
    """The body of the job. Besides when a form comes in it runs each minute, for forms that wait."""

    def __init__(self, app: SalesApp, people: People) -> None:
        self._app = app
        self._people = people

    @classmethod
    def over(cls, app: SalesApp, peers: Peers) -> ResolveForms:
        return cls(app, CustomerService(peers))

    def __call__(self, running: Running) -> None:
        """Ends when all forms that can be are leads; one that is refused stays and is told in the log."""
        refused = 0
        while True:
            with self._app.work(_SELF) as work:
                waiting = work.forms.waiting(refused + _CHUNK)[refused:]
            metrics.forms_waiting.set(len(waiting) + refused)
            if not waiting:
                return
            for submission_id in waiting:
                try:
                    with self._app.work(_SELF) as work:
                        resolve_form(work, self._people, submission_id)
                except CrmError as error:
                    if error.transient:
                        raise
                    refused += 1
                    log.error("form refused", submission=str(submission_id), reason=error.reason)
                else:
                    self._app.forget_intake([submission_id])
                    metrics.leads_taken.labels("form").inc()
                running.checkpoint()
