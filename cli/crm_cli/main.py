"""The `crm` command."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from crm_cli.local.stack import NoStack, StackInfo

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    # Local variables in a traceback would show passwords.
    pretty_exceptions_show_locals=False,
    help="The CRM on this machine.",
)

dlq = typer.Typer(no_args_is_help=True, help="Dead letters: events that no handler could apply.")
app.add_typer(dlq, name="dlq")
audit = typer.Typer(no_args_is_help=True, help="Audit rows: whether they are what was signed.")
app.add_typer(audit, name="audit")
certificate = typer.Typer(no_args_is_help=True, help="Certificates of erasures.")
app.add_typer(certificate, name="certificate")

erasures = typer.Typer(no_args_is_help=True, help="Erasures of persons.")
app.add_typer(erasures, name="erasures")

Stack = Annotated[str, typer.Option("--stack", help="Which local installation of this clone.")]
Queue = Annotated[str | None, typer.Option("--queue", help="Of this work queue only.")]
PublicKey = Annotated[
    str | None, typer.Option("--public-key", help="The key that must have signed, in hexadecimal.")
]
Ids = Annotated[list[str] | None, typer.Argument(help="Message ids, as the list shows them.")]
Every = Annotated[bool, typer.Option("--all", help="All of them.")]


@app.command()
def run(
    stack: Stack = "main",
    sample: Annotated[bool, typer.Option(help="Load the sample company into an empty installation.")] = True,
    only_servers: Annotated[bool, typer.Option("--only-servers", help="No service: for tests.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show failures only.")] = False,
) -> None:
    """Start everything and keep it alive until Ctrl-C.

    Servers of your own are used when the environment names them: CRM_POSTGRES_URL and
    CRM_KEYRING_POSTGRES_URL (superusers' URLs of two clusters), CRM_RABBITMQ_URL (a user who may do
    everything in its virtual host), CRM_REDIS_URL. The others are started privately.
    """
    from crm_cli.local.run import run

    raise typer.Exit(run(stack, sample, only_servers, quiet))


@app.command()
def reset(stack: Stack = "main") -> None:
    """Forget an installation that is not running, with all its data."""
    from crm_cli.local.reset import reset

    raise typer.Exit(reset(stack))


@app.command()
def status(
    stack: Stack = "main",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until all is well, or the timeout.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds --wait waits at most.")] = 120,
) -> None:
    """Show every process, database and queue; the exit code is 0 when all is well."""
    from crm_cli.local.status import status

    raise typer.Exit(status(stack, as_json, timeout if wait else 0))


@app.command()
def tour(
    stack: Stack = "main",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Walk through what a running installation can do, and check it."""
    from crm_cli.local.signing_keys import CERTIFICATES, pinned
    from crm_cli.tour import run

    raise typer.Exit(run(StackInfo.load(stack), pinned(stack).get(CERTIFICATES), as_json))


@dlq.command("list")
def dlq_list(
    stack: Stack = "main",
    queue: Queue = None,
    limit: Annotated[int, typer.Option(help="At most so many of each queue.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show dead letters, the oldest first; their bodies are not shown."""
    from crm_cli import dead_letters

    letters = dead_letters.list_dead(StackInfo.load(stack), queue, limit)
    if as_json:
        print(json.dumps([asdict(letter) for letter in letters], indent=1, ensure_ascii=False))
    else:
        dead_letters.show(letters)


@dlq.command("replay")
def dlq_replay(ids: Ids = None, stack: Stack = "main", queue: Queue = None, every: Every = False) -> None:
    """Give dead letters back to their handlers, once what killed them is mended."""
    from crm_cli import dead_letters

    _demand_choice(ids, every)
    print(f"replayed {dead_letters.replay(StackInfo.load(stack), queue, ids or [])}")


@dlq.command("discard")
def dlq_discard(
    reason: Annotated[str, typer.Option(help="Why; it stands in the log.")],
    ids: Ids = None,
    stack: Stack = "main",
    queue: Queue = None,
    every: Every = False,
) -> None:
    """Throw dead letters away."""
    from crm_cli import dead_letters

    _demand_choice(ids, every)
    print(f"discarded {dead_letters.discard(StackInfo.load(stack), queue, ids or [], reason)}")


@audit.command("verify")
def audit_verify(
    file: Annotated[Path | None, typer.Argument(help="An exported chain, to be checked offline.")] = None,
    stack: Stack = "main",
    public_key: PublicKey = None,
) -> None:
    """Walk the chain of every service, or an exported one.

    The exit code is 0 when all are whole and signed by the installation's keys (an installation here, or
    --public-key), 1 when one is not, 3 when nobody vouches for the key.
    """
    from crm_cli import audit
    from crm_cli.local.signing_keys import pinned

    if file is not None:
        raise typer.Exit(audit.verify_file(file, public_key, pinned(stack)))
    raise typer.Exit(audit.verify(StackInfo.load(stack), pinned(stack)))


@audit.command("export")
def audit_export(service: str, file: Path, stack: Stack = "main") -> None:
    """Write a service's chain with its checkpoints to a file, to be checked elsewhere."""
    from crm_cli import audit

    print(f"{audit.export(StackInfo.load(stack), service, file)} rows of {service}")


@certificate.command("verify")
def certificate_verify(file: Path, stack: Stack = "main", public_key: PublicKey = None) -> None:
    """Check the signature of a certificate offline.

    The exit code is 0 when the installation's key signed it (of an installation here, or --public-key), 1
    when it did not, 2 when it is no certificate, 3 when the signature holds and nobody vouches for the key.
    """
    from crm_cli import certificates_of_erasure
    from crm_cli.local.signing_keys import CERTIFICATES, pinned

    key = public_key or pinned(stack).get(CERTIFICATES)
    raise typer.Exit(certificates_of_erasure.verify(file, key))


@erasures.command("reapply")
def erasures_reapply(
    since: Annotated[str, typer.Option(help="When the backup was made: 2026-06-30T02:00+08:00.")],
    stack: Stack = "main",
    timeout: Annotated[float, typer.Option(help="Seconds to wait until all are closed again.")] = 600,
) -> None:
    """After a restore: erase again what was erased since the backup was made.

    The exit code is 0 when every service found nothing left, 1 when some have not answered in time: they
    are told again until they do.
    """
    from crm_cli import erasures

    raise typer.Exit(erasures.reapply(StackInfo.load(stack), _instant(since), timeout))


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("name an instant as 2026-06-30T02:00+08:00") from None
    if at.tzinfo is None:
        raise typer.BadParameter("name its zone, as in 2026-06-30T02:00+08:00")
    return at


def _demand_choice(ids: list[str] | None, every: bool) -> None:
    if bool(ids) == every:
        raise typer.BadParameter("name message ids, or say --all")


def main() -> None:
    """Runs the command; what the user can mend is told in one sentence."""
    try:
        app()
    except NoStack as error:
        raise SystemExit(str(error)) from None
