"""The metrics catalogue tells of what is measured, and of nothing else."""

from __future__ import annotations

import ast
import re

from tests.architecture.house import KERNEL, ROOT, name, production, text, tree

CATALOGUES = [KERNEL / "ops/metrics.py", *sorted(ROOT.glob("services/*/*/metrics.py"))]


def declared() -> list[tuple[str, str]]:
    """The file and variable of each metric."""
    return [
        (name(path), target.id)
        for path in CATALOGUES
        for statement in tree(path).body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
        for target in statement.targets
        if isinstance(target, ast.Name)
    ]


def test_every_metric_of_the_catalogues_is_set_somewhere() -> None:
    """Operators are told to watch it: one that nothing sets is always well."""
    assert len(declared()) > 50
    used = set()
    for path in production():
        used |= {(name(path), found) for found in re.findall(r"\bmetrics\.(\w+)", text(path))}
    unused = []
    for catalogue, metric in declared():
        folder = "services/" if catalogue.startswith("services/kernel/") else catalogue.rpartition("/")[0]
        if not any(where.startswith(folder) and found == metric for where, found in used):
            unused.append(f"{catalogue}: {metric}")
    assert not unused, "\n".join(unused)
