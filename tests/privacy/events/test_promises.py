"""What the privacy service tells, held to the examples that the other side's tests read."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from kernel.pure.erasure import ErasedRows, RetainedRows
from kernel.pure.events import Event
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from privacy.domain.consents import Channel, Proof, Via
from privacy.domain.events import (
    ErasureClosed,
    ErasureOrdered,
    RestrictedSubject,
    SubjectErased,
    SubjectsRestricted,
)
from privacy.usecases.record_consents import withdraw
from privacy.wiring import PrivacyApp
from tests.contracts.examples import promised, same_shape


def told(app: PrivacyApp) -> dict[str, Any]:
    rows = app.reader.rows("select body from outbox order by seq desc limit 1")
    envelope: dict[str, Any] = json.loads(rows[0].body)
    return envelope


def as_promised(envelope: dict[str, Any], event: str) -> bool:
    promises = promised(event)
    for promise in promises:
        same_shape(envelope, promise)
    return bool(promises)


def test_a_withdrawal_is_told_as_promised(app: PrivacyApp) -> None:
    with app.work(Principal.service("privacy")) as work:
        withdraw(work, new_id(), "marketing", Channel.ALL, Via.API, Proof())
    assert as_promised(told(app), "crm.privacy.v1.ConsentsChanged")


# Told by the rules of erasure; here only their shape.
SHAPES: list[Event] = [
    SubjectsRestricted((RestrictedSubject(new_id(), 1, True, new_id()),)),
    ErasureOrdered(new_id(), 1, (new_id(),)),
    ErasureClosed(new_id(), (new_id(),), "erased"),
    SubjectErased(new_id(), 1, (ErasedRows("consents", 1),), (RetainedRows("proof", date(2029, 1, 1), 1),)),
]


@pytest.mark.parametrize("event", SHAPES, ids=lambda event: type(event).__name__)
def test_events_of_erasure_have_the_promised_shape(app: PrivacyApp, event: Event) -> None:
    with app.work(Principal.service("privacy")) as work:
        work.record(event)
    assert as_promised(told(app), event.type)
