"""How the tour shows itself: a progress bar for each step, a table or JSON at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from crm_cli.client import Refused, TimedOut

# Of many differences the report names so many.
_DIFFERENCES_TOLD = 3
# Plain values that JSON can hold.
Value = str | int | float | Mapping[str, int]


@dataclass(frozen=True)
class Step:
    """What one step did: how many of what, how long, what should have come out and what did."""

    name: str
    count: int
    seconds: float
    expected: Value
    actual: Value
    ok: bool


@dataclass
class Running:
    """A step under way: tick it for progress, then say what came out. It is ok when the two values are
    equal.
    """

    tick: Callable[[int], None]
    count: int = 0
    expected: Value = ""
    actual: Value = ""
    ok: bool = False

    def result(self, count: int, expected: Value, actual: Value, ok: bool | None = None) -> None:
        """`ok` only where equality is not the question (a limit that was kept)."""
        self.count, self.expected, self.actual = count, expected, actual
        self.ok = expected == actual if ok is None else ok


@dataclass
class Report:
    """The steps so far. With `quiet` nothing is drawn until the end."""

    console: Console
    quiet: bool
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Within it, steps show their bars."""
        columns = (
            TextColumn("{task.description:<30}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        )  # fmt: skip
        with Progress(*columns, console=self.console, disable=self.quiet) as progress:
            self._progress = progress
            yield

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Running]:
        """Runs one step; a refusal or a wait without end makes it a failed step, not a traceback."""
        bar = self._progress.add_task(name, total=total)
        running = Running(tick=lambda n: self._progress.advance(bar, n))
        began = time.monotonic()
        try:
            yield running
        except (Refused, TimedOut) as error:
            running.result(running.count, running.expected or "no error", str(error), ok=False)
        self._end(bar, name, running, time.monotonic() - began)

    def _end(self, bar: TaskID, name: str, running: Running, seconds: float) -> None:
        ok = running.ok
        self._progress.update(bar, completed=self._progress.tasks[bar].total if ok else None)
        self._progress.stop_task(bar)
        self.steps.append(Step(name, running.count, round(seconds, 3), running.expected, running.actual, ok))

    @property
    def ok(self) -> bool:
        return bool(self.steps) and all(step.ok for step in self.steps)

    def failed(self) -> bool:
        """Whether a step went wrong so far."""
        return any(not step.ok for step in self.steps)

    def as_json(self) -> str:
        """{"ok", "steps": [{"name", "count", "seconds", "expected", "actual", "ok"}]}"""
        return json.dumps({"ok": self.ok, "steps": [asdict(step) for step in self.steps]}, ensure_ascii=False)

    def as_table(self) -> Table:
        table = Table(title="crm tour", title_justify="left")
        table.add_column("step", no_wrap=True)
        table.add_column("count", justify="right")
        table.add_column("seconds", justify="right")
        table.add_column("checked against known truth")
        for step in self.steps:
            mark = "[green]✓[/]" if step.ok else "[red]✗[/]"
            told = words(step.actual)
            if not step.ok:
                told = f"expected {words(step.expected)}\n     got {told}"
            table.add_row(step.name, f"{step.count:,}", f"{step.seconds:.1f}", f"{mark} {told}")
        return table


def words(value: Value) -> str:
    """A value as people read it: "5 core, 78 important"."""
    if isinstance(value, Mapping):
        return ", ".join(f"{count:,} {name}" for name, count in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


def none_of(wrong: Sequence[str], right: str) -> str:
    """`right` when nothing is wrong, else the first few differences."""
    return "; ".join(wrong[:_DIFFERENCES_TOLD]) or right
