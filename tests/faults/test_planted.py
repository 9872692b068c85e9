"""The damages that negative controls plant take hold of the product's own code, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PLANTED = Path(__file__).with_name("planted")
SHOWS = {
    "inbox off": "from kernel.sql.inbox import claim as it",
    "ack before commit": "from kernel.bus.entrypoint import Hears; it = Hears._apply",
    "confirms off": "from kernel.bus.publisher import _Confirms; it = _Confirms.wait",
    "plain handler": "from kernel.bus.entrypoint import Hears; it = Hears.handle_message",
    "permits off": "from kernel.mail.mailer import Permitted; it = Permitted.check",
    "bug": "from customer.usecases.classify_customers import apply_orders as it",
}


def module_of(damage: str, folder: Path) -> str:
    """In which module the function was written that the product calls."""
    code = f"import kernel.bus.green; {SHOWS[damage]}; print(it.__code__.co_filename)"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={"PYTHONPATH": str(PLANTED), "PATH": "/usr/bin:/bin"}, cwd=folder,
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return Path(done.stdout.strip()).name


@pytest.mark.parametrize("damage", SHOWS)
def test_a_damage_is_there_when_it_is_planted_and_only_then(damage: str, tmp_path: Path) -> None:
    assert module_of(damage, tmp_path) != "sitecustomize.py"
    (tmp_path / "planted").write_text(damage, "utf-8")
    assert module_of(damage, tmp_path) == "sitecustomize.py"
