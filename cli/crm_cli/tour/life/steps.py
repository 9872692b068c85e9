"""The steps of the tour that show a customer's whole life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from crm.gateway.v1.auth_service_pb2 import GetSelfRequest
from crm_cli.client import Account
from crm_cli.tour import feed
from crm_cli.tour.accounts import Accounts
from crm_cli.tour.cdnow import Purchase, today
from crm_cli.tour.life.campaign import Campaigning
from crm_cli.tour.life.complaint import LIKELIHOOD, SATISFACTION, Complaining
from crm_cli.tour.life.desk import Desk
from crm_cli.tour.life.leaving import TAKING_PART, Leaving
from crm_cli.tour.life.post import Post
from crm_cli.tour.life.selling import LEADS, Selling
from crm_cli.tour.report import Report, none_of
from crm_cli.tour.truth import facts

# The segment that is written to.
_SEGMENT = "minor"
# Tiers whose customers a team of their own answers.
_VALUED = ("core", "important")
_NOWHERE = "mails go to a server of the user's and can't be read here"


class LifeSteps:
    """What sellers, agents, marketers and a privacy officer do, each with the rights of their role."""

    def __init__(
        self, report: Report, accounts: Accounts, post: Post, certificate_key: str | None, run: UUID
    ) -> None:
        self._report, self._post = report, post
        self._run = run
        mark, branch = run.hex[:12], accounts.branch
        sellers = {_id_of(account): Desk(account) for account in (branch.seller, branch.colleague)}
        officer, shop = Desk(accounts.officer), Desk(accounts.erp)
        self._selling = Selling(Desk(branch.manager), f"巡检省 {mark}", sellers)
        self._campaign = Campaigning(Desk(accounts.marketer), officer, shop, mark, _SEGMENT)
        self._complaint = Complaining(accounts.service, post)
        self._leaving = Leaving(accounts, post, certificate_key, mark)

    def run(self, purchases: Sequence[Purchase], ids: Mapping[str, str]) -> None:
        """All of them; `ids` are those of the feed's customers by their number."""
        self._sell(purchases, ids)
        self._complain(purchases, ids)
        self._arrive()
        if self._report.failed():
            return
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

    def _complain(self, purchases: Sequence[Purchase], ids: Mapping[str, str]) -> None:
        """One of the valued customers; which one, changes from run to run."""
        valued = sorted(number for number, one in facts(purchases, today()).items() if one.tier in _VALUED)
        number = valued[self._run.int % len(valued)]
        email = feed.people(int(number))[-1].email
        complaint = self._complaint
        with self._report.step("a complaint by mail is a ticket", 1) as step:
            complaint.make_rule()
            right = dict.fromkeys(
                ("complaints", "by rule to the team", "with an agent", "clocks of 1, 24, 48 h"), 1
            )
            step.result(1, right, complaint.write(ids[number], email))
        if self._report.failed():
            return
        with self._report.step("said again by phone: the same ticket", 1) as step:
            step.result(1, {"linked": 1, "same concern": 1, "messages": 2}, complaint.say_again())
        read = 2 if self._post.readable else 0
        with self._report.step("answered in time, by mail", 1) as step:
            right = {"sent": 2, "read": read, "clocks met": 3, "clocks run out": 0}
            step.result(1, right, complaint.answer())
        with self._report.step("closed: a survey by mail", 1) as step:
            told = complaint.close()
            if self._post.readable:
                step.result(1, {"closed": 1, "satisfaction": SATISFACTION, "NPS": LIKELIHOOD}, told)
            else:
                step.result(1, "asked", f"asked; {_NOWHERE}", ok=bool(told["closed"]))

    def _arrive(self) -> None:
        """Before the campaign: it must reach whoever leaves later."""
        with self._report.step("somebody buys, asks, is a lead", 1) as step:
            step.result(1, {"known as one": 1, "found": 1, "classes": 2}, self._leaving.arrive())

    def _write(self) -> None:
        campaign, leaver = self._campaign, self._leaving.customer_id
        with self._report.step("a group by rule", 0) as step:
            told = campaign.gather()
            step.result(told["members"], {"fit": told["fit"], "members": told["fit"]}, told)
        if self._report.failed():
            return
        members = campaign.members(leaver)
        with self._report.step("half of it consents", len(members)) as step:
            half = (len(members) + 1) // 2
            step.result(half, {"consented": half}, {"consented": campaign.consent(members)})
        with self._report.step("a campaign, a withdrawal in the middle", len(members)) as step:
            counts = campaign.send()
            wanted = set(campaign.willing) - {campaign.withdrew}
            told = {"sent": counts.get("sent", 0), "audience": counts["audience"]}
            right = {"sent": len(wanted), "audience": len(members)}
            well = told == right and campaign.reached() == wanted and bool(campaign.withdrew)
            step.result(counts.get("sent", 0), right, told, ok=well)

    def _forget(self) -> None:
        leaving, everybody = self._leaving, len(TAKING_PART)
        with self._report.step("they are forgotten, on request", everybody) as step:
            right = {"answered": everybody, "verified": everybody, "others": 0}
            step.result(everybody, right, leaving.erase())
        if self._report.failed():
            return
        with self._report.step("the certificate, by the pinned key", 1) as step:
            step.result(1, "holds", leaving.certificate())
        with self._report.step("nothing of them is found", 1) as step:
            found = leaving.found()
            step.result(1, dict.fromkeys(found, 0), found)
        with self._report.step("they count on in statistics", 1) as step:
            wrong = list(leaving.differences())
            step.result(1, "as before", none_of(wrong, "as before"))


def _id_of(account: Account) -> str:
    session = account.session()
    me: str = session.call(session.auth.GetSelf, GetSelfRequest()).id
    return me
