"""Same rooms, same names, small files: whoever knows one service finds the way in all of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.house import DOORS, KERNEL, ROOT, SERVICES, imports, name, python, text, tracked, tree

ROOMS = {"domain", "usecases", "store", "api", "events", "jobs"}
FILES = {"__init__.py", "config.py", "metrics.py", "wiring.py"}
# Processes that exist in one service only, because their traffic differs.
EXTRA_ROOMS = {"gateway": {"edge", "live"}, "ticketing": {"mail"}}
LONGEST_FILE = 400
# Audit chain, permits, restriction and erasure are rules of every service: they took 450 lines. So is mail.
# So are the sweep of keys, values in events, and what a log line says and hides: 160. What every door
# refuses (too many calls of one caller, unknown fields, ambiguous tokens) took 100, statements on the
# driver 120; dropping what comes late of the erased, and erasing kept answers that speak of them, 100 more;
# moving failing events aside while others go on, 100; taking over what others tell, which five services did
# each by itself, 100. Reading events without walking them in the library took 50.
LARGEST_KERNEL = 6_300
_WRITES = re.compile(r"insert into|delete from|update \w+\s+set|\bfor (no key )?update\b")
HAND_WRITTEN = {".py", ".proto", ".sql", ".sh"}
# Copied from elsewhere, and not to be read from end to end.
COPIED = (ROOT / "protos/google", KERNEL / "sql/ddl/0002_jobs.sql")


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    folder = SERVICES[service]
    rooms = {path.name for path in folder.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert rooms - EXTRA_ROOMS.get(service, set()) == ROOMS
    files = {path.name for path in folder.iterdir() if path.suffix == ".py"}
    assert files == FILES


@pytest.mark.parametrize("service", SERVICES)
def test_every_process_of_a_service_has_a_main(service: str) -> None:
    missing = [room for room in (*DOORS, "store") if not (SERVICES[service] / room / "__main__.py").is_file()]
    assert not missing, "python -m <service>.<process> is how each process is started, in every service"


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_a_one_page_readme(service: str) -> None:
    readme = SERVICES[service].parent / "README.md"
    page = text(readme) if readme.is_file() else ""
    missing = [
        heading
        for heading in ("Owns", "Offers", "Says", "Hears", "Timers", "Tables", "Metrics")
        if f"## {heading}" not in page
    ]
    assert not missing, f"{name(readme)} lacks {missing}"
    assert len(page.splitlines()) <= 100, "one page"


@pytest.mark.parametrize("service", SERVICES)
def test_doors_reach_the_store_through_modules_that_only_read(service: str) -> None:
    """A read is servicer, query, message; a change goes through a use case. No door knows a table."""
    found = [
        f"{name(path)}:{line} imports {imported}"
        for door in DOORS
        for path in python(SERVICES[service] / door)
        for line, imported in imports(tree(path))
        if imported.startswith(f"{service}.store.") and not _only_reads(service, imported)
    ]
    assert not found, "\n".join(found)


def _only_reads(service: str, imported: str) -> bool:
    """Whether a module of the store holds no statement that writes or locks."""
    module = imported.split(".")[2]
    return not _WRITES.search(text(SERVICES[service] / "store" / f"{module}.py"))


def test_no_hand_written_file_is_a_giant() -> None:
    """Growth nobody stops makes files that nobody reads to the end."""
    giants = [f"{name(path)}: {lines} lines" for path, lines in _lengths() if lines > LONGEST_FILE]
    assert not giants, "\n".join(giants)


def test_the_kernel_stays_small() -> None:
    """What only one service needs belongs to that service. Explaining is free: only lines of code count."""
    assert sum(_code_lines(path) for path in python(KERNEL)) <= LARGEST_KERNEL


def _code_lines(path: Path) -> int:
    """Lines that hold code: neither blank, nor comment, nor docstring."""
    lines = {
        line
        for node in ast.walk(tree(path))
        if isinstance(node, ast.stmt) and not _is_docstring(node)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    docstrings = {
        line
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Expr) and _is_docstring(node)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    source = text(path).splitlines()
    blank = {number for number, line in enumerate(source, 1) if not line.strip() or line.strip()[0] == "#"}
    return len(lines - docstrings - blank)


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def test_the_kernel_holds_no_business_noun() -> None:
    """A kernel that knows customers or orders is a sixth service that all others share."""
    nouns = ("customer", "order", "lead", "ticket", "campaign", "coupon", "consent", "product", "contract")
    found = [
        f"{name(path)} {kind} {word}"
        for path in python(KERNEL)
        for kind, word in _names(path)
        if any(part in nouns or part.removesuffix("s") in nouns for part in word.lower().split("_"))
    ]
    # SQL and sorting speak of order too.
    found = [entry for entry in found if not entry.endswith(("order_by", "order", "in_order"))]
    assert not found, "\n".join(found)


def _names(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef):
            yield "class", node.name
        elif isinstance(node, ast.FunctionDef):
            yield "function", node.name
            for argument in (*node.args.args, *node.args.kwonlyargs):
                yield "argument", argument.arg


def _lengths() -> Iterator[tuple[Path, int]]:
    for path in tracked():
        if path.suffix in HAND_WRITTEN and not any(path.is_relative_to(copy) for copy in COPIED):
            yield path, len(text(path).splitlines())
