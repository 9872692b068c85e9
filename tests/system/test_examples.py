"""The examples of docs/examples.md, the README and the page do what they say, by the very words there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from crm_cli.client import Session
from crm_cli.local.stack import StackInfo
from tests.support.npm import node

ROOT = Path(__file__).resolve().parents[2]
PAGE, README = ROOT / "docs/examples.md", ROOT / "README.md"
PAGE_SCRIPT = ROOT / "services/gateway/gateway/edge/description/page/page.js"
_PATIENCE = 120
# What stands for jq where it is not installed: the two questions that the examples ask of an answer.
_JQ = """#!{python}
import json, re, sys
value = json.load(sys.stdin)
for name, index in re.findall(r"\\.([a-zA-Z]+)(?:\\[(\\d+)\\])?", sys.argv[2]):
    value = value[name][int(index)] if index else value[name]
print(value)
"""


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def _environment(stack: StackInfo, folder: Path) -> dict[str, str]:
    programs = folder / "programs"
    programs.mkdir()
    if shutil.which("jq") is None:
        (programs / "jq").write_text(_JQ.format(python=sys.executable))
        (programs / "jq").chmod(0o755)
    return {
        "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "CRM": stack.gateway_url,
        "CA": str(stack.ca_file),
        "LOGIN": stack.admin_login,
        "PASSWORD": stack.admin_password,
        "REQUEST_ID": str(uuid4()),
    }


# Methods whose examples ask for nothing that must be there before.
ON_THE_PAGE = ("CustomerService_ListCustomers", "DirectoryService_ListUsers", "AuthService_GetKeySet")
# What of a browser the page needs to be read; nothing is drawn.
_SNIPPETS = """
const [page, operation] = process.argv.slice(1);
const nothing = { addEventListener() {} };
const browser = { document: { getElementById: () => nothing }, fetch: () => new Promise(() => {}) };
require("node:vm").runInNewContext(require("node:fs").readFileSync(page, "utf-8"), browser);
const told = JSON.parse(operation);
console.log(JSON.stringify([browser.curl(told), browser.grpcurl(told), browser.python(told)]));
"""


def test_what_the_page_says_runs(stack: StackInfo, admin: Session, tmp_path: Path) -> None:
    """As somebody copies it, with $CRM, $CA and $TOKEN set."""
    environment = {**_environment(stack, tmp_path), "TOKEN": admin.account.token()}
    described = admin.account.gateway.json("GET", "/openapi.json").body or {}
    operations = {
        content["operationId"]: {**content, "path": path, "verb": verb}
        for path, verbs in described["paths"].items()
        for verb, content in verbs.items()
    }
    for name in ON_THE_PAGE:
        command = [node(), "-e", _SNIPPETS, str(PAGE_SCRIPT), json.dumps(operations[name])]
        curl, grpcurl, python = json.loads(_ran(command, environment, tmp_path))
        # What is asked for may be empty; that it was answered is all that counts.
        by_json = json.loads(_ran(["bash", "-euc", curl], environment, tmp_path))
        by_grpc = json.loads(_ran(["bash", "-euc", grpcurl], environment, tmp_path))
        assert by_json.keys() == by_grpc.keys()
        _ran([sys.executable, "-c", python], environment, tmp_path)


def _ran(command: list[str], environment: dict[str, str], folder: Path) -> str:
    """What it printed."""
    ran = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    return ran.stdout


def test_every_example_runs_and_answers_what_it_says(stack: StackInfo, tmp_path: Path) -> None:
    environment = _environment(stack, tmp_path)
    script = "set -euo pipefail\n" + "\necho; echo ---\n".join(_blocks(PAGE, "sh"))
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    first, listed, refused, described = (part.strip() for part in ran.stdout.split("---"))
    customer = json.loads(first)
    assert customer["company"]["name"] == "示例商贸有限公司"
    assert customer["id"] in {one["id"] for one in json.loads(listed)["customers"]}
    assert refused == "UNKNOWN_FIELD"
    assert "crm.customer.v1.CustomerService.GetCustomer" in described
    assert f'"id": "{customer["id"]}"' in described

    (python,) = _blocks(PAGE, "python")
    told = subprocess.run(
        [sys.executable, "-c", python], env=environment, capture_output=True, text=True, timeout=_PATIENCE
    )
    assert told.returncode == 0, told.stderr
    assert f"{customer['id']} 示例商贸有限公司" in told.stdout


def test_the_five_minutes_of_the_readme_run_as_they_stand(stack: StackInfo) -> None:
    """On this installation instead of that of `make run`; nothing else is different."""
    start, *walk, tour = _blocks(README, "bash")
    assert "make run" in start
    assert "crm tour" in tour
    # The order is sent twice, as the words beside it ask for; the view is looked at until the event is there.
    [order] = [place for place, block in enumerate(walk) if "orders:batchUpsert" in block]
    [view] = [place for place, block in enumerate(walk) if ":view " in block]
    walk[view] = f"until ({walk[view]}) | grep core >/dev/null; do sleep 0.2; done\n{walk[view]}"
    walk.insert(order, walk[order])
    script = "shopt -s expand_aliases\nset -euo pipefail\n" + "".join(walk)
    here = {
        "https://localhost:8443": stack.gateway_url,
        ".local/main/": f"{stack.folder}/",
        "crm status": f"crm status --stack {stack.name}",
    }
    for told, instead in here.items():
        assert told in script
        script = script.replace(told, instead)
    ran = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    said = re.sub(r"\s", "", ran.stdout)
    for fact in (
        '"login":"admin"',
        '"phones":["138****5678"]',
        '"outcomes":[{"storedId":',
        '"outcomes":[{"unchangedId":',
        '"class":"core"',
        '"scheme":"spend_tier"',
        "rpcGetCustomerView(",
    ):
        assert fact in said, fact
