"""What the jobs process does: keys, sweeping, the first administrator."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.jobs.bootstrap import bootstrap
from gateway.jobs.forget_sessions import FORGET_SESSIONS
from gateway.jobs.rotate_keys import ROTATE_KEYS, tell_edge
from gateway.store import queries
from gateway.usecases.sign_in import sign_in
from gateway.wiring import GatewayApp
from kernel.jobs.job import Job, Running
from kernel.pure.clock import FixedClock
from kernel.pure.grants import ANONYMOUS
from tests.gateway.conftest import PASSWORD, MakeUser


@pytest.fixture
def edge_dir(app: GatewayApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "edge"
    monkeypatch.setattr(app, "settings", app.settings.model_copy(update={"edge_dir": directory}))
    return directory


def run(app: GatewayApp, job: Job) -> None:
    job.run(Running(app, 1, lambda: False))


def told(edge_dir: Path) -> list[str]:
    """The ids of the keys in Envoy's file."""
    [resource] = json.loads((edge_dir / "jwt.json").read_text())["resources"]
    inline = resource["typed_config"]["providers"]["crm"]["local_jwks"]["inline_string"]
    return [key["kid"] for key in json.loads(inline)["keys"]]


def test_the_edge_is_told_of_the_keys_at_the_start(app: GatewayApp, edge_dir: Path) -> None:
    tell_edge(app)
    assert set(told(edge_dir)) == {key["kid"] for key in app.public_keys()}


def test_without_an_edge_nothing_is_written(app: GatewayApp, tmp_path: Path) -> None:
    tell_edge(app)
    assert list(tmp_path.iterdir()) == []


def test_the_edge_is_told_of_a_new_key_before_it_signs(
    app: GatewayApp, edge_dir: Path, clock: FixedClock
) -> None:
    tell_edge(app)
    before = set(told(edge_dir))
    clock.instant += app.settings.signing_period
    run(app, ROTATE_KEYS)
    [new] = set(told(edge_dir)) - before
    [row] = [row for row in queries.public_keys(app.reader) if row.kid == new]
    assert row.signs_from > clock.instant
    clock.instant += timedelta(hours=1)
    run(app, ROTATE_KEYS)
    assert len(told(edge_dir)) == 2


def test_the_sweep_goes_on_until_nothing_is_left(
    app: GatewayApp, make_user: MakeUser, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.jobs.forget_sessions._CHUNK", 1)
    make_user("li.na")
    for _ in range(3):
        with app.work(ANONYMOUS) as work:
            sign_in(work, app.passwords, app.lifetimes, "li.na", PASSWORD)
    clock.instant += app.lifetimes.longest
    run(app, FORGET_SESSIONS)
    assert not app.reader.rows("select from sessions")


def test_bootstrap_makes_an_administrator_who_can_sign_in(app: GatewayApp, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    arguments = ["--login", "admin", "--password-file", str(file)]
    assert bootstrap(app, arguments) == "created admin"
    assert bootstrap(app, arguments) == "there are users already: nothing to do"
    with app.work(ANONYMOUS) as work:
        done = sign_in(work, app.passwords, app.lifetimes, "admin", PASSWORD)
    assert "gateway.users.manage" in done.principal.grants


def test_bootstrap_refuses_a_short_password_by_name(app: GatewayApp, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("short")
    with pytest.raises(SystemExit, match="password"):
        bootstrap(app, ["--login", "admin", "--password-file", str(file)])
