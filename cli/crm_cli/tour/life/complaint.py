"""A valued customer complains by mail: heard, sent to the right team, answered in time, asked how it was."""

from __future__ import annotations

import json
from email.message import EmailMessage
from functools import partial
from typing import Any

from crm_cli.client import Refused, wait_until
from crm_cli.tour.accounts import Service
from crm_cli.tour.life.desk import SOON, Desk
from crm_cli.tour.life.post import Post

RULE = "tour_valued"
# Hours within which a complaint is answered, planned for and solved.
HOURS = {"complaint_answer": 1, "complaint_plan": 24, "complaint_solve": 48}
SATISFACTION, LIKELIHOOD = 5, 9
_ANSWER = "向您道歉。明天上午补寄一张新光盘。"
_SOLUTION = "新光盘已送达。"


class Complaining:
    """A customer writes, calls and answers; an agent answers them by rules that their manager made."""

    def __init__(self, service: Service, post: Post) -> None:
        self._service = service
        self._manager = Desk(service.manager)
        self._agent = Desk(service.agent)
        self._post = post

    def make_rule(self) -> None:
        """What valued customers want is the tour's team's, by a rule; published when it is not in force."""
        wait_until(self._rule_holds, SOON)

    def write(self, customer_id: str, email: str) -> dict[str, int]:
        """What becomes of the mail: a ticket, of which kind, where, and by when it is due."""
        self._customer_id, self._email = customer_id, email
        before = {ticket["id"] for ticket in self._tickets()}
        self._post.write(email, "投诉：光盘划伤", "第二次收到划伤的光盘，我要投诉！")
        self._ticket = wait_until(partial(self._new_ticket, before), SOON)
        self._path = f"/v1/tickets/{self._ticket['id']}"
        decided = {one["what"]: one for one in self._decisions()}
        hours = {name: clock["allowedMinutes"] // 60 for name, clock in self._clocks().items()}
        return {
            "complaints": int(self._ticket["kind"] == "TICKET_KIND_COMPLAINT"),
            "by rule to the team": int(
                self._ticket.get("teamId") == self._service.team_id and decided["team"].get("rule") == RULE
            ),
            "with an agent": int(bool(self._ticket.get("assigneeId"))),
            "clocks of 1, 24, 48 h": int(hours.items() >= HOURS.items()),
        }

    def say_again(self) -> dict[str, int]:
        """The customer calls about the same: it joins the ticket that is open."""
        ticket = {"customerId": self._customer_id, "subject": "投诉：光盘", "channel": "phone"}
        told = self._agent.post("/v1/tickets", ticket=ticket, content="我写过邮件投诉，没有人理我吗？")
        links = [one for one in self._decisions() if one["what"] == "link"]
        return {
            "linked": int(told["id"] == self._ticket["id"]),
            "same concern": sum(one["reason"] == "SAME_CONCERN" for one in links),
            "messages": len(self._messages()),
        }

    def answer(self) -> dict[str, int]:
        """The agent answers with a plan, the customer reads it and thanks, the agent tells the solution."""
        said = {"direction": "MESSAGE_DIRECTION_TO_CUSTOMER", "content": _ANSWER}
        self._agent.post(f"{self._path}/messages", message=said, statesPlan=True)
        read = 0
        if self._post.readable:
            letter = wait_until(partial(self._letter, _ANSWER), SOON)
            self._post.write(
                self._email, f"答复：{letter['Subject']}", "谢谢，等您的消息。", letter["Reply-To"]
            )
            wait_until(lambda: len(self._messages()) == 4 or None, SOON)
            read += 1
        self._agent.post(f"{self._path}:resolve", solution=_SOLUTION)
        if self._post.readable:
            wait_until(partial(self._letter, _SOLUTION), SOON)
            read += 1
        clocks = self._clocks()
        return {
            "sent": wait_until(self._all_sent, SOON),
            "read": read,
            "clocks met": sum(clocks[name]["state"] == "met" for name in HOURS),
            "clocks run out": sum(clock["state"] == "breached" for clock in clocks.values()),
        }

    def close(self) -> dict[str, int]:
        """What the customer answered when they were asked; what stands in no mailbox nobody can answer."""
        closed = self._agent.post(f"{self._path}:close")
        if self._post.readable:
            link = wait_until(partial(self._letter, "https://"), SOON).get_content()
            [url] = [word for word in link.split() if word.startswith("https://")]
            # Whoever has the link needs no account.
            self._agent.as_anybody(
                f"/v1/surveys/{url.rpartition('/')[2]}:answer",
                satisfaction=SATISFACTION,
                likelihood=LIKELIHOOD,
            )
        survey = wait_until(self._asked, SOON)
        return {
            "closed": int(closed["status"] == "TICKET_STATUS_CLOSED"),
            "satisfaction": survey.get("satisfaction", 0),
            "NPS": survey.get("likelihood", 0),
        }

    def _rule_holds(self) -> bool | None:
        held = self._manager.get("/v1/ticket-rules/0")
        document = json.loads(held["document"])
        wanted = {
            "name": RULE,
            "when": 'tier in ["core", "important"]',
            "then": self._service.team_id,
        }
        if wanted in document["routing"]:
            return True
        others = [rule for rule in document["routing"] if rule["name"] != RULE]
        document["routing"] = [wanted, *others]
        try:
            self._manager.post("/v1/ticket-rules", document=json.dumps(document), baseVersion=held["version"])
        except Refused as refused:
            if refused.reason != "INVALID_FIELDS":
                raise
            # The service hears of a new team by an event.
            return None
        return True

    def _tickets(self) -> list[dict[str, Any]]:
        path = f"/v1/tickets?customerId={self._customer_id}&pageSize=200"
        return list(self._agent.get(path).get("tickets", ()))

    def _new_ticket(self, before: set[str]) -> dict[str, Any] | None:
        return next((one for one in self._tickets() if one["id"] not in before), None)

    def _decisions(self) -> list[dict[str, Any]]:
        return list(self._agent.get(f"{self._path}/decisions")["decisions"])

    def _clocks(self) -> dict[str, dict[str, Any]]:
        return {one["clock"]: one for one in self._agent.get(f"{self._path}/clocks")["clocks"]}

    def _messages(self) -> list[dict[str, Any]]:
        return list(self._agent.get(f"{self._path}/messages")["messages"])

    def _letter(self, words: str) -> EmailMessage | None:
        letters = self._post.letters(self._email, self._ticket["number"])
        return next((letter for letter in letters if words in letter.get_content()), None)

    def _all_sent(self) -> int | None:
        """How many mails the agent wrote, once all have gone out."""
        told = [one["delivery"] for one in self._messages() if one.get("delivery")]
        return len(told) if set(told) == {"DELIVERY_SENT"} else None

    def _asked(self) -> dict[str, Any] | None:
        survey: dict[str, Any] = self._agent.get(self._path).get("survey", {})
        return survey if survey.get("delivery") == "DELIVERY_SENT" else None
