"""The steps of an import made ready while earlier ones are stored: by processes of their own where there is
much to do, since a process computes on one core only; else by a thread."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import cycle
from multiprocessing.connection import Connection
from typing import BinaryIO, cast

from customer.domain.importing.runs import Import, State
from customer.jobs.tuning import tuned_interpreter
from customer.store.files import Files
from customer.usecases.imports.prepare_steps import ALL, Share, Step, prepare_steps
from customer.wiring import CustomerApp
from kernel.pure.clock import today

# So many bytes of a file a thread prepares in the time in which a process starts.
WORTH_A_PROCESS = 1 << 20
# To make a row ready costs about twice of what it costs to store it.
MOST_PROCESSES = 2

# A step, and the bytes of the file read by then.
Ready = tuple[Step, int]


class PreparerFailed(Exception):
    """The process that prepared is gone. What it failed at is told when a thread fails at it, too."""


@contextmanager
def prepared(app: CustomerApp, run: Import, *, processes: int) -> Iterator[Iterator[Ready]]:
    """The steps that are left of an import, made ready one ahead, by as many of so many processes as pay.

    Taking one raises what making it raised, or PreparerFailed.
    """
    ready: queue.Queue[Ready | BaseException | None] = queue.Queue(maxsize=1)
    stopped = threading.Event()
    if run.state is State.RUNNING:
        processes = min(processes, (run.bytes_total - run.bytes_read) // WORTH_A_PROCESS)
    else:
        processes = 0
    steps = _steps_from_processes(app, run, processes, stopped) if processes else steps_of(app, run)

    def hand_over(one: Ready | BaseException | None) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                ready.put(one, timeout=0.1)
                return

    def prepare() -> None:
        try:
            with closing(steps):
                for step in steps:
                    hand_over(step)
                    if stopped.is_set():
                        return
            hand_over(None)
        except BaseException as error:
            hand_over(error)

    thread = threading.Thread(target=prepare, name="prepare")
    thread.start()
    try:
        yield _taken(ready)
    finally:
        stopped.set()
        thread.join()


def steps_of(app: CustomerApp, run: Import, share: Share = ALL) -> Generator[Ready, None, None]:
    """The steps that are left of an import, or a share of them, each made when it is asked for."""
    read = 0

    def progress(so_far: int) -> None:
        nonlocal read
        read = so_far

    importing, options = app.importing, run.options
    files = Files(app.reader, importing.file_sealer)
    with closing(files.records(run.upload_id, options.format, options.encoding, progress)) as records:
        day = today(app.clock)
        for step in prepare_steps(run, records, importing.stager, importing.marks, day, share):
            yield step, read


def _taken(ready: queue.Queue[Ready | BaseException | None]) -> Iterator[Ready]:
    while (one := ready.get()) is not None:
        if isinstance(one, BaseException):
            raise one
        yield one


def _steps_from_processes(
    app: CustomerApp, run: Import, count: int, stopped: threading.Event
) -> Generator[Ready, None, None]:
    """Each process makes its share; what they make is taken from one after the other."""
    with ExitStack() as running:
        receivers = [running.enter_context(_process(app, run, Share(place, count))) for place in range(count)]
        for receiver in cycle(receivers):
            while not receiver.poll(0.1):
                if stopped.is_set():
                    return
            step, read = _received(receiver)
            yield step, read
            if step.at_end:
                return


@contextmanager
def _process(app: CustomerApp, run: Import, share: Share) -> Iterator[Connection]:
    """A process that makes a share of the steps, and the pipe they come through."""
    ours, theirs = os.pipe()
    command = [sys.executable, "-m", __name__, str(theirs)]
    with (
        Connection(ours, writable=False) as receiver,
        subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[theirs]) as process,
    ):
        # From here on the pipe ends when the process does.
        os.close(theirs)
        try:
            with suppress(BrokenPipeError), cast(BinaryIO, process.stdin) as task:
                pickle.dump((app.settings, app.clock, run, share), task)
            yield receiver
        finally:
            process.kill()


def _received(receiver: Connection) -> Ready:
    try:
        ready: Ready = pickle.loads(receiver.recv_bytes())
    except (EOFError, OSError):
        raise PreparerFailed from None
    return ready


def _prepare_apart(task: BinaryIO, sender: Connection) -> None:
    """What the process does, until nobody listens any more."""
    settings, clock, run, share = pickle.load(task)
    app = CustomerApp(settings, clock)
    app.watch_keys()
    with closing(app), tuned_interpreter(), suppress(BrokenPipeError):
        for ready in steps_of(app, run, share):
            sender.send_bytes(pickle.dumps(ready, pickle.HIGHEST_PROTOCOL))


if __name__ == "__main__":
    # The terminal's Ctrl-C is for who started this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # An error's text may quote the file, so that it is not written: it is raised again where it is told.
    sys.excepthook = lambda *_: None
    _prepare_apart(sys.stdin.buffer, Connection(int(sys.argv[1]), readable=False))
