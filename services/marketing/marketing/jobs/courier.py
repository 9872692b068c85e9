"""Brings one message to one recipient: makes it personal, and hands it to the mail server with its permit."""

from __future__ import annotations

from email.utils import parseaddr
from uuid import UUID

from kernel.mail.letter import Letter
from kernel.mail.mailer import Mailer, MailOutcomeUnknown, MailRefused, MailUnavailable, Permitted
from kernel.ops.logs import logger
from kernel.pure.permits import PermitRefused
from marketing.domain.campaign import Campaign
from marketing.domain.content import Links, render
from marketing.domain.messages import State
from marketing.domain.tokens import Tokens, Use
from marketing.usecases.ports import Contact
from marketing.usecases.send_messages import Outcome

_log = logger(__name__)


class Courier:
    def __init__(self, mailer: Mailer, tokens: Tokens, public_url: str, sender: str) -> None:
        """`sender` is a name and address; `public_url` is where recipients reach the gateway."""
        self._mailer = mailer
        self._tokens = tokens
        self._url = public_url.rstrip("/")
        self._sender_name, self._sender = parseaddr(sender)

    def send(self, campaign: Campaign, message_id: UUID, contact: Contact, permitted: Permitted) -> Outcome:
        """What became of it; never raises for what the mail server does."""
        try:
            self._mailer.send(self._letter(campaign, message_id, contact), permitted)
        except MailRefused as refused:
            reason = f"{refused.reason}_{refused.metadata['code']}"
            return Outcome(message_id, State.FAILED, reason, bounced=refused.no_such_mailbox)
        except MailUnavailable as away:
            return Outcome(message_id, State.WAITING, away.reason)
        except MailOutcomeUnknown as lost:
            return Outcome(message_id, State.UNKNOWN, lost.reason)
        except PermitRefused as refused:
            # It expired on the way here: asked for again, it is given or refused.
            return Outcome(message_id, State.WAITING, refused.reason)
        except ValueError as error:
            _log.warning("letter can't be written", message_id=str(message_id), error=type(error).__name__)
            return Outcome(message_id, State.FAILED, "UNWRITABLE")
        return Outcome(message_id, State.SENT)

    def _letter(self, campaign: Campaign, message_id: UUID, contact: Contact) -> Letter:
        links = Links(
            of=lambda number: self._link(Use.CLICK, message_id, number),
            pixel=self._link(Use.OPEN, message_id),
            unsubscribe=self._link(Use.UNSUBSCRIBE, message_id),
        )
        rendered = render(campaign.content, {"full_name": contact.full_name}, links)
        return Letter(
            message_id=f"<{message_id}@{self._sender.rpartition('@')[2]}>",
            sender=self._sender,
            sender_name=self._sender_name,
            recipient=contact.addresses[0],
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.page,
            headers={
                # RFC 8058: one click, without opening a page.
                "List-Unsubscribe": f"<{links.unsubscribe}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        )

    def _link(self, use: Use, message_id: UUID, number: int = 0) -> str:
        path = {Use.OPEN: "o", Use.CLICK: "c", Use.UNSUBSCRIBE: "u"}[use]
        return f"{self._url}/v1/t/{path}/{self._tokens.seal(use, message_id, number)}"
