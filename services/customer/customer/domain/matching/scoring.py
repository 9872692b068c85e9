"""Weighing two people against each other."""

from __future__ import annotations

from typing import Literal, NamedTuple

from customer.domain.matching.addresses import address_level
from customer.domain.matching.fields import birth_level, email_level, id_level, phone_level, place_level
from customer.domain.matching.names import name_levels
from customer.domain.matching.subject import Traits
from customer.domain.matching.weights import NAME_REASONS, POSSIBLE, PROOF, REASONS, SAME, Reason

Decision = Literal["same", "possible", "different"]

_PHONE, _EMAIL, _BIRTH = REASONS["phone"], REASONS["email"], REASONS["birth_date"]
_ID, _ADDRESS, _CITY = REASONS["id_number"], REASONS["address"], REASONS["city"]
_POSTCODE, _PROVINCE = REASONS["postcode"], REASONS["province"]
_NAME, _GIVEN = REASONS["name"], REASONS["given"]
_PROOFS = frozenset({"phone", "email", "birth_date", "id_number", "address"})
_ONES_OWN = {_ID["exact"], _ID["near"]}
_NEARLY = {_GIVEN["one character"]} | {
    _NAME[level] for level in ("sounds nearly long", "sounds nearly short", "shortened nearly")
}
_OTHER_SURNAME = {_GIVEN["exact long"], _GIVEN["exact short"]}
_SHARED_PHONES = {_PHONE["exact"], _PHONE["switchboard"], _PHONE["near"]}


class Match(NamedTuple):
    """`score` is the logarithm (base 2) of the odds; `reasons` hold every field known of both."""

    score: float
    decision: Decision
    reasons: tuple[Reason, ...]


def score(a: Traits, b: Traits) -> Match:
    """How likely `a` and `b` are one person, and why; the order of the two does not matter."""
    found = [NAME_REASONS[level] for level in name_levels(a.name, b.name)]
    found += (
        _PHONE[phone_level(a.phones, b.phones)],
        _EMAIL[email_level(a.emails, b.emails)],
        _BIRTH[birth_level(a.birth_date, b.birth_date)],
        _ID[id_level(a.id_number, b.id_number)],
        _ADDRESS[address_level(a.address, b.address)],
        _CITY[place_level(a.city, b.city)],
        _POSTCODE[place_level(a.postcode, b.postcode)],
        _PROVINCE[place_level(a.province, b.province)],
    )
    reasons = tuple([reason for reason in found if reason[1] != "missing"])
    total = 0.0
    for reason in reasons:
        total += reason[2]
    return Match(total, _decision(total, reasons), reasons)


def contradict(a: Traits, b: Traits) -> bool:
    """Whether two people are surely two: different, or of one household with different given names."""
    match = score(a, b)
    return match.decision == "different" or _is_household(match.reasons)


def _decision(total: float, reasons: tuple[Reason, ...]) -> Decision:
    if total < POSSIBLE:
        return "different"
    if total < SAME:
        return "possible"
    if not _is_proved(reasons) or _is_household(reasons):
        return "possible"
    return "same"


def _is_proved(reasons: tuple[Reason, ...]) -> bool:
    """Whether more than a name and a town agrees: of common names there are many in every city."""
    return sum(reason.weight for reason in reasons if reason.field in _PROOFS and reason.weight > 0) >= PROOF


def _is_household(reasons: tuple[Reason, ...]) -> bool:
    """Whether it may be two of one household or firm, to whom all that agrees belongs: a person has to look.

    A Chinese given name is rarely replaced: with another one it takes an id number to be the same
    person, with one that only resembles it an e-mail address. A name in letters often is (a nickname,
    a second name), so that there a shared phone must speak for a household too. With another surname,
    as of man and wife, it takes something that these two do not share.
    """
    if not _ONES_OWN.isdisjoint(reasons):
        return False
    if _NAME["disagree"] in reasons:
        return True
    if not _NEARLY.isdisjoint(reasons):
        return _EMAIL["exact"] not in reasons
    if not _OTHER_SURNAME.isdisjoint(reasons):
        return _EMAIL["exact"] not in reasons and _BIRTH["exact"] not in reasons
    return _GIVEN["disagree"] in reasons and not _SHARED_PHONES.isdisjoint(reasons)
