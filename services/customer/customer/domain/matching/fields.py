"""Comparing phones, e-mails, birth dates, id numbers and places, each as one level of agreement."""

from __future__ import annotations

from rapidfuzz.distance import OSA


def phone_level(a: tuple[str, ...], b: tuple[str, ...]) -> str:
    """exact for a shared mobile, switchboard for a shared line that is none, near for one slip of a digit."""
    if not a or not b:
        return "missing"
    shared = [phone for phone in a if phone in b]
    if shared:
        return "switchboard" if all(map(_is_chinese_line, shared)) else "exact"
    if any(_one_slip(one, other) for one in a for other in b):
        return "near"
    return "disagree"


def _is_chinese_line(phone: str) -> bool:
    """Whether an E.164 number of China is no mobile: many people answer it."""
    return phone.startswith("+86") and not (phone[3:4] == "1" and len(phone) == 14)


def _one_slip(one: str, other: str) -> bool:
    return len(one) == len(other) and OSA.distance(one, other, score_cutoff=1) <= 1


def email_level(a: tuple[str, ...], b: tuple[str, ...]) -> str:
    """exact; near for one slip before the @, or the same before it at another host."""
    if not a or not b:
        return "missing"
    if not set(a).isdisjoint(b):
        return "exact"
    return "near" if any(_near_email(one, other) for one in a for other in b) else "disagree"


def _near_email(one: str, other: str) -> bool:
    local, _, host = one.partition("@")
    other_local, _, other_host = other.partition("@")
    if local == other_local:
        return len(local) > 5
    if host != other_host or min(len(local), len(other_local)) < 4:
        return False
    return OSA.distance(local, other_local, score_cutoff=1) <= 1


def birth_level(a: str, b: str) -> str:
    """Dates as YYYYMMDD: exact; near for one slip, or month and day exchanged; disagree."""
    if not a or not b:
        return "missing"
    if a == b:
        return "exact"
    if OSA.distance(a, b, score_cutoff=1) <= 1 or (a[:4] == b[:4] and a[4:6] == b[6:] and a[6:] == b[4:6]):
        return "near"
    same = (a[:4] == b[:4]) + (a[4:6] == b[4:6]) + (a[6:] == b[6:])
    return "partly" if same == 2 else "disagree"


def id_level(a: str, b: str) -> str:
    """exact; near for one slip, which two neighbours in a register can show as well; disagree."""
    if not a or not b:
        return "missing"
    if a == b:
        return "exact"
    return "near" if OSA.distance(a, b, score_cutoff=1) <= 1 else "disagree"


def place_level(a: str, b: str) -> str:
    """Cities, provinces and postcodes: exact, near for one slip, disagree."""
    if not a or not b:
        return "missing"
    if a == b:
        return "exact"
    if len(a) > 3 and OSA.distance(a, b, score_cutoff=1) <= 1:
        return "near"
    return "disagree"
