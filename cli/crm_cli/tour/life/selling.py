"""Those who bought least become leads; one of them signs a contract."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from crm_cli.client import Refused, wait_until
from crm_cli.tour import feed
from crm_cli.tour.cdnow import Purchase, today
from crm_cli.tour.life.desk import SOON, Desk

LEADS = 5
_HOT = ("opened_mail", "answered_call", "viewed_contract_template", "joined_demo")
# Fields of rules that the service sets.
_SET_BY_US = ("version", "inForce", "createTime")
_STAGES = ("need_confirmed", "proposal", "negotiation")


class Selling:
    """A manager takes leads in and makes the rules; the seller who got a lead sells.

    `province` is made up for this run, so that its leads go to its own sellers, each by their id.
    """

    def __init__(self, manager: Desk, province: str, sellers: Mapping[str, Desk]) -> None:
        self._desk = manager
        self._province = province
        self._sellers = sellers
        self.leads: list[dict[str, Any]] = []

    def take_in(self, purchases: Sequence[Purchase], ids: Mapping[str, str]) -> int:
        """Leads of those who ordered least, told by name and phone as any form would; how many were found
        to be the customers they are."""
        for seller in self._sellers:
            self._desk.put(f"/v1/seller-profiles/{seller}", provinces=[self._province], capacity=100)
        orders = Counter(purchase.customer for purchase in purchases)
        least = sorted(orders, key=lambda number: (orders[number], number))[:LEADS]
        everybody = feed.people(max(map(int, least)))
        for number in least:
            person = everybody[int(number) - 1]
            lead = self._desk.post(
                "/v1/leads",
                lead={"sourceChannel": "老客推荐", "industry": "零售", "province": self._province},
                contact={"fullName": person.full_name, "phones": [person.phone], "emails": [person.email]},
            )
            self.leads.append(lead)
        return sum(lead["customerId"] == ids[number] for lead, number in zip(self.leads, least, strict=True))

    def score(self) -> dict[str, int]:
        """What the first two did makes them hot: they become opportunities, the others do not."""
        for lead in self.leads[:2]:
            self._record(lead["id"], *_HOT, budget=60_000)
        self._record(self.leads[2]["id"], "opened_mail")
        held = [self._lead(number) for number in range(LEADS)]
        explained = self._desk.get(f"/v1/leads/{held[0]['id']}:explainScore")
        points = sum(reason["points"] for reason in explained["reasons"])
        return {
            "hot": sum(lead.get("score", 0) >= 80 for lead in held),
            "opportunities": sum(bool(lead.get("opportunityId")) for lead in held),
            "explained": int(min(points, 100) == held[0]["score"]),
        }

    def hand_out(self) -> dict[str, int]:
        """Each lead has a seller of the province, taking turns, with the reason."""
        owners = Counter(self._lead(number)["ownerId"] for number in range(LEADS))
        told = self._desk.get(f"/v1/leads/{self.leads[0]['id']}:explainAssignment")["assignments"]
        return {
            "sellers": len(set(owners) & set(self._sellers)),
            "shared evenly": int(max(owners.values()) - min(owners.values()) <= 1),
            "by region": int("province" in told[-1].get("matched", ())),
        }

    def return_to_pool(self) -> bool:
        """A hot lead that nobody follows up goes to somebody else; 48 hours in the rules, here a moment."""
        lead = self._lead(3)
        with self._hasty_rules():
            self._record(lead["id"], *_HOT, budget=60_000)
            wait_until(partial(self._has_other_owner, lead), SOON)
        told = self._desk.get(f"/v1/leads/{lead['id']}:explainAssignment")["assignments"]
        return any(one["way"] == "returned" for one in told)

    def negotiate(self) -> dict[str, int]:
        """The first lead's opportunity through its stages; negotiation asks for what it needs."""
        held = self._lead(0)
        self._seller = self._sellers[held["ownerId"]]
        self._seller.post(
            f"/v1/leads/{held['id']}/follow-ups",
            followUp={"method": "phone", "content": "需求：数据分析", "nextStep": "发送方案"},
        )
        self.opportunity = f"/v1/opportunities/{held['opportunityId']}"
        refused = self._is_refused(lambda: self._seller.post(f"{self.opportunity}:move", stage="negotiation"))
        self._seller.patch(
            self.opportunity, amount={"amount": "20000.00", "currencyCode": "CNY"}, probability=60
        )
        proposal = base64.b64encode(b"%PDF-1.7 proposal").decode()
        self._seller.post(f"{self.opportunity}:attachProposal", fileName="方案.pdf", data=proposal)
        for stage in _STAGES:
            self._seller.post(f"{self.opportunity}:move", stage=stage)
        self._win()
        after = self._seller.post(f"{self.opportunity}:move", stage="after_sales")
        return {"refused at the gate": int(refused), "after sales": int(after["stage"] == "after_sales")}

    def contract(self) -> str:
        """What the signed contract looks like from outside."""
        won = self._seller.get(self.opportunity)
        path = f"/v1/contracts/{won['contractId']}"
        held = wait_until(partial(self._signed, path), SOON)
        document = self._download(path)
        verdict = self._seller.ask(f"{path}:verify")
        valid = "valid" if verdict.get("valid") else "not valid"
        kind = "PDF" if document.startswith(b"%PDF") else "no PDF"
        return f"{kind}, {held['total']['amount']} {held['total']['currencyCode']}, signature {valid}"

    def _win(self) -> None:
        day = today()
        line = {
            "product": "数据分析插件",
            "quantity": "2",
            "unitPrice": {"amount": "9600.00", "currencyCode": "CNY"},
        }
        terms = {
            "templateId": "standard",
            "lines": [line],
            "startsOn": day.isoformat(),
            "endsOn": (day + timedelta(days=364)).isoformat(),
            "variables": {"delivery_days": "15", "payment_terms": "货到付款"},
        }
        self._seller.post(f"{self.opportunity}:win", terms=terms)

    def _lead(self, number: int) -> dict[str, Any]:
        return self._desk.get(f"/v1/leads/{self.leads[number]['id']}")

    def _record(self, lead_id: str, *counted: str, **values: int) -> None:
        told: list[dict[str, Any]] = [{"kind": kind} for kind in counted]
        told += [{"kind": kind, "value": value} for kind, value in values.items()]
        self._desk.post(f"/v1/leads/{lead_id}/facts", facts=told)

    def _has_other_owner(self, lead: Mapping[str, Any]) -> bool | None:
        return self._desk.get(f"/v1/leads/{lead['id']}").get("ownerId") != lead["ownerId"] or None

    def _signed(self, path: str) -> dict[str, Any] | None:
        held = self._seller.get(path)
        return held if held["status"] != "draft" else None

    def _download(self, path: str) -> bytes:
        document, size = b"", 1
        while len(document) < size:
            part = self._seller.ask(f"{path}:download", offset=len(document))
            document, size = document + base64.b64decode(part["data"]), part["size"]
        return document

    @contextmanager
    def _hasty_rules(self) -> Iterator[None]:
        """A version of the rules by which hot leads return at once; what was in force is again at the end."""
        [held] = [one for one in self._desk.get("/v1/lead-rules")["rules"] if one.get("inForce")]
        wanted = {name: value for name, value in held.items() if name not in _SET_BY_US}
        hasty = self._desk.post("/v1/lead-rules", rules={**wanted, "returnAfter": "2s"})
        self._desk.post("/v1/lead-rules:activate", version=hasty["version"])
        try:
            yield
        finally:
            self._desk.post("/v1/lead-rules:activate", version=held["version"])

    @staticmethod
    def _is_refused(attempt: Callable[[], object]) -> bool:
        try:
            attempt()
        except Refused as refused:
            return refused.reason == "STAGE_NEEDS"
        return False
