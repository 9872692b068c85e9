"""Which characters a PDF shows, by the maps that its fonts bring along."""

from __future__ import annotations

import re
import zlib

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SECTION = re.compile(rb"beginbf(char|range)(.*?)endbf", re.DOTALL)
_HEX = rb"<([0-9A-Fa-f]+)>"
# A glyph and what it stands for; the first and last glyph of a range, and what the first stands for.
_CHAR = re.compile(rb"\s*".join([_HEX] * 2))
_RANGE = re.compile(rb"\s*".join([_HEX] * 3))


def characters_of(pdf: bytes) -> set[str]:
    """Every character that some glyph in the document stands for."""
    found: set[str] = set()
    for stream in _STREAM.findall(pdf):
        try:
            content = zlib.decompress(stream)
        except zlib.error:
            continue
        for kind, section in _SECTION.findall(content):
            if kind == b"char":
                for _, text in _CHAR.findall(section):
                    found |= set(bytes.fromhex(text.decode()).decode("utf-16-be"))
                continue
            for low, high, start in _RANGE.findall(section):
                first = int(start, 16)
                found |= {chr(first + step) for step in range(int(high, 16) - int(low, 16) + 1)}
    return found
