"""What a log line holds: its trace, what goes on and for whom, and nothing personal however deep it lies."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextvars import Context, copy_context
from typing import Any
from uuid import uuid4

import pytest
import structlog

from kernel.ops import logs, trace

PHONE, EMAIL = "13812345678", "wang@example.com"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leaves logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    [line] = capsys.readouterr().out.splitlines()
    entry: dict[str, Any] = json.loads(line)
    return entry


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> Any:
    """Logs facts as a process of a service does, and answers the line."""

    def log(**facts: object) -> dict[str, Any]:
        logs.configure("customer", "api", "info")
        structlog.get_logger("test").info("said", **facts)
        return said(capsys)

    return log


def test_a_line_says_trace_method_and_actor_of_what_goes_on(line: Any) -> None:
    def call() -> dict[str, Any]:
        trace.current.set(f"00-{'a' * 32}-{'b' * 16}-01")
        trace.doing.set({"method": "crm.x.v1.X/Get", "actor": "7", "request": "r-1"})
        entry: dict[str, Any] = line(reason="NO")
        return entry

    entry = copy_context().run(call)
    assert {key: entry[key] for key in ("trace", "method", "actor", "request", "reason", "service")} == {
        "trace": "a" * 32,
        "method": "crm.x.v1.X/Get",
        "actor": "7",
        "request": "r-1",
        "reason": "NO",
        "service": "customer",
    }
    outside: dict[str, Any] = Context().run(line)
    assert not {"trace", "method", "actor"} & outside.keys()


def test_lines_of_libraries_say_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("customer", "jobs", "info")

    def job() -> None:
        trace.begin(job="export", actor="customer")
        logging.getLogger("some.library").warning("mail to %s failed", EMAIL)

    copy_context().run(job)
    entry = said(capsys)
    assert (entry["job"], entry["actor"], len(entry["trace"])) == ("export", "customer", 32)
    assert entry["event"] == "mail to [redacted] failed"


@pytest.mark.parametrize(
    "value",
    [
        PHONE,
        [PHONE],
        (1, [EMAIL]),
        {PHONE},
        {"phones": [{"number": f"+86 {PHONE}"}]},
        {PHONE: 1},
        ValueError(f"bad {EMAIL}"),
        [[[["postgresql://crm:secret@host/db"]]]],
    ],
)
def test_what_is_personal_or_secret_is_blotted_out_however_deep_it_lies(line: Any, value: object) -> None:
    entry = json.dumps(line(value=value))
    assert "[redacted]" in entry
    for secret in (PHONE, EMAIL, "secret"):
        assert secret not in entry


def test_ids_and_numbers_stay(line: Any) -> None:
    one = uuid4()
    entry = line(id=str(one), count=3, ratio=0.5, known=True, none=None, names=["a", "b"], object=one)
    assert (entry["id"], entry["count"], entry["ratio"], entry["known"], entry["none"]) == (
        str(one),
        3,
        0.5,
        True,
        None,
    )
    assert entry["names"] == ["a", "b"]
    assert str(one) in entry["object"]
