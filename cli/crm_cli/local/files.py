"""Files that only their owner may read, and passwords kept in one."""

from __future__ import annotations

import json
import os
import secrets
import threading
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Writes `text` with mode 0600 and puts it in place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    draft.replace(path)


class Passwords:
    """Random passwords by name, made when first asked for and remembered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def get(self, name: str) -> str:
        """43 characters that need no quoting in a URL."""
        if name not in self._known:
            self._known[name] = secrets.token_urlsafe(32)
            write_private(self._path, json.dumps(self._known, indent=1))
        return self._known[name]
