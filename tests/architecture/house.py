"""Where things stand in this repository, for the tests that guard its walls."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KERNEL = ROOT / "services/kernel/kernel"
# Folder of each service's package, by its name.
SERVICES = {
    path.parent.name: path
    for path in sorted(ROOT.glob("services/*/*"))
    if path.name == path.parent.name and path.name != "kernel" and (path / "__init__.py").exists()
}
CLI = ROOT / "cli/crm_cli"
DOORS = ("api", "events", "jobs")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks or would track, so that a new file is judged before its commit."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    paths = (ROOT / name for name in sorted(set(listing.split("\0"))) if name)
    return tuple(path for path in paths if path.is_file())


@cache
def text(path: Path) -> str:
    """What the file says; empty for one that is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


def python(folder: Path) -> list[Path]:
    """The tracked Python files in `folder` and below it."""
    return [path for path in tracked() if path.suffix == ".py" and folder in path.parents]


def production() -> list[Path]:
    """The Python files of the kernel, the services and the command."""
    return [*python(ROOT / "services"), *python(CLI)]


def name(path: Path) -> str:
    """How a failure message calls the file."""
    return str(path.relative_to(ROOT))


def module(path: Path) -> str:
    """Dotted name of a file below services/<distribution>/ or cli/."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    inside = parts[2:] if parts[0] == "services" else parts[1:]
    return ".".join(inside[:-1] if inside[-1] == "__init__" else inside)


def imports(source: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything imported: `from a.b import c` gives a.b.c."""
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"
