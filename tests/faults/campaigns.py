"""F10: a campaign goes out while its senders are shot and recipients withdraw: nobody is written to twice, or
after they withdrew."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from crm_cli.client import wait_until
from crm_cli.tour.life.desk import Desk
from tests.faults import commands, laws, standing
from tests.faults.scenario import Result, Scale
from tests.faults.world import World, mailbox

RECIPIENTS, WITHDRAWALS, KILLS = 5_000, 500, 20
MOST_UNKNOWN = 20
GRACE = timedelta(seconds=60)
_VICTIMS = (
    "marketing.jobs", "marketing.jobs", "marketing.api", "marketing.events", "privacy.api", "privacy.events",
    "customer.api", "envoy",
)  # fmt: skip
_BATCH = 500
_PATIENCE = 420.0  # seconds until a campaign has finished; attempts of the dead are given up after a minute


class Campaign:
    """A purpose, its notice, a group of customers and a campaign to them."""

    def __init__(self, world: World, mark: str, customers: Sequence[str]) -> None:
        self._world, self._mark = world, mark
        self._desk = Desk(world.admin)
        self.customers = list(customers)
        # Ids of purposes have no digits.
        self._purpose = "faults_" + "".join(chr(ord("a") + int(digit)) for digit in mark if digit.isdigit())
        self._id = ""

    def prepare(self, consenting: Sequence[str]) -> None:
        """Who is `consenting` has consented; all are in the group."""
        desk = self._desk
        desk.create(
            "/v1/purposes", id=self._purpose, titleZh="新品邮件", titleEn="News", basis="LEGAL_BASIS_CONSENT"
        )
        notice = desk.create("/v1/notices", purposeId=self._purpose, textZh="我们想通过邮件向您介绍新品。")
        given = {
            "purposeId": self._purpose, "channel": "CHANNEL_EMAIL", "state": "CONSENT_STATE_GRANTED",
            "noticeId": notice["id"], "capturedVia": "CAPTURED_VIA_WEB", "proof": {"form": self._mark},
        }  # fmt: skip
        for start in range(0, len(consenting), _BATCH):
            events = [{"subjectId": one, **given} for one in consenting[start : start + _BATCH]]
            desk.post("/v1/consents:record", events=events)
        group = desk.ask("/v1/groups", name=self._mark, expression=f'"{self._mark}" in tags')["id"]

        def whole() -> bool | None:
            found = desk.get(f"/v1/groups/{group}")
            counted = found.get("memberCount", 0) == len(self.customers)
            return (found["state"] == "GROUP_STATE_READY" and counted) or None

        wait_until(whole, _PATIENCE)
        made = desk.create(
            "/v1/campaigns", title=self._mark, groupId=group, purpose=self._purpose, channel="CHANNEL_EMAIL",
            content={"subject": self._mark, "body": "您好 {{full_name}}：https://shop.example/new"},
        )  # fmt: skip
        self._id = made["id"]

    def start(self) -> None:
        self._desk.post(f"/v1/campaigns/{self._id}:start")

    def withdraw(self, customer: str) -> datetime:
        """Answers when it was acknowledged."""
        wish = {"subjectId": customer, "purposeId": self._purpose, "channel": "CHANNEL_EMAIL"}
        self._desk.post("/v1/consents:withdraw", **wish)
        return datetime.now(UTC)

    def states(self) -> Counter[str]:
        query = "select state, count(*) from app.messages where campaign_id = %s group by 1"
        return Counter(dict(self._world.behind.rows("marketing", query, self._id)))

    def audience(self) -> int:
        return int(self._desk.get(f"/v1/campaigns/{self._id}")["counts"]["audience"])

    def ended(self) -> int:
        """How many messages have come to their end."""
        states = self.states()
        return sum(states.values()) - states["waiting"] - states["attempted"]

    def await_finish(self) -> None:
        query = "select status from app.campaigns where id = %s"
        wait_until(
            lambda: self._world.behind.rows("marketing", query, self._id) == [("finished",)] or None,
            _PATIENCE,
        )

    def unlawful(self) -> list[Any]:
        """(message, why) of what privacy found by its ledger that might not go out, when it has examined
        everything that did."""
        went = "select id::text from app.messages where state in ('sent', 'unknown') and campaign_id = %s"
        looked_at = "select message_id::text, fault from app.sends where campaign_id = %s"

        def examined() -> dict[str, str] | None:
            found = dict(self._world.behind.rows("privacy", looked_at, self._id))
            sent = {message for (message,) in self._world.behind.rows("marketing", went, self._id)}
            return found if sent <= found.keys() else None

        found = wait_until(examined, _PATIENCE)
        return [(message, why) for message, why in found.items() if why]

    def mails(self) -> list[tuple[str, datetime]]:
        """Recipient and time of each mail that the mail server took."""
        found = []
        for file in mailbox(self._world).glob("*.eml"):
            head = file.read_bytes().partition(b"\r\n\r\n")[0].decode()
            lines = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
            if lines.get("Subject") == self._mark:
                nanoseconds = int(file.name.partition("-")[0])
                found.append((lines["To"], datetime.fromtimestamp(nanoseconds / 1e9, UTC)))
        return found


def run(world: World, random: Random, scale: Scale, result: Result) -> None:
    _campaign(world, random, result, scale(RECIPIENTS), scale(WITHDRAWALS), scale(KILLS))
    standing.examine(world, result)


def unwilling(world: World, random: Random, scale: Scale, result: Result) -> None:
    """A short version without kills, in which some never consented: none of them gets a mail."""
    _campaign(world, random, result, 30, 5, 0, willing=20)


def _campaign(
    world: World,
    random: Random,
    result: Result,
    recipients: int,
    withdrawals: int,
    kills: int,
    willing: int | None = None,
) -> None:
    source = f"{result.id} {result.seed}"
    mark = f"campaign {random.randrange(10**9)}"
    customers = commands.customers(world.feeder.session(), source, recipients, random, tags=[mark])
    world.begin()
    consenting = customers[:willing]
    campaign = Campaign(world, mark, customers)
    campaign.prepare(consenting)
    leaving = random.sample(consenting, withdrawals)
    withdrawn: dict[str, datetime] = {}

    def withdraw_all() -> None:
        for number, customer in enumerate(leaving):
            # Spread over the sending: some are written to before, some are waiting, one may be on its way.
            while campaign.ended() < recipients * number // len(leaving) and not finished.is_set():
                time.sleep(0.1)
            withdrawn[customer] = campaign.withdraw(customer)

    finished = threading.Event()
    campaign.start()
    withdrawing = threading.Thread(target=withdraw_all, daemon=True)
    withdrawing.start()
    for number in range(kills):
        _await_share(campaign, recipients * number // kills)
        world.shoot(random.choice(_VICTIMS))
    campaign.await_finish()
    finished.set()
    withdrawing.join()
    world.settle()
    result.commands, result.kills = recipients + len(withdrawn), kills
    _judge(campaign, source, customers, consenting, withdrawn, result)


def _await_share(campaign: Campaign, wanted: int) -> None:
    give_up = time.monotonic() + _PATIENCE
    while campaign.ended() < wanted and time.monotonic() < give_up:
        time.sleep(0.1)


def _judge(
    campaign: Campaign,
    source: str,
    customers: Sequence[str],
    consenting: Sequence[str],
    withdrawn: dict[str, datetime],
    result: Result,
) -> None:
    address_of = {one: commands.address(source, number) for number, one in enumerate(customers)}
    mails = campaign.mails()
    states = campaign.states()
    result.figures |= {f"messages {state}": count for state, count in states.items()}
    result.figures["mails"] = len(mails)
    counted: Counter[Any] = Counter(recipient for recipient, _ in mails)
    twice = [recipient for recipient, count in counted.items() if count > 1]
    result.take(laws.breach("nobody gets a mail twice", "twice", twice))
    result.take(
        laws.permitted(
            dict(sorted(mails, key=lambda mail: mail[1])),
            [address_of[one] for one in consenting],
            {address_of[one]: at for one, at in withdrawn.items()},
            GRACE,
        )
    )
    result.take(laws.breach("privacy finds no message without consent", "found", campaign.unlawful()))
    result.take(laws.sums("the states of messages add up", campaign.audience(), states))
    result.demand(campaign.audience() == len(customers), f"the audience is {campaign.audience()}")
    unknown = states["unknown"]
    result.demand(unknown <= MOST_UNKNOWN, f"{unknown} messages have an unknown fate")
    sent = states["sent"]
    result.demand(
        sent <= len(counted) <= sent + unknown,
        f"{len(counted)} got a mail, {sent} count as sent, {unknown} unknown",
    )
