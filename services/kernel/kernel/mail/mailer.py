"""Mail to people goes out here and nowhere else, and only with an authority.

A service names a purpose of its closed list, as answering who wrote to it needs no consent; or it shows
the permit of the privacy service for just this message.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from kernel.mail.letter import Letter
from kernel.pure import permits
from kernel.pure.clock import Clock
from kernel.pure.errors import Forbidden, Precondition, Unavailable
from kernel.pure.permits import PermitRefused

# Seconds a mail server may take for one step.
_PATIENCE = 10.0
# No such mailbox, not ours, no such name, a domain that takes no mail.
_NO_MAILBOX = frozenset({550, 551, 553, 556})
_ENHANCED = re.compile(rb"5\.(\d{1,3})\.\d{1,3}\b")


class MailNotPermitted(Forbidden):
    reason = "MAIL_NOT_PERMITTED"
    en = "Nothing permits this mail."
    zh = "该邮件未获许可。"


class MailRefused(Precondition):
    """The mail server will never take it: there is no such recipient, or it minds the content."""

    reason = "MAIL_REFUSED"
    en = "The mail server refused the mail with {code}."
    zh = "邮件服务器以 {code} 拒绝了该邮件。"

    @property
    def no_such_mailbox(self) -> bool:
        """Whether nothing sent to this recipient will ever arrive."""
        return self.metadata.get("recipient") == "unknown"


class MailUnavailable(Unavailable):
    """The mail server has not taken it, and may later."""

    reason = "MAIL_UNAVAILABLE"
    en = "The mail server can't be reached, or asks to come back later."
    zh = "邮件服务器暂时无法访问，或要求稍后再试。"


class MailOutcomeUnknown(Unavailable):
    """The connection broke after the letter was handed over: it may have been taken."""

    reason = "MAIL_OUTCOME_UNKNOWN"
    en = "The connection broke before the mail server said whether it took the mail."
    zh = "在邮件服务器确认收信之前连接中断。"


@dataclass(frozen=True)
class ServicePurpose:
    """Why a service may write to somebody without their consent to marketing: "ticket_answer"."""

    name: str


@dataclass(frozen=True)
class Permitted:
    """Why somebody may be written to who did not ask: a permit for exactly this person, purpose, channel and
    campaign, checked with the public keys (by key id) of who keeps consents."""

    token: str
    keys: Mapping[str, bytes]
    subject_id: str
    purpose: str
    channel: str
    campaign_id: str

    def check(self, now: datetime) -> None:
        """Raises PermitRefused."""
        permit = permits.verify(self.token, self.keys, now)
        allowed = (permit.subject_id, permit.purpose, permit.channel, permit.campaign_id)
        if allowed != (self.subject_id, self.purpose, self.channel, self.campaign_id):
            raise PermitRefused


class Mailer:
    """Sends by one mail server; safe between threads, each of which sends on a connection of its own."""

    def __init__(self, url: SecretStr | None, purposes: Collection[str], clock: Clock) -> None:
        """`url`: smtp://[user:password@]host:port, encrypted when the server offers it, or smtps://.
        `purposes` are those that this service may name."""
        self._url = url
        self._purposes = frozenset(purposes)
        self._clock = clock
        # Connections that wait for the next letter.
        self._idle: list[smtplib.SMTP] = []

    def send(self, letter: Letter, authority: ServicePurpose | Permitted) -> None:
        """Hands the letter to the mail server; when it returns, the server has taken it.

        Raises MailNotPermitted, PermitRefused, MailRefused, MailUnavailable or MailOutcomeUnknown.
        """
        if isinstance(authority, Permitted):
            authority.check(self._clock.now())
        elif authority.name not in self._purposes:
            raise MailNotPermitted
        data = letter.message(self._clock.now()).as_bytes()
        connection = self._connection()
        try:
            _hand_over(connection, letter, data)
        except BaseException:
            # What was begun must not end up in the next letter.
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        """Ends the connections."""
        while self._idle:
            self._idle.pop().close()

    def _connection(self) -> smtplib.SMTP:
        """One that waits and still answers, else a new one."""
        while self._idle:
            with suppress(IndexError):
                waiting = self._idle.pop()
                with suppress(smtplib.SMTPException, OSError):
                    if waiting.noop()[0] == 250:
                        return waiting
                waiting.close()
        if self._url is None:
            raise MailUnavailable
        try:
            return _connect(self._url.get_secret_value())
        except (smtplib.SMTPException, OSError):
            raise MailUnavailable from None


def _connect(text: str) -> smtplib.SMTP:
    url = urlsplit(text)
    host, context = url.hostname or "localhost", ssl.create_default_context()
    if url.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, url.port or 465, timeout=_PATIENCE, context=context)
    else:
        connection = smtplib.SMTP(host, url.port or 25, timeout=_PATIENCE)
    try:
        connection.ehlo()
        if url.scheme != "smtps" and connection.has_extn("starttls"):
            connection.starttls(context=context)
            connection.ehlo()
        if url.username:
            connection.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        connection.close()
        raise
    return connection


def _hand_over(connection: smtplib.SMTP, letter: Letter, data: bytes) -> None:
    try:
        _settle(connection.mail(letter.sender)[0])
        code, answer = connection.rcpt(letter.recipient)
        if _no_such_mailbox(code, answer):
            raise MailRefused(code=code, recipient="unknown")
        _settle(code)
    except (smtplib.SMTPException, OSError):
        raise MailUnavailable from None
    try:
        _settle(connection.data(data)[0])
    except smtplib.SMTPDataError as error:
        _settle(error.smtp_code)
    except (smtplib.SMTPException, OSError):
        raise MailOutcomeUnknown from None


def _no_such_mailbox(code: int, answer: bytes) -> bool:
    """Of what a server answered about a recipient (RFC 5321, 4.2.3). An enhanced code (RFC 3463) that is not
    of an address, as 5.7.1, minds us and not the mailbox."""
    refined = _ENHANCED.match(answer)
    return code in _NO_MAILBOX and (refined is None or refined[1] == b"1")


def _settle(code: int) -> None:
    """Ends the letter when the server answered that it does not take it."""
    if code >= 500:
        raise MailRefused(code=code)
    if code >= 400:
        raise MailUnavailable
