"""Service accounts: programs that call, such as an ERP or a partner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class ServiceAccount:
    id: UUID
    name: str
    role_ids: tuple[str, ...]
    disabled: bool
    created_at: datetime
