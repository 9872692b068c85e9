"""Tools that only exist for Node, installed once below .local.

Tests that need them skip without npm, and fail where CI is set.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_WANTED = ROOT / "tests/support/node"
_INSTALLED = ROOT / ".local/node"
_PATIENCE = 300


def node() -> str:
    """The program."""
    _require()
    return shutil.which("node") or ""


@cache
def node_modules() -> Path:
    """The folder of the modules that package-lock.json names, each checked against its hash."""
    _require()
    _INSTALLED.mkdir(parents=True, exist_ok=True)
    with (_INSTALLED / "lock").open("w") as lock:  # two runs on one machine
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = (_WANTED / "package-lock.json").read_bytes()
        done = _INSTALLED / "done"
        if not done.exists() or done.read_bytes() != wanted:
            _install()
            done.write_bytes(wanted)
    return _INSTALLED / "node_modules"


def _require() -> None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        missing = "npm is not installed: what only exists for Node can't be had"
        # What runs for every change leaves nothing out without a word.
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)


def _install() -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_WANTED / name, _INSTALLED / name)
    ended = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev"],
        cwd=_INSTALLED,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, f"npm ci: {ended.stderr[-2000:]}"
