"""Half of a segment consents to mails; a campaign reaches just that half, but who withdraws in the middle."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from crm_cli.client import Refused, wait_until
from crm_cli.tour.life.desk import SOON, Desk

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
            "channel": "CHANNEL_EMAIL",
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
            channel="CHANNEL_EMAIL",
            content={"subject": "新品", "body": "您好 {{full_name}}：https://shop.example/new"},
        )
        self._campaign = f"/v1/campaigns/{made['id']}"
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
                channel="CHANNEL_EMAIL",
            )
        self._desk.post(f"{self._campaign}:resume")
        counts: dict[str, int] = wait_until(self._finished, SOON)
        return counts

    def reached(self) -> set[str]:
        """Ids of those to whom it was sent."""
        return {one["customerId"] for one in self._messages("MESSAGE_STATE_SENT")}

    def capped(self) -> set[str]:
        """Ids of those who got enough mails already, from tours before."""
        skipped = self._messages("MESSAGE_STATE_SKIPPED")
        return {one["customerId"] for one in skipped if one.get("reason") == "FREQUENCY_CAP"}

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
