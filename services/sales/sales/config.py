"""Settings of the sales service beyond the kernel's; the only place that reads the environment."""

from __future__ import annotations

from pathlib import Path

from kernel.ops.settings import Settings


class SalesSettings(Settings):
    # Days after today that an order may still be dated; a later day is taken for a slip of the pen.
    order_days_ahead: int = 366
    # Forms that one address may submit in a minute.
    forms_a_minute: int = 20
    # Days that a form is kept that can be no lead, for somebody to look why.
    refused_forms_days: int = 30
    # The pipeline of opportunities that leads become, and of those created without naming one.
    default_pipeline: str = "six_stage"
    # Years after its end that a contract is kept although its customer was erased.
    contract_kept_years: int = 3
    # The enterprise's name as it stands in contracts (乙方); without it none is signed.
    enterprise_name: str = ""
    # Certificate and key that contracts are signed with, and the folder of the CJK fonts they are set in.
    contract_cert: Path | None = None
    contract_key: Path | None = None
    fonts: Path = Path("/usr/share/fonts/opentype/noto")
