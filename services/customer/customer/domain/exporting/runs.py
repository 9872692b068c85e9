"""An export: a file written page by page, in steps that a restart repeats without writing twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from customer.domain.exporting.errors import ExportExpired, OwnExport
from customer.domain.exporting.errors import ExportState as WrongState
from kernel.pure.errors import Checks
from kernel.pure.grants import Principal

CSV, XLSX, JSONL = FORMATS = ("csv", "xlsx", "jsonl")
# So many customers are read, opened and written at once.
PAGE_ROWS = 2_000
# What one person exports within this time counts together.
COUNTED_FOR = timedelta(hours=24)
KEPT_FOR = timedelta(days=7)
# A step that failed so often in succession is not tried again.
MOST_FAILURES = 5
# A worksheet has one row for the header besides.
MOST_WORKBOOK_ROWS = 1_048_575
_LARGEST_ALLOWANCE = 10_000_000


class State(StrEnum):
    AWAITING_APPROVAL = "awaiting_approval"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    FAILED = "failed"
    EXPIRED = "expired"


_OPEN = (State.AWAITING_APPROVAL, State.RUNNING)


@dataclass(frozen=True)
class Policy:
    """What needs a second person's approval: more than so many rows in 24 hours."""

    version: int
    rows_without_approval: int

    def changed(self, rows_without_approval: int) -> Policy:
        """The next version. Raises Invalid."""
        checks = Checks()
        if not 0 <= rows_without_approval <= _LARGEST_ALLOWANCE:
            checks.refuse(
                "policy.rows_without_approval",
                "RANGE",
                f"must be 0 to {_LARGEST_ALLOWANCE}",
                f"必须在 0 到 {_LARGEST_ALLOWANCE} 之间",
            )
        checks.raise_if_any()
        return Policy(self.version + 1, rows_without_approval)


@dataclass(frozen=True)
class Options:
    """What was asked for. `format` is one of FORMATS; `language` that of the titles; `source` whose ids
    stand in the column external_id."""

    filter: str
    fields: tuple[str, ...]
    format: str
    reason: str
    raw: bool
    source: str
    language: str


@dataclass(frozen=True)
class Page:
    """What one step adds to the file: `data` of `rows` customers, which follow on `after`.

    `form` is what the format must remember to go on behind it; `personal`: somebody is in it unmasked.
    """

    after: str
    upto: str
    rows: int
    data: bytes
    form: Mapping[str, Any]
    at_end: bool
    personal: bool


@dataclass
class Export:
    """A file for `principal`, who may export `allowance` more rows without approval."""

    id: UUID
    principal: Principal
    options: Options
    state: State
    rows_total: int
    allowance: int
    policy_version: int
    created_at: datetime
    expires_at: datetime
    rows_done: int = 0
    size: int = 0
    # Id of the last customer written: where a restart goes on.
    after: str = ""
    form: Mapping[str, Any] = field(default_factory=dict)
    personal: bool = False
    approver_id: UUID | None = None
    # Failures since the last step that succeeded.
    failures: int = 0
    # Why it ended early: a reason of errors.ENDINGS.
    error: str = ""
    ended_at: datetime | None = None

    @property
    def runnable(self) -> bool:
        """Whether there is something to do without anybody's word."""
        return self.state is State.RUNNING

    @property
    def file_name(self) -> str:
        return f"customers-{self.created_at:%Y%m%d}-{self.id.hex[-8:]}.{self.options.format}"

    def begin(self) -> None:
        """Goes on, or waits for a second person when there are too many."""
        self.state = State.RUNNING if self.rows_total <= self.allowance else State.AWAITING_APPROVAL

    def approve(self, approver_id: UUID | None) -> None:
        """Lets it go on; a second time changes nothing. Raises OWN_EXPORT or EXPORT_STATE."""
        if self._decided_by(approver_id, State.RUNNING, State.DONE):
            self.state = State.RUNNING

    def reject(self, approver_id: UUID | None, now: datetime) -> None:
        """Ends it; a second time changes nothing. Raises OWN_EXPORT or EXPORT_STATE."""
        if self._decided_by(approver_id, State.REJECTED):
            self._end(State.REJECTED, now)

    def cancel(self, now: datetime) -> None:
        """Ends it where it stands; a second time changes nothing. Raises EXPORT_STATE."""
        if self.state in _OPEN:
            self._end(State.CANCELLED, now)
        elif self.state is not State.CANCELLED:
            raise WrongState(state=self.state)

    def take(self, page: Page) -> bool:
        """Adds a page; False when it would be more than may go without approval: then it waits."""
        if self.approver_id is None and self.rows_done + page.rows > self.allowance:
            self.rows_total = max(self.rows_total, self.rows_done + page.rows)
            self.state = State.AWAITING_APPROVAL
            return False
        self.rows_done += page.rows
        self.rows_total = max(self.rows_total, self.rows_done)
        self.size += len(page.data)
        self.after = page.upto
        self.form = page.form
        self.personal = self.personal or page.personal
        self.failures = 0
        return True

    def finish(self, now: datetime) -> None:
        """The file is whole; it is kept for 7 days from now on."""
        self.rows_total = self.rows_done
        self.expires_at = now + KEPT_FOR
        self._end(State.DONE, now)

    def fail(self, reason: str, now: datetime) -> None:
        """Ends it for a reason that trying again can't mend."""
        self.error = reason
        self._end(State.FAILED, now)

    def expire(self, now: datetime) -> None:
        """Its file, if there is one, is destroyed."""
        if self.state in (*_OPEN, State.DONE):
            self.ended_at = self.ended_at or now
            self.state = State.EXPIRED

    def require_file(self) -> None:
        """Raises EXPORT_EXPIRED or EXPORT_STATE when there is nothing to download."""
        if self.state is State.EXPIRED:
            raise ExportExpired
        if self.state is not State.DONE:
            raise WrongState(state=self.state)

    def manifest(self, sha256: str) -> bytes:
        """What is certified of the whole file, in canonical JSON."""
        options = self.options
        said = {
            "export_id": str(self.id),
            "file_name": self.file_name,
            "sha256": sha256,
            "size": self.size,
            "rows": self.rows_done,
            "format": options.format,
            "raw": options.raw,
            "fields": list(options.fields),
            "filter": options.filter,
            "reason": options.reason,
            "exporter_id": self.principal.id,
            "approver_id": str(self.approver_id or ""),
            "policy_version": self.policy_version,
            "started_at": self.created_at.isoformat(),
            "finished_at": self.ended_at.isoformat() if self.ended_at else "",
        }
        return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    def _decided_by(self, approver_id: UUID | None, *after: State) -> bool:
        """Whether this decides. Raises OWN_EXPORT, or EXPORT_STATE for a state that is not one of `after`."""
        if approver_id is None or str(approver_id) == self.principal.id:
            raise OwnExport
        if self.state is State.AWAITING_APPROVAL:
            self.approver_id = approver_id
            return True
        if self.state not in after or self.approver_id != approver_id:
            raise WrongState(state=self.state)
        return False

    def _end(self, state: State, now: datetime) -> None:
        self.state = state
        self.ended_at = now
