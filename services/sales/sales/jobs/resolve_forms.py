"""Makes leads of kept forms, as soon as the customer service answers."""

from __future__ import annotations

from uuid import UUID

from kernel.jobs.job import Running
from kernel.ops.logs import logger
from kernel.pure.errors import CrmError
from kernel.pure.grants import Principal
from kernel.rpc.channel import Peers
from sales import metrics
from sales.jobs.people import CustomerService
from sales.usecases.ports import People
from sales.usecases.take_forms import refuse_form, resolve_form
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
        """Ends when all forms that can be are leads; one that can't is refused, and stays for a while."""
        elsewhere: set[UUID] = set()
        while True:
            with self._app.work(_SELF) as work:
                waiting = work.forms.waiting(len(elsewhere) + _CHUNK)
            metrics.forms_waiting.set(len(waiting))
            waiting = [submission_id for submission_id in waiting if submission_id not in elsewhere]
            if not waiting:
                return
            for submission_id in waiting:
                if not self._resolve(submission_id):
                    elsewhere.add(submission_id)
                running.checkpoint()

    def _resolve(self, submission_id: UUID) -> bool:
        """Whether the form is done with; False when another transaction is at it."""
        try:
            with self._app.work(_SELF) as work:
                resolved = resolve_form(work, self._people, submission_id)
        except CrmError as error:
            if error.transient:
                raise
            with self._app.work(_SELF) as work:
                refuse_form(work, submission_id, error.reason)
            metrics.forms_refused.labels(error.reason).inc()
            log.error("form refused", submission=str(submission_id), reason=error.reason)
            return True
        if resolved:
            self._app.forget_intake([submission_id])
            metrics.leads_taken.labels("form").inc()
        return resolved
