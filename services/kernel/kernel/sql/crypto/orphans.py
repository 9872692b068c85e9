"""Whose keys seal something, asked of the service's own tables; the keys of all others are orphans.

They remain when the transaction of the data that they were made for failed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from kernel.sql.crypto.keyring import Keyring
from kernel.sql.engine import Reader

# A key that nobody asked for since, and how much farther back a sweep looks: nights that were missed.
AGE, LOOKBACK = timedelta(days=1), timedelta(days=8)

_SEALED_TABLES = """
    select table_name as name from information_schema.columns
    where table_schema = 'app' and column_name = 'sealed' and data_type = 'bytea' order by table_name
"""


@dataclass(frozen=True)
class Holders:
    """What a service has sealed under keys of subjects.

    `by_class`: for each class of keys its tables, each with the statement that answers, as `id`, those
    subjects of %(ids)s of whom it has rows. `otherwise`: tables with a column `sealed` that is sealed under
    keys of the service.
    """

    by_class: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    otherwise: Collection[str] = ()

    def unnamed(self, reader: Reader) -> list[str]:
        """The tables with sealed data that nobody has named here."""
        named = {table for tables in self.by_class.values() for table in tables} | set(self.otherwise)
        return [row.name for row in reader.rows(_SEALED_TABLES) if row.name not in named]

    def with_data(self, reader: Reader, subject_ids: Sequence[UUID], key_class: str) -> set[UUID]:
        """Those of the subjects who have data under keys of the class; all, when the class is not known."""
        if key_class not in self.by_class:
            return set(subject_ids)
        found: set[UUID] = set()
        for statement in self.by_class[key_class].values():
            found |= {row.id for row in reader.rows(statement, {"ids": list(subject_ids)})}
        return found


def sweep(keyring: Keyring, reader: Reader, holders: Holders) -> int:
    """Deletes the orphans of a service's keyring; answers how many.

    Raises ValueError when a table with sealed data is not named: its keys would seem to be orphans.
    """
    if unnamed := holders.unnamed(reader):
        raise ValueError(f"whose keys seal {', '.join(unnamed)} is not said")
    return keyring.sweep_orphans(
        AGE, lambda ids, key_class: holders.with_data(reader, ids, key_class), lookback=LOOKBACK
    )
