"""Phones and addresses: every usual notation has one normal form, and no two numbers share one."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernel.pure.contact import normalize_email, normalize_phone
from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.crypto.keyring import Keyring

PAIRS = 100_000
_PREFIXES = ("", "+86", "0086", "86", "+86 ", "(+86)", "0086-", "\uff0b\uff18\uff16 ", "+86\u00a0")
_GAPS = (" ", "-", "", "\u3000", "\u2013", ".", "\uff0d", "  ", "\u00a0", "\u2011")
_FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
_STARTS = ("133", "135", "138", "139", "147", "150", "159", "166", "172", "178", "186", "189", "191", "199")
_NAMES = ("li.xiao-ming", "wang_fang", "zhang+crm", "o'neil", "a", "user.1987", "liu{x}", "chen/wu")
_DOMAINS = ("example.com", "mail.example.cn", "qq.com", "sub-1.example.co.uk", "例子.中国", "münchen.de")


def mobile(generator: random.Random) -> str:
    return f"{generator.choice(_STARTS)}{generator.randrange(10**8):08}"


def noisy_phone(number: str, generator: random.Random) -> str:
    """The 11 digits as somebody might type them."""
    gap = generator.choice(_GAPS)
    text = generator.choice(_PREFIXES) + number[:3] + gap + number[3:7] + gap + number[7:]
    if generator.random() < 0.3:
        text = text.translate(_FULL_WIDTH)
    return generator.choice(("", " ", "\u202d", "\t")) + text + generator.choice(("", " ", "\u202c", "\n"))


def noisy_email(email: str, generator: random.Random) -> str:
    """The address as somebody might type it."""
    text = "".join(letter.upper() if generator.random() < 0.3 else letter for letter in email)
    if generator.random() < 0.3:
        text = "".join(
            chr(ord(letter) + 0xFEE0) if letter.isascii() and letter.isalnum() else letter for letter in text
        )
    if generator.random() < 0.2:
        text = text.replace("@", "\uff20")
    return generator.choice(("", " ", "\u3000")) + text + generator.choice(("", " ", "\n"))


@pytest.fixture
def index(keyring: Keyring) -> BlindIndex:
    return BlindIndex(keyring)


def test_a_hundred_thousand_noisy_phones_match_themselves_and_nobody_else(index: BlindIndex) -> None:
    generator = random.Random(20260101)
    numbers = sorted({mobile(generator) for _ in range(PAIRS + 200)})[:PAIRS]
    assert len(numbers) == PAIRS
    stored = index.tokens("phone", (normalize_phone(number) for number in numbers))
    sought = index.tokens("phone", (normalize_phone(noisy_phone(n, generator)) for n in numbers))
    assert sought == stored, "recall is complete"
    assert len(set(stored)) == PAIRS, "no two numbers share a token"


def test_a_hundred_thousand_noisy_addresses_match_themselves_and_nobody_else(index: BlindIndex) -> None:
    generator = random.Random(20260102)
    emails = [
        f"{generator.choice(_NAMES)}{n}@{_DOMAINS[n % 50 % 6 if n % 10 == 0 else n % 4]}"
        for n in range(PAIRS)
    ]
    stored = index.tokens("email", (normalize_email(email) for email in emails))
    sought = index.tokens("email", (normalize_email(noisy_email(email, generator)) for email in emails))
    assert sought == stored, "recall is complete"
    assert len(set(stored)) == PAIRS, "no two addresses share a token"


def test_another_key_matches_nothing(index: BlindIndex, keyring: Keyring) -> None:
    generator = random.Random(1)
    numbers = [normalize_phone(mobile(generator)) for _ in range(2000)]
    tokens = set(index.tokens("phone", numbers))
    assert tokens.isdisjoint(index.tokens("phone", numbers, version=2))
    assert tokens.isdisjoint(index.tokens("mobile", numbers))
    assert tokens.isdisjoint(BlindIndex(keyring, {"phone": 3}).tokens("phone", numbers))


def test_a_token_is_the_same_in_every_process(new_keyring: Callable[..., Keyring], index: BlindIndex) -> None:
    token = index.token("phone", "+8613812345678")
    assert len(token) == 16
    assert BlindIndex(new_keyring()).token("phone", "+8613812345678") == token
    assert BlindIndex(new_keyring(), {"phone": 2}).token("phone", "+8613812345678", version=1) == token


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("138 1234 5678", "+8613812345678"),
        ("（＋86）138－1234－5678", "+8613812345678"),
        ("008613812345678", "+8613812345678"),
        ("8613812345678", "+8613812345678"),
        ("013812345678", "+8613812345678"),
        ("010-6552 9988", "+861065529988"),
        ("(0755) 2345 6789 ext. 12", "+8675523456789"),
        ("+852 5123 4567", "+85251234567"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("+1 415 555 2671 x5", "+14155552671"),
        ("021-60001234 转 12", "+862160001234"),
        ("tel:13812345678", "+8613812345678"),
        ("00 44 20 7946 0018", "+442079460018"),
    ],
)
def test_usual_notations_of_phones(text: str, normal: str) -> None:
    assert normalize_phone(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "", "12345", "1381234567", "138123456789", "+8613812345678901", "abc", "+", "1" * 999, "+999123456",
        "13812345678x", "13812345678 ext", "abc13812345678", "13812345678abc", "1-800-FLOWERS",
        "call 13812345678 or 13912345678",
    ],
)  # fmt: skip
def test_what_is_no_phone_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError) as refusal:
        normalize_phone(text)
    assert not re.search(r"\d", str(refusal.value))


def by_phonenumbers_alone(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@settings(max_examples=600, deadline=None)
@example("1(3)8.1234-5678")
@example("86 86 13812345678")
@example("+0086 13812345678")
@given(st.from_regex(r"\A(\+|00)?(86)?[ (]{0,2}0?1?[0-9]([ ().\-\u2013\u00a0]?[0-9]){6,12}\)?\Z"))
def test_the_fast_path_agrees_with_phonenumbers(text: str) -> None:
    try:
        found: str | None = normalize_phone(text)
    except ValueError:
        found = None
    assert found == by_phonenumbers_alone(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        (" Li.Ming@Example.COM ", "li.ming@example.com"),
        ("ＬＩ＠ｅｘａｍｐｌｅ．ｃｏｍ", "li@example.com"),
        ("Müller@MÜNCHEN.de", "müller@xn--mnchen-3ya.de"),
        ("li@xn--MNCHEN-3ya.de", "li@xn--mnchen-3ya.de"),
        ("李@例子。中国", "李@xn--fsqu00a.xn--fiqs8s"),
        ("li@straße.de", "li@xn--strae-oqa.de"),
        ("Li@xn--fsqu00a.xn--fiqs8s", "li@xn--fsqu00a.xn--fiqs8s"),
    ],
)
def test_usual_notations_of_addresses(text: str, normal: str) -> None:
    assert normalize_email(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "", "li", "@example.com", "li@", "li@localhost", "li@@example.com", "l i@example.com",
        "li@example..com", ".li@example.com", "li.@example.com", "li@-example.com", "li@exam ple.com",
        "li@example.com, wu@example.com", "Li <li@example.com>", "li@[127.0.0.1]", "li@xn--a.com",
        f"{'a' * 65}@example.com", "a" * 10_000, f"a@{'a' * 64}.com", "li@host.local",
        f"a@{'.'.join(['a' * 60] * 5)}.com", "li\x00@example.com", "li\n@example.com",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError) as refusal:
        normalize_email(text)
    assert str(refusal.value) == "not a valid e-mail address"


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.emails(), st.from_regex(r"\A[^@\s]{1,12}@[^@\s]{1,10}\.[a-z\u4e00-\u4eff]{2,4}\Z")))
def test_normalising_an_address_twice_changes_nothing(email: str) -> None:
    try:
        normal = normalize_email(email)
    except ValueError:
        return
    assert normalize_email(normal) == normal
    assert normalize_email(f" {normal}\t") == normal
