"""What a mail says: read from its raw bytes, whatever its writer's program did to it (T-04)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parseaddr
from html.parser import HTMLParser

from kernel.pure.contact import normalize_email

LONGEST_TEXT = 20_000
LONGEST_SUBJECT = 300
_LONGEST_NAME = 100
_MOST_PARTS = 200
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,250}>")
_HALF = re.compile("[\ud800-\udfff]")
# Chinese programs name the first set of characters and send the last one.
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
}
_GUESSES = ("utf-8", "gb18030", "latin-1")
# Elements whose text nobody sees, and those that end a line.
_HIDDEN = {"style", "script", "head", "title"}
_LINES = {"p", "div", "br", "tr", "li", "h1", "h2", "h3", "blockquote"}


FAILED = "FAILED"


class UnreadableMail(Exception):
    """`reason` says what is missing: NO_SENDER, NO_WORDS, MALFORMED; or that it FAILED otherwise."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Letter:
    """A mail as read. Addresses are normalised; `references` are Message-IDs, the nearest last."""

    message_id: str
    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    references: tuple[str, ...]
    attachment_count: int
    # Written by a machine: an absence note, a bounce, a newsletter.
    automatic: bool


def message_id_of(raw: bytes) -> str:
    """The Message-ID of a raw mail; empty when it has none or can't be read."""
    head = re.split(rb"\r?\n\r?\n", raw[:65_536], maxsplit=1)[0]
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", head)
    line = re.search(rb"(?im)^message-id:[ \t]*(.+?)\r?$", unfolded)
    found = _MESSAGE_ID.search(line[1].decode("ascii", "replace")) if line else None
    return found[0] if found else ""


def read_mail(raw: bytes) -> Letter:
    """Raises UnreadableMail for a mail that nobody could answer or understand."""
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        return _letter(mail, message_id_of(raw))
    except UnreadableMail:
        raise
    except Exception:
        # Whatever the parsers stumble over: somebody wrote, and somebody must see that they did.
        raise UnreadableMail("MALFORMED") from None


def _letter(mail: Message, message_id: str) -> Letter:
    name, sender = _sender(mail)
    if not sender:
        raise UnreadableMail("NO_SENDER")
    parts = list(_leaves(mail))
    subject = _one_line(_header(mail, "Subject"))[:LONGEST_SUBJECT]
    text = _text(parts)
    if not subject and not text:
        raise UnreadableMail("NO_WORDS")
    return Letter(
        message_id=message_id,
        sender=sender,
        sender_name=_one_line(name)[:_LONGEST_NAME],
        recipients=tuple(_recipients(mail)),
        subject=subject,
        text=text,
        references=tuple(
            _MESSAGE_ID.findall(f"{_header(mail, 'References')} {_header(mail, 'In-Reply-To')}")[-50:]
        ),
        attachment_count=sum(1 for part in parts if part.get_filename()),
        automatic=_is_automatic(mail),
    )


def _sender(mail: Message) -> tuple[str, str]:
    """Name and address; the address is empty when none can be answered."""
    for header in ("Reply-To", "From"):
        # The address is read before encoded words are: what stands in a name is none.
        _, address = parseaddr(str(mail.get(header, "")))
        name, _ = parseaddr(_header(mail, header))
        try:
            return name, normalize_email(address)
        except ValueError:
            continue
    return "", ""


def _recipients(mail: Message) -> Iterator[str]:
    headers = [_header(mail, name) for name in ("To", "Cc", "Delivered-To", "X-Original-To")]
    for _, address in getaddresses(headers):
        try:
            yield normalize_email(address)
        except ValueError:
            continue


def _is_automatic(mail: Message) -> bool:
    """RFC 3834, and what programs said before it."""
    submitted = _header(mail, "Auto-Submitted").strip().lower()
    return (
        submitted not in ("", "no")
        or mail.get_content_type() == "multipart/report"
        or _header(mail, "Precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply")
        or _header(mail, "Return-Path").strip() == "<>"
        or bool(_header(mail, "X-Autoreply"))
    )


def _header(mail: Message, name: str) -> str:
    """A header's text: encoded words and bare bytes of any charset as characters."""
    value = mail.get(name)
    if value is None:
        return ""
    pieces = decode_header(value)
    return _whole(
        "".join(_decoded(piece, charset) if isinstance(piece, bytes) else piece for piece, charset in pieces)
    )


def _leaves(mail: Message) -> Iterator[Message]:
    """The parts that are no containers; a mail of more than 200 ends there."""
    for count, part in enumerate(mail.walk()):
        if count >= _MOST_PARTS:
            return
        if not part.is_multipart():
            yield part


def _text(parts: list[Message]) -> str:
    """The plain text; that of HTML when there is no other."""
    bodies = [part for part in parts if not part.get_filename()]
    plain = [_content(part) for part in bodies if part.get_content_type() == "text/plain"]
    if not any(text.strip() for text in plain):
        plain = [_seen(_content(part)) for part in bodies if part.get_content_type() == "text/html"]
    return _tidy("\n".join(plain))


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return _decoded(payload, part.get_content_charset()) if isinstance(payload, bytes) else ""


def _decoded(data: bytes, charset: str | None) -> str:
    """Characters of `data`: as declared, else as UTF-8, else as GB18030, else byte by byte."""
    declared = (charset or "").lower()
    names = [] if declared in ("", "unknown-8bit", "us-ascii") else [_WIDER.get(declared, declared)]
    for name in (*names, *_GUESSES):
        try:
            return _whole(data.decode(name))
        except (ValueError, LookupError):
            continue
    return data.decode("latin-1")


def _whole(text: str) -> str:
    """Without halves of characters, which some charsets yield and nothing can store."""
    return _HALF.sub("\ufffd", text)


def _tidy(text: str) -> str:
    """Without control characters, which PostgreSQL and terminals mind, and without empty ends."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    clean = "\n".join("".join(c for c in line if c >= " " or c == "\t").rstrip() for line in lines)
    return re.sub(r"\n{3,}", "\n\n", clean).strip()[:LONGEST_TEXT]


def _one_line(text: str) -> str:
    return " ".join(_tidy(text).split())


class _Seen(HTMLParser):
    """Collects the text that a reader of the page would see."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        if tag in _LINES:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN and self._hidden:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def _seen(html: str) -> str:
    parser = _Seen()
    parser.feed(html)
    parser.close()
    return "".join(parser.pieces)
