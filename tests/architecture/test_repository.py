"""What stands in the repository works on any machine and belongs to the product."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.house import ROOT, name, text, tracked

# Homes and work folders of one machine; a path below a person's home works nowhere else.
MACHINE_PATH = re.compile(r"(?<![\w./}$:-])/(?:home|root|work|Users|mnt|Volumes)/[\w.-]+")
REGISTRY = re.compile(
    r"--(?:extra-)?index-url|--find-links|--trusted-host|pythonhosted\.org|(?:https?|ftp)://(?!schemas\.)"
    r"[\w.-]*(?:pypi|artifactory|nexus|jfrog|mirror)[\w.-]*",
    re.IGNORECASE,
)
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
SECRET = re.compile(r"-----BEGIN (?:EC |RSA |ENCRYPTED )?PRIVATE KEY-----")
HERE = Path(__file__)


def occurrences(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name(path)}:{text(path).count(chr(10), 0, match.start()) + 1} {match.group()}"
        for path in tracked()
        if path != HERE
        for match in pattern.finditer(text(path))
    ]


@pytest.mark.parametrize(
    "pattern", [MACHINE_PATH, REGISTRY, UNFINISHED, SECRET], ids=["path", "registry", "unfinished", "key"]
)
def test_no_file_holds_what_belongs_to_one_machine_or_another_day(pattern: re.Pattern[str]) -> None:
    """A clone works elsewhere, a lock file names hashes and no registry, nothing is left half done."""
    found = occurrences(pattern)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Makefile",
        "docs/glossary.md",
        "docs/conformance.md",
    ],
)
def test_a_newcomer_finds_what_a_newcomer_looks_for(path: str) -> None:
    assert (ROOT / path).is_file()


def test_links_between_documents_lead_somewhere() -> None:
    link = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
    broken = [
        f"{name(path)}: {target}"
        for path in tracked()
        if path.suffix == ".md"
        for target in link.findall(text(path))
        if not (path.parent / target).exists()
    ]
    assert not broken, "\n".join(broken)


def test_every_decision_has_a_number_of_its_own_and_says_what_was_rejected() -> None:
    """A decision without its alternatives is taken again by the next person who doubts it."""
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [
        f"{number:04}" for number in range(1, len(decisions) + 1)
    ]
    for path in decisions:
        for heading in ("## Context", "## Decision", "## Rejected", "## Consequences"):
            assert heading in text(path), f"{name(path)} lacks {heading}"
