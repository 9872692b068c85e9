"""`bootstrap`: the first administrator of a new installation."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from gateway.usecases.create_user import create_first_user
from gateway.wiring import GatewayApp
from kernel.pure.errors import CrmError
from kernel.pure.grants import Principal


def bootstrap(app: GatewayApp, arguments: Sequence[str]) -> str:
    """Makes the first user when there is none; answers what was done, for the one who asked.

    `arguments` are those after "bootstrap". Ends the process when they are wrong or refused.
    """
    parser = argparse.ArgumentParser(prog="python -m gateway.jobs bootstrap")
    parser.add_argument("--login", required=True)
    parser.add_argument("--password-file", required=True, type=Path, help="its first line is the password")
    chosen = parser.parse_args(arguments)
    password = chosen.password_file.read_text("utf-8").split("\n", 1)[0].rstrip("\r")
    try:
        with app.work(Principal.service(app.service)) as work:
            user = create_first_user(work, app.passwords, chosen.login, password)
    except CrmError as error:
        raise SystemExit(f"{error.reason}: {error}") from error
    return f"created {chosen.login}" if user else "there are users already: nothing to do"
