"""docs/conformance.md tells the truth about what is done."""

from __future__ import annotations

from docs import generate_conformance
from tests.architecture.house import ROOT, text

LETTERS = {"customer": "C", "sales": "S", "ticketing": "T", "marketing": "M", "privacy": "P", "platform": "X"}


def test_the_page_is_what_the_generator_writes() -> None:
    wanted = generate_conformance.page()
    assert text(ROOT / "docs/conformance.md") == wanted, "run python docs/generate_conformance.py"


def test_every_requirement_has_an_id_of_its_area() -> None:
    rows = {area: list(features) for area, features in generate_conformance.features().items()}
    for area, letter in LETTERS.items():
        assert rows[area] == [f"{letter}-{number:02}" for number in range(1, len(rows[area]) + 1)]
    assert sum(map(len, rows.values())) == 179


def test_marks_name_requirements_and_drive_the_gateway() -> None:
    """One mark, one row, one test that speaks to the running system as a client does."""
    known = {feature for rows in generate_conformance.features().values() for feature in rows}
    proofs = generate_conformance.proofs()
    assert not [proof for proof in proofs if proof.feature not in known]
    assert not [proof for proof in proofs if not proof.path.startswith("tests/system/")]
    features = [proof.feature for proof in proofs]
    assert len(features) == len(set(features)), "two tests claim one requirement"
