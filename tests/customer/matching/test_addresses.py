"""How addresses agree, whatever their notation."""

from __future__ import annotations

import pytest

from customer.domain.matching.addresses import address_level, read_address


def level(one: str, other: str) -> str:
    a, b = (read_address((text,), "广东省", "深圳市") for text in (one, other))
    assert address_level(a, b) == address_level(b, a)
    return address_level(a, b)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("广东省深圳市南山区科技路12号3栋2单元501室", "科技路12号3幢2-501"),
        ("南山区科技路12号3栋2单元501室", "科技路十二号三栋二单元501室"),
        ("科技路128号3栋", "科技路一二八号第3栋"),
        ("科技路128号3栋", "科技路一百二十八号3#"),
        ("科技路12号", "科技路第１２号"),
        ("深圳市南山区 科技路 12号 3栋", "科技路12号3座"),
        ("深圳市 南山區 科技路12號3棟", "科技路12号3栋"),
    ],
)
def test_notations_of_one_place_are_exact(one: str, other: str) -> None:
    assert level(one, other) == "exact"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("科技路12号3栋501室", "科技路12号", "near"),
        ("科技路12号3栋501室", "科技路12号3栋502室", "building"),
        ("科技路12号3栋501室", "科技路99号1栋101室", "street"),
        ("科技路12号3栋501室", "人民路12号3栋501室", "disagree"),
        ("中山一路12号", "中山二路12号", "disagree"),
        ("科技路12号", "", "missing"),
        ("科技路12号", "6 Tullaroop Street", "missing"),
        ("6 Tullaroop Street, Willaroo", "Willaroo, tullaroop street 6", "exact"),
        ("6 Tullaroop Street, Willaroo", "6 Tullarop Street", "near"),
        ("6 Tullaroop Street", "48 Goldfinch Circuit", "disagree"),
    ],
)
def test_places_agree_as_far_as_they_do(one: str, other: str, expected: str) -> None:
    assert level(one, other) == expected
