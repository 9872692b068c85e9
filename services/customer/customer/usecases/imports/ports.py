"""What importing needs of the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from customer.domain.customer import Profile
from customer.domain.duplicates import Party
from customer.domain.events import RecordedCustomer
from customer.domain.importing.reports import ReportedRow
from customer.domain.importing.rows import Row
from customer.domain.importing.runs import Import
from customer.domain.importing.uploads import Head, Upload
from customer.usecases.ports import Work

PERMISSION = "customer.customers.import"


class Uploads(Protocol):
    def add(self, upload: Upload) -> None: ...

    def lend(self, upload_id: UUID) -> Upload:
        """The principal's upload, locked. Raises UploadNotFound."""

    def hold(self, upload_id: UUID) -> Upload:
        """Anybody's upload, locked. Raises UploadNotFound."""

    def append(self, upload: Upload, offset: int, data: bytes) -> None:
        """Stores a chunk that the upload has accepted."""

    def wake(self) -> None:
        """Lets the jobs process look for files to read after this transaction."""

    def unread(self) -> Upload | None:
        """A whole file that nobody has read yet, if there is one: of those that failed least, the oldest."""

    def keep_head(self, upload: Upload, head: Head) -> None:
        """Stores how a file begins, once."""

    def keep_failure(self, upload: Upload) -> None:
        """Stores that reading a file failed, or that it can't be read."""

    def head(self, upload: Upload) -> Head:
        """How a file begins that is ready. Raises UploadExpired."""

    def destroy(self, upload_ids: Collection[UUID]) -> None:
        """Makes files unreadable for ever, and removes them."""


class Imports(Protocol):
    def add(self, run: Import) -> None: ...

    def lend(self, import_id: UUID) -> Import:
        """The principal's import, locked. Raises ImportNotFound."""

    def hold(self, import_id: UUID) -> Import:
        """Anybody's import, locked. Raises ImportNotFound."""

    def next(self) -> Import | None:
        """The import to work on now, if there is one."""

    def save(self, run: Import) -> None: ...

    def report(self, import_id: UUID, rows: Sequence[ReportedRow]) -> None: ...

    def destroy_reports(self, import_ids: Collection[UUID]) -> None:
        """Removes the row reports of imports."""

    def save_mapping(self, columns_mac: bytes, kind: str, columns: Mapping[str, str]) -> None:
        """Remembers how the principal mapped such columns."""

    def wake(self) -> None:
        """Lets the jobs process look for imports after this transaction."""


class Batch(Protocol):
    """New customers ready to be stored; `lines` are their lines in the file."""

    @property
    def lines(self) -> Sequence[int]: ...

    @property
    def near(self) -> Mapping[int, Collection[int]]:
        """By the place of a customer, the places of earlier ones that it may be the same as."""

    def __len__(self) -> int: ...

    def id(self, place: int) -> UUID: ...

    def party(self, place: int) -> Party:
        """The customer at a place, to be compared with others."""

    def recorded(self) -> Iterable[RecordedCustomer]:
        """What is told of each."""


class Staging(Protocol):
    def candidates(self, batch: Any) -> Mapping[int, Collection[UUID]]:
        """By the place of a customer, stored ones that it may be the same as."""

    def hold(self, customer_ids: Collection[UUID]) -> None:
        """Locks stored customers until the end of the transaction."""

    def store(self, batch: Any) -> None: ...


class ImportWork(Work, Protocol):
    uploads: Uploads
    imports: Imports
    staging: Staging


class Marks(Protocol):
    def columns(self, names: Sequence[str]) -> bytes: ...

    def row(self, profile: Profile) -> str: ...


class Stager(Protocol):
    def known_ids(self, source: str, values: Collection[str]) -> set[str]:
        """Those of these external ids that some customer has."""

    def stage(self, rows: Sequence[Row], owner_id: UUID, actor_id: str) -> Batch:
        """Makes rows with free external ids ready to be stored."""
