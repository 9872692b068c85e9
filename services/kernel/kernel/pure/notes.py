"""Short texts that are kept for good: reasons, evidence. Nobody's data may stand in them, for what is only
added to can't be erased."""

from __future__ import annotations

import re

from kernel.pure.errors import Checks

# Each place is looked at once, however long the text: nothing is taken back, nothing begins within a word.
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)+")
MOBILE = re.compile(r"(?<![\w-])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?![\w-])")
# Where words stand beside it without a space, as they do in Chinese.
_GLUED_MOBILE = re.compile(r"(?<![\dA-Za-z])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?![\dA-Za-z])")
# Number of a resident's identity card: place, day of birth, serial, check digit.
_IDENTITY = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)"
)
_PERSONAL = (EMAIL, _GLUED_MOBILE, _IDENTITY)
# Full-width digits and signs, as they are typed in Chinese.
_PLAIN = {0xFF00 + offset: 0x20 + offset for offset in range(1, 0x5F)}


def check_impersonal(field: str, text: str, checks: Checks) -> None:
    """Refuses a text in which an e-mail address, a mobile number or a number of an identity card stands.

    Names can't be recognised: whoever writes is asked not to give them.
    """
    plain = text.translate(_PLAIN)
    if any(pattern.search(plain) for pattern in _PERSONAL):
        checks.refuse(
            field,
            "PERSONAL_DATA",
            "must not hold an e-mail address, phone or identity number: it is kept for good",
            "不得包含电子邮件地址、电话号码或身份证号：该文字将永久保存",
        )
