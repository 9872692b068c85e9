"""`crm tour`: the main job, done by a real client of a running installation, through its gateway only.

The customers and orders of CDNOW_sample.txt come in as from an ERP: once, a second time, and shuffled
with stale versions in between. Each time every customer's 360° view must say what an independent
computation says. Then it is measured how fast an order shows, and tried who is refused what. A file is
imported and its duplicates are merged. At last customers live their lives: leads that become a contract, a
complaint by mail, a campaign to those who agreed, an erasure with its certificate. It can be run again on the
same installation.

A customer's own mail program takes part: it sends to the installation's mail server and reads the mailbox.
"""

from __future__ import annotations

from rich.console import Console

from crm_cli.local.stack import NoStack, StackInfo
from crm_cli.tour.report import Report
from crm_cli.tour.steps import Tour


def run(stack: StackInfo, certificate_key: str | None, json_output: bool) -> int:
    """Takes the tour; prints the table, or one JSON object; returns 0 when all was as it must be, else 1.

    `certificate_key` is the one that certificates of erasure must be signed with, in hexadecimal; None when
    nobody wrote it down.

    Raises NoStack when the installation was stopped.
    """
    if stack.phase == "stopped":
        raise NoStack(f"the installation {stack.name!r} is not running; `make run` starts it")
    console = Console()
    report = Report(console, quiet=json_output)
    with report.drawing():
        Tour(stack, certificate_key, report).run()
    if json_output:
        print(report.as_json())
    else:
        console.print(report.as_table())
    return 0 if report.ok else 1
