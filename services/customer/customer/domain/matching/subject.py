"""A person as matching sees them: what is known, and its reading in comparable form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from customer.domain.matching.addresses import Address, read_address
from customer.domain.matching.names import Name, read_name
from kernel.pure.text.folding import fold


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of a person; every field may be empty.

    The name is `full_name`, or `given_name` and `surname`. Phones are E.164, e-mails in normal
    form, `birth_date` is YYYY-MM-DD. `address` holds the lines of the street address in any order,
    or one line with commas; house numbers stand in it wherever they stood.
    """

    full_name: str = ""
    given_name: str = ""
    surname: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    birth_date: str = ""
    id_number: str = ""
    address: tuple[str, ...] = ()
    city: str = ""
    postcode: str = ""
    province: str = ""


class Traits(NamedTuple):
    """A subject read: names sounded out, the address taken apart, everything folded."""

    name: Name
    address: Address
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    birth_date: str
    id_number: str
    city: str
    postcode: str
    province: str


def traits(subject: Subject) -> Traits:
    """The comparable form of `subject`."""
    return Traits(
        name=read_name(subject.full_name, subject.given_name, subject.surname),
        address=read_address(subject.address, subject.province, subject.city),
        phones=subject.phones,
        emails=subject.emails,
        birth_date=subject.birth_date.replace("-", ""),
        id_number=fold(subject.id_number).replace(" ", "") if subject.id_number else "",
        city=_city(subject.city),
        postcode=subject.postcode.strip(),
        province=_province(subject.province),
    )


# The same few names again and again.
@lru_cache(maxsize=4096)
def _city(name: str) -> str:
    return fold(name).strip().removesuffix("市")


@lru_cache(maxsize=4096)
def _province(name: str) -> str:
    return fold(name).strip().removesuffix("省").removesuffix("市")
