"""The `crm` command."""

from __future__ import annotations

from typing import Annotated

import typer

from crm_cli.local.stack import NoStack

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The CRM on this machine.")

Stack = Annotated[str, typer.Option("--stack", help="Which local installation of this clone.")]


@app.command()
def run(
    stack: Stack = "main",
    sample: Annotated[bool, typer.Option(help="Load the sample company into an empty installation.")] = True,
    only_servers: Annotated[bool, typer.Option("--only-servers", help="No service: for tests.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show failures only.")] = False,
) -> None:
    """Start everything and keep it alive until Ctrl-C."""
    from crm_cli.local.run import run

    raise typer.Exit(run(stack, sample, only_servers, quiet))


@app.command()
def reset(stack: Stack = "main") -> None:
    """Forget an installation that is not running, with all its data."""
    from crm_cli.local.reset import reset

    raise typer.Exit(reset(stack))


def main() -> None:
    """Runs the command; what the user can mend is told in one sentence."""
    try:
        app()
    except NoStack as error:
        raise SystemExit(str(error)) from None
