"""The ledger of consents: only added to, and read by its last word.

The last word of a person on a purpose and a channel is the latest; of two at the same instant the one
that takes back beats the one that gives. Whatever the order of arrival, the same events say the same.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from kernel.pure.errors import Checks
from kernel.pure.notes import check_impersonal

LARGEST_BATCH = 500
# Clocks differ; what is said to happen later than this is a slip.
_AHEAD = timedelta(minutes=5)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_FORM = 120


class Channel(StrEnum):
    ALL = "*"
    EMAIL = "email"
    SMS = "sms"
    PHONE = "phone"
    WECHAT = "wechat"
    POST = "post"


class State(StrEnum):
    GRANTED = "granted"
    EXPIRED = "expired"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Via(StrEnum):
    WEB = "web"
    CALL = "call"
    IMPORT = "import"
    PAPER = "paper"
    API = "api"
    # By the service itself: an expiry, an unsubscribe link.
    SYSTEM = "system"


# On a tie the greater one decides.
_WEIGHT = {state: weight for weight, state in enumerate(State)}


@dataclass(frozen=True)
class Proof:
    """By what it can be shown later that a person said so; every field may be empty."""

    form: str = ""
    message_id: str = ""
    recording_sha256: str = ""
    scan_sha256: str = ""
    network: str = ""

    @property
    def names_a_source(self) -> bool:
        """A network alone proves nothing."""
        return any((self.form, self.message_id, self.recording_sha256, self.scan_sha256))


@dataclass(frozen=True)
class Said:
    """What one person said once; `id` is a UUIDv7."""

    id: UUID
    subject_id: UUID
    purpose_id: str
    channel: Channel
    state: State
    effective_at: datetime
    via: Via
    proof: Proof = Proof()
    notice_id: UUID | None = None
    # Major version of the notice's purpose; 0 without a notice.
    major_version: int = 0
    separate: bool = False
    expires_at: datetime | None = None

    @property
    def key(self) -> tuple[UUID, str, Channel]:
        return self.subject_id, self.purpose_id, self.channel

    @property
    def rank(self) -> tuple[datetime, int, int]:
        """Of two that speak of the same, the one with the greater rank decides."""
        return self.effective_at, _WEIGHT[self.state], self.id.int


def fingerprint(said: Said, subject_ref: bytes, actor: tuple[str, str], recorded_at: datetime) -> str:
    """SHA-256 of an event as it stands in the ledger, in hexadecimal; `actor` is kind and id of who recorded
    it. The audit tells it, whose chain can't be rewritten: so neither can the ledger.
    """
    row = (
        str(said.id), subject_ref.hex(), said.purpose_id, said.channel.value, said.state.value,
        _instant(said.effective_at), _instant(said.expires_at), said.via.value,
        sorted((name, value) for name, value in vars(said.proof).items() if value),
        str(said.notice_id or ""), said.major_version, said.separate, *actor, _instant(recorded_at),
    )  # fmt: skip
    canonical = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()


def last_word(said: Iterable[Said]) -> Said | None:
    """What decides among all that was said of one purpose and channel, by whichever ids of one person."""
    return max(said, key=lambda one: one.rank, default=None)


def is_valid(said: Said | None, major_version: int, now: datetime) -> bool:
    """Whether it is a grant that holds: not expired, and shown the present terms (`major_version`)."""
    return said is not None and is_valid_state(
        said.state, said.expires_at, said.major_version, major_version, now
    )


def is_valid_state(
    state: State, expires_at: datetime | None, shown_version: int, major_version: int, now: datetime
) -> bool:
    """Whether a last word of this state, end and terms (`shown_version`) is a grant that holds."""
    return (
        state is State.GRANTED and (expires_at is None or expires_at > now) and shown_version >= major_version
    )


def check_said(said: Said, now: datetime, checks: Checks) -> None:
    """Refuses what can't be a person's word: of the future, or a grant without notice or proof."""
    if said.effective_at > now + _AHEAD:
        checks.refuse("effective_time", "FUTURE", "must not lie in the future", "不能是将来的时间")
    if said.state is State.EXPIRED:
        checks.refuse("state", "STATE", "expires by itself", "到期由系统记录")
    if said.state is State.GRANTED:
        _check_grant(said, checks)
    elif said.expires_at is not None:
        checks.refuse("expire_time", "PERIOD", "is for grants", "仅适用于同意")
    _check_proof(said.proof, checks)


def _check_grant(said: Said, checks: Checks) -> None:
    if said.notice_id is None:
        checks.refuse(
            "notice_id", "REQUIRED", "must name the notice that was shown", "必须指明所展示的告知文本"
        )
    if not said.proof.names_a_source:
        checks.refuse("proof", "PROOF_REQUIRED", "must name a proof of the grant", "同意必须附有证明来源")
    if said.expires_at is not None and said.expires_at <= said.effective_at:
        checks.refuse("expire_time", "PERIOD", "must be after effective_time", "必须晚于生效时间")


def _check_proof(proof: Proof, checks: Checks) -> None:
    for field in ("recording_sha256", "scan_sha256"):
        digest = getattr(proof, field)
        if digest and not _SHA256.fullmatch(digest):
            checks.refuse(
                f"proof.{field}", "SHA256", "must be 64 lower-case hex digits", "必须是 64 位小写十六进制"
            )
    check_impersonal("proof.form", proof.form, checks)
    for field in ("form", "message_id"):
        if len(getattr(proof, field)) > _LONGEST_FORM:
            checks.refuse(f"proof.{field}", "LENGTH", "must have at most 120 characters", "最多 120 个字符")


def _instant(at: datetime | None) -> str:
    """UTC with all digits of a second, so that the same instant is always the same text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at is not None else ""


def network_of(address: str, checks: Checks) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6. More of it would tell who sent the form."""
    if not address:
        return ""
    try:
        host = ipaddress.ip_interface(address).ip
    except ValueError:
        checks.refuse("proof.network", "NETWORK", "must be an IP address or network", "必须是 IP 地址或网段")
        return ""
    return str(ipaddress.ip_network((host, 24 if host.version == 4 else 48), strict=False))
