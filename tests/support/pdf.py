"""What a PDF says, by the maps that its fonts bring along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils.reader import PdfFileReader

_SECTION = re.compile(rb"beginbf(char|range)(.*?)endbf", re.DOTALL)
_HEX = rb"<([0-9A-Fa-f]+)>"
# A glyph and what it stands for; the first and last glyph of a range, and what the first stands for.
_CHAR = re.compile(rb"\s*".join([_HEX] * 2))
_RANGE = re.compile(rb"\s*".join([_HEX] * 3))
# The font that is taken in hand, or a string of glyphs that is shown in it: as characters, or in
# hexadecimal where one of them is none of ASCII.
_ONE = rb"[^()\\]|\\."
# Brackets within a string stand as they are where each is closed again: three deep.
_CHARACTERS = rb"(?:%b|\((?:%b|\((?:%b)*\))*\))*" % (_ONE, _ONE, _ONE)
_SHOWN = re.compile(rb"/(\w+) [\d.]+ Tf|\((%b)\)|(?<!<)<([0-9A-Fa-f]+)>(?!>)" % _CHARACTERS, re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of(pdf: bytes) -> str:
    """The words of a document that typst has set, in order, without spaces and line breaks."""
    pages = PdfFileReader(BytesIO(pdf)).root["/Pages"]["/Kids"]
    shown = (character for page in pages for character in _text(page.get_object()))
    return "".join("".join(shown).split())


def _text(page: Any) -> Iterator[str]:
    fonts = {
        str(name).lstrip("/"): _characters(font.get_object()["/ToUnicode"].data)
        for name, font in page["/Resources"]["/Font"].items()
    }
    font: dict[int, str] = {}
    for name, glyphs, hexadecimal in _SHOWN.findall(page["/Contents"].data):
        if name:
            font = fonts[name.decode()]
            continue
        codes = bytes.fromhex(hexadecimal.decode()) or _ESCAPE.sub(_unescaped, glyphs)
        for at in range(0, len(codes), 2):
            yield font.get(int.from_bytes(codes[at : at + 2]), "")


def _characters(to_unicode: bytes) -> dict[int, str]:
    """What each glyph of a font stands for."""
    found: dict[int, str] = {}
    for kind, section in _SECTION.findall(to_unicode):
        if kind == b"char":
            for glyph, text in _CHAR.findall(section):
                found[int(glyph, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")
            continue
        for low, high, start in _RANGE.findall(section):
            first, glyph = int(start, 16), int(low, 16)
            found |= {glyph + step: chr(first + step) for step in range(int(high, 16) - glyph + 1)}
    return found


def _unescaped(match: re.Match[bytes]) -> bytes:
    told = match[1]
    return bytes([int(told, 8)]) if told.isdigit() else _ESCAPED.get(told, told)
