"""What each agreement is worth: one setting for everybody.

A weight is a base-2 logarithm of odds: +1 makes "the same person" twice as likely. Where a field is
missing, nothing is said. Two Chinese characters of a name say less than three; a landline or a
street is shared by more people than a mobile.
"""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """Why: at which level a field agrees, and what that is worth."""

    field: str
    level: str
    weight: float


_WEIGHTS: dict[str, dict[str, float]] = {
    "name": {
        "exact long": 11, "exact short": 8.5, "swapped long": 10, "swapped short": 7.5, "sounds long": 7.5,
        "sounds short": 5, "sounds nearly long": 5, "sounds nearly short": 3,
        "shortened": -3, "shortened nearly": -6, "disagree": -16,
    },
    "given": {
        "exact": 5, "near": 3, "missing": 0, "disagree": -5,
        "exact long": 3, "exact short": -1, "one character": -8,
    },
    "surname": {"exact": 6, "near": 4, "missing": 0, "disagree": -4},
    "phone": {"exact": 8, "switchboard": 3, "near": 4, "missing": 0, "disagree": -2},
    "email": {"exact": 9, "near": 5, "missing": 0, "disagree": -1},
    "birth_date": {"exact": 8, "near": 3, "partly": 2, "missing": 0, "disagree": -5},
    "id_number": {"exact": 16, "near": 8, "missing": 0, "disagree": -5},
    "address": {"exact": 8, "near": 6, "building": 3, "street": 0.5, "missing": 0, "disagree": -2},
    "city": {"exact": 2, "near": 1.5, "missing": 0, "disagree": -1.5},
    "postcode": {"exact": 3, "near": 2, "missing": 0, "disagree": -1},
    "province": {"exact": 0.5, "near": 0.5, "missing": 0, "disagree": -0.5},
}  # fmt: skip

# Two people are the same from here on, and worth a look from there on.
SAME, POSSIBLE = 12.0, 5.0
# What phone, e-mail, birth date, id number and address must bring together for "the same".
PROOF = 4.0

REASONS = {
    field: {level: Reason(field, level, weight) for level, weight in levels.items()}
    for field, levels in _WEIGHTS.items()
}
NAME_REASONS = {
    f"{field} {level}": reason
    for field in ("name", "given", "surname")
    for level, reason in REASONS[field].items()
}
