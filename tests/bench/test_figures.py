"""Figures are kept by name, beside their limits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.__main__ import FULL, GROUPS
from tests.bench.figures import Figure, save
from tests.bench.imports import Round, _figures


def test_a_figure_is_a_share_of_its_limit() -> None:
    assert Figure("read_one_8", 30.0, "calls/s", "echo_8", 100.0).ratio == pytest.approx(0.3)
    assert Figure("export_200k_memory", 30.0, "MiB").ratio is None


def test_figures_of_other_groups_stay_and_the_same_are_replaced(tmp_path: Path) -> None:
    file = tmp_path / "new" / "bench.json"
    save([Figure("a", 1.0, "ms"), Figure("b", 2.0, "ms", "limit", 4.0)], file)
    save([Figure("b", 3.0, "ms", "limit", 4.0), Figure("c", 5.0, "ms")], file)
    rows = json.loads(file.read_text("utf-8"))
    assert [(row["name"], row["value"], row["ratio"]) for row in rows] == [
        ("a", 1.0, None),
        ("b", 3.0, 0.75),
        ("c", 5.0, None),
    ]
    assert set(rows[1]) == {"name", "value", "unit", "limit_name", "limit_value", "ratio"}


def test_the_median_of_the_rounds_counts_and_the_most_memory() -> None:
    rounds = [
        Round(100.0, 1000.0, 50.0, 80.0),
        Round(300.0, 2000.0, 60.0, 70.0),
        Round(200.0, 3000.0, 55.0, 75.0),
    ]
    rate, memory = _figures(200_000, rounds)
    assert (rate.name, rate.value, rate.limit_value) == ("import_200k", 200.0, 2000.0)
    assert (memory.name, memory.value, memory.limit_value) == ("import_200k_memory", 80.0, 60.0)


def test_every_group_is_there() -> None:
    assert GROUPS == ("import", "export", "lag", "calls", "tiers")
    assert (FULL.import_sizes, FULL.export_size, FULL.rounds) == ((10_000, 200_000), 200_000, 5)
