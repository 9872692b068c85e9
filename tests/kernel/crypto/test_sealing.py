"""Sealed documents: whole pages at once, and broken by whatever is done to them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from kernel.sql.crypto.errors import SealBroken, SubjectErased
from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.sealing import Sealer, open_bytes, seal_bytes

PERSON: dict[str, Any] = {
    "full_name": "李小明",
    "phones": ["+8613812345678"],
    "emails": ["li@example.com"],
    "street_address": "中山路 1 号 2-301",
    "birth_date": "1990-01-02",
}


def test_a_page_opens_to_what_was_sealed(sealer: Sealer) -> None:
    items = [(uuid4(), uuid4(), PERSON | {"full_name": f"顾客{number}"}) for number in range(100)]
    sealed = sealer.seal_many("people", items)
    page = sealer.open_page(
        "people", [(row, subject, seal) for (row, subject, _), seal in zip(items, sealed, strict=True)]
    )
    assert page == [document for _, _, document in items]


def test_rows_of_one_subject_share_a_key_and_history_rows_have_text_ids(sealer: Sealer) -> None:
    subject = uuid4()
    items = [(f"{subject}/{version}", subject, PERSON | {"birth_date": str(version)}) for version in range(3)]
    sealed = sealer.seal_many("people_history", items)
    assert len({seal[1:9] for seal in sealed}) == 1
    assert sealer.open("people_history", f"{subject}/2", subject, sealed[2]) == items[2][2]
    with pytest.raises(SealBroken):
        sealer.open("people_history", f"{subject}/1", subject, sealed[2])


def test_nothing_of_the_document_stands_in_the_seal(sealer: Sealer) -> None:
    subject = uuid4()
    first, second = (sealer.seal("people", subject, subject, PERSON) for _ in range(2))
    assert first != second
    for canary in ("李小明", "13812345678", "example.com", "full_name"):
        assert canary.encode() not in first


def test_a_thousand_flipped_bits_are_all_rejected(sealer: Sealer) -> None:
    subject = uuid4()
    sealed = sealer.seal("people", subject, subject, PERSON)
    positions = list(range(len(sealed) * 8))
    generator = random.Random(7)
    # Every bit once, then pairs of bits up to the thousand and beyond.
    changes = [[position] for position in positions]
    changes += [generator.sample(positions, 2) for _ in range(1000)]
    assert len(changes) > 1000
    for change in changes:
        altered = bytearray(sealed)
        for position in change:
            altered[position // 8] ^= 1 << position % 8
        with pytest.raises(SealBroken):
            sealer.open("people", subject, subject, bytes(altered))


@pytest.mark.parametrize("length", [0, 1, 8, 9, 20, 21, 36, 37, -1])
def test_a_shortened_seal_is_rejected(sealer: Sealer, length: int) -> None:
    subject = uuid4()
    sealed = sealer.seal("people", subject, subject, PERSON)
    with pytest.raises(SealBroken):
        sealer.open("people", subject, subject, sealed[:length])


def test_a_seal_moved_to_another_place_is_rejected(keyring: Keyring, sealer: Sealer) -> None:
    row, other_row, subject, other = (uuid4() for _ in range(4))
    sealed = sealer.seal("people", row, subject, PERSON)
    sealer.seal("people", other_row, other, PERSON)
    Sealer(keyring, installation="test", service="customer", key_class="contract").seal(
        "people", row, subject, PERSON
    )
    elsewhere: list[tuple[Sealer, str, UUID | str, UUID]] = [
        (sealer, "people", other_row, subject),
        (sealer, "people", row.bytes.decode("latin-1"), subject),
        (sealer, "people", row, other),
        (sealer, "contacts", row, subject),
        (Sealer(keyring, installation="other", service="customer"), "people", row, subject),
        (Sealer(keyring, installation="test", service="sales"), "people", row, subject),
        (Sealer(keyring, installation="testc", service="ustomer"), "people", row, subject),
        (
            Sealer(keyring, installation="test", service="customer", key_class="contract"),
            "people",
            row,
            subject,
        ),
    ]
    for opener, table, row_id, subject_id in elsewhere:
        with pytest.raises(SealBroken):
            opener.open(table, row_id, subject_id, sealed)
    assert sealer.open("people", row, subject, sealed) == PERSON


def test_swapped_rows_are_rejected_and_only_table_and_row_are_logged(sealer: Sealer) -> None:
    first, second = uuid4(), uuid4()
    subject = uuid4()
    one, two = sealer.seal_many("people", [(first, subject, PERSON), (second, subject, PERSON)])
    with capture_logs() as logs, pytest.raises(SealBroken):
        sealer.open_page("people", [(first, subject, two), (second, subject, one)])
    assert logs == [{"event": "seal_broken", "log_level": "error", "table": "people", "row": str(first)}]


def test_destroyed_and_empty_rows_are_none_among_the_others(
    sealer: Sealer, keyring: Keyring, new_keyring: Callable[..., Keyring]
) -> None:
    living, erased, company = uuid4(), uuid4(), uuid4()
    one, two = sealer.seal_many("people", [(living, living, PERSON), (erased, erased, PERSON)])
    rows = [(living, living, one), (erased, erased, two), (company, company, None)]
    there_keyring = new_keyring()
    there = Sealer(there_keyring, installation="test", service="customer")
    there_keyring.poll_version()
    assert there.open_page("people", rows) == [PERSON, PERSON, None]

    keyring.destroy([erased])

    assert sealer.open_page("people", rows) == [PERSON, None, None]
    assert there_keyring.poll_version()
    assert there.open_page("people", rows) == [PERSON, None, None]
    with pytest.raises(SubjectErased):
        there.seal("people", erased, erased, PERSON)


def test_a_seal_of_yesterday_is_unreadable_once_its_key_was_destroyed(
    sealer: Sealer, keyring: Keyring
) -> None:
    subjects = [uuid4() for _ in range(50)]
    backup = sealer.seal_many("people", [(subject, subject, PERSON) for subject in subjects])
    keyring.destroy(subjects)
    rows = [(subject, subject, seal) for subject, seal in zip(subjects, backup, strict=True)]
    assert sealer.open_page("people", rows) == [None] * 50


def test_sealed_bytes_open_only_under_their_key_and_place() -> None:
    key, data = os.urandom(32), b"answer" * 100
    sealed = seal_bytes(key, b"caller/method/id", data)
    assert open_bytes(key, b"caller/method/id", sealed) == data
    for wrong_key, aad in ((os.urandom(32), b"caller/method/id"), (key, b"caller/method/other")):
        with pytest.raises(SealBroken):
            open_bytes(wrong_key, aad, sealed)
    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 0x10
        with pytest.raises(SealBroken):
            open_bytes(key, b"caller/method/id", bytes(altered))
    for length in range(29):
        with pytest.raises(SealBroken):
            open_bytes(key, b"caller/method/id", sealed[:length])
    assert open_bytes(key, b"", seal_bytes(key, b"", b"")) == b""
