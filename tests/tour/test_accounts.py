"""What the tour remembers of an installation."""

from __future__ import annotations

import json
from pathlib import Path

from crm_cli.tour.accounts import FILE, SALES_TEAM, STAFF, Kept, Secret


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    kept = Kept(Secret("erp", "s"), {"agent": Secret("tour.agent", "s")}, {SALES_TEAM: "1"}, "token")
    kept.save(tmp_path)
    assert Kept.load(tmp_path) == kept
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_what_a_tour_kept_before_there_were_more_teams_is_read(tmp_path: Path) -> None:
    staff = {"seller": {"name": "tour.seller", "secret": "s"}}
    old = {"erp": None, "staff": staff, "team_id": "1", "old_token": "token"}
    (tmp_path / FILE).write_text(json.dumps(old))
    assert Kept.load(tmp_path) == Kept(None, {"seller": Secret("tour.seller", "s")}, {}, "token")


def test_each_role_at_work_signs_in() -> None:
    roles = {role for _, role, _ in STAFF}
    assert roles >= {"seller", "sales_manager", "agent", "service_manager", "marketer", "privacy_officer"}
