"""python -m tests.faults [--only F1,F7] [--seed N] [--scale 0.1] [--controls NAMES]: does harm to a running
installation and checks that it kept every promise; then takes protections away and checks that it is noticed.

Prints the seeds, writes .local/faults.json, and ends with 1 unless every scenario held and every control was
detected. A scenario runs with a seed by chance and with those of seeds.json, which failed once.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from crm_cli.local.stack import clone_root
from tests.faults import campaigns, controls, erasures, kills, poison, replays, rolling
from tests.faults.controls import CONTROLS, Control
from tests.faults.scenario import Result, Scale, Scenario
from tests.faults.world import World, world

SCENARIOS: dict[str, Scenario] = {
    "F7": replays.run,
    "F5": poison.run,
    "F6": rolling.run,
    "F1": kills.run,
    "F9": erasures.run,
    "F10": campaigns.run,
}
_SEEDS = Path(__file__).with_name("seeds.json")


def main(arguments: list[str]) -> int:
    asked = _read(arguments)
    names = asked.only.split(",") if asked.only else list(SCENARIOS)
    began = time.monotonic()
    with world() as there:
        results = [_run(there, name, seed, Scale(asked.scale)) for name, seed in _runs(names, asked.seed)]
        noticed = {one.name: _control(there, one, asked.seed) for one in _controls(asked)}
    ok = all(one.ok for one in results) and all(noticed.values())
    report = {
        "ok": ok,
        "scenarios": [one.as_json() for one in results],
        "controls": [{"name": name, "detected": seen} for name, seen in noticed.items()],
    }
    path = Path(clone_root(), ".local", "faults.json")
    path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    verdict = "All promises kept" if ok else "PROMISES BROKEN"
    print(f"{verdict} after {time.monotonic() - began:.0f} s; {path.relative_to(clone_root())}")
    return 0 if ok else 1


def _runs(names: list[str], seed: int) -> Iterator[tuple[str, int]]:
    """Every scenario with the seed of this run, and with those that failed once."""
    fixed: dict[str, list[int]] = json.loads(_SEEDS.read_text("utf-8"))
    for name in names:
        for one in dict.fromkeys([seed, *fixed.get(name, [])]):
            yield name, one


def _run(there: World, name: str, seed: int, scale: Scale) -> Result:
    result = Result(name, seed)
    print(f"{name} seed {seed} …", flush=True)
    took = _caught(lambda: SCENARIOS[name](there, Random(f"{name} {seed}"), scale, result), result)
    result.figures["seconds"] = round(took, 1)
    print(
        f"{name} seed {seed}: {result.commands} commands, {result.kills} kills, {result.lost} lost,"
        f" {result.duplicated} twice, {took:.0f} s {'ok' if result.ok else 'BROKEN'}  {result.figures}"
    )
    for sentence in result.wrong:
        print(f"   {sentence}", flush=True)
    return result


def _caught(work: Callable[[], None], result: Result) -> float:
    """Seconds it took; what it raised is something wrong, and the others go on."""
    began = time.monotonic()
    try:
        work()
    except Exception as error:
        traceback.print_exc()
        result.wrong.append(f"{type(error).__name__}: {error}")
    return time.monotonic() - began


def _controls(asked: argparse.Namespace) -> Iterator[Control]:
    for one in CONTROLS:
        if asked.controls is None or one.name in asked.controls.split(","):
            yield one


def _control(there: World, control: Control, seed: int) -> bool:
    """Whether the law was found broken that the control's protection upholds, not any other."""
    results: list[Result] = []
    took = _caught(lambda: results.append(controls.run(there, control, seed)), Result(control.name, seed))
    noticed = any(control.law in one.broken for one in results)
    print(f"{control.name}: {'detected' if noticed else 'NOT DETECTED'}, {took:.0f} s", flush=True)
    for sentence in (sentence for one in results for sentence in one.wrong):
        print(f"   {sentence}", flush=True)
    return noticed


def _read(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faults")
    parser.add_argument("--only", default="", help="scenarios, as F1,F7")
    parser.add_argument("--controls", help="negative controls by name; all when not given, none when empty")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--scale", type=float, default=1.0, help="share of the promised size")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
