"""What exporting needs of the store."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

from customer.domain.exporting.runs import Export, Page, Policy
from customer.usecases.ports import Work


class Exports(Protocol):
    def policy(self) -> Policy:
        """The newest version."""

    def put_policy(self, policy: Policy) -> None:
        """Puts a new version in force. Raises Aborted when somebody else did so at the same time."""

    def count(self, filter: str) -> int:
        """How many customers the principal would export. Raises Invalid naming the filter."""

    def unapproved(self, since: datetime) -> int:
        """How many rows the principal exported since then without anybody's approval. Until the end of
        the transaction nothing is added to them."""

    def add(self, export: Export) -> None: ...

    def lend(self, export_id: UUID) -> Export:
        """The principal's export, locked. Raises ExportNotFound."""

    def hold(self, export_id: UUID) -> Export:
        """Anybody's export, locked. Raises ExportNotFound."""

    def next(self) -> Export | None:
        """The export to work on now, if there is one."""

    def save(self, export: Export) -> None: ...

    def append(self, export: Export, page: Page) -> None:
        """Stores what an export has taken, sealed under the file's own key."""

    def digest(self, export_id: UUID) -> str:
        """SHA-256 of what is stored of the file, in hexadecimal digits."""

    def certify(self, export: Export, manifest: bytes) -> None:
        """Signs a manifest and keeps it."""

    def destroy(self, export_ids: Collection[UUID]) -> None:
        """Makes files unreadable for ever, and removes them; the exports stay."""

    def wake(self) -> None:
        """Lets the jobs process look for exports after this transaction."""


class ExportWork(Work, Protocol):
    exports: Exports
