"""Somebody of the staff, or another program, records a customer's concern (T-08)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from kernel.pure.contact import normalize_email
from kernel.pure.errors import Checks
from ticketing.domain.errors import UnknownCustomer
from ticketing.usecases.open_ticket import Heard, Said, hear_customer
from ticketing.usecases.ports import Work
from ticketing.usecases.talk import LONGEST_CONTENT

_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,31}")
_TOPIC = re.compile(r"[a-z][a-z0-9_]{0,62}")
LONGEST_SUBJECT = 300
LONGEST_NAME = 100


@dataclass(frozen=True)
class NewTicket:
    """As told; what was left out is empty."""

    channel: str
    subject: str
    content: str
    customer_id: UUID | None = None
    requester_name: str = ""
    requester_email: str = ""
    kind: str = ""
    topic: str = ""
    priority: str = ""
    separate: bool = False


def create_ticket(work: Work, new: NewTicket) -> Heard:
    """Raises Invalid, UnknownCustomer, SubjectRestricted or SubjectErased."""
    checks = Checks()
    subject = checked_line(checks, "ticket.subject", new.subject, LONGEST_SUBJECT)
    if not subject:
        checks.refuse("ticket.subject", "REQUIRED", "must not be empty", "不能为空")
    name = checked_line(checks, "ticket.requester_name", new.requester_name, LONGEST_NAME)
    content = new.content.replace("\r\n", "\n").strip()
    if len(content) > LONGEST_CONTENT or any(ord(c) < 32 and c not in "\n\t" for c in content):
        checks.refuse(
            "content",
            "TEXT",
            f"must have at most {LONGEST_CONTENT} characters, none of them control characters",
            f"最多 {LONGEST_CONTENT} 个字符，且不能包含控制字符",
        )
    if new.channel and not _CHANNEL.fullmatch(new.channel):
        checks.refuse("ticket.channel", "NAME", "must be a lower-case word", "必须是小写英文名称")
    if new.topic and not _TOPIC.fullmatch(new.topic):
        checks.refuse("ticket.topic", "NAME", "must be a lower-case word", "必须是小写英文名称")
    email = checked_email(checks, "ticket.requester_email", new.requester_email)
    checks.raise_if_any()
    return hear_customer(
        work,
        Said(
            channel=new.channel or "phone",
            subject=subject,
            text=content,
            at=work.now,
            customer_id=_survivor(work, new.customer_id),
            customer_reason="BY_HAND" if new.customer_id else "",
            requester_name=name,
            requester_email=email,
            kind=new.kind,
            topic=new.topic,
            priority=new.priority,
            separate=new.separate,
            author_id=work.principal.id,
        ),
    )


def checked_line(checks: Checks, field: str, text: str, longest: int) -> str:
    """One line without white space around it; refuses, through `checks`, one that is too long."""
    line = " ".join(text.split())
    if len(line) > longest or any(ord(character) < 32 for character in line):
        checks.refuse(field, "LINE", f"must have at most {longest} characters", f"最多 {longest} 个字符")
    return line


def checked_email(checks: Checks, field: str, text: str) -> str:
    """The address in normal form; empty stays empty."""
    if not text.strip():
        return ""
    try:
        return normalize_email(text)
    except ValueError:
        checks.refuse(field, "EMAIL", "must be an e-mail address", "必须是电子邮件地址")
        return ""


def _survivor(work: Work, customer_id: UUID | None) -> UUID | None:
    if customer_id is None:
        return None
    survivor = work.customers.survivor(customer_id)
    if survivor is None:
        raise UnknownCustomer
    work.customers.refuse_restricted(survivor)
    return survivor
