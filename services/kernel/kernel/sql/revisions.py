"""The revisions of a service's schema, by the names of their files: a process that only runs on the schema
need not load what moves it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def folder(package: str) -> Path:
    """Where the migrations of a service lie, one file a revision ("0003_reach.py")."""
    return Path(str(resources.files(f"{package}.store").joinpath("migrations", "versions")))


def head(package: str) -> str:
    """The newest revision this code knows ("0003")."""
    return max(path.name.partition("_")[0] for path in folder(package).glob("[0-9]*.py"))
