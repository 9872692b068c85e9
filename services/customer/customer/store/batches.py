"""New customers by the thousand, ready to be stored, in a form that crosses to another process cheaply."""

from __future__ import annotations

import marshal
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from customer.domain.customer import Company, Person, Profile
from customer.domain.duplicates import Party
from customer.domain.events import RecordedCustomer
from customer.domain.matching import Traits
from customer.domain.matching.addresses import Address
from customer.domain.matching.names import Name

# Of a new person nothing but the traits is compared.
_SOMEBODY = Profile(Person(""))

Brief = tuple[Any, ...]


def brief(party: Party) -> Brief:
    """A customer as a batch holds it: what is told of it, and what it is compared by."""
    profile = party.profile
    told = (party.id.bytes, profile.source_channel, profile.industry, profile.province, profile.city)
    if isinstance(profile.details, Company):
        return (*told, tuple(vars(profile.details).values()), None)
    name, address, *others = party.traits
    return (*told, None, (tuple(name), tuple(address), *others))


@dataclass(frozen=True)
class Batch:
    """`lines` are the lines of the customers in their file; `near` are the places of earlier customers
    that one may be the same as, by its place.

    Nothing but numbers, texts and bytes: few customers are ever compared, and only those are made.
    """

    owner_id: bytes
    briefs: list[Brief]
    lines: list[int]
    near: Mapping[int, Collection[int]]
    # Match keys in order as a parameter, and the place of the customer of each.
    keys: bytes
    places: list[int]
    # Rows for COPY, by table.
    copies: Mapping[str, bytes]
    capped: int

    def __len__(self) -> int:
        return len(self.briefs)

    def __reduce__(self) -> tuple[Any, ...]:
        return _batch, (marshal.dumps(tuple(vars(self).values())),)

    def id(self, place: int) -> UUID:
        identity: bytes = self.briefs[place][0]
        return UUID(bytes=identity)

    def party(self, place: int) -> Party:
        """The customer at a place, to be compared with others."""
        identity, _, _, province, city, details, traits = self.briefs[place]
        if traits is None:
            return Party(UUID(bytes=identity), Profile(Company(*details), province=province, city=city))
        name, address, *others = traits
        return Party(UUID(bytes=identity), _SOMEBODY, Traits(Name(*name), Address(*address), *others))

    def recorded(self) -> Iterator[RecordedCustomer]:
        """What is told of each."""
        owner_id = UUID(bytes=self.owner_id)
        for identity, source_channel, industry, province, city, _, traits in self.briefs:
            kind = "company" if traits is None else "person"
            yield RecordedCustomer(
                UUID(bytes=identity), 1, kind, owner_id, source_channel, industry, province, city, (), False
            )


def _batch(members: bytes) -> Batch:
    return Batch(*marshal.loads(members))
