"""python -m tests.faults [--only F1,F7] [--seed N] [--scale 0.1]: does harm to a running installation and
checks that it kept every promise.

Prints the seeds, writes .local/faults.json, and ends with 1 unless every scenario held.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from pathlib import Path
from random import Random

from crm_cli.local.stack import clone_root
from tests.faults import kills, replays
from tests.faults.scenario import Result, Scale, Scenario
from tests.faults.world import World, world

SCENARIOS: dict[str, Scenario] = {"F1": kills.run, "F7": replays.run}


def main(arguments: list[str]) -> int:
    asked = _read(arguments)
    names = asked.only.split(",") if asked.only else list(SCENARIOS)
    with world() as there:
        results = [_run(there, name, asked.seed, Scale(asked.scale)) for name in names]
    report = {"ok": all(one.ok for one in results), "scenarios": [one.as_json() for one in results]}
    path = Path(clone_root(), ".local", "faults.json")
    path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(f"{'All promises kept' if report['ok'] else 'PROMISES BROKEN'}; {path.relative_to(clone_root())}")
    return 0 if report["ok"] else 1


def _run(there: World, name: str, seed: int, scale: Scale) -> Result:
    result = Result(name, seed)
    there.settle()
    began = time.monotonic()
    SCENARIOS[name](there, Random(f"{name} {seed}"), scale, result)
    result.figures["seconds"] = round(time.monotonic() - began, 1)
    print(
        f"{name} seed {seed}: {result.commands} commands, {result.kills} kills, {result.lost} lost,"
        f" {result.duplicated} twice, {result.figures['seconds']} s {'ok' if result.ok else 'BROKEN'}"
    )
    for sentence in result.wrong:
        print(f"   {sentence}")
    return result


def _read(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faults")
    parser.add_argument("--only", default="", help="scenarios, as F1,F7")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--scale", type=float, default=1.0, help="share of the promised size")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
