"""Bringing people in: rows a second from the first byte sent to the last row stored, and memory."""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from crm_cli.client import Gateway
from tests.bench.figures import Figure
from tests.bench.filling import import_file
from tests.bench.import_bench import people_csv
from tests.support.stack import private_stack


def bench(sizes: Sequence[int]) -> list[Figure]:
    """One installation for all sizes: each comes upon those before it. The limit is a bare COPY."""
    figures = []
    with private_stack("bench-import") as info:
        admin = Gateway(info.gateway_url, Path(info.ca_file)).password_account(
            info.admin_login, info.admin_password
        )
        session = admin.session()
        for size in sizes:
            name = f"import_{size // 1000}k"
            content = people_csv(size)
            copied = _copied(info.service("customer").database_owner_url, content)
            jobs = psutil.Process(info.process("customer.jobs").pid)
            before = _memory(jobs)
            with _peak(jobs) as peak:
                filled = import_file(session, content, name)
            rate = filled.done.rows_read / filled.seconds
            figures += [
                Figure(name, rate, "rows/s", "copy", copied),
                Figure(f"{name}_memory", peak.mib, "MiB", "idle", before),
            ]
    return figures


def _copied(url: str, content: bytes) -> float:
    """Rows a second of the same file, as text into a table with a primary key and nothing else."""
    rows = list(csv.reader(io.StringIO(content.decode())))[1:]
    with psycopg.connect(url) as database, database.cursor() as cursor:
        columns = ", ".join(f"c{n} text" for n in range(len(rows[0]) - 1))
        cursor.execute(f"create table app.bench_copy (id text primary key, {columns})".encode())
        began = time.perf_counter()
        with cursor.copy("copy app.bench_copy from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        took = time.perf_counter() - began
        database.rollback()
    return len(rows) / took


class _Peak:
    mib = 0.0


@contextmanager
def _peak(process: psutil.Process) -> Iterator[_Peak]:
    """The most memory that a process and its children have together inside, looked at ten times a second."""
    peak, ended = _Peak(), threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            peak.mib = max(peak.mib, _memory(process))

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield peak
    finally:
        ended.set()
        watching.join()


def _memory(process: psutil.Process) -> float:
    """MiB of a process and its children; what they share is counted for each."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += one.memory_info().rss
    return total / (1 << 20)
