"""New customers by the thousand: made ready outside of any transaction, then stored in one."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from struct import Struct
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.customer import Company, Profile
from customer.domain.duplicates import LARGEST_BLOCK, Party
from customer.domain.importing.rows import Row
from customer.store import copying
from customer.store.batches import Batch, brief
from customer.store.indexing import IndexEntry, Indexer
from customer.store.queries import SEALED_IN, VERSIONS_SEALED_IN
from kernel.pure.clock import Clock
from kernel.pure.ids import new_id
from kernel.sql.crypto.sealing import Sealer, encoded
from kernel.sql.engine import Reader

_KNOWN_IDS = "select value from external_ids where source = %(source)s and value = any(%(values)s::text[])"
# The keys come sorted, so that the index is walked once from left to right; the limit keeps the
# planner from anything but looking each key up.
CANDIDATES = """
    select wanted.place::int4, found.customer_id
    from unnest(%(keys)s::bigint[]) with ordinality as wanted (key, place)
    cross join lateral (select m.customer_id from match_keys m where m.key = wanted.key limit %(most)s) found
"""
_HOLD = "select id from customers where id = any(%(ids)s) order by id for no key update"
_COPY = {
    "customers": """
        copy customers (id, version, kind, owner_id, sealed, company, source_channel, industry, province,
                        city, tags, initial, name_tokens, match_keys, created_at, updated_at)
        from stdin (format binary)
    """,
    "customer_versions": """
        copy customer_versions (customer_id, version, at, actor_id, action, changed_fields, profile, sealed)
        from stdin (format binary)
    """,
    "external_ids": "copy external_ids (source, value, customer_id) from stdin (format binary)",
    "match_keys": "copy match_keys (key, customer_id) from stdin (format binary)",
}


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

    def stage(self, rows: Sequence[Row], owner_id: UUID, actor_id: str) -> Batch:
        """The batch of rows whose external ids are free; their keys are in the keyring when it returns."""
        at, actor = copying.instant(self._clock.now()), copying.text(actor_id)
        parties = [Party(new_id(), row.profile) for row in rows if row.profile is not None]
        if parties and not isinstance(parties[0].profile.details, Company):
            self._sealer.make_keys(party.id for party in parties)
        customers, versions, external_ids = [], [], []
        marked: list[int] = []
        # All that is done with a customer is done while it lies in the processor's cache.
        for start in range(0, len(parties), _SLICE):
            part = parties[start : start + _SLICE]
            entries = [self._indexer.entry(party.profile, _traits(party)) for party in part]
            for party, entry, (sealed, version) in zip(part, entries, self._sealed(part), strict=True):
                clear = _clear_of(party.profile)
                customers.append(_customer_row(party, sealed, entry, at, clear))
                versions.append(_version_row(party, version, actor, at, clear))
                external_ids.append(_external_id_rows(party))
            marked += (
                key << _PLACE_BITS | place
                for place, entry in enumerate(entries, start)
                for key in entry.match_keys
            )
        marked.sort()
        keys = [one >> _PLACE_BITS for one in marked]
        places = [one & _PLACE_MASK for one in marked]
        near, capped = _near(keys, places)
        ids = [party.id.bytes for party in parties]
        copies = {
            "customers": copying.whole(customers),
            "customer_versions": copying.whole(versions),
            "external_ids": copying.whole(external_ids),
            "match_keys": copying.whole(
                _key_row(2, 8, key, 16, ids[place]) for key, place in zip(keys, places, strict=True)
            ),
        }
        return Batch(
            owner_id=owner_id.bytes,
            briefs=list(map(brief, parties)),
            lines=[row.line for row in rows],
            near=near,
            keys=copying.numbers(keys),
            places=places,
            copies=copies,
            capped=capped,
        )

    def _sealed(self, parties: Sequence[Party]) -> Iterator[tuple[bytes | None, bytes | None]]:
        """The sealed documents for customers and for their first versions; companies have none."""
        if isinstance(parties[0].profile.details, Company):
            return repeat((None, None), len(parties))
        texts = [(party.id, encoded(party.profile.details.document())) for party in parties]
        return zip(
            self._sealer.seal_encoded(SEALED_IN, [(i, i, text) for i, text in texts]),
            self._sealer.seal_encoded(VERSIONS_SEALED_IN, [(f"{i}/1", i, text) for i, text in texts]),
            strict=True,
        )


class StagingRepository:
    """Stores batches in an open transaction."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection

    def candidates(self, batch: Batch) -> dict[int, set[UUID]]:
        """By the place of a customer in the batch, those stored that share a match key with it."""
        found: dict[int, set[UUID]] = {}
        params = {"keys": copying.Numbers(batch.keys), "most": LARGEST_BLOCK + 1}
        with self._driver().cursor(binary=True) as cursor:
            cursor.execute(CANDIDATES, params)
            hits = cursor.fetchall()
        blocks: dict[int, list[UUID]] = {}
        for place, customer_id in hits:
            blocks.setdefault(place - 1, []).append(customer_id)
        for place, customer_ids in blocks.items():
            if len(customer_ids) <= LARGEST_BLOCK:
                found.setdefault(batch.places[place], set()).update(customer_ids)
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


def _near(keys: Sequence[int], places: Sequence[int]) -> tuple[dict[int, set[int]], int]:
    """By the place of each customer, the places before it that share a key; and how many keys are shared
    by too many. The keys come in order."""
    near: dict[int, set[int]] = {}
    capped = 0
    start, last = 0, None
    for end, key in enumerate([*keys, None]):
        if key == last:
            continue
        if end - start > LARGEST_BLOCK:
            capped += 1
        elif end - start > 1:
            block = places[start:end]
            for count, later in enumerate(block[1:], 1):
                near.setdefault(later, set()).update(block[:count])
        start, last = end, key
    return near, capped


# A key and a place as one number sort faster than as a pair.
_PLACE_BITS = 24
_PLACE_MASK = (1 << _PLACE_BITS) - 1
_SLICE = 250
_CUSTOMER_HEAD, _VERSION_HEAD, _EXTERNAL_ID_HEAD = map(copying.row, (16, 8, 3))
# A row of two columns, a number and an id, each after its length.
_key_row = Struct(">hiqi16s").pack
_FIRST = copying.integer(1)
_ACTION = copying.text("import")
_NOTHING_CHANGED = copying.text_array(())


def _customer_row(party: Party, sealed: bytes | None, entry: IndexEntry, at: bytes, clear: Clear) -> bytes:
    return b"".join(
        (
            _CUSTOMER_HEAD,
            copying.uuid(party.id),
            _FIRST,
            clear.owner,
            copying.data(sealed) if sealed is not None else copying.NULL,
            copying.jsonb(_json(_company(party.profile))) if sealed is None else copying.NULL,
            clear.columns,
            copying.text(entry.initial),
            copying.number_array(entry.name_tokens),
            copying.number_array(entry.match_keys),
            at,
            at,
        )
    )


def _version_row(party: Party, sealed: bytes | None, actor: bytes, at: bytes, clear: Clear) -> bytes:
    profile = party.profile
    own = {
        "company": _company(profile) if sealed is None else None,
        "external_ids": [[known.source, known.value] for known in profile.external_ids],
    }
    return b"".join(
        (
            _VERSION_HEAD,
            copying.uuid(party.id),
            _FIRST,
            at,
            actor,
            _ACTION,
            _NOTHING_CHANGED,
            # Two objects made one.
            copying.jsonb(_json(own)[:-1] + clear.state),
            copying.data(sealed) if sealed is not None else copying.NULL,
        )
    )


class Clear(NamedTuple):
    """What the rows of all customers hold alike that have the same owner, place, source and tags."""

    # The columns kind and owner_id, those from source_channel to tags, and the end of a version's state.
    owner: bytes
    columns: bytes
    state: str


@lru_cache(maxsize=4096)
def _clear(kind: str, owner_id: UUID, words: tuple[str, str, str, str], tags: tuple[str, ...]) -> Clear:
    state = {
        "owner_id": str(owner_id),
        **dict(zip(("source_channel", "industry", "province", "city"), words, strict=True)),
        "tags": tags,
        "collaborator_ids": (),
        "deleted_at": None,
    }
    return Clear(
        owner=copying.text(kind) + copying.uuid(owner_id),
        columns=b"".join(map(copying.text, words)) + copying.text_array(tags),
        state="," + _json(state)[1:],
    )


def _clear_of(profile: Profile) -> Clear:
    assert profile.owner_id is not None
    words = profile.source_channel, profile.industry, profile.province, profile.city
    return _clear(profile.kind, profile.owner_id, words, profile.tags)


def _external_id_rows(party: Party) -> bytes:
    identity = copying.uuid(party.id)
    return b"".join(
        _EXTERNAL_ID_HEAD + copying.text(known.source) + copying.text(known.value) + identity
        for known in party.profile.external_ids
    )


def _company(profile: Profile) -> dict[str, Any]:
    return profile.details.document()


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
