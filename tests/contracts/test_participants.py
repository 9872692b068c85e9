"""Whoever holds data of persons erases it: who that is, is seen in the contracts and in the code."""

from __future__ import annotations

from privacy.domain.erasure import PARTICIPANTS
from tests.architecture import descriptors
from tests.architecture.house import SERVICES, imports, python, tree
from tests.contracts.examples import consumers

ORDER = "crm.privacy.v1.ErasureOrdered"
_SEALING = "kernel.sql.crypto.sealing"
# Who holds personal data and has no part in erasures, and why.
EXEMPT = {
    "gateway": "names of the enterprise's own users: they are no customers, and go with their accounts",
}


def holders() -> set[str]:
    """The services that show personal fields in their contracts, or seal what they store."""
    showing = {
        str(message.full_name).split(".")[1]
        for message in descriptors.messages()
        if any(descriptors.personal(field) for field in message.fields)
    }
    sealing = {
        service
        for service, folder in SERVICES.items()
        if any(
            imported.startswith(_SEALING) for path in python(folder) for _, imported in imports(tree(path))
        )
    }
    return (showing | sealing) & set(SERVICES)


def test_an_erasure_waits_for_everybody_who_holds_data_of_persons() -> None:
    """A service with a personal field that nobody tells to erase would miss in every certificate."""
    assert holders() - set(EXEMPT) <= set(PARTICIPANTS)


def test_who_is_exempt_holds_something_and_takes_no_part() -> None:
    """Otherwise the exemption is a leftover."""
    assert set(EXEMPT) <= holders() - set(PARTICIPANTS)


def test_an_erasure_waits_for_everybody_who_is_told_to_erase() -> None:
    """One who erases and is not waited for would miss in the certificate; one who is waited for and does
    not erase would keep every request open."""
    told = {consumer for consumer, heard in consumers().items() if ORDER in heard}
    assert set(PARTICIPANTS) == told


def test_the_receipt_of_every_participant_is_heard() -> None:
    heard = consumers()["privacy"]
    assert {f"crm.{participant}.v1.SubjectErased" for participant in PARTICIPANTS} <= heard
