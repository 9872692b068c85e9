"""Finding server programs, and installing Debian's packages."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from crm_cli.local import install
from crm_cli.local.stack import clone_root


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without server programs whose apt-get writes down what it was asked, and installs nothing."""
    path = tmp_path / "policy-rc.d"
    apt = tmp_path / "bin" / "apt-get"
    apt.parent.mkdir()
    apt.write_text(f'#!/bin/sh\necho "$* ($DEBIAN_FRONTEND, $(cat {path} | tail -n 1))"\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{apt.parent}:/usr/bin:/bin")
    monkeypatch.setattr(install, "_POLICY", path)
    monkeypatch.setattr(install, "find", lambda need: None)
    monkeypatch.setattr(install.os, "geteuid", lambda: 0)
    return path


def test_missing_packages_are_installed_without_starting_their_servers(policy: Path, tmp_path: Path) -> None:
    log, told = tmp_path / "install.log", list[str]()
    with pytest.raises(install.Missing, match="redis-server"):
        install.provide([install.POSTGRES, install.REDIS], log, told.append)
    update, packages = log.read_text().splitlines()
    assert update.endswith("update (noninteractive, exit 101)")
    assert "install -y --no-install-recommends postgresql redis-server" in packages
    assert packages.endswith("(noninteractive, exit 101)")
    assert not policy.exists()
    assert told[0] == "apt-get update"
    assert "apt-get install" in told


def test_an_installation_that_fails_names_its_log(policy: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "apt-get").write_text("#!/bin/sh\necho 'Could not resolve the host'\nexit 100\n")
    log = tmp_path / "install.log"
    with pytest.raises(install.Missing, match="apt-get update ended with exit code 100") as failure:
        install.provide([install.REDIS], log, lambda _: None)
    assert failure.value.log == log
    assert log.read_text() == "Could not resolve the host\n"
    assert not policy.exists()


def test_a_step_of_make_that_fails_shows_the_end_of_its_log_and_what_to_do(tmp_path: Path) -> None:
    step, log = clone_root() / "deploy/local/step", tmp_path / "logs" / "it.log"
    said = "echo boom; exit 3"
    failed = subprocess.run(
        [step, "libraries", log, "do this", "sh", "-c", said], capture_output=True, text=True, check=False
    )
    assert failed.returncode == 3
    first, boom, advice = failed.stdout.splitlines()
    assert first.startswith("✗ libraries: exit code 3 after ")
    assert (boom, advice) == ("  boom", "→ do this")
    done = subprocess.run([step, "libraries", log, "", "true"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"✓ libraries  \d+ s\n", done.stdout)


def test_the_machines_own_policy_is_left_alone(policy: Path, tmp_path: Path) -> None:
    policy.write_text("#!/bin/sh\nexit 104\n")
    with pytest.raises(install.Missing):
        install.provide([install.RABBITMQ], tmp_path / "install.log", lambda _: None)
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"


def test_who_may_not_install_is_told_what_to_type(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install.os, "geteuid", lambda: 1000)
    with pytest.raises(install.Missing, match="sudo apt-get install --no-install-recommends rabbitmq-server"):
        install.provide([install.RABBITMQ], tmp_path / "install.log", lambda _: None)


def test_a_machine_without_apt_is_told_how_to_name_servers(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(install.Missing, match="CRM_RABBITMQ_URL"):
        install.provide([install.RABBITMQ], tmp_path / "install.log", lambda _: None)
