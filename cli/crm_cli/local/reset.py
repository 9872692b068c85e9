"""`crm reset`: forgets an installation with all its data."""

from __future__ import annotations

import shutil
from pathlib import Path

from crm_cli.local import databases
from crm_cli.local.files import Passwords
from crm_cli.local.installation import AlreadyRunning, take_lock
from crm_cli.local.layout import CLUSTERS, SERVICES, Layout
from crm_cli.local.stack import NoStack, StackInfo


def reset(name: str) -> int:
    """`crm reset`: tells what happened and answers the exit code."""
    try:
        forgotten = forget(name)
    except AlreadyRunning as error:
        print(f"{error}: stop it first (Ctrl-C)")
        return 1
    print(f"forgot the installation {name!r}" if forgotten else f"no installation {name!r} here")
    return 0


def forget(name: str) -> bool:
    """Removes private servers' data, and our databases on servers the environment named.

    False when there was nothing. Raises AlreadyRunning.
    """
    layout = Layout.of(name)
    if not layout.folder.exists():
        return False
    with take_lock(layout):
        _drop_elsewhere(name, layout)
        note = layout.folder / "data-folder"
        if note.exists():
            shutil.rmtree(Path(note.read_text("utf-8").strip()), ignore_errors=True)
        shutil.rmtree(layout.folder)
    return True


def _drop_elsewhere(name: str, layout: Layout) -> None:
    """Databases and roles on clusters that are not ours alone."""
    try:
        info = StackInfo.load(name, layout.root)
    except NoStack:
        return
    if not layout.identity.exists():
        return  # it stopped before it made anything there
    mark = layout.identity.read_text("utf-8")
    for cluster in CLUSTERS:
        for server in info.servers:
            if server.name == f"postgres-{cluster}" and not server.private:
                for left in databases.drop(server.url, _databases(layout, cluster), mark):
                    print(f"left alone on {server.name}: {left}")


def _databases(layout: Layout, cluster: str) -> list[databases.Database]:
    passwords = Passwords(layout.passwords)
    return [databases.of_service(service, cluster, passwords.get) for service in SERVICES]
