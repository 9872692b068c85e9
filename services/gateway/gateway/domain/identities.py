"""People as an OIDC provider knows them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True)
class ForeignIdentity:
    """Who a provider says somebody is; the provider is believed for what `issuer` names only."""

    issuer: str
    subject: str
    # The login that the verified e-mail address stands for; empty when it stands for none.
    login: str

    @property
    def subject_digest(self) -> bytes:
        return subject_digest(self.issuer, self.subject)


def subject_digest(issuer: str, subject: str) -> bytes:
    """What is kept of a subject: it may be an e-mail address."""
    return sha256(f"{issuer}\0{subject}".encode()).digest()
