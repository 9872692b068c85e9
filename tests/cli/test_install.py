"""Finding server programs, and installing Debian's packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_cli.local import install


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
    log = tmp_path / "install.log"
    with pytest.raises(install.Missing, match="redis-server"):
        install.provide([install.POSTGRES, install.REDIS], log)
    update, packages = log.read_text().splitlines()
    assert update.endswith("update (noninteractive, exit 101)")
    assert "install -y --no-install-recommends postgresql redis-server" in packages
    assert packages.endswith("(noninteractive, exit 101)")
    assert not policy.exists()


def test_the_machines_own_policy_is_left_alone(policy: Path, tmp_path: Path) -> None:
    policy.write_text("#!/bin/sh\nexit 104\n")
    with pytest.raises(install.Missing):
        install.provide([install.RABBITMQ], tmp_path / "install.log")
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"


def test_who_may_not_install_is_told_what_to_type(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install.os, "geteuid", lambda: 1000)
    with pytest.raises(install.Missing, match="sudo apt-get install --no-install-recommends rabbitmq-server"):
        install.provide([install.RABBITMQ], tmp_path / "install.log")


def test_a_machine_without_apt_is_told_how_to_name_servers(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(install.Missing, match="CRM_RABBITMQ_URL"):
        install.provide([install.RABBITMQ], tmp_path / "install.log")
