"""New customers by the thousand: made ready outside of any transaction, then stored in one."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.customer import Company, Profile
from customer.domain.duplicates import LARGEST_BLOCK, Party
from customer.domain.importing.rows import Row
from customer.store import copying
from customer.store.indexing import IndexEntry, Indexer
from customer.store.queries import SEALED_IN, VERSIONS_SEALED_IN
from kernel.pure.clock import Clock
from kernel.pure.ids import new_id
from kernel.sql.crypto.blind import TOKEN_BYTES
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

_KNOWN_IDS = "select value from external_ids where source = %(source)s and value = any(%(values)s::text[])"
# The keys come sorted, so that the index is walked once from left to right; the limit keeps the
# planner from anything but looking each key up.
_CANDIDATES = """
    select wanted.place::int4, found.customer_id
    from unnest(%(keys)s::bytea[]) with ordinality as wanted (key, place)
    cross join lateral (select m.customer_id from match_keys m where m.key = wanted.key limit %(most)s) found
"""
_HOLD = "select id from customers where id = any(%(ids)s) order by id for no key update"
_COPY = {
    "customers": """
        copy customers (id, version, kind, owner_id, sealed, company, source_channel, industry, province,
                        city, tags, name_tokens, created_at, updated_at) from stdin (format binary)
    """,
    "customer_versions": """
        copy customer_versions (customer_id, version, at, actor_id, action, changed_fields, profile, sealed)
        from stdin (format binary)
    """,
    "external_ids": "copy external_ids (source, value, customer_id) from stdin (format binary)",
    "match_keys": "copy match_keys (key, customer_id) from stdin (format binary)",
}


@dataclass(frozen=True)
class Batch:
    """New customers, ready to be stored. `lines` are their lines in the file, `near` the places of
    earlier ones in the batch that each may be the same as, by its place."""

    parties: list[Party]
    lines: list[int]
    near: Mapping[int, Collection[int]]
    # Match keys in order, and the place of the customer of each.
    keys: list[bytes]
    places: list[int]
    # Rows for COPY, by table.
    copies: Mapping[str, bytes]
    capped: int


class Stager:
    """Makes batches; used by a thread of its own."""

    def __init__(self, reader: Reader, indexer: Indexer, sealer: Sealer, clock: Clock) -> None:
        self._reader = reader
        self._indexer = indexer
        self._sealer = sealer
        self._clock = clock

    def known_ids(self, source: str, values: Collection[str]) -> set[str]:
        """Those of these external ids that some customer has."""
        rows = self._reader.rows(_KNOWN_IDS, {"source": source, "values": list(values)})
        return {row.value for row in rows}

    def stage(self, rows: Sequence[Row], actor_id: str) -> Batch:
        """The batch of rows whose external ids are free; their keys are in the keyring when it returns."""
        now = self._clock.now()
        parties = [Party(new_id(), row.profile) for row in rows if row.profile is not None]
        entries = [self._indexer.entry(party.profile, _traits(party)) for party in parties]
        sealed, versions = self._seal(parties)
        ids = [copying.uuid(party.id) for party in parties]
        keyed = _keyed(entries)
        near, capped = _near(keyed)
        customers = [
            _customer_row(party, seal, entry.name_tokens, now)
            for party, seal, entry in zip(parties, sealed, entries, strict=True)
        ]
        history = [
            _version_row(party, seal, actor_id, now) for party, seal in zip(parties, versions, strict=True)
        ]
        copies = {
            "customers": copying.whole(customers),
            "customer_versions": copying.whole(history),
            "external_ids": copying.whole(map(_external_id_rows, parties)),
            "match_keys": copying.whole(_KEY_ROW + key + ids[place] for key, place in keyed),
        }
        keys, places = [key for key, _ in keyed], [place for _, place in keyed]
        return Batch(parties, [row.line for row in rows], near, keys, places, copies, capped)

    def _seal(self, parties: Sequence[Party]) -> tuple[Sequence[bytes | None], Sequence[bytes | None]]:
        """The sealed documents for the customers and for their first versions; companies have none."""
        if not parties or isinstance(parties[0].profile.details, Company):
            return [None] * len(parties), [None] * len(parties)
        documents = [(party.id, party.profile.details.document()) for party in parties]
        return (
            self._sealer.seal_many(SEALED_IN, ((i, i, document) for i, document in documents)),
            self._sealer.seal_many(
                VERSIONS_SEALED_IN, ((f"{i}/1", i, document) for i, document in documents)
            ),
        )


class StagingRepository:
    """Stores batches in an open transaction."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection

    def candidates(self, batch: Batch) -> list[set[UUID]]:
        """For each customer of the batch, those stored that share a match key with it."""
        found: list[set[UUID]] = [set() for _ in batch.parties]
        if not batch.keys:
            return found
        params = {"keys": batch.keys, "most": LARGEST_BLOCK + 1}
        with self._driver().cursor(binary=True) as cursor:
            cursor.execute(_CANDIDATES, params)
            hits = cursor.fetchall()
        blocks: dict[int, list[UUID]] = {}
        for place, customer_id in hits:
            blocks.setdefault(place - 1, []).append(customer_id)
        for place, customer_ids in blocks.items():
            if len(customer_ids) <= LARGEST_BLOCK:
                found[batch.places[place]].update(customer_ids)
        return found

    def hold(self, customer_ids: Collection[UUID]) -> None:
        self._connection().exec_driver_sql(_HOLD, {"ids": list(customer_ids)})

    def store(self, batch: Batch) -> None:
        """Adds the customers of a batch. Raises IntegrityError when an external id was taken meanwhile."""
        for table, statement in _COPY.items():
            with self._driver().cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(batch.copies[table])

    def _driver(self) -> Any:
        return self._connection().connection.driver_connection


def _traits(party: Party) -> Any:
    return None if isinstance(party.profile.details, Company) else party.traits


def _keyed(entries: Sequence[IndexEntry]) -> list[tuple[bytes, int]]:
    """All match keys in order, each with the place of its customer."""
    # Bytes sort faster than pairs.
    marked = [
        key + mark
        for mark, entry in ((place.to_bytes(4, "big"), entry) for place, entry in enumerate(entries))
        for key in entry.match_keys
    ]
    marked.sort()
    return [(key[:TOKEN_BYTES], int.from_bytes(key[TOKEN_BYTES:], "big")) for key in marked]


def _near(keyed: Sequence[tuple[bytes, int]]) -> tuple[dict[int, set[int]], int]:
    """By the place of each customer, the places before it that share a key; and how many keys are shared
    by too many."""
    near: dict[int, set[int]] = {}
    capped = 0
    block: list[int] = []
    last = b""
    for key, place in [*keyed, (b"", -1)]:
        if key == last:
            block.append(place)
            continue
        if 1 < len(block) <= LARGEST_BLOCK:
            for count, later in enumerate(block[1:], 1):
                near.setdefault(later, set()).update(block[:count])
        elif len(block) > LARGEST_BLOCK:
            capped += 1
        last, block = key, [place]
    return near, capped


_KEY_ROW = copying.row(2) + TOKEN_BYTES.to_bytes(4, "big")
_CUSTOMER_HEAD, _VERSION_HEAD, _EXTERNAL_ID_HEAD = copying.row(14), copying.row(8), copying.row(3)
_FIRST = copying.integer(1)
_ACTION = copying.text("import")


def _customer_row(party: Party, sealed: bytes | None, tokens: Sequence[bytes], now: datetime) -> bytes:
    profile = party.profile
    assert profile.owner_id is not None
    at = copying.instant(now)
    return b"".join(
        (
            _CUSTOMER_HEAD,
            copying.uuid(party.id),
            _FIRST,
            copying.text(profile.kind),
            copying.uuid(profile.owner_id),
            copying.data(sealed) if sealed is not None else copying.NULL,
            copying.jsonb(_json(_company(profile))) if sealed is None else copying.NULL,
            copying.text(profile.source_channel),
            copying.text(profile.industry),
            copying.text(profile.province),
            copying.text(profile.city),
            copying.text_array(profile.tags),
            copying.data_array(tokens),
            at,
            at,
        )
    )


def _version_row(party: Party, sealed: bytes | None, actor_id: str, now: datetime) -> bytes:
    profile = party.profile
    state = {
        "owner_id": str(profile.owner_id),
        "company": _company(profile) if sealed is None else None,
        "external_ids": [[known.source, known.value] for known in profile.external_ids],
        "source_channel": profile.source_channel,
        "industry": profile.industry,
        "province": profile.province,
        "city": profile.city,
        "tags": profile.tags,
        "collaborator_ids": (),
        "deleted_at": None,
    }
    return b"".join(
        (
            _VERSION_HEAD,
            copying.uuid(party.id),
            _FIRST,
            copying.instant(now),
            copying.text(actor_id),
            _ACTION,
            copying.text_array(()),
            copying.jsonb(_json(state)),
            copying.data(sealed) if sealed is not None else copying.NULL,
        )
    )


def _external_id_rows(party: Party) -> bytes:
    identity = copying.uuid(party.id)
    return b"".join(
        _EXTERNAL_ID_HEAD + copying.text(known.source) + copying.text(known.value) + identity
        for known in party.profile.external_ids
    )


def _company(profile: Profile) -> dict[str, Any]:
    return profile.details.document()


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
