"""How fast people come in: from the first byte of the file to the last row searchable.

    python -m tests.bench.import_bench [rows …] [--profile] [--kill TIMES]

Takes a service with an empty database for each size, uploads generated people (2 % of them stand
there twice or more), and lets a real jobs process store them, merging who is surely the same. Prints
rows a second, CPU a row of the process and of the database's backends, and the process's memory.
"""

from __future__ import annotations

import argparse
import cProfile
import csv
import io
import pstats
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from customer.domain.importing.mapping import suggest
from customer.domain.importing.runs import State
from customer.jobs.import_customers import import_customers
from customer.usecases.imports.create_upload import append_upload, create_upload
from customer.usecases.imports.start_import import Draft, confirm_import, start_import
from customer.wiring import CustomerApp
from kernel.jobs.job import Running
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from tests.support import servers
from tests.support.people import population
from tests.support.services import service

HEADER = ["客户编号", "姓名", "手机", "邮箱", "出生日期", "身份证号", "省份", "城市", "地址"]
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
def jobs_process(app: CustomerApp) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m customer.jobs` on the databases of `app`."""
    settings = app.settings
    environment = {
        **servers.environment(settings.database_url.get_secret_value(), "amqp://unused.invalid"),
        "CRM_KEYRING_URL": settings.keyring_url.get_secret_value(),
        "CRM_KEK_FILE": str(settings.kek_file),
        "CRM_OPS_ADDRESS": f"127.0.0.1:{servers.free_port()}",
        "CRM_LOG_LEVEL": "warning",
    }
    process = subprocess.Popen([sys.executable, "-m", "customer.jobs"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def cpu_of_backends(app: CustomerApp) -> float:
    """CPU seconds of the database servers' processes that work for `app` now."""
    total = 0.0
    for url in (app.settings.database_url, app.settings.keyring_url):
        import psycopg

        with psycopg.connect(url.get_secret_value()) as connection:
            for (pid,) in connection.execute(
                "select pid from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            ):
                times = psutil.Process(pid).cpu_times()
                total += times.user + times.system
    return total


def bench(rows: int, profile: bool, kills: int) -> None:
    data = people_csv(rows)
    me = Principal(PrincipalKind.USER, str(new_id()), {"customer.customers.import": Scope.ALL})
    with service(CustomerApp) as app, jobs_process(app) as first:
        process = first
        began = time.perf_counter()
        with app.work(me) as work:
            upload = create_upload(work, "people.csv", len(data))
        for offset in range(0, len(data), CHUNK):
            with app.work(me) as work:
                upload = append_upload(work, upload.id, offset, data[offset : offset + CHUNK])
        uploaded = time.perf_counter()
        head = app.importing.files.head(upload, 200)
        columns = suggest(head.names, head.samples, None)
        with app.work(me) as work:
            draft = Draft(upload.id, columns, "erp", "person", None, merge_duplicates=True)
            run = start_import(work, app.importing.files, app.importing.marks, draft)
        if profile:
            process.kill()
            running = Running(app, 1, lambda: False)
            import_customers(running)
            with app.work(me) as work:
                confirm_import(work, run.id)
            profiler = cProfile.Profile()
            profiler.runcall(import_customers, running)
            pstats.Stats(profiler).sort_stats("tottime").print_stats(40)
            return
        until(app, State.TRIAL_DONE)
        tried = time.perf_counter()
        before = (cpu_of(process), cpu_of_backends(app))
        with app.work(me) as work:
            confirm_import(work, run.id)
        until(app, State.DONE)
        ended = time.perf_counter()
        python, backends = cpu_of(process) - before[0], cpu_of_backends(app) - before[1]
        counts = app.reader.rows(
            "select rows_read, rows_created, rows_merged, rows_unchanged, rows_refused from imports"
        )[0]
        peak = psutil.Process(process.pid).memory_info().rss / MIB
        print(
            f"{rows} rows, {len(data) / MIB:.1f} MiB: {rows / (ended - began):.0f} rows/s in all; upload"
            f" {uploaded - began:.2f} s, trial {tried - uploaded:.2f} s, rest {ended - tried:.2f} s;"
            f" CPU a row: process {python / rows * 1e6:.0f} µs, backends {backends / rows * 1e6:.0f} µs;"
            f" memory {peak:.0f} MiB; {counts}"
        )


def cpu_of(process: subprocess.Popen[bytes]) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


def until(app: CustomerApp, state: State) -> None:
    """Waits for the only import to get there."""
    while (row := app.reader.rows("select state, error from imports")[0]).state != state:
        assert row.state not in (State.FAILED, State.CANCELLED), row
        time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", type=int, default=[10_000, 200_000])
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--kill", type=int, default=0)
    arguments = parser.parse_args()
    for rows in arguments.rows:
        bench(rows, arguments.profile, arguments.kill)


if __name__ == "__main__":
    main()
