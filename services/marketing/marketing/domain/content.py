"""What is sent: a subject and a body in plain words, made personal and trackable for each recipient."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kernel.pure.errors import Checks

# What texts may name: facts that are fetched for each recipient and never kept.
FACTS = frozenset({"full_name"})
_NAMED = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
# An address ends before a space, a bracket or the punctuation of a sentence.
_ADDRESS = re.compile(r"https?://[^\s<>\"'，。！？；、（）《》]*[^\s<>\"'，。！？；、（）《》.,!?;:)\]]")
# Where an address stood in the body while the rest is made markup.
_PLACE = re.compile(r"\0(\d+)\0")
_LONGEST = {"subject": 200, "body": 100_000}
_MOST_ADDRESSES = 50


@dataclass(frozen=True)
class Content:
    subject: str
    body: str


@dataclass(frozen=True)
class Rendered:
    """For one recipient: the subject line, the text and the same as a web page."""

    subject: str
    text: str
    page: str


@dataclass(frozen=True)
class Links:
    """Where the links of one message lead: that of each numbered address, and the two of every message."""

    of: Callable[[int], str]
    pixel: str
    unsubscribe: str


def check_content(content: Content, checks: Checks) -> None:
    """Refuses, in `checks`, what can't be sent."""
    for name, text in (("subject", content.subject), ("body", content.body)):
        field = f"campaign.content.{name}"
        if not 1 <= len(text.strip()) <= _LONGEST[name]:
            most = _LONGEST[name]
            checks.refuse(field, "LENGTH", f"must have 1 to {most} characters", f"应有 1 至 {most} 个字符")
        unknown = sorted({named for named in _NAMED.findall(text) if named not in FACTS})
        if unknown:
            known = ", ".join(f"{{{{{fact}}}}}" for fact in sorted(FACTS))
            checks.refuse(field, "UNKNOWN_FACT", f"may name only {known}", f"只能使用 {known}")
    if any(ord(character) < 32 for character in content.subject):
        checks.refuse("campaign.content.subject", "ONE_LINE", "must be one line", "必须为一行")
    if any(ord(character) < 32 and character not in "\n\r\t" for character in content.body):
        en, zh = "must not hold control characters", "不能包含控制字符"
        checks.refuse("campaign.content.body", "CONTROL_CHARACTER", en, zh)
    if len(addresses(content)) > _MOST_ADDRESSES:
        most = _MOST_ADDRESSES
        checks.refuse(
            "campaign.content.body", "TOO_MANY_LINKS", f"may hold {most} links", f"最多包含 {most} 个链接"
        )


def addresses(content: Content) -> list[str]:
    """The web addresses of the body, in order; the number of one is its place. Each is listed once."""
    return list(dict.fromkeys(_ADDRESS.findall(content.body)))


def render(content: Content, facts: Mapping[str, str], links: Links) -> Rendered:
    """What one recipient gets. Facts are put into the subject, the text and, escaped, the page."""
    shown = addresses(content)
    numbers = {address: number for number, address in enumerate(shown)}
    farewell = "退订此类邮件 Unsubscribe: "
    text = _ADDRESS.sub(lambda found: links.of(numbers[found[0]]), content.body)
    page = _ADDRESS.sub(lambda found: f"\0{numbers[found[0]]}\0", content.body)
    page = _filled(html.escape(page), {name: html.escape(fact) for name, fact in facts.items()})
    page = _PLACE.sub(lambda found: _anchor(links.of(int(found[1])), shown[int(found[1])]), page)
    return Rendered(
        subject=" ".join(_filled(content.subject, facts).split()),
        text=f"{_filled(text, facts)}\n\n-- \n{farewell}{links.unsubscribe}\n",
        page=(
            f'<!doctype html><html><body><div style="white-space: pre-wrap">{page}</div>'
            f'<p><small><a href="{html.escape(links.unsubscribe)}">退订 Unsubscribe</a></small></p>'
            f'<img src="{html.escape(links.pixel)}" width="1" height="1" alt=""></body></html>'
        ),
    )


def _filled(text: str, facts: Mapping[str, str]) -> str:
    return _NAMED.sub(lambda named: facts.get(named[1], ""), text)


def _anchor(address: str, shown: str) -> str:
    return f'<a href="{html.escape(address)}">{html.escape(shown)}</a>'
