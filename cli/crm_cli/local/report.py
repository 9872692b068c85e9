"""What the user sees while an installation starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

_TAIL = 25  # lines of a log
_ADVICE = "try again; `make reset` forgets all data and begins anew, if that is acceptable"


def make_console() -> Console:
    """Standard output; wide where nobody watches, so that nothing is cut off in a log."""
    console = Console(soft_wrap=True)
    return console if console.is_terminal else Console(soft_wrap=True, width=200)


class StepFailed(Exception):
    """A step of the deployment did not succeed; `log` is where it says why."""

    def __init__(self, step: str, reason: str, advice: str, log: Path | None = None) -> None:
        super().__init__(f"{step}: {reason}")
        self.step, self.reason, self.advice, self.log = step, reason, advice, log


class Report:
    """Prints each step with its time. `quiet` shows failures only."""

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self.console = console
        self.quiet = quiet
        self._started = time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """Yields a function that tells what the step is about now. Any error leaves as StepFailed."""
        began = time.monotonic()
        try:
            if self.quiet or not self.console.is_terminal:
                yield lambda detail: None
            else:
                with self._progress() as progress:
                    task = progress.add_task(title, detail="")
                    yield lambda detail: progress.update(task, detail=detail)
        except StepFailed:
            raise
        except Exception as error:
            raise StepFailed(title, f"{type(error).__name__}: {error}", _ADVICE) from error
        if self.quiet:
            return
        self.console.print(f"[green]✓[/green] {title} [dim]{time.monotonic() - began:.1f} s[/dim]")

    def _progress(self) -> Progress:
        """One line that is gone when the step is done."""
        columns = (
            SpinnerColumn(),
            "{task.description}",
            TimeElapsedColumn(),
            "[dim]{task.fields[detail]}[/dim]",
        )
        return Progress(*columns, console=self.console, transient=True)

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._started

    def failed(self, failure: StepFailed) -> None:
        """Names the step, shows the end of its log and says what to do."""
        self.console.print(f"[red]✗ {failure.step}[/red]: {failure.reason}", highlight=False)
        if failure.log and failure.log.exists():
            self.console.print(f"[dim]the end of {failure.log}:[/dim]", highlight=False)
            for line in tail(failure.log):
                self.console.print(f"  {line}", highlight=False, markup=False)
        self.console.print(f"[yellow]→ {failure.advice}[/yellow]", highlight=False)


def tail(log: Path, lines: int = _TAIL) -> list[str]:
    """The last lines of a log file."""
    with log.open("rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - 64 * 1024))
        return stream.read().decode("utf-8", "replace").splitlines()[-lines:]
