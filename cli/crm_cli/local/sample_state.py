"""Whether the sample company is wanted, being loaded, or there; decided once for an installation."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from crm_cli.local.files import write_private
from crm_cli.local.layout import Layout
from crm_cli.local.stack import DemoLogin


@dataclass(frozen=True)
class SampleState:
    """`state` is undecided, declined, loading or loaded."""

    state: str = "undecided"
    logins: list[DemoLogin] = field(default_factory=list)


def load(layout: Layout) -> SampleState:
    path = layout.folder / "sample.json"
    if not path.exists():
        return SampleState()
    data = json.loads(path.read_text("utf-8"))
    return SampleState(data["state"], [DemoLogin(**login) for login in data["logins"]])


def save(layout: Layout, state: SampleState) -> None:
    write_private(layout.folder / "sample.json", json.dumps(asdict(state), ensure_ascii=False, indent=1))
