"""Phone numbers and e-mail addresses in the one form in which they are stored, matched and hashed."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

# Full-width forms and white space as ASCII and spaces; marks of writing direction, which address
# books leave in copied numbers, as nothing.
_FULL_WIDTH = {0xFF00 + offset: 0x20 + offset for offset in range(1, 0x5F)}
_SPACES = dict.fromkeys(map(ord, "\t\n\r\u00a0\u2002\u2003\u2009\u202f\u3000"), " ")
_DIRECTION_MARKS = dict.fromkeys((0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF))
_TO_PLAIN = _FULL_WIDTH | _SPACES | _DIRECTION_MARKS
# What people write between digits: spaces, dashes of all kinds, dots, brackets.
_SEPARATORS = dict.fromkeys(map(ord, " -\u2010\u2011\u2012\u2013\u2014\u2015\u2212.()"))


def _cn_mobile() -> re.Pattern[str]:
    """Mobile numbers of China by phonenumbers' own pattern, with or without the country's prefix."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region("CN")
    mobile = metadata.mobile if metadata else None
    if mobile is None:
        raise RuntimeError("phonenumbers knows no mobile numbers of China")
    return re.compile(rf"(?:\+86|0086|86)?({mobile.national_number_pattern})")


_CN_MOBILE = _cn_mobile()
# A number by itself, perhaps with an extension. phonenumbers would look for one in any text, and take
# letters for the keys they stand on.
_WRITTEN = re.compile(
    r"(?:tel:)?([+\d\s().*/\u2010-\u2015\u2212-]+)(?:(?:;?\s*ext(?:ension|n)?[.=:]?|x|#|转|分机|,)\s*\d{1,7})?\s*",
    re.IGNORECASE,
)
_MAX_PHONE = 64
_MAX_EMAIL = 320


def normalize_phone(text: str, region: str = "CN") -> str:
    """The number in E.164: "138 1234-5678" -> "+8613812345678". An extension is dropped.

    `region` is the country of numbers written without a country code. Raises ValueError, which
    never quotes the number, for what is no valid number.
    """
    plain = text.translate(_TO_PLAIN)
    if region == "CN":
        mobile = _CN_MOBILE.fullmatch(plain.translate(_SEPARATORS))
        if mobile:
            return "+86" + mobile[1]
    written = _WRITTEN.fullmatch(plain) if len(plain) <= _MAX_PHONE else None
    try:
        number = phonenumbers.parse(written[1], region) if written else None
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise ValueError("not a valid phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# Addresses whose normal form is their lower case; anything else takes the long way.
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_EMAIL = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@((?:{_LABEL}\.)+([a-z]{{2,63}}))")
# Last labels under which no mail address exists ("local"): the long way decides.
_RESERVED = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)


def normalize_email(text: str) -> str:
    """The address with its local part casefolded and its domain in ASCII, both NFKC.

    Only the form is checked, not whether the domain exists. Raises ValueError, which never quotes
    the address, for anything that is not one bare address.
    """
    if text.isascii():
        lower = text.strip().lower()
        plain = _PLAIN_EMAIL.fullmatch(lower)
        # Two dashes in third place mean an encoded label, which has rules of its own.
        if plain and len(lower) <= 254 and "--" not in plain[1] and plain[2] not in _RESERVED:
            return lower
    if len(text) > _MAX_EMAIL:
        raise ValueError("not a valid e-mail address")
    local, at, domain = unicodedata.normalize("NFKC", text).strip().rpartition("@")
    folded = unicodedata.normalize("NFKC", local.casefold())
    try:
        address = validate_email(
            f"{folded}{at}{domain}", check_deliverability=False, globally_deliverable=False, strict=True
        )
    except (EmailNotValidError, UnicodeError):
        raise ValueError("not a valid e-mail address") from None
    if "." not in address.ascii_domain:
        raise ValueError("not a valid e-mail address")
    return f"{address.local_part}@{address.ascii_domain}".lower()
