"""Whether the sample company is being loaded, and who signs in there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from crm_cli.local.files import write_private
from crm_cli.local.layout import Layout
from crm_cli.local.stack import DemoLogin


@dataclass(frozen=True)
class SampleState:
    """`loading`: it was begun and is not known to be done."""

    loading: bool = False
    logins: list[DemoLogin] = field(default_factory=list)


def load(layout: Layout) -> SampleState:
    path = layout.folder / "sample.json"
    if not path.exists():
        return SampleState()
    data = json.loads(path.read_text("utf-8"))
    return SampleState(data.get("loading", False), [DemoLogin(**login) for login in data["logins"]])


def save(layout: Layout, state: SampleState) -> None:
    write_private(layout.folder / "sample.json", json.dumps(asdict(state), ensure_ascii=False, indent=1))
