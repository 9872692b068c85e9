"""The blind index of customers: what is stored of names, contacts and match keys so that they can
be asked for without being opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from customer.domain import identity
from customer.domain.customer import Profile
from customer.domain.matching import Traits
from kernel.sql.crypto.blind import BlindIndex

# The fields of the index; each has a key of its own in the keyring.
_NAME, _MATCH = "name", "match"


@dataclass(frozen=True)
class IndexEntry:
    """What is stored of one customer: `name_tokens` in the customer's row, `match_keys` a row each."""

    name_tokens: list[bytes]
    match_keys: list[bytes]


class Indexer:
    """Makes the entries, and the tokens of questions."""

    def __init__(self, blind: BlindIndex) -> None:
        self._blind = blind

    def entry(self, profile: Profile, known: Traits | None = None) -> IndexEntry:
        """The entry of a customer; `known` are a person's traits, if they were read before.

        Raises KeyringUnavailable at the first use without keyring.
        """
        return IndexEntry(
            name_tokens=sorted(self._blind.tokens(_NAME, identity.name_tokens(profile))),
            match_keys=sorted(self._blind.tokens(_MATCH, identity.match_keys(profile, known))),
        )

    def name_question(self, tokens: Iterable[str]) -> list[bytes]:
        """The stored form of the tokens that a name must hold."""
        return self._blind.tokens(_NAME, tokens)

    def key_question(self, key: str) -> bytes:
        """The stored form of a match key ("phone:+8613812345678")."""
        return self._blind.token(_MATCH, key)
