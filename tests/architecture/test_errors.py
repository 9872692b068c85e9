"""The error catalogue: stable reasons, each with a sentence in Chinese and one in English."""

from __future__ import annotations

import re
from collections import Counter
from string import Formatter

from docs.generate_errors import contract, errors, page
from tests.architecture.house import ROOT, text


def test_reasons_are_unique() -> None:
    """Clients switch on the reason; two obstacles with one reason can't be told apart."""
    twice = [reason for reason, count in Counter(error.reason for error in errors()).items() if count > 1]
    assert not twice


def test_reasons_are_upper_snake() -> None:
    """AIP-193, which also allows at most 63 characters."""
    form = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
    assert not [error for error in errors() if not form.fullmatch(error.reason) or len(error.reason) > 63]


def test_every_error_speaks_both_languages() -> None:
    """The reader of an error may be a seller in Shanghai or an integrator elsewhere."""
    chinese = re.compile(r"[\u4e00-\u9fff]")
    assert not [
        error
        for error in errors()
        if not error.en.strip() or chinese.search(error.en) or not chinese.search(error.zh)
    ]


def test_both_sentences_use_the_same_facts() -> None:
    """Otherwise a translation leaves out the one thing the reader must know."""
    assert not [error for error in errors() if _placeholders(error.en) != _placeholders(error.zh)]


def test_every_error_has_a_kind() -> None:
    """The kind becomes the gRPC code; an error without one would be INTERNAL."""
    assert not [error for error in errors() if not hasattr(error, "kind")]


def test_the_page_lists_every_error() -> None:
    """An integrator reads the page, not our classes."""
    assert text(ROOT / "docs/errors.md") == page(), "run python docs/generate_errors.py"


def test_the_contracts_list_every_error() -> None:
    """The front door publishes them, and knows no other service's classes."""
    assert text(ROOT / "protos/errors.yaml") == contract(), "run python docs/generate_errors.py"


def _placeholders(sentence: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(sentence) if field}
