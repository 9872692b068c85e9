"""Campaigns through the gateway: written, sent by real SMTP, followed, ended by a click."""

from __future__ import annotations

import re
import ssl
import urllib.request
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from crm_cli.client import Account, Gateway, Session, wait_until
from crm_cli.local.stack import StackInfo
from tests.system.behind import Behind

_SOON = 90.0  # seconds
# Ids of purposes have no digits.
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
_MARKETING = "CHANNEL_EMAIL"


class Desk:
    """What a marketer and a privacy officer do, by JSON."""

    def __init__(self, gateway: Gateway, admin: Account, erp: Account, stack: StackInfo) -> None:
        self._gateway, self._admin, self._erp = gateway, admin, erp
        self._mailbox = Path(stack.folder, "mailbox")
        self.behind = Behind(stack)
        self._tls = ssl.create_default_context(cafile=stack.ca_file)
        self.mark = uuid4().hex[:12].translate(_LETTERS)
        self.purpose = f"news_{self.mark}"

    def ask(self, verb: str, path: str, body: object = None) -> dict[str, Any]:
        answer = self._gateway.json(verb, path, body, self._admin.token())
        assert answer.status == 200, answer
        return answer.body or {}

    def person(self, number: int, local: str = "") -> str:
        """Id of a new customer whom a mail reaches, or by `local` "refused" does not."""
        body = {
            "person": {"fullName": f"收信人{number}", "emails": [self.address(number, local)]},
            "tags": [self.mark],
        }
        answer = self._gateway.json("POST", "/v1/customers", body, self._erp.token())
        assert answer.status == 200, answer
        return str((answer.body or {})["id"])

    def publish(self) -> str:
        """A purpose that rests on consent, and its notice; answers the notice's id."""
        titles = {"titleZh": "新品邮件", "titleEn": "News by mail"}
        self.ask("POST", "/v1/purposes", {"id": self.purpose, "basis": "LEGAL_BASIS_CONSENT", **titles})
        notice = {"purposeId": self.purpose, "textZh": "我们想通过邮件向您介绍新品。"}
        return str(self.ask("POST", "/v1/notices", notice)["id"])

    def consent(self, notice: str, customers: list[str]) -> None:
        given = {
            "purposeId": self.purpose,
            "channel": _MARKETING,
            "state": "CONSENT_STATE_GRANTED",
            "noticeId": notice,
            "capturedVia": "CAPTURED_VIA_WEB",
            "proof": {"form": "newsletter-1"},
        }
        body = {"events": [{"subjectId": one, **given} for one in customers]}

        def recorded() -> bool | None:
            # The privacy service hears of new persons by events.
            answer = self._gateway.json("POST", "/v1/consents:record", body, self._admin.token())
            assert answer.status in (200, 404), answer
            return answer.status == 200 or None

        wait_until(recorded, _SOON)

    def group(self, count: int) -> str:
        """A group of all that bear our mark, when it has so many members."""
        body = {"name": f"收信人 {self.mark}", "expression": f'"{self.mark}" in tags'}
        group = str(self.ask("POST", "/v1/groups", body)["id"])

        def ready() -> bool | None:
            found = self.ask("GET", f"/v1/groups/{group}")
            return (found["state"] == "GROUP_STATE_READY" and found.get("memberCount", 0) == count) or None

        wait_until(ready, _SOON)
        return group

    def send(self, group: str, title: str) -> dict[str, Any]:
        """A campaign to the group; answers it when it has finished."""
        body = {
            "title": title,
            "groupId": group,
            "purpose": self.purpose,
            "channel": "CHANNEL_EMAIL",
            "content": {
                "subject": f"{title} {self.mark}",
                "body": "您好 {{full_name}}：https://shop.example/new",
            },
        }
        campaign = self.ask("POST", "/v1/campaigns", body)["id"]
        self.ask("POST", f"/v1/campaigns/{campaign}:start", {})

        def finished() -> dict[str, Any] | None:
            found = self.ask("GET", f"/v1/campaigns/{campaign}")
            return found if found["status"] == "CAMPAIGN_STATUS_FINISHED" else None

        return wait_until(finished, _SOON)

    def lead(self, customer: str) -> str:
        """Id of a new lead of a customer."""
        lead = {"customerId": customer, "sourceChannel": "邮件营销", "industry": "零售"}
        return str(self.ask("POST", "/v1/leads", {"lead": lead})["id"])

    def known_of(self, lead: str) -> tuple[str, str]:
        """How many messages its score says were opened and clicked."""
        inputs = self.ask("GET", f"/v1/leads/{lead}:explainScore")["inputs"]
        return inputs["opened_mail"], inputs["clicked_mail"]

    def mails(self, title: str) -> dict[str, EmailMessage]:
        """Mails of the campaign that the mail server got, by recipient. Fails when one got two."""
        found: dict[str, EmailMessage] = {}
        for file in sorted(self._mailbox.glob("*.eml")):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            assert isinstance(mail, EmailMessage)
            if mail["Subject"] == f"{title} {self.mark}":
                assert mail["To"] not in found
                found[mail["To"]] = mail
        return found

    def open(self, url: str, form: bytes | None = None) -> bytes:
        """What a mail program or browser gets."""
        with urllib.request.urlopen(urllib.request.Request(url, form), context=self._tls) as answer:
            body: bytes = answer.read()
        return body

    def address(self, number: int, local: str = "") -> str:
        return f"{local}@{self.mark}.example.com" if local else f"{self.mark}-{number}@example.com"

    def suppressions(self, address: str) -> list[dict[str, Any]]:
        """What stands against writing to an address."""
        asked = {"channel": _MARKETING, "address": address}
        found: list[dict[str, Any]] = self.ask("POST", "/v1/suppressions:search", asked).get(
            "suppressions", []
        )
        return found


@pytest.fixture
def desk(gateway: Gateway, admin: Session, erp: Account, stack: StackInfo) -> Iterator[Desk]:
    return Desk(gateway, admin.account, erp, stack)


def links(mail: EmailMessage) -> list[str]:
    page = mail.get_body(("html",))
    assert page is not None
    return re.findall(r'(?:href|src)="([^"]+)"', page.get_content())


@pytest.mark.feature("M-02")
def test_a_campaign_reaches_exactly_those_who_consented_and_counts_what_they_do(desk: Desk) -> None:
    people = [desk.person(number) for number in range(4)]
    desk.consent(desk.publish(), people[:3])
    group = desk.group(4)
    done = desk.send(group, "六月")
    mails = desk.mails("六月")
    assert set(mails) == {desk.address(number) for number in range(3)}
    assert done["counts"] == {"audience": 4, "sent": 3, "skipped": 1}

    # Each is examined once more by the ledger, and none went out without consent.
    query = "select fault from app.sends where campaign_id = %s"
    wait_until(lambda: desk.behind.rows("privacy", query, done["id"]) == [("",)] * 3 or None, _SOON)

    [click, unsubscribe, pixel] = links(mails[desk.address(0)])
    desk.open(pixel)
    assert b"https://shop.example/new" in desk.open(click)
    desk.open(unsubscribe)
    counts = desk.ask("GET", f"/v1/campaigns/{done['id']}")["counts"]
    assert (counts["opened"], counts["clicked"], counts.get("unsubscribed", 0)) == (1, 1, 0)

    desk.open(unsubscribe, b"List-Unsubscribe=One-Click")

    def withdrawn() -> bool | None:
        consents = desk.ask("GET", f"/v1/customers/{people[0]}/consents")["consents"]
        return any(one["state"] == "CONSENT_STATE_WITHDRAWN" for one in consents) or None

    wait_until(withdrawn, _SOON)
    desk.send(group, "七月")
    assert set(desk.mails("七月")) == {desk.address(1), desk.address(2)}


def test_who_opens_and_clicks_messages_is_a_better_lead(desk: Desk) -> None:
    """Also somebody of whom a lead came in only afterwards; who opened nothing stays what they were."""
    people = [desk.person(number) for number in range(3)]
    desk.consent(desk.publish(), people)
    early, cold = (desk.lead(one) for one in (people[0], people[2]))
    desk.send(desk.group(3), "八月")
    mails = desk.mails("八月")
    for number in (0, 1):
        [click, _, _] = links(mails[desk.address(number)])
        desk.open(click)
    wait_until(lambda: desk.known_of(early) == ("1", "1") or None, _SOON)
    late = desk.lead(people[1])
    wait_until(lambda: desk.known_of(late) == ("1", "1") or None, _SOON)
    assert desk.known_of(cold) == ("0", "0")
    scores = [desk.ask("GET", f"/v1/leads/{lead}").get("score", 0) for lead in (early, late, cold)]
    assert scores[0] == scores[1] > scores[2]


def test_an_address_that_was_suppressed_is_not_written_to_until_that_is_lifted(desk: Desk) -> None:
    """One where nobody reads is found out by the first campaign; another one somebody complained of."""
    good, bad = desk.person(0), desk.person(1, local="refused")
    desk.consent(desk.publish(), [good, bad])
    group = desk.group(2)
    assert desk.send(group, "春")["counts"] == {"audience": 2, "sent": 1, "failed": 1}
    assert desk.send(group, "夏")["counts"] == {"audience": 2, "sent": 1, "skipped": 1}
    [bounced] = desk.suppressions(desk.address(1, "refused"))
    assert bounced["reason"] == "SUPPRESSION_REASON_HARD_BOUNCE"
    complaint = {"channel": _MARKETING, "reason": "SUPPRESSION_REASON_COMPLAINT", "address": desk.address(0)}
    held = desk.ask("POST", "/v1/suppressions", complaint)
    assert desk.send(group, "秋")["counts"] == {"audience": 2, "skipped": 2}
    newest = desk.ask("GET", "/v1/suppressions?pageSize=2")["suppressions"]
    assert [one["id"] for one in newest] == [held["id"], bounced["id"]]
    assert desk.mark not in str(newest)
    desk.ask("POST", f"/v1/suppressions/{held['id']}:lift", {"reason": "电话确认，仍希望收到"})
    assert desk.suppressions(desk.address(0)) == []
    assert desk.send(group, "冬")["counts"] == {"audience": 2, "sent": 1, "skipped": 1}
    assert set(desk.mails("秋")) == set()
    assert set(desk.mails("冬")) == {desk.address(0)}


@pytest.mark.feature("M-06")
def test_nobody_gets_more_mails_than_the_cap_allows(desk: Desk) -> None:
    desk.consent(desk.publish(), [desk.person(number) for number in range(2)])
    group = desk.group(2)
    [cap] = desk.ask("GET", "/v1/frequencyCaps")["caps"]
    tight = {"channel": cap["channel"], "messages": 1, "days": 1}
    desk.ask("POST", "/v1/frequencyCaps:update", {"cap": tight})
    try:
        assert desk.send(group, "一")["counts"] == {"audience": 2, "sent": 2}
        assert desk.send(group, "二")["counts"] == {"audience": 2, "skipped": 2}
    finally:
        again = {name: cap[name] for name in ("channel", "messages", "days")}
        desk.ask("POST", "/v1/frequencyCaps:update", {"cap": again})
