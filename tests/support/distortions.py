"""What happens to a person's record on its way through other people's hands.

Each distortion takes the generator and a record and answers the record changed, or unchanged when
it has nothing to act on. `DISTORTIONS` weighs them by the field they touch. A name that ends in
_missing or _changed says that the field tells nothing of the original any more.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support import people_words as words

if TYPE_CHECKING:
    from tests.support.people import Record

Distortion = Callable[[random.Random, "Record"], "Record"]
NAME, PHONE, EMAIL, BIRTH, STREET = "name", "phone", "email", "birth", "street"

_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_CHINESE_DIGITS = "〇一二三四五六七八九"


def another_mobile(rng: random.Random) -> str:
    """A Chinese mobile number, eleven digits."""
    return f"{rng.choice(words.MOBILE_PREFIXES)}{rng.randrange(10**8):08d}"


def retyped_phone(rng: random.Random, phone: str) -> str:
    """The same number in another notation."""
    if not phone.isdigit():
        return phone.replace("-", rng.choice(("-", " ", "")))
    parts = phone[:3], phone[3:7], phone[7:]
    return rng.choice([
        phone, phone, "-".join(parts), " ".join(parts), "+86 " + phone, "0086" + phone, "86" + phone,
        phone.translate(_FULL_WIDTH), f"(+86){phone}",
    ])  # fmt: skip


# Names.


def swapped(rng: random.Random, record: Record) -> Record:
    """Given name before surname."""
    given = "".join(word.text for word in record.given)
    return replace(record, full_name=rng.choice(("", " ")).join((given, record.surname.text)))


def traditional(rng: random.Random, record: Record) -> Record:
    return replace(record, full_name="".join(word.traditional for word in (record.surname, *record.given)))


def pinyin(rng: random.Random, record: Record) -> Record:
    """The name in Latin letters as passports, e-mail signatures and foreign systems write it."""
    spelling = rng.choices((lambda text: text, words.toneless), (20, 80))[0]
    u = rng.choice("vu")
    surname = spelling(record.surname.pinyin)
    given = [spelling(word.pinyin) for word in record.given]
    if spelling is words.toneless:
        surname, given = surname.replace("ü", u), [part.replace("ü", u) for part in given]
    joined = rng.choice(("", "", "", " ", "-", "'")).join(given)
    parts = [surname, joined] if rng.random() < 0.7 else [joined, surname]
    text = rng.choice((" ", " ", " ", "", ", ")).join(parts)
    if ", " in text:
        text = f"{surname}, {joined}"
    if rng.random() < 0.2:
        return replace(record, full_name=f"{surname.upper()} {joined}")
    return replace(record, full_name=rng.choice((str.title, str.title, str.upper, str.lower))(text))


def homophone(rng: random.Random, record: Record) -> Record:
    return _one_character(rng, record, words.HOMOPHONES)


def lookalike(rng: random.Random, record: Record) -> Record:
    return _one_character(rng, record, words.LOOKALIKES)


def _one_character(rng: random.Random, record: Record, table: dict[str, str]) -> Record:
    name = record.full_name
    places = [place for place, character in enumerate(name) if character in table]
    if not places:
        return record
    place = rng.choice(places)
    return replace(record, full_name=name[:place] + rng.choice(table[name[place]]) + name[place + 1 :])


def character_lost(rng: random.Random, record: Record) -> Record:
    """A character of the name left out; never of a name of two."""
    name = record.full_name
    if len(name) < 3:
        return record
    place = rng.randrange(1, len(name))
    return replace(record, full_name=name[:place] + name[place + 1 :])


def spaced(rng: random.Random, record: Record) -> Record:
    """Blanks inside the name, as forms with two columns leave them."""
    gap = rng.choice((" ", "　", "  "))
    name = record.full_name
    if rng.random() < 0.5:
        return replace(record, full_name=gap.join(name))
    surname = len(record.surname.text)
    return replace(record, full_name=name[:surname] + gap + name[surname:])


def full_width_pinyin(rng: random.Random, record: Record) -> Record:
    written = pinyin(rng, record)
    return replace(written, full_name=written.full_name.translate(_FULL_WIDTH))


# Phones, e-mails, birth dates.


def _digit_wrong(rng: random.Random, text: str, first: int) -> str:
    """One digit mistyped, or two neighbours exchanged, from the place `first` on."""
    places = [place for place, character in enumerate(text) if character in string.digits and place >= first]
    if not places:
        return text
    place = rng.choice(places)
    if rng.random() < 0.3 and place + 1 < len(text) and text[place + 1] in string.digits:
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text[:place] + rng.choice(string.digits.replace(text[place], "")) + text[place + 1 :]


def phone_mistyped(rng: random.Random, record: Record) -> Record:
    plain = [phone for phone in record.phones if phone.isdigit() and phone.isascii()]
    if not plain:
        return record
    right = rng.choice(plain)
    wrong = _digit_wrong(rng, right, 4)
    return replace(record, phones=tuple(wrong if phone == right else phone for phone in record.phones))


def phone_changed(rng: random.Random, record: Record) -> Record:
    return replace(record, phones=(another_mobile(rng),)) if record.phones else record


def phone_missing(rng: random.Random, record: Record) -> Record:
    return replace(record, phones=())


def email_mistyped(rng: random.Random, record: Record) -> Record:
    if not record.emails:
        return record
    local, _, host = record.emails[0].partition("@")
    place = rng.randrange(len(local))
    wrong = rng.choice((local[:place] + local[place + 1 :], local[:place] + local[place] + local[place:]))
    return replace(record, emails=(f"{wrong or local + 'a'}@{host}",))


def email_changed(rng: random.Random, record: Record) -> Record:
    return replace(record, emails=(f"{rng.randrange(10**9, 10**10)}@qq.com",)) if record.emails else record


def email_missing(rng: random.Random, record: Record) -> Record:
    return replace(record, emails=())


def birth_mistyped(rng: random.Random, record: Record) -> Record:
    """A wrong digit, or month and day exchanged; still a day of the calendar."""
    if not record.birth_date:
        return record
    year, month, day = record.birth_date.split("-")
    if int(day) <= 12 and day != month and rng.random() < 0.4:
        return replace(record, birth_date=f"{year}-{day}-{month}")
    wrong = rng.choice((
        f"{int(year) + rng.choice((-10, -1, 1, 10))}-{month}-{min(int(day), 28):02d}",
        f"{year}-{month}-{int(day) % 28 + 1:02d}",
        f"{year}-{int(month) % 12 + 1:02d}-{min(int(day), 28):02d}",
    ))  # fmt: skip
    return replace(record, birth_date=wrong)


def birth_missing(rng: random.Random, record: Record) -> Record:
    return replace(record, birth_date="")


# Addresses.


def _in_chinese(number: str) -> str:
    """In Chinese: "12" -> "十二"; numbers above 99 digit by digit."""
    value = int(number)
    if value >= 100:
        return "".join(_CHINESE_DIGITS[int(digit)] for digit in number)
    tens, ones = divmod(value, 10)
    if not tens:
        return _CHINESE_DIGITS[ones]
    return _CHINESE_DIGITS[tens] * (tens > 1) + "十" + _CHINESE_DIGITS[ones] * (ones > 0)


def street_renotated(rng: random.Random, record: Record) -> Record:
    """The same place written another way: 12号3栋2单元501室, 第12号3幢2-501, 十二号 and so on."""
    text = record.street_address
    if not text:
        return record
    building = rng.choice((r"\1号楼", r"\1#", r"\1幢", r"\1座", r"第\1栋"))
    ways: list[Callable[[str], str]] = [
        lambda text: re.sub(r"(\d+)单元", r"\1-", text),
        lambda text: re.sub(r"(\d+)[栋幢]", building, text),
        lambda text: text.removesuffix("室") + rng.choice(("", "号", "房")),
        lambda text: re.sub(r"\d+(?=号|栋|幢|单元)", lambda match: _in_chinese(match[0]), text),
        lambda text: text.translate({code: code + 0xFEE0 for code in map(ord, string.digits)}),
        lambda text: re.sub(r"^(.*?省)?(.*?市)?", rng.choice(("", record.city)), text, count=1),
        lambda text: re.sub(r"([省市区路街])", r"\1 ", text),
        lambda text: re.sub(r"路(\d+)号", r"路第\1号", text),
        lambda text: re.sub(r"^(.*?市)?[^\d]{2,4}?区", r"\1", text, count=1),
    ]  # fmt: skip
    for way in rng.sample(ways, rng.randint(1, 3)):
        text = way(text)
    return replace(record, street_address=text)


def street_changed(rng: random.Random, record: Record) -> Record:
    """Moved house within the city."""
    if not record.street_address:
        return record
    street = f"{rng.choice(words.STREETS)}{rng.randint(1, 399)}号"
    home = f"{rng.randint(1, 30)}栋{rng.randint(1, 32)}{rng.randint(1, 8):02d}室"
    return replace(record, street_address=record.city + street + home)


def street_missing(rng: random.Random, record: Record) -> Record:
    return replace(record, street_address="")


def city_unknown(rng: random.Random, record: Record) -> Record:
    return replace(record, province="", city="")


DISTORTIONS: dict[str, dict[Distortion, int]] = {
    NAME: {
        swapped: 15, traditional: 18, pinyin: 18, homophone: 18, lookalike: 10, character_lost: 8, spaced: 8,
        full_width_pinyin: 5,
    },
    PHONE: {phone_mistyped: 40, phone_changed: 30, phone_missing: 30},
    EMAIL: {email_mistyped: 40, email_changed: 30, email_missing: 30},
    BIRTH: {birth_mistyped: 60, birth_missing: 40},
    STREET: {street_renotated: 60, street_changed: 15, street_missing: 15, city_unknown: 10},
}  # fmt: skip
