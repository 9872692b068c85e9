"""Somebody asks to be forgotten: receipts of every service, a certificate that holds, nothing to be found."""

from __future__ import annotations

from typing import Any

from crm_cli.certificates_of_erasure import signed_content
from crm_cli.client import Refused, wait_until
from crm_cli.tour.cdnow import today
from crm_cli.tour.life.desk import SOON, Desk


class Leaving:
    def __init__(self, desk: Desk, mark: str) -> None:
        self._desk = desk
        self._email = f"leaving-{mark}@example.com"
        self._mark = mark

    def arrive(self) -> str:
        """Id of a customer who buys something and asks to be forgotten."""
        person = {"fullName": "告别者", "emails": [self._email]}
        self._customer = str(self._desk.create("/v1/customers", person=person)["id"])
        order = {
            "externalId": {"source": "tour", "value": f"leaving-{self._mark}"},
            "sourceVersion": 1,
            "customerId": self._customer,
            "orderedOn": today().isoformat(),
            "status": "ORDER_STATUS_PAID",
            "total": {"amount": "88.00", "currencyCode": "CNY"},
        }
        self._desk.post("/v1/orders:batchUpsert", orders=[order])
        request = wait_until(self._request, SOON)
        self._path = f"/v1/erasureRequests/{request['id']}"
        return self._customer

    def erase(self) -> dict[str, int]:
        """How many services were to erase, answered, and were looked at again."""
        self._desk.post(f"{self._path}:verify", evidence="当面核验")
        closed = wait_until(self._closed, SOON)
        answered = ("TASK_STATE_ERASED", "TASK_STATE_RETAINED")
        return {
            "services": len(closed["tasks"]),
            "answered": sum(task["state"] in answered for task in closed["tasks"]),
            "verified": sum(task.get("verified", False) for task in closed["tasks"]),
        }

    def certificate(self) -> str:
        """What the check without a connection says of the certificate."""
        document = self._desk.get(f"{self._path}/certificate")["document"]
        content, _ = signed_content(document, None)
        return "holds" if content is not None else "does not hold"

    def found(self) -> int:
        """How many customers have the address still."""
        return len(self._desk.ask("/v1/customers:search", text=self._email).get("customers", ()))

    def _request(self) -> dict[str, Any] | None:
        """The privacy service hears of a new person by an event: until then there is nobody to forget."""
        try:
            return self._desk.post("/v1/erasureRequests", subjectId=self._customer)
        except Refused:
            return None

    def _closed(self) -> dict[str, Any] | None:
        found = self._desk.get(self._path)
        return found if found["state"] == "ERASURE_STATE_CLOSED" else None
