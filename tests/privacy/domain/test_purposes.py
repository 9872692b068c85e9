"""What data may be used for, and what persons are told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kernel.pure.errors import Invalid
from kernel.pure.ids import new_id
from privacy.domain.errors import BasisUnknownToLaw
from privacy.domain.purposes import Basis, Notice, Purpose, new_purpose, next_notice

NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
PURPOSE = Purpose("analysis", "分析", "Analysis", Basis.CONSENT)


@pytest.mark.parametrize(("law", "basis"), [("CN", Basis.LEGITIMATE_INTEREST), ("EU", Basis.DISCLOSED)])
def test_a_basis_that_the_law_does_not_know_is_refused(law: str, basis: Basis) -> None:
    with pytest.raises(BasisUnknownToLaw):
        new_purpose(replace(PURPOSE, basis=basis), law)
    other = "EU" if law == "CN" else "CN"
    assert new_purpose(replace(PURPOSE, basis=basis), other).basis is basis


@pytest.mark.parametrize(
    "changed", [{"id": "Marketing 2"}, {"id": ""}, {"title_zh": " "}, {"title_en": "x" * 81}]
)
def test_a_purpose_has_a_name_that_can_be_quoted(changed: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        new_purpose(replace(PURPOSE, **changed), "CN")


def publish(last: Notice | None, major: bool) -> Notice:
    return next_notice(last, new_id(), "analysis", ("文本", ""), major, NOON)


def test_only_a_major_notice_asks_everybody_anew() -> None:
    first = publish(None, major=False)
    minor = publish(first, major=False)
    major = publish(minor, major=True)
    versions = [(one.version, one.major_version) for one in (first, minor, major)]
    assert versions == [(1, 1), (2, 1), (3, 3)]


def test_the_hash_of_a_notice_is_of_both_languages() -> None:
    one, other = (next_notice(None, new_id(), "analysis", ("同意", en), True, NOON) for en in ("", "Agree"))
    assert one.sha256 != other.sha256
