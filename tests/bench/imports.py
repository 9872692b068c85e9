"""Bringing people in: rows a second from the first byte sent to the last row stored, and memory."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from crm_cli.client import Gateway
from tests.bench.figures import Figure
from tests.bench.filling import import_file
from tests.bench.import_bench import people_csv
from tests.support.memory import MIB, peak, peaks
from tests.support.stack import private_stack


@dataclass(frozen=True)
class Round:
    """Rows a second of the import and of a bare COPY; MiB of the largest process at rest and at work."""

    rate: float
    copied: float
    idle: float
    memory: float


def bench(sizes: Sequence[int], rounds: int) -> list[Figure]:
    """An installation of its own for every round, so that nobody is known before; sizes alternate, so that
    they have the same of whatever else the machine does. Medians, and the most memory of all rounds."""
    contents = {size: people_csv(size) for size in sizes}
    seen: dict[int, list[Round]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size, content in contents.items():
            seen[size].append(_round(content))
    figures = [figure for size in sizes for figure in _figures(size, seen[size])]
    if len(sizes) > 1:
        small, large = sizes[0], sizes[-1]
        figures.append(
            Figure(
                f"{_name(large)}_a_row",
                1e6 / median(one.rate for one in seen[large]),
                "µs",
                f"{_name(small)}_a_row",
                1e6 / median(one.rate for one in seen[small]),
            )
        )
    return figures


def _round(content: bytes) -> Round:
    with private_stack("bench-import") as info:
        admin = Gateway(info.gateway_url, Path(info.ca_file)).password_account(
            info.admin_login, info.admin_password
        )
        copied = _copied(info.service("customer").database_owner_url, content)
        pid = info.process("customer.jobs").pid or 0
        idle = peak(pid) / MIB
        with peaks([pid]) as most:
            filled = import_file(admin.session(), content, "bench")
        return Round(filled.done.rows_read / filled.seconds, copied, idle, max(most.values()) / MIB)


def _figures(size: int, rounds: Sequence[Round]) -> list[Figure]:
    name = _name(size)
    rate, copied = median(one.rate for one in rounds), median(one.copied for one in rounds)
    memory, idle = max(one.memory for one in rounds), max(one.idle for one in rounds)
    return [
        Figure(name, rate, "rows/s", "copy", copied),
        Figure(f"{name}_memory", memory, "MiB", "idle", idle),
    ]


def _name(size: int) -> str:
    return f"import_{size // 1000}k"


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
