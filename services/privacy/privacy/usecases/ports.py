"""What the use cases need of the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from kernel.pure.audit_chain import Checkpoint, Link
from kernel.pure.clock import Clock
from kernel.pure.events import Event
from kernel.pure.signing import Signer
from privacy.domain.consents import Channel, Said
from privacy.domain.erasure import Erasure
from privacy.domain.events import ChangedConsent
from privacy.domain.holds import Hold
from privacy.domain.permits import Standing
from privacy.domain.purposes import Basis, Notice, Purpose
from privacy.domain.sends import Recorded, Send, Terms


class Purposes(Protocol):
    def add(self, purpose: Purpose) -> None:
        """Raises PurposeExists."""

    def known(self, purpose_ids: Collection[str]) -> set[str]:
        """Those of `purpose_ids` that there are."""

    def last_notice(self, purpose_id: str) -> Notice | None:
        """The newest notice of a purpose; nobody else publishes one until the transaction ends.

        Raises PurposeNotFound.
        """

    def publish(self, notice: Notice) -> None: ...

    def notices(self, notice_ids: Collection[UUID]) -> Mapping[UUID, tuple[str, int]]:
        """Purpose and major version of the notices that there are."""


class Consents(Protocol):
    def append(self, said: Sequence[Said]) -> list[str]:
        """Adds to the ledger; answers the fingerprints of the events."""

    def settle(self, said: Sequence[Said]) -> list[ChangedConsent]:
        """Takes over what decides now, of each person, purpose and channel; answers what changed."""

    def decides(self, event_id: UUID, subject_id: UUID) -> Said | None:
        """The event when it still has the last word; None when something later was said."""


@dataclass(frozen=True)
class PersonRow:
    """A person as the customer service told it."""

    person_id: UUID
    version: int
    owner_id: UUID | None
    collaborator_ids: tuple[UUID, ...] = ()
    deleted: bool = False


class Persons(Protocol):
    def apply(self, told: Iterable[PersonRow]) -> None:
        """Takes over the rows that are newer than what is held."""

    def link(self, told: Iterable[tuple[UUID, UUID | None, int]]) -> None:
        """Takes over the (customer id, survivor id, version) links that are newer than what is held."""

    def known(self, subject_id: UUID) -> bool:
        """Whether there is or was such a person, and the caller may ask for their erasure."""

    def one_with(self, subject_id: UUID) -> set[UUID]:
        """All ids of a person, as far as was told here."""

    def in_reach(self, subject_ids: Collection[UUID]) -> bool:
        """Whether the caller may record wishes of all of them."""


class Standings(Protocol):
    def terms(self, purpose_id: str) -> tuple[Basis, int]:
        """Legal basis and major version of the notices of a purpose. Raises PurposeNotFound."""

    def of(self, subject_ids: Sequence[UUID], purpose_id: str, channel: Channel) -> list[Standing]:
        """What is known of each, in order."""


class Erasures(Protocol):
    def add(self, erasure: Erasure) -> None:
        """Raises ErasureOpen when one for the same person is open."""

    def get(self, erasure_id: UUID) -> Erasure:
        """The request, for nobody else until the transaction ends. Raises ErasureNotFound."""

    def held(self, subject_ids: Sequence[UUID]) -> list[Erasure]:
        """Those that wait for holds on one of these persons."""

    def closed(self, since: datetime, before: datetime, limit: int) -> list[Erasure]:
        """Up to `limit` of those that were closed within this time, locked."""

    def save(self, erasure: Erasure) -> None: ...

    def certify(self, erasure_id: UUID, document: str) -> None: ...

    def note(self, erasure_id: UUID, what: str, **facts: object) -> None:
        """Adds a line to the request's log."""

    def restrict(self, subject_ids: Sequence[UUID], restricted: bool) -> Mapping[UUID, int]:
        """Notes whose data rests from now on, or no longer; answers the version of each."""


class Holds(Protocol):
    def add(self, hold: Hold) -> None: ...

    def lift(self, hold_id: UUID, now: datetime) -> Hold:
        """Raises HoldNotFound when it is not in force."""

    def any_on(self, subject_ids: Sequence[UUID]) -> bool:
        """Whether one is in force on one of these persons."""


class Forgets(Protocol):
    def forget(self, subject_ids: Sequence[UUID]) -> Mapping[str, int]:
        """Deletes what names the person here; answers the rows by table."""

    def proofs(self, subject_ids: Sequence[UUID]) -> int:
        """Events of the ledger that stay."""


class Sends(Protocol):
    """Messages that went out, each examined once."""

    def new(self, sends: Sequence[Send]) -> list[Send]:
        """Those that were not examined yet, in the order of their ids."""

    def terms(self, purpose_id: str) -> Terms | None:
        """None when there is no such purpose."""

    def told(self, send: Send) -> list[Recorded]:
        """What the person said, by whichever of their ids, of the purpose on the channel or on all."""

    def keep(self, send: Send, fault: str) -> None:
        """`fault` is "" when all was right."""


class Audits(Protocol):
    def key_of(self, service: str) -> bytes | None:
        """The public key a service signs with; None before its first checkpoint."""

    def keep(self, service: str, links: Sequence[Link]) -> None:
        """Adds what is not kept yet. Raises AuditBatchBroken when something else stands there."""

    def keep_checkpoint(self, service: str, checkpoint: Checkpoint) -> None:
        """Adds a checkpoint that was found true."""


class Work(Protocol):
    """An open unit of work of the privacy service."""

    @property
    def clock(self) -> Clock: ...

    @property
    def now(self) -> datetime: ...

    @property
    def law(self) -> str: ...

    @property
    def purposes(self) -> Purposes: ...

    @property
    def consents(self) -> Consents: ...

    @property
    def persons(self) -> Persons: ...

    @property
    def standings(self) -> Standings: ...

    @property
    def erasures(self) -> Erasures: ...

    @property
    def holds(self) -> Holds: ...

    @property
    def forgetting(self) -> Forgets: ...

    @property
    def erasure_days(self) -> int: ...

    @property
    def proof_years(self) -> int: ...

    @property
    def certificates(self) -> Signer:
        """Signs certificates of erasures."""

    @property
    def audits(self) -> Audits: ...

    @property
    def sends(self) -> Sends: ...

    def erased(self, subject_ids: Collection[UUID]) -> set[UUID]:
        """Those who were erased: nothing more is written of them."""

    def record(self, event: Event) -> None: ...

    def audit(self, action: str, object_type: str, object_id: object, **facts: object) -> None: ...

    def defer(self, job: str, *, lock: str | None = None, **arguments: object) -> None: ...

    def cancel(self, kind: str, key: str) -> None: ...

    def schedule(
        self, kind: str, key: str, due_at: datetime, payload: Mapping[str, Any] | None = None
    ) -> None: ...
