"""Somebody asks to be forgotten: receipts of every service, a certificate that holds, nothing to be found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from crm_cli.certificates_of_erasure import signed_content
from crm_cli.client import Refused, wait_until
from crm_cli.tour.accounts import Accounts
from crm_cli.tour.cdnow import today
from crm_cli.tour.figures import ClassCounts, count_classes
from crm_cli.tour.life.desk import SOON, Desk
from crm_cli.tour.life.post import Post
from crm_cli.tour.people import MadeUpPerson
from crm_cli.tour.truth import RFM_SCHEME, TIER_SCHEME

# Services that hold something of a person, each of which must answer.
TAKING_PART = frozenset({"customer", "sales", "ticketing", "marketing", "privacy"})
# How calls end that show nothing of somebody. A ticket stays as a figure, which says no more whose it was.
_NOBODY = {"CUSTOMER_NOT_FOUND", "LEAD_NOT_FOUND", "SUBJECT_RESTRICTED"}
_HAN = "璟珩昀澍翊晏筱瑾锦煦霁岚槿栩桉琮"


def leaver(mark: str) -> MadeUpPerson:
    """Who leaves in the run with this mark, in hexadecimal: nobody else has this name, phone or address."""
    name = "欧阳" + "".join(_HAN[int(digit, 16)] for digit in mark[:4])
    phone = f"139{int(mark, 16) % 10**8:08}"
    return MadeUpPerson(name, phone, f"leaving-{mark}@example.com")


class Leaving:
    """Buys, asks, agrees to mails; then every trace of it goes, but for the figures."""

    def __init__(self, accounts: Accounts, post: Post, certificate_key: str | None, mark: str) -> None:
        self._erp, self._officer = Desk(accounts.erp), Desk(accounts.officer)
        self._marketer, self._agent = Desk(accounts.marketer), Desk(accounts.service.agent)
        self._counting = accounts.officer.session()
        self._post, self._key, self._mark = post, certificate_key, mark
        self._who = leaver(mark)
        self.customer_id = ""

    def arrive(self) -> dict[str, int]:
        """A customer with an order, a lead of theirs, and a mail that is answered: what is there of them."""
        who = self._who
        person = {"fullName": who.full_name, "phones": [who.phone], "emails": [who.email]}
        self.customer_id = str(self._erp.create("/v1/customers", person=person)["id"])
        order = {
            "externalId": {"source": "tour", "value": f"leaving-{self._mark}"},
            "sourceVersion": 1,
            "customerId": self.customer_id,
            "orderedOn": today().isoformat(),
            "status": "ORDER_STATUS_PAID",
            "total": {"amount": "88.00", "currencyCode": "CNY"},
        }
        self._erp.post("/v1/orders:batchUpsert", orders=[order])
        lead = {"sourceChannel": "网店", "industry": "零售"}
        self._lead = self._marketer.post("/v1/leads", lead=lead, contact=person)
        self._post.write(who.email, "请教", f"我是{who.full_name}，电话{who.phone}，请问有新片吗？")
        [ticket] = wait_until(self._tickets, SOON)
        self._ticket = f"/v1/tickets/{ticket['id']}"
        said = {"direction": "MESSAGE_DIRECTION_TO_CUSTOMER", "content": f"{who.full_name}您好：有的。"}
        self._agent.post(f"{self._ticket}/messages", message=said)
        self._classes = wait_until(self._classified, SOON)
        return {
            "known as one": int(self._lead["customerId"] == self.customer_id),
            "found": len(self._found_by(who.email)),
            "classes": len(self._classes),
        }

    def erase(self) -> dict[str, int]:
        """How many of the services answered and were looked at again, and how many others there are."""
        self._before = self._counts()
        request = wait_until(self._request, SOON)
        self._path = f"/v1/erasureRequests/{request['id']}"
        self._officer.post(f"{self._path}:verify", evidence="当面核验")
        tasks = {task["service"]: task for task in wait_until(self._closed, SOON)["tasks"]}
        answered = ("TASK_STATE_ERASED", "TASK_STATE_RETAINED")
        ours = [tasks[name] for name in sorted(TAKING_PART & set(tasks))]
        return {
            "answered": sum(task["state"] in answered for task in ours),
            "verified": sum(task.get("verified", False) for task in ours),
            "others": len(set(tasks) - TAKING_PART),
        }

    def certificate(self) -> str:
        """What the check without a connection says, by the key that was written down at set-up."""
        if self._key is None:
            return "nobody vouches for its key"
        document = self._officer.get(f"{self._path}/certificate")["document"]
        content, _ = signed_content(document, self._key)
        if content is None:
            return "does not hold"
        missing = sorted(TAKING_PART - set(content["services"]))
        return f"tells nothing of {', '.join(missing)}" if missing else "holds"

    def found(self) -> dict[str, int]:
        """How much is still found of them by those who found it before."""
        who = self._who
        return {
            "by address": len(self._found_by(who.email)),
            "by phone": len(self._found_by(who.phone)),
            "by name": len(self._found_by(who.full_name)),
            "customer": self._seen(lambda: self._erp.get(f"/v1/customers/{self.customer_id}")),
            "lead": self._seen(lambda: self._marketer.get(f"/v1/leads/{self._lead['id']}")),
            "tickets": len(self._tickets() or ()),
            "words": self._seen(self._words),
            "consents": self._seen(self._consents),
        }

    def differences(self) -> Iterator[str]:
        """What statistics say otherwise than before, though nobody bought or left but this one."""
        after = self._counts()
        for scheme, held in self._classes.items():
            yield from uneven(scheme, held, self._before[scheme], after[scheme])

    def _counts(self) -> dict[str, ClassCounts]:
        return {scheme: count_classes(self._counting, scheme) for scheme in (TIER_SCHEME, RFM_SCHEME)}

    def _classified(self) -> dict[str, str] | None:
        """Their class under each scheme, once all are known."""
        found = self._erp.get(f"/v1/customers/{self.customer_id}").get("classes", ())
        classes = {one["scheme"]: one["class"] for one in found if one.get("class")}
        return classes if set(classes) >= {TIER_SCHEME, RFM_SCHEME} else None

    def _found_by(self, text: str) -> list[dict[str, Any]]:
        return list(self._officer.ask("/v1/customers:search", text=text).get("customers", ()))

    def _tickets(self) -> list[dict[str, Any]] | None:
        return self._agent.get(f"/v1/tickets?customerId={self.customer_id}").get("tickets") or None

    def _words(self) -> dict[str, Any]:
        """What is left of the conversation."""
        return {"said": self._agent.get(f"{self._ticket}/messages").get("messages", [])}

    def _consents(self) -> dict[str, Any]:
        path = f"/v1/customers/{self.customer_id}/consents"
        return {"consents": self._officer.get(path).get("consents", [])}

    @staticmethod
    def _seen(look: Callable[[], Mapping[str, Any]]) -> int:
        """How much `look` shows: nothing when there is nobody, or nothing of them."""
        try:
            found = look()
        except Refused as refused:
            if refused.reason not in _NOBODY:
                raise
            return 0
        return sum(len(value) if isinstance(value, list) else 1 for value in found.values())

    def _request(self) -> dict[str, Any] | None:
        """The privacy service hears of a new person by an event: until then there is nobody to forget."""
        try:
            return self._officer.post("/v1/erasureRequests", subjectId=self.customer_id)
        except Refused as refused:
            if refused.reason != "SUBJECT_UNKNOWN":
                raise
            return None

    def _closed(self) -> dict[str, Any] | None:
        found = self._officer.get(self._path)
        return found if found["state"] == "ERASURE_STATE_CLOSED" else None


def uneven(scheme: str, held: str, before: ClassCounts, after: ClassCounts) -> Iterator[str]:
    """What is wrong when one customer of class `held` was erased between two counts: they count on, and
    are listed no more.
    """
    if dict(after.told) != dict(before.told):
        yield f"{scheme} counts {dict(after.told)}, before {dict(before.told)}"
    listed = {name: count - (name == held) for name, count in before.listed.items()}
    if {name: count for name, count in listed.items() if count} != dict(after.listed):
        yield f"{scheme} lists {dict(after.listed)}, not one less of {held} than {dict(before.listed)}"
