"""A customer as matching and finding see it."""

from __future__ import annotations

from customer.domain.customer import Company, Profile
from customer.domain.matching import Subject, Traits, blocking_keys, traits
from kernel.pure.text.folding import fold
from kernel.pure.text.pinyin import name_readings

# Stands for every name that no letter begins.
NO_INITIAL = "#"


def subject_of(profile: Profile) -> Subject:
    """What matching compares of a person. Raises TypeError for a company."""
    person = profile.details
    if isinstance(person, Company):
        raise TypeError("companies are not compared as people")
    return Subject(
        full_name=person.full_name,
        phones=person.phones,
        emails=person.emails,
        birth_date=person.birth_date,
        id_number=person.identity_number,
        address=(person.street_address,) if person.street_address else (),
        city=profile.city,
        province=profile.province,
    )


def match_keys(profile: Profile, known: Traits | None = None) -> tuple[str, ...]:
    """The keys under which a customer meets others that may be the same, "kind:value".

    Every phone and every e-mail is one: by them customers are found, too. `known` spares reading a
    person's traits again.
    """
    details = profile.details
    contacts = [f"phone:{phone}" for phone in details.phones]
    contacts += [f"email:{email}" for email in details.emails]
    if isinstance(details, Company):
        named = [f"company:{''.join(fold(details.name).split())}"]
        return tuple(contacts + named + ([f"credit:{details.credit_code}"] if details.credit_code else []))
    return tuple(dict.fromkeys([*contacts, *blocking_keys(known or traits(subject_of(profile)))]))


_TELLING = ("phone", "email", "id", "credit")


def strongest_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Those match keys by which alone one person or company is told from another; of one who has none
    of these, all."""
    return tuple(key for key in keys if key.partition(":")[0] in _TELLING) or keys


def name_of(profile: Profile) -> str:
    """The name by which a customer is searched."""
    details = profile.details
    return details.name if isinstance(details, Company) else details.full_name


def initial_of(name: str) -> str:
    """The letter A to Z under which a name stands in an alphabetical list, or NO_INITIAL. A Chinese name
    stands under the sound of its surname: 单雄信 under S, 欧阳修 under O."""
    first = next(iter(name_readings(fold(name)[:2])), ("",))[0][:1].upper()
    return first if "A" <= first <= "Z" else NO_INITIAL
