"""Every service's migrations are one line of numbered files."""

from __future__ import annotations

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from kernel.sql import revisions
from tests.architecture.house import SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_files_are_named_by_their_revisions_which_follow_one_another(service: str) -> None:
    versions = revisions.folder(service)
    config = Config()
    config.set_main_option("script_location", str(versions.parent))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "newline")
    scripts = list(ScriptDirectory.from_config(config).walk_revisions())
    line = [f"{number:04}" for number in range(len(scripts), 0, -1)]
    assert [script.revision for script in scripts] == line
    assert sorted((path.name[:4] for path in versions.glob("*.py")), reverse=True) == line
    assert revisions.head(service) == line[0]
