"""People who ask for exports, and the job that writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from crm.customer.v1 import export_service_pb2 as pb
from customer.api.exports import ExportServicer
from customer.domain.customer import Company, Person, Profile
from customer.jobs.export_customers import export_customers
from customer.usecases.create_customers import create_customer
from customer.wiring import CustomerApp
from kernel.jobs.job import Running, as_it_was
from kernel.pure.errors import CrmError
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.rpc.call import Call

RIGHTS = ("customers.read", "customers.create", "customers.delete", "customers.merge", "customers.export")
READS = ("get_export", "list_exports", "list_exports_to_approve", "get_export_manifest", "get_export_key")


def user(scope: Scope = Scope.ALL, *more: str) -> Principal:
    """Somebody who may do everything with customers and export them; `more` are further rights."""
    grants = {f"customer.{right}": scope for right in (*RIGHTS, *more)}
    return Principal(PrincipalKind.USER, str(new_id()), grants)


class Desk:
    """Calls the servicer on behalf of one principal, as the dispatcher does."""

    def __init__(self, app: CustomerApp, principal: Principal) -> None:
        self.app, self.principal = app, principal
        self._servicer = ExportServicer(app)

    def ask(self, method: str, request: Any) -> Any:
        call = Call(self.principal, "zh", "", lambda kind, ids: None)
        answer = getattr(self._servicer, method)
        if method in READS:
            return answer(request, call)
        with self.app.work(self.principal) as work:
            call.work = work
            response = answer(request, call)
            if getattr(request, "validate_only", False):
                work.discard()
            return response

    def start(self, **more: Any) -> Any:
        wanted = {"format": pb.EXPORT_FORMAT_JSONL, "reason": "quarterly review"} | more
        return self.ask("start_export", pb.StartExportRequest(**wanted))

    def state(self, export_id: str) -> str:
        return pb.ExportState.Name(self.ask("get_export", pb.GetExportRequest(id=export_id)).state)

    def file(self, export_id: str) -> bytes:
        data, size = b"", 1
        while len(data) < size:
            request = pb.DownloadExportRequest(id=export_id, offset=len(data))
            chunk = self.ask("download_export", request)
            data, size = data + chunk.data, chunk.size
        return data

    def exported(self, **more: Any) -> list[dict[str, Any]]:
        """The rows of a new export, written to its end."""
        export_id = self.start(**more).id
        run(self.app)
        assert self.state(export_id) == "EXPORT_STATE_DONE"
        return [json.loads(line) for line in self.file(export_id).decode().splitlines()]


def run(
    app: CustomerApp,
    stop_after: int | None = None,
    present: Callable[[Principal], Principal] = as_it_was,
) -> None:
    """Lets the job work; `stop_after` so many looks it is told to end, `present` says what its exporters
    may do now."""
    looks = 0

    def should_stop() -> bool:
        nonlocal looks
        looks += 1
        return stop_after is not None and looks > stop_after

    export_customers(Running(app, 1, should_stop, present))


def record(app: CustomerApp, owner: Principal, details: Person | Company, **known: Any) -> UUID:
    with app.work(owner) as work:
        return create_customer(work, Profile(details, **known), allow_duplicate=True).id


def people(app: CustomerApp, owner: Principal, count: int) -> list[UUID]:
    return [
        record(app, owner, Person(f"王{number}", phones=(f"1380013{number:04}",))) for number in range(count)
    ]


def allow(app: CustomerApp, rows: int) -> None:
    """Puts a policy in force under which so many rows need no approval."""
    policy = pb.ExportPolicy(rows_without_approval=rows)
    Desk(app, user()).ask("update_export_policy", pb.UpdateExportPolicyRequest(policy=policy))


def refusal(desk: Desk, export_id: str) -> str:
    with pytest.raises(CrmError) as refused:
        desk.file(export_id)
    return refused.value.reason
