"""Whoever holds data of persons erases it: the list of participants is what the contracts say."""

from __future__ import annotations

from privacy.domain.erasure import PARTICIPANTS
from tests.contracts.examples import consumers

ORDER = "crm.privacy.v1.ErasureOrdered"


def test_an_erasure_waits_for_everybody_who_is_told_to_erase() -> None:
    """One who erases and is not waited for would miss in the certificate; one who is waited for and does
    not erase would keep every request open."""
    told = {consumer for consumer, heard in consumers().items() if ORDER in heard}
    assert set(PARTICIPANTS) == told


def test_the_receipt_of_every_participant_is_heard() -> None:
    heard = consumers()["privacy"]
    assert {f"crm.{participant}.v1.SubjectErased" for participant in PARTICIPANTS} <= heard
