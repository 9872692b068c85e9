"""The steps of the tour that show a customer's whole life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from crm.gateway.v1.auth_service_pb2 import GetSelfRequest
from crm_cli.client import Account
from crm_cli.tour.accounts import Branch
from crm_cli.tour.cdnow import Purchase
from crm_cli.tour.life.campaign import Campaigning
from crm_cli.tour.life.desk import Desk
from crm_cli.tour.life.leaving import Leaving
from crm_cli.tour.life.selling import LEADS, Selling
from crm_cli.tour.report import Report

# The segment that is written to.
_SEGMENT = "minor"


class LifeSteps:
    """What sellers, marketers and privacy officers do; here an administrator does all of it."""

    def __init__(self, report: Report, admin: Account, branch: Branch, run: UUID) -> None:
        self._report = report
        desk, mark = Desk(admin), run.hex[:12]
        sellers = [_id_of(account) for account in (branch.seller, branch.colleague)]
        self._selling = Selling(desk, f"巡检省 {mark}", sellers)
        self._campaign = Campaigning(desk, mark, _SEGMENT)
        self._leaving = Leaving(desk, mark)

    def run(self, purchases: Sequence[Purchase], ids: Mapping[str, str]) -> None:
        """All of them; `ids` are those of the feed's customers by their number."""
        self._sell(purchases, ids)
        self._write()
        self._forget()

    def _sell(self, purchases: Sequence[Purchase], ids: Mapping[str, str]) -> None:
        selling = self._selling
        with self._report.step("leads of those who bought least", LEADS) as step:
            step.result(LEADS, {"found to be themselves": LEADS}, {
                "found to be themselves": selling.take_in(purchases, ids)
            })  # fmt: skip
        if self._report.failed():
            return
        with self._report.step("scored; hot ones are opportunities", LEADS) as step:
            step.result(LEADS, {"hot": 2, "opportunities": 2, "explained": 1}, selling.score())
        with self._report.step("given to sellers by region", LEADS) as step:
            step.result(LEADS, {"sellers": 2, "shared evenly": 1, "by region": 1}, selling.hand_out())
        with self._report.step("not followed up: given to another", 1) as step:
            step.result(1, "returned", "returned" if selling.return_to_pool() else "kept")
        with self._report.step("six stages, with the gate", 6) as step:
            step.result(6, {"refused at the gate": 1, "after sales": 1}, selling.negotiate())
        with self._report.step("a contract", 1) as step:
            step.result(1, "PDF, 19200.00 CNY, signature valid", selling.contract())

    def _write(self) -> None:
        campaign = self._campaign
        with self._report.step("a group by rule", 0) as step:
            told = campaign.gather()
            step.result(told["members"], {"fit": told["fit"], "members": told["fit"]}, told)
        if self._report.failed():
            return
        members = campaign.members()
        with self._report.step("half of it consents", len(members)) as step:
            half = (len(members) + 1) // 2
            step.result(half, {"consented": half}, {"consented": campaign.consent(members)})
        with self._report.step("a campaign, a withdrawal in the middle", len(members)) as step:
            counts = campaign.send()
            wanted = set(campaign.willing) - {campaign.withdrew} - campaign.capped()
            told = {"sent": counts.get("sent", 0), "audience": counts["audience"]}
            right = {"sent": len(wanted), "audience": len(members)}
            well = told == right and campaign.reached() == wanted and bool(campaign.withdrew)
            step.result(counts.get("sent", 0), right, told, ok=well)

    def _forget(self) -> None:
        leaving = self._leaving
        with self._report.step("somebody is forgotten", 1) as step:
            leaving.arrive()
            told = leaving.erase()
            right = dict.fromkeys(("services", "answered", "verified"), told["services"])
            step.result(1, right, told)
        if self._report.failed():
            return
        with self._report.step("the certificate; nobody is found", 1) as step:
            told_of = f"{leaving.certificate()}; {leaving.found()} found"
            step.result(1, "holds; 0 found", told_of)


def _id_of(account: Account) -> str:
    session = account.session()
    me: str = session.call(session.auth.GetSelf, GetSelfRequest()).id
    return me
