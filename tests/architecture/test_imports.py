"""The walls of .importlinter stand, and hold at run time too, inside the libraries we don't see into."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.house import KERNEL, ROOT, SERVICES, module, python

# What must be absent from a process once all of its modules are loaded.
FORBIDDEN = {
    "api": ("nameko", "eventlet", "kombu", "kernel.bus"),
    "events": ("grpc", "kernel.rpc"),
    "jobs": ("nameko", "eventlet", "kernel.bus"),
}
# Ids, phone numbers and e-mail addresses have rules that others have written down better; signatures are
# mathematics.
PURE_LIBRARIES = {
    "cryptography",
    "_cffi_backend",
    "_openssl",
    "uuid_utils",
    "phonenumbers",
    "email_validator",
    "idna",
    "opencc",
    "pypinyin",
    "rapidfuzz",
    "chinese_calendar",
}
KERNEL_OF = {"api": "rpc", "events": "bus", "jobs": "jobs"}


def test_imports_keep_to_the_house() -> None:
    """Runs import-linter; its output names the broken contract, the import and the reason."""
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [linter, "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("process", FORBIDDEN)
@pytest.mark.parametrize("service", SERVICES)
def test_a_process_loads_nothing_of_another_process(service: str, process: str) -> None:
    """import-linter stops at our own code; this looks at everything that was loaded in the end."""
    rooms = [SERVICES[service] / process, KERNEL / KERNEL_OF[process]]
    names = [module(path) for folder in rooms for path in python(folder) if path.name != "__main__.py"]
    names += [f"{service}.wiring", f"{service}.config"]
    script = "\n".join(
        [
            "import importlib, sys, warnings",
            "warnings.simplefilter('ignore')",
            # As in the real process: eventlet patches before anything else is imported.
            "import kernel.bus.green" if process == "events" else "",
            f"for name in {sorted(names)!r}: importlib.import_module(name)",
            f"loaded = [name for name in {FORBIDDEN[process]!r} if name in sys.modules]",
            "sys.exit('loaded ' + ', '.join(loaded) if loaded else 0)",
        ]
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CRM_")}
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_the_domain_loads_no_server_and_no_driver(service: str) -> None:
    """Rules are tested in milliseconds; kernel.pure alone may lean on a library, and only on a pure one."""
    names = [module(path) for room in ("domain", "usecases") for path in python(SERVICES[service] / room)]
    allowed = {"kernel", service, *PURE_LIBRARIES}
    script = "\n".join(
        [
            "import importlib, sys",
            "before = set(sys.modules)",
            f"for name in {sorted(names)!r}: importlib.import_module(name)",
            "tops = {name.partition('.')[0] for name in set(sys.modules) - before}",
            "strays = ('_sysconfigdata', '_cython', 'cython_runtime')  # what loading brings by itself",
            "tops = {name for name in tops if not name.startswith(strays)}",
            f"strange = sorted(tops - set(sys.stdlib_module_names) - {allowed!r})",
            "strange += [name for name in sys.modules if name.startswith('kernel.')",
            "            and not name.startswith('kernel.pure')]",
            "sys.exit('loaded ' + ', '.join(strange) if strange else 0)",
        ]
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
