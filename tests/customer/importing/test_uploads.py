"""What may be done with a file on its way in, and what is kept of how it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from customer.domain.importing.errors import (
    FileEmpty,
    FileTooWide,
    FileUnreadable,
    UploadIncomplete,
    UploadNotReady,
)
from customer.domain.importing.rows import Record
from customer.domain.importing.uploads import MOST_FAILURES, SAMPLES, Upload, UploadState, head_of
from kernel.pure.errors import CrmError
from kernel.pure.ids import new_id
from tests.customer.conftest import NOON

RECEIVING = Upload(new_id(), new_id(), "people.csv", size=10, received=9, expires_at=NOON)
READING = replace(RECEIVING, received=10)
READY = replace(READING, has_head=True)
UNREADABLE = replace(READING, refused=FileEmpty())
STATES = {
    UploadState.RECEIVING: (RECEIVING, UploadIncomplete),
    UploadState.READING: (READING, UploadNotReady),
    UploadState.UNREADABLE: (UNREADABLE, FileEmpty),
}


@pytest.mark.parametrize("state", STATES)
def test_a_file_that_is_not_ready_says_why(state: UploadState) -> None:
    upload, refusal = STATES[state]
    assert upload.state is state
    with pytest.raises(refusal):
        upload.require_ready()


def test_a_file_that_is_ready_stands_in_nobodys_way() -> None:
    READY.require_ready()
    assert READY.state is UploadState.READY


def test_who_comes_too_early_is_told_to_come_again() -> None:
    assert UploadNotReady().retry_after == 1.0


@pytest.mark.parametrize("error", [FileTooWide(most=200), FileUnreadable(), FileEmpty()])
def test_what_speaks_of_the_file_ends_it_at_once(error: CrmError) -> None:
    upload = replace(READING)
    upload.fail(error)
    assert (upload.state, upload.refused) == (UploadState.UNREADABLE, error)


def test_what_does_not_ends_it_when_it_comes_again_and_again() -> None:
    upload = replace(READING)
    states = []
    for _ in range(MOST_FAILURES):
        upload.fail(MemoryError())
        states.append(upload.state)
    assert states == [*[UploadState.READING] * (MOST_FAILURES - 1), UploadState.UNREADABLE]
    assert isinstance(upload.refused, FileUnreadable)


def records(*rows: Sequence[str]) -> list[Record]:
    return [Record(line, cells) for line, cells in enumerate(rows, 1)]


def test_a_head_is_the_names_of_the_columns_and_the_first_rows() -> None:
    taken = iter(records(["a", "a"], *([str(n), " x "] for n in range(SAMPLES + 5))))
    head = head_of(taken, "utf-8")
    assert (head.names, head.encoding) == (["a", "a (2)"], "utf-8")
    assert head.samples == [[str(n), "x"] for n in range(SAMPLES)]
    assert len(list(taken)) == 5


def test_of_long_rows_fewer_are_kept_and_nothing_of_cells_without_a_column() -> None:
    wide = ["x" * 1000] * 200
    head = head_of(records([f"c{n}" for n in range(190)], *[wide] * 100), "utf-8")
    assert {len(row) for row in head.samples} == {190}
    assert {len(cell) for row in head.samples for cell in row} == {300}
    assert len(head.samples) == 19


@pytest.mark.parametrize("header", [[], [Record(1, (), "ROW_FORMAT")]])
def test_a_file_without_a_header_has_no_head(header: list[Record]) -> None:
    with pytest.raises(FileEmpty):
        head_of(header, "utf-8")


def test_a_file_with_too_many_columns_has_no_head() -> None:
    with pytest.raises(FileTooWide):
        head_of(records(["c"] * 201), "utf-8")
