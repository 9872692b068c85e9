"""How fast people come in: from the first byte of the file to the last row searchable.

    python -m tests.bench.import_bench [rows …]

Takes a service with an empty database for each size, uploads generated people (2 % of them stand
there twice or more), and lets a real jobs process store them, merging who is surely the same. Prints
rows a second, CPU a row of the processes and of the database's backends, and the processes' memory.
What else the machine does shows in a fixed piece of work, timed before and after.
"""

from __future__ import annotations

import argparse
import csv
import io
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from customer.domain.importing.mapping import suggest
from customer.domain.importing.runs import State
from customer.store.queries_of_imports import open_head
from customer.usecases.imports.create_upload import append_upload, create_upload
from customer.usecases.imports.start_import import Draft, confirm_import, start_import
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from tests.support import servers
from tests.support.people import population
from tests.support.services import service

_IMPORTER = """
from customer.jobs import read_heads
from customer.jobs.import_customers import import_customers
from customer.usecases.ports import IMPORT
from customer.wiring import build
from kernel.jobs.job import Job
from kernel.jobs.worker import main
main(build(), [Job(IMPORT, import_customers, every="* * * * *"), read_heads.JOB], {})
"""
HEADER = ["客户编号", "姓名", "手机", "邮箱", "出生日期", "身份证号", "省份", "城市", "地址"]
RIGHTS = [f"customer.customers.{verb}" for verb in ("import", "read", "merge")]
CHUNK = 1 << 20
MIB = 1 << 20


def people_csv(rows: int) -> bytes:
    """About so many people with 2 % duplicates, as a file."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for person in population(2000, round(rows / 1.0228), 0.02).records[:rows]:
        writer.writerow(
            [
                person.id, person.full_name, " / ".join(person.phones), ";".join(person.emails),
                person.birth_date,
                person.id_number, person.province, person.city, person.street_address,
            ]
        )  # fmt: skip
    return text.getvalue().encode()


@contextmanager
def jobs_process(app: CustomerApp, program: str = _IMPORTER) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m customer.jobs` on the databases of `app`, without what needs other services."""
    settings = app.settings
    environment = {
        **servers.environment(settings.database_url.get_secret_value(), "amqp://unused.invalid"),
        "CRM_KEYRING_URL": settings.keyring_url.get_secret_value(),
        "CRM_KEK_FILE": str(settings.kek_file),
        "CRM_OPS_ADDRESS": f"127.0.0.1:{servers.free_port()}",
        "CRM_LOG_LEVEL": "warning",
    }
    process = subprocess.Popen([sys.executable, "-c", program], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Meter:
    """CPU seconds and peak memory of a jobs process, of what it starts, and of the database's backends
    that work for it; looked at again and again, since some of them end before it does."""

    def __init__(self, app: CustomerApp, pid: int) -> None:
        self._urls = (app.settings.database_url, app.settings.keyring_url)
        self._jobs = psutil.Process(pid)
        self._cpu: dict[tuple[str, int], float] = {}
        self.memory: dict[int, int] = {}

    def look(self) -> None:
        for process in (self._jobs, *self._jobs.children()):
            self._note("python", process)
        for url in self._urls:
            with psycopg.connect(url.get_secret_value()) as connection:
                for (pid,) in connection.execute(_BACKENDS):
                    self._note("backends", psutil.Process(pid))

    def cpu(self, kind: str) -> float:
        return sum(seconds for (of, _), seconds in self._cpu.items() if of == kind)

    def _note(self, kind: str, process: psutil.Process) -> None:
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ValueError):
            times = process.cpu_times()
            self._cpu[kind, process.pid] = times.user + times.system
            if kind == "python":
                self.memory[process.pid] = peak_memory(process.pid)


def peak_memory(pid: int) -> int:
    """Bytes, since the process began its program."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmHWM" in line]
    return int(line.split()[1]) * 1024


_BACKENDS = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"


def calibration() -> str:
    """A fixed piece of work: the CPU seconds it takes tell how fast a core is now, the seconds that pass
    what others leave of it."""
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(20):
        sum(range(1_000_000))
    return f"{time.process_time() - cpu:.2f} of {time.perf_counter() - began:.2f} s"


def bench(rows: int) -> None:
    data = people_csv(rows)
    me = Principal(PrincipalKind.USER, str(new_id()), dict.fromkeys(RIGHTS, Scope.ALL))
    before = calibration()
    with service(CustomerApp) as app, jobs_process(app) as jobs:
        began = time.perf_counter()
        with app.work(me) as work:
            upload = create_upload(work, "people.csv", len(data))
        for offset in range(0, len(data), CHUNK):
            with app.work(me) as work:
                upload = append_upload(work, upload.id, offset, data[offset : offset + CHUNK])
        uploaded = time.perf_counter()
        while not app.reader.rows("select 1 as one from upload_heads"):
            time.sleep(0.01)
        read = time.perf_counter()
        head = open_head(app.reader, app.importing.file_sealer, upload.id)
        columns = suggest(head.names, head.samples, None)
        with app.work(me) as work:
            draft = Draft(upload.id, columns, "erp", "person", None, merge_duplicates=True)
            run = start_import(work, app.importing.marks, draft)
        until(app, State.TRIAL_DONE)
        tried = time.perf_counter()
        meter = Meter(app, jobs.pid)
        meter.look()
        at_first = meter.cpu("python"), meter.cpu("backends")
        with app.work(me) as work:
            confirm_import(work, run.id)
        until(app, State.DONE, meter)
        ended = time.perf_counter()
        python, backends = meter.cpu("python") - at_first[0], meter.cpu("backends") - at_first[1]
        [counts] = app.reader.rows(
            "select rows_created, rows_merged, rows_unchanged, rows_refused from imports"
        )
        memory = " and ".join(f"{size / MIB:.0f}" for size in meter.memory.values())
        print(
            f"{rows} rows, {len(data) / MIB:.1f} MiB: {rows / (ended - began):.0f} rows/s in all; upload"
            f" {uploaded - began:.2f} s, read {read - uploaded:.2f} s, trial {tried - read:.2f} s,"
            f" rest {ended - tried:.2f} s;"
            f" CPU a row: Python {python / rows * 1e6:.0f} µs, backends {backends / rows * 1e6:.0f} µs;"
            f" memory {memory} MiB; calibration {before} and {calibration()}; {counts}",
            flush=True,
        )


def until(app: CustomerApp, state: State, meter: Meter | None = None) -> None:
    """Waits for the only import to get there."""
    looks = 0
    while (row := app.reader.rows("select state, error from imports")[0]).state != state:
        assert row.state not in (State.FAILED, State.CANCELLED), row
        if meter and looks % 10 == 0:
            meter.look()
        looks += 1
        time.sleep(0.02)
    if meter:
        meter.look()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", type=int, default=[10_000, 200_000])
    for rows in parser.parse_args().rows:
        bench(rows)


if __name__ == "__main__":
    main()
