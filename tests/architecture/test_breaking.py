"""A contract that breaks is found, on a branch and on main itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.house import ROOT

_BUF = Path(sys.executable).with_name("buf")
_PROTO = "protos/crm/customer/v1/customer.proto"
_AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@localhost")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """This repository as it is committed, on a main of its own without releases."""
    copy = tmp_path / "copy"
    _run("git", "clone", "--quiet", "--shared", "--no-tags", str(ROOT), str(copy))
    _run("git", "checkout", "--quiet", "-B", "main", at=copy)
    return copy


def _run(*command: str, at: Path | None = None) -> None:
    subprocess.run(command, cwd=at, check=True, capture_output=True, timeout=120)


def _commit(copy: Path) -> None:
    _run("git", *_AUTHOR, "commit", "--quiet", "--allow-empty", "--all", "-m", "a change", at=copy)


def _change(copy: Path, old: str, new: str) -> None:
    file = copy / _PROTO
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def _renumber(copy: Path) -> None:
    _change(copy, "string full_name = 1", "string full_name = 999")


def _verdict(copy: Path) -> tuple[int, str]:
    """What `make lint` is told."""
    ended = subprocess.run(
        [str(copy / "protos/breaking.sh")],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "BUF": str(_BUF), "HOME": str(copy)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_a_field_with_another_number_is_found_on_a_branch(copy: Path) -> None:
    _run("git", "checkout", "--quiet", "-b", "change", at=copy)
    _commit(copy)
    assert _verdict(copy)[0] == 0
    _renumber(copy)
    code, said = _verdict(copy)
    assert code != 0
    assert _PROTO.removeprefix("protos/") in said


def test_a_field_with_another_number_is_found_on_main_after_it_was_committed(copy: Path) -> None:
    _renumber(copy)
    _commit(copy)
    assert _verdict(copy)[0] != 0


def test_the_last_release_counts_however_long_ago_it_was(copy: Path) -> None:
    _run("git", "tag", "v1.0.0", at=copy)
    _renumber(copy)
    for _ in range(3):
        _commit(copy)
    code, said = _verdict(copy)
    assert code != 0
    assert "against v1.0.0" in said


def test_what_only_adds_is_no_break(copy: Path) -> None:
    _commit(copy)
    _change(copy, "message Person {", "message Person {\n  // Only for this test.\n  string added = 999;")
    assert _verdict(copy)[0] == 0
