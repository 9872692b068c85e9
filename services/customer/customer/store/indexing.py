"""The blind index of customers: what is stored of names, contacts and match keys so that they can
be asked for without being opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from customer.domain import identity
from customer.domain.customer import Profile
from customer.domain.matching import Traits
from kernel.pure.text.tokens import search_tokens
from kernel.sql.crypto.blind import BlindIndex

# The fields of the index; each has a key of its own in the keyring.
_NAME, _MATCH = "name", "match"


@dataclass(frozen=True)
class IndexEntry:
    """What is stored of one customer, in its row; of `match_keys` each in a row of its own, too. The initial
    stands there in clear, for lists in its order."""

    initial: str
    name_tokens: list[int]
    match_keys: list[int]


# Names are made of the same characters and syllables again and again, and many people have the same.
_MOST_TOKENS, _MOST_NAMES = 50_000, 16_384


class Indexer:
    """Makes the entries, and the tokens of questions."""

    def __init__(self, blind: BlindIndex) -> None:
        self._blind = blind
        self._tokens: dict[str, int] = {}
        self._names: dict[str, tuple[str, list[int]]] = {}

    def entry(self, profile: Profile, known: Traits | None = None) -> IndexEntry:
        """The entry of a customer; `known` are a person's traits, if they were read before.

        Raises KeyringUnavailable at the first use without keyring.
        """
        initial, name_tokens = self._name(identity.name_of(profile))
        return IndexEntry(
            initial=initial,
            name_tokens=name_tokens,
            match_keys=sorted(self._blind.numbers(_MATCH, identity.match_keys(profile, known))),
        )

    def _name(self, name: str) -> tuple[str, list[int]]:
        stored = self._names.get(name)
        if stored is None:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            tokens = sorted(map(self._name_token, search_tokens(name)))
            stored = self._names[name] = identity.initial_of(name), tokens
        return stored

    def _name_token(self, token: str) -> int:
        stored = self._tokens.get(token)
        if stored is None:
            if len(self._tokens) >= _MOST_TOKENS:
                self._tokens.clear()
            [stored] = self._blind.numbers(_NAME, (token,))
            self._tokens[token] = stored
        return stored

    def strongest_keys(self, keys: tuple[str, ...]) -> list[int]:
        """The stored form of those match keys that tell one customer from another."""
        return self._blind.numbers(_MATCH, identity.strongest_keys(keys))

    def name_question(self, tokens: Iterable[str]) -> list[int]:
        """The stored form of the tokens that a name must hold."""
        return self._blind.numbers(_NAME, tokens)

    def key_question(self, key: str) -> int:
        """The stored form of a match key ("phone:+8613812345678")."""
        return self._blind.numbers(_MATCH, (key,))[0]
