"""`crm run`: starts an installation and keeps it alive until it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import threading
from types import FrameType

from rich.table import Table

from crm_cli.local import deploy, sample_state
from crm_cli.local.installation import AlreadyRunning, Installation
from crm_cli.local.layout import Layout
from crm_cli.local.report import Report, StepFailed, make_console
from crm_cli.local.sample_state import SampleState
from crm_cli.local.stack import DemoLogin, StackInfo


class _Stopped(BaseException):
    """SIGINT or SIGTERM arrived."""


def run(name: str, with_sample: bool, only_servers: bool, quiet: bool) -> int:
    """Runs the installation `name` until a signal; answers the exit code."""
    console = make_console()
    report = Report(console, quiet)
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    try:
        installation = Installation(Layout.of(name))
    except AlreadyRunning as error:
        console.print(f"[yellow]{error}[/yellow]; `crm status` shows it")
        return 1
    code = 0
    try:
        _start(installation, report, with_sample, only_servers)
        threading.Event().wait()
    except _Stopped:
        _ignore_signals()
        if not quiet:
            console.print("\nstopping …")
    except StepFailed as failure:
        _ignore_signals()
        report.failed(failure)
        code = 1
    finally:
        _ignore_signals()
        installation.close()
    if not quiet and code == 0:
        console.print("stopped; the data stays. `make run` goes on, `make reset` forgets it.")
    return code


def _start(installation: Installation, report: Report, with_sample: bool, only_servers: bool) -> None:
    deploy.start_servers(installation, report)
    deploy.prepare(installation, report)
    if only_servers:
        deploy.await_servers(installation, report)
        installation.publish(phase="servers")
        return
    deploy.deploy(installation, report)
    _load_sample(installation, report, with_sample)
    if not report.quiet:
        _welcome(report, installation.info)


def _load_sample(installation: Installation, report: Report, wanted: bool) -> None:
    """The sample company is for empty databases, and finished when loading it was interrupted."""
    if not wanted:
        return
    layout = installation.layout
    with report.step("Sample company"):
        try:
            # Here, because it brings gRPC, which `--only-servers` does not need.
            from crm_cli import sample

            if not sample_state.load(layout).loading and not sample.wanted(installation.info):
                return
            sample_state.save(layout, SampleState(loading=True))
            logins = sample.load(installation.info)
        except Exception as error:
            advice = "`make run` tries again; `crm reset` and `crm run --no-sample` do without it"
            raise StepFailed("sample company", f"{type(error).__name__}: {error}", advice) from error
    sample_state.save(layout, SampleState(logins=logins))
    installation.publish(logins=logins)


def _welcome(report: Report, info: StackInfo) -> None:
    """Where it is, who may come in, and what to try."""
    table = Table(title="Demo logins", title_justify="left", box=None, pad_edge=False)
    for column in ("role", "name", "login", "password"):
        table.add_column(column, overflow="fold")
    for login in info.logins or [DemoLogin("admin", info.admin_login, info.admin_password)]:
        table.add_row(login.role, login.name, login.login, login.password)
    console = report.console
    console.print(
        f"\n[bold green]Ready[/bold green] after {report.elapsed():.0f} s.  Gateway {info.gateway_url}"
    )
    console.print(f"certificate authority {info.ca_file}\nlogs {info.folder}/logs\n", highlight=False)
    console.print(table)
    option = "" if info.name == "main" else f" --stack {info.name}"
    body = json.dumps({"login": info.admin_login, "password": info.admin_password})
    console.print(
        "\nTry, in another terminal:\n"
        f"  .venv/bin/crm status{option}\n"
        f"  .venv/bin/crm tour{option}\n"
        f"  curl --cacert {os.path.relpath(info.ca_file)} {info.gateway_url}/v1/auth:login --json '{body}'\n"
        "Ctrl-C stops everything.",
        highlight=False,
        markup=False,
    )


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stopped


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
