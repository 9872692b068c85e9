"""Files that Envoy watches: replaced whole, never half written."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

# A piece of Envoy's configuration, as JSON knows it.
Json = dict[str, Any]

_TYPES = "type.googleapis.com/envoy"


def typed(kind: str, /, **fields: Any) -> Json:
    """A message inside an Any: `kind` is its full name after "envoy."."""
    return {"@type": f"{_TYPES}.{kind}", **fields}


def discovery(resources: Sequence[Mapping[str, Any]]) -> Json:
    """A discovery response; its version follows from its content."""
    content = json.dumps(resources, sort_keys=True).encode()
    return {"version_info": sha256(content).hexdigest()[:12], "resources": list(resources)}


def config_source(path: Path) -> Json:
    """Tells Envoy to read a resource from a file and to take its replacement at once."""
    return {
        "resource_api_version": "V3",
        "path_config_source": {"path": str(path), "watched_directory": {"path": str(path.parent)}},
    }


def write_json(path: Path, content: Mapping[str, Any]) -> bool:
    """Writes `content`, readable by people; says whether the file changed."""
    return write_bytes(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def write_bytes(path: Path, content: bytes) -> bool:
    """Replaces the file in one step, only when its content differs; says whether it did."""
    if path.exists() and path.read_bytes() == content:
        return False
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o644)  # Envoy may run as another user; no secret is in these files
        draft.replace(path)
    except BaseException:
        draft.unlink()
        raise
    return True
