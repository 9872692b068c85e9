"""What a bench found, each figure beside its limit: a table to read and .local/bench.json for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from crm_cli.local.stack import clone_root

FILE = clone_root() / ".local" / "bench.json"
_PART = "_cpu_"
_NUMBERS = ("value", "limit", "ratio")
# Columns of the table, wherever it is printed.
_WIDTH = 120


@dataclass(frozen=True)
class Figure:
    """`limit_value` was measured in the same run on the same machine, and is what `limit_name` says."""

    name: str
    value: float
    unit: str
    limit_name: str = ""
    limit_value: float = 0.0

    @property
    def ratio(self) -> float | None:
        """The value as a share of its limit."""
        return self.value / self.limit_value if self.limit_value else None


def save(figures: Sequence[Figure], file: Path = FILE) -> None:
    """Puts figures in the place of those of the same names; others stay as an earlier run left them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(file.read_text("utf-8")) if file.exists() else []
    rows = {row["name"]: row for row in known}
    rows.update({figure.name: asdict(figure) | {"ratio": figure.ratio} for figure in figures})
    whole = file.with_suffix(".part")
    whole.write_text(json.dumps(list(rows.values()), indent=1) + "\n", "utf-8")
    whole.replace(file)


def show(figures: Sequence[Figure]) -> None:
    """Parts of other figures are left to the file."""
    table = Table(title="Figures and their limits", title_justify="left")
    for column in ("figure", "value", "", "limit", "", "ratio"):
        side: Literal["left", "right"] = "right" if column in _NUMBERS else "left"
        table.add_column(column, justify=side, no_wrap=True)
    for figure in figures:
        if _PART in figure.name:
            continue
        ratio = figure.ratio
        table.add_row(
            figure.name,
            _written(figure.value),
            figure.unit,
            _written(figure.limit_value) if ratio is not None else "",
            figure.limit_name,
            f"{ratio:.3f}" if ratio is not None else "",
        )
    Console(width=_WIDTH).print(table)


def _written(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
