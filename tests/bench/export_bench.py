"""How fast people go out: from the call that asks for a file to the last byte that can be downloaded.

    python -m tests.bench.export_bench [rows …] [--format csv] [--profile]

Imports generated people into an empty service, then lets a real jobs process write all of them with
every field and downloads the file. Prints rows a second, CPU a row of the process and of the
database's backends, and the most memory the process had. Beside it stands what this machine does in
the same minute when it does nothing but open sealed documents, since it may be shared.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from typing import Any

from customer.domain.exporting.runs import FORMATS, Export
from customer.domain.importing.mapping import suggest
from customer.domain.importing.runs import State
from customer.jobs.export_customers import export_customers
from customer.usecases.exports.decide_export import approve_export
from customer.usecases.exports.start_export import Draft, start_export
from customer.usecases.imports.create_upload import append_upload, create_upload
from customer.usecases.imports.start_import import Draft as ImportDraft
from customer.usecases.imports.start_import import confirm_import, start_import
from customer.wiring import CustomerApp
from kernel.jobs.job import Running
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from tests.bench.import_bench import CHUNK, MIB, Meter, jobs_process, people_csv, until
from tests.support.services import service

_EXPORTER = """
from customer.jobs import export_customers
from customer.wiring import build
from kernel.jobs.worker import main
main(build(), [export_customers.JOB], {})
"""
RIGHTS = ("customers.import", "customers.read", "customers.export", "personal.read")


def person() -> Principal:
    """Somebody who may import and export everybody, in clear."""
    return Principal(PrincipalKind.USER, str(new_id()), {f"customer.{right}": Scope.ALL for right in RIGHTS})


def fill(app: CustomerApp, rows: int, me: Principal) -> None:
    """Imports so many generated people."""
    data = people_csv(rows)
    with jobs_process(app):
        with app.work(me) as work:
            upload = create_upload(work, "people.csv", len(data))
        for offset in range(0, len(data), CHUNK):
            with app.work(me) as work:
                upload = append_upload(work, upload.id, offset, data[offset : offset + CHUNK])
        head = app.importing.files.head(upload, 200)
        columns = suggest(head.names, head.samples, None)
        with app.work(me) as work:
            draft = ImportDraft(upload.id, columns, "erp", "person", None, merge_duplicates=False)
            run = start_import(work, app.importing.files, app.importing.marks, draft)
        until(app, State.TRIAL_DONE)
        with app.work(me) as work:
            confirm_import(work, run.id)
        until(app, State.DONE)


def start(app: CustomerApp, me: Principal, format: str) -> Export:
    """An export of everything, approved."""
    with app.work(me) as work:
        export = start_export(work, Draft("", [], format, "bench of exports", False, "erp", "zh"))
    with app.work(person()) as work:
        return approve_export(work, export.id) if not export.runnable else export


def calibration(app: CustomerApp) -> float:
    """Documents a second that one process opens here and now."""
    subject = new_id()
    sealed = app.sealer.seal(
        "customers", subject, subject, {"full_name": "王小明", "phones": ["+8613800138000"]}
    )
    rows = [(subject, subject, sealed)] * 2000
    began, opened = time.perf_counter(), 0
    while time.perf_counter() - began < 1.0:
        opened += len(app.sealer.open_page("customers", rows))
    return opened / (time.perf_counter() - began)


def bench(app: CustomerApp, rows: int, me: Principal, format: str) -> None:
    with jobs_process(app, _EXPORTER) as process:
        wait_for_worker(app)
        speed = calibration(app)
        meter = Meter(app, process.pid)
        meter.look()
        before = meter.cpu("python"), meter.cpu("backends")
        began = time.perf_counter()
        export = start(app, me, format)
        while (state := state_of(app, export)).state == "running":
            time.sleep(0.02)
        assert state.state == "done", state
        seconds = time.perf_counter() - began
        meter.look()
        python, backends = meter.cpu("python") - before[0], meter.cpu("backends") - before[1]
    began, size = time.perf_counter(), 0
    while size < state.size:
        size += len(app.exporting.read(app.reader, export.id, size, CHUNK))
    print(
        f"{format}: {state.rows_done} rows, {state.size / MIB:.1f} MiB:"
        f" {state.rows_done / seconds:.0f} rows/s;"
        f" CPU a row: process {python / rows * 1e6:.0f} µs, backends {backends / rows * 1e6:.0f} µs;"
        f" memory {max(meter.memory.values()) / MIB:.0f} MiB;"
        f" read back at {size / MIB / (time.perf_counter() - began):.0f} MiB/s;"
        f" this machine opens {speed:.0f} documents/s: {state.rows_done / seconds / speed:.3f} rows each"
    )


def profile(app: CustomerApp, me: Principal, format: str) -> None:
    start(app, me, format)
    profiler = cProfile.Profile()
    profiler.runcall(export_customers, Running(app, 1, lambda: False))
    pstats.Stats(profiler).sort_stats("tottime").print_stats(35)


def state_of(app: CustomerApp, export: Export) -> Any:
    return app.reader.row("select state, error, rows_done, size from exports where id = %s", (export.id,))


def wait_for_worker(app: CustomerApp) -> None:
    """Its start is not what is measured."""
    while not app.reader.rows("select 1 from jobs.procrastinate_workers"):
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", type=int, default=[200_000])
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    for rows in arguments.rows:
        with service(CustomerApp) as app:
            me = person()
            fill(app, rows, me)
            for format in [arguments.format] if arguments.format else FORMATS:
                if arguments.profile:
                    profile(app, me, format)
                else:
                    bench(app, rows, me, format)


if __name__ == "__main__":
    main()
