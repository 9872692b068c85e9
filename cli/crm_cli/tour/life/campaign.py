"""Half of a segment consents to mails; a campaign reaches just that half, but who withdraws in the middle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from crm_cli.client import Refused, wait_until
from crm_cli.tour.life.desk import SOON, Desk

_EMAIL = "CHANNEL_EMAIL"
_GENEROUS = {"messages": 100, "days": 1}
_BATCH = 500
# Ids of purposes have no digits.
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


class Campaigning:
    """A marketer writes to a segment, for a purpose that a privacy officer has put down; the shop tells who
    agrees.

    `mark` tells this run's purpose, group and campaign from those of others.
    """

    def __init__(self, marketer: Desk, officer: Desk, shop: Desk, mark: str, segment: str) -> None:
        self._desk, self._officer, self._shop = marketer, officer, shop
        self._mark = mark
        self._segment = segment

    def gather(self) -> dict[str, int]:
        """A group by rule: everybody of a spend tier; how many fit it when asked, and how many are in it."""
        rule = f'kind == "person" && class.spend_tier == "{self._segment}"'
        fit = int(self._desk.ask("/v1/groups:preview", expression=rule)["memberCount"])
        self._group = self._desk.create("/v1/groups", name=f"巡检 {self._mark}", expression=rule)["id"]
        found = wait_until(partial(self._counted, f"/v1/groups/{self._group}", fit), SOON)
        return {"fit": fit, "members": int(found["memberCount"])}

    def consent(self, customers: Sequence[str]) -> int:
        """Every second one agrees to the purpose of this run."""
        self._purpose = f"tour_{self._mark.translate(_LETTERS)}"
        self._officer.create(
            "/v1/purposes",
            id=self._purpose,
            titleZh="新品邮件",
            titleEn="News by mail",
            basis="LEGAL_BASIS_CONSENT",
        )
        notice = self._officer.create(
            "/v1/notices", purposeId=self._purpose, textZh="我们想通过邮件向您介绍新品。"
        )
        self.willing = list(customers[::2])
        given = {
            "purposeId": self._purpose,
            "channel": _EMAIL,
            "state": "CONSENT_STATE_GRANTED",
            "noticeId": notice["id"],
            "capturedVia": "CAPTURED_VIA_WEB",
            "proof": {"form": "newsletter-1"},
        }
        for start in range(0, len(self.willing), _BATCH):
            events = [{"subjectId": one, **given} for one in self.willing[start : start + _BATCH]]
            self._shop.post("/v1/consents:record", events=events)
        return len(self.willing)

    def members(self, first: str) -> list[str]:
        """Ids of the group's members, with one of them at the beginning."""
        found: list[str] = []
        token = ""
        while True:
            path = f"/v1/groups/{self._group}/members?pageSize=200&pageToken={token}"
            page = self._desk.get(path)
            found += [customer["id"] for customer in page.get("customers", ())]
            if not (token := page.get("nextPageToken", "")):
                return sorted(found, key=lambda one: one != first)

    def send(self) -> dict[str, int]:
        """Started, paused in the middle, one withdraws, resumed: the counts when it has finished."""
        made = self._desk.create(
            "/v1/campaigns",
            title=f"巡检 {self._mark}",
            groupId=self._group,
            purpose=self._purpose,
            channel=_EMAIL,
            content={"subject": "新品", "body": "您好 {{full_name}}：https://shop.example/new"},
        )
        self._campaign = f"/v1/campaigns/{made['id']}"
        with self._generous_cap():
            return self._sent()

    def reached(self) -> set[str]:
        """Ids of those to whom it was sent."""
        return {one["customerId"] for one in self._messages("MESSAGE_STATE_SENT")}

    def _sent(self) -> dict[str, int]:
        self._desk.post(f"{self._campaign}:start")
        wait_until(partial(self._in_state, "MESSAGE_STATE_SENT"), SOON)
        self._desk.post(f"{self._campaign}:pause")
        waiting = self._in_state("MESSAGE_STATE_WAITING") or []
        self.withdrew = next((one["customerId"] for one in waiting if one["customerId"] in self.willing), "")
        if self.withdrew:
            self._shop.post(
                "/v1/consents:withdraw",
                subjectId=self.withdrew,
                purposeId=self._purpose,
                channel=_EMAIL,
            )
        self._desk.post(f"{self._campaign}:resume")
        counts: dict[str, int] = wait_until(self._finished, SOON)
        return counts

    @contextmanager
    def _generous_cap(self) -> Iterator[None]:
        """Mails of tours before, of this week, are no reason to get none; what was in force is again at the
        end.
        """
        [held] = [one for one in self._desk.get("/v1/frequencyCaps")["caps"] if one["channel"] == _EMAIL]
        self._desk.post("/v1/frequencyCaps:update", cap={"channel": _EMAIL, **_GENEROUS})
        try:
            yield
        finally:
            before = {"messages": held.get("messages", 0), "days": held["days"]}
            self._desk.post("/v1/frequencyCaps:update", cap={"channel": _EMAIL, **before})

    def _counted(self, path: str, members: int) -> dict[str, Any] | None:
        found = self._desk.get(path)
        well = found["state"] == "GROUP_STATE_READY" and found.get("memberCount", 0) == members
        return found if well else None

    def _in_state(self, state: str) -> list[dict[str, Any]] | None:
        return self._messages(state) or None

    def _messages(self, state: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            path = f"{self._campaign}/messages?state={state}&pageSize=200&pageToken={token}"
            page = self._desk.get(path)
            found += page.get("messages", ())
            if not (token := page.get("nextPageToken", "")):
                return found

    def _finished(self) -> dict[str, int] | None:
        try:
            found = self._desk.get(self._campaign)
        except Refused:
            return None
        return found["counts"] if found["status"] == "CAMPAIGN_STATUS_FINISHED" else None
