"""The marketing service's unit of work: a transaction with its repositories."""

from __future__ import annotations

from kernel.sql.uow import UnitOfWork


class MarketingWork(UnitOfWork):
    """Repositories are attributes of it."""
